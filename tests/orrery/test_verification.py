"""Damage is found and named by the commands, whatever file it is in; nothing else is."""

import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from orrery import __main__ as commands
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.storage.documents import checked, write_document
from orrery.verification import verify

VERSION = 1  # of `counts`


def counts(records, binning):
    return np.diff(records.offsets).astype(np.float64)[:, np.newaxis]


@pytest.fixture
def stars(toy, tmp_path):
    return generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)


def flip(path, place=-20):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_what_is_sound_is_called_so(stars, capsys):
    assert verify(stars.folder) == []
    assert commands.main(["dataset", "verify", str(stars.folder)]) == 0
    assert f"{stars.folder} is sound" in capsys.readouterr().out


def test_a_dataset_may_be_moved_and_stays_sound(stars, tmp_path):
    assert verify(shutil.copytree(stars.folder, tmp_path / "elsewhere")) == []


FILES = (
    "dataset.json",
    "manifest.json",
    "shards.sha256",
    "README.md",
    "work.jsonl",
    "shards/shard-00001.arrow",
)


@pytest.mark.parametrize("name", FILES)
def test_each_damaged_file_of_a_dataset_is_named_alone(stars, name, capsys):
    flip(stars.folder / name)
    capsys.readouterr()
    assert commands.main(["dataset", "verify", str(stars.folder)]) == 1
    said = capsys.readouterr()
    (line,) = said.out.splitlines()
    assert line.startswith(f"{stars.folder / name} ")
    assert "1 files are not what was written" in said.err


@pytest.mark.parametrize("name", FILES)
def test_each_missing_file_that_matters_is_named(stars, name):
    (stars.folder / name).unlink()
    assert {finding.file for finding in verify(stars.folder)} == {name}


@pytest.mark.parametrize("name", FILES)
def test_each_emptied_file_is_named(stars, name):
    (stars.folder / name).write_bytes(b"")
    assert {finding.file for finding in verify(stars.folder)} == {name}


def test_a_work_log_that_was_doubled_is_named(stars):
    log = stars.folder / "work.jsonl"
    log.write_bytes(log.read_bytes() * 2)
    (found,) = verify(stars.folder)
    assert str(found).startswith("work.jsonl has lines twice: `orrery dataset repair`")


@pytest.mark.parametrize("inner", ["shards", "shards/shard-00001.arrow"])
def test_what_is_linked_to_another_place_is_named(stars, inner, tmp_path):
    there = tmp_path / "elsewhere"
    shutil.move(stars.folder / inner, there)
    (stars.folder / inner).symlink_to(there)
    (found,) = verify(stars.folder)
    assert str(found) == (
        f"{inner} is a link that leads out of the folder: put what it leads to in its place"
    )


def test_links_in_a_ring_beside_the_shards_are_named(stars):
    """Of whatever name, also one that no file of ours has."""
    ring = stars.folder / "shards" / "ring"
    ring.symlink_to(ring)
    (found,) = verify(stars.folder)
    assert str(found).startswith("shards/ring is a link that leads out of the folder")


def folder_with_a_file(path):
    path.mkdir()
    (path / "note").write_text("")


THINGS = {
    "an empty folder": (lambda path: path.mkdir(), "is a folder"),
    "a folder": (folder_with_a_file, "is a folder"),
    "a broken link": (lambda path: path.symlink_to("gone"), "is a link to no file"),
    "a ring": (lambda path: path.symlink_to(path.name), "is a link to no file"),
    "a link to a folder": (lambda path: path.symlink_to("."), "is a link to no file"),
    "a pipe": (os.mkfifo, "is no file that can be read"),
}


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", FILES)
def test_what_lies_in_place_of_a_file_is_named(stars, name, thing):
    make, said = THINGS[thing]
    (stars.folder / name).unlink()
    make(stars.folder / name)
    (found,) = verify(stars.folder)
    assert (found.file, found.reason) == (name, said)


@pytest.mark.parametrize("name", ["run.json", "draws.parquet", "epochs.jsonl"])
@pytest.mark.parametrize("thing", THINGS)
def test_a_file_that_is_hidden_hides_no_other_damage(tmp_path, write_run, name, thing):
    folder = write_run(tmp_path / "one")
    other = write_run(tmp_path / "other")
    make, _ = THINGS[thing]
    (folder / name).unlink()
    make(folder / name)
    flip(other / "draws.parquet")
    wanted = {folder / name, other / "draws.parquet"}
    assert {tmp_path / one.file for one in verify(tmp_path)} == wanted


@pytest.mark.parametrize("content", [b"", b"\n", bytes(200)])
def test_a_table_that_holds_nothing_is_named(tmp_path, content):
    (tmp_path / "binned.ecsv").write_bytes(content)
    (found,) = verify(tmp_path)
    assert str(found).startswith("binned.ecsv is damaged (it holds nothing)")


def test_a_folder_of_shards_alone_lacks_its_documents(stars):
    for name in FILES[:-1]:
        (stars.folder / name).unlink()
    found = {finding.file for finding in verify(stars.folder)}
    assert {"dataset.json", "manifest.json"} <= found


def test_all_damage_is_found_at_once(stars):
    for name in FILES[2:]:
        flip(stars.folder / name)
    assert {finding.file for finding in verify(stars.folder)} == {*FILES[2:]}


@pytest.mark.parametrize("name", ["manifest.json", "dataset.json"])
def test_a_lost_document_hides_no_damaged_shard(stars, name):
    (stars.folder / name).write_bytes(b"")
    flip(stars.folder / FILES[-1])
    assert {finding.file for finding in verify(stars.folder)} == {name, FILES[-1]}


def test_a_document_that_names_a_file_outside_of_its_folder_is_named(tmp_path):
    outside = tmp_path / "outside.pt"
    outside.write_bytes(b"weights")
    folder = tmp_path / "trained"
    folder.mkdir()
    weights = {"file": "../outside.pt", "sha256": "0" * 64}
    write_document(folder / "posterior.json", {"a": 1, "weights": weights})
    (found,) = verify(folder)
    assert found.file == "posterior.json"
    assert "names '../outside.pt', which is no file inside of" in found.reason


def test_summaries_that_are_anothers_are_named(stars, centre):
    for name in ("mean", "spread"):
        compute(counts, stars, Entries((name,), ("kpc",)), centre)
    assert verify(stars.folder) == []
    one, other = sorted((stars.folder / "summaries").iterdir())
    one.write_bytes(other.read_bytes())
    (found,) = verify(stars.folder)
    assert found.file == f"summaries/{one.name}"
    one.unlink()  # as the remedy says: they are computed again
    assert verify(stars.folder) == []


def test_damage_of_runs_is_named(tmp_path, write_run, capsys):
    folder = write_run(tmp_path)
    assert commands.main(["verify", str(tmp_path)]) == 0
    for name in ("run.json", "draws.parquet", "epochs.jsonl"):
        content = (folder / name).read_bytes()
        flip(folder / name)
        capsys.readouterr()
        assert commands.main(["verify", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().out.splitlines()
        assert f"{folder / name} is damaged" in line
        (folder / name).write_bytes(content)


def test_files_of_before_are_told_to_have_no_checksum(stars, capsys):
    path = stars.folder / "dataset.json"
    path.write_bytes(checked(path.read_bytes()))
    (found,) = verify(stars.folder)
    assert (found.file, "has no checksum" in found.reason) == ("dataset.json", True)
    assert not found.is_damage
    assert commands.main(["dataset", "verify", str(stars.folder)]) == 0
    assert "is sound, as far as can be seen" in capsys.readouterr().out


def test_a_card_with_the_simulators_words_in_another_order_is_sound(toy, tmp_path):
    about = {"model": "a rigid galaxy", "frame": "at rest"}
    simulator = SimpleNamespace(
        schema=toy.schema,
        records=toy.records,
        describe=lambda: {**toy.describe(), "about": about},
    )
    made = generate(simulator, 8, seed=3, folder=tmp_path, actors=0, shard_size=8)
    card = made.folder / "README.md"
    text = card.read_text()
    assert "At rest. A rigid galaxy. Root" in text
    card.write_text(
        text.replace("At rest. A rigid galaxy.", "A rigid galaxy. At rest.")
    )
    assert verify(made.folder) == []
    card.write_text(text.replace("rigid", "frigid"))
    assert [finding.file for finding in verify(made.folder)] == ["README.md"]


def test_what_others_wrote_is_none_of_ours(stars):
    place = stars.folder / "wandb" / "offline-run" / "files"
    place.mkdir(parents=True)
    (place / "wandb-metadata.json").write_text(json.dumps({"os": "Linux"}))
    (stars.folder / "notes.txt").write_text("ours")
    assert verify(stars.folder) == []


def test_an_empty_place_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    for name, said in {
        "nowhere": "is not there: name the folder of a dataset",
        "file": "is a file: name the folder of a dataset",
        "empty": "has no files: name another folder",
    }.items():
        assert commands.main(["dataset", "verify", str(tmp_path / name)]) == 1
        assert said in " ".join(capsys.readouterr().err.split())


def test_a_card_is_printed_from_the_documents(stars, capsys):
    written = (stars.folder / "README.md").read_text()
    (stars.folder / "README.md").unlink()
    capsys.readouterr()
    assert commands.main(["dataset", "card", str(stars.folder)]) == 0
    assert capsys.readouterr().out == written


@pytest.mark.slow
def test_a_dataset_in_a_bucket_is_verified(stars, toy, bucket):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    assert verify(there.folder) == []
    place = there.folder / there.rows[1].file
    place.put(b"x" * there.rows[1].bytes)
    (found,) = verify(there.folder)
    assert found.file == there.rows[1].file


@pytest.mark.parametrize("depth", ["run", "root"])
def test_damage_behind_a_link_to_another_disk_is_named(tmp_path, write_run, depth):
    folder = write_run(tmp_path / "disk" / "runs")
    linked = {"run": folder.parent, "root": tmp_path / "disk" / "runs"}[depth]
    here = tmp_path / "here"
    here.mkdir()
    (here / "link").symlink_to(linked)
    assert verify(here) == []
    flip(folder / "draws.parquet")
    (found,) = verify(here)
    assert (
        here / found.file
        == here / "link" / folder.relative_to(linked) / "draws.parquet"
    )
    assert "is damaged" in found.reason


def test_a_dataset_behind_a_link_is_verified_once(stars, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    for name in ("a", "b"):
        (here / name).symlink_to(stars.folder)
    (here / "back").symlink_to(here)
    flip(stars.folder / "shards/shard-00001.arrow")
    assert [one.file for one in verify(here)] == ["a/shards/shard-00001.arrow"]
