"""What can be made again is made again by a command, with the same bytes, and nothing else."""

import re
import shutil

import pytest

from orrery import __main__ as commands
from orrery.execution import simulation, simulators
from orrery.execution.simulation import generate
from orrery.execution.simulators import known_simulator
from orrery.results import page
from orrery.results.result import Result
from orrery.storage.documents import checked
from orrery.verification import verify

DOCUMENTS = ("dataset.json", "manifest.json", "shards.sha256", "README.md")


@pytest.fixture
def stars(toy, tmp_path):
    return generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)


@pytest.fixture
def installed(toy, monkeypatch):
    """An installation that knows the simulator; returns the shards that it was asked for."""

    class Entry:
        def load(self):
            return type(toy)

    made = []
    make = simulation.make_shard

    def count(simulator, metadata, shard, folder):
        made.append(shard)
        return make(simulator, metadata, shard, folder)

    # What it says of itself has its options in a part of their own, as the sciences have.
    monkeypatch.setattr(simulators, "entry_points", lambda group: [Entry()])
    everything = {"refused": None}
    monkeypatch.setattr(simulators, "_options", lambda found: everything | found)
    monkeypatch.setattr(simulation, "make_shard", count)
    return made


def flip(path, place=-20):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def repair(folder):
    return commands.main(["dataset", "repair", str(folder)])


@pytest.mark.parametrize("name", [*DOCUMENTS, "work.jsonl"])
@pytest.mark.parametrize("place", [3, 60, -20])
def test_a_damaged_document_has_its_bytes_again(stars, name, place, capsys):
    content = (stars.folder / name).read_bytes()
    flip(stars.folder / name, place)
    assert repair(stars.folder) == 0
    assert (stars.folder / name).read_bytes() == content
    assert "is sound" in capsys.readouterr().out


@pytest.mark.parametrize("name", DOCUMENTS[1:])
def test_a_lost_document_has_its_bytes_again(stars, name):
    content = (stars.folder / name).read_bytes()
    (stars.folder / name).unlink()
    assert repair(stars.folder) == 0
    assert (stars.folder / name).read_bytes() == content


PLACES = (*DOCUMENTS, "shards/shard-00001.arrow")


@pytest.mark.parametrize("name", PLACES)
def test_an_empty_folder_in_place_of_a_file_gives_way(stars, installed, name, capsys):
    place = stars.folder / name
    content = place.read_bytes()
    place.unlink()
    place.mkdir()
    assert repair(stars.folder) == 0
    said = f"{place} is now {place.name}.damaged: a file belongs there"
    assert said in capsys.readouterr().err
    assert place.read_bytes() == content
    assert (place.parent / f"{place.name}.damaged").is_dir()


@pytest.mark.parametrize("name", PLACES)
def test_a_link_to_what_is_away_stays(stars, installed, name, tmp_path, capsys):
    place, away = stars.folder / name, tmp_path / "away"
    place.rename(away)
    place.symlink_to(tmp_path / "disk")
    assert repair(stars.folder) == 1
    assert f"{place} is a link to no file: put what it" in capsys.readouterr().out
    assert place.is_symlink()
    place.unlink()
    away.rename(place)  # as the remedy says
    assert repair(stars.folder) == 0


def test_a_folder_with_files_stays_where_a_file_belongs(stars, installed, capsys):
    place = stars.folder / "manifest.json"
    place.unlink()
    place.mkdir()
    (place / "note").write_text("kept")
    assert repair(stars.folder) == 1
    assert f"{place} is a folder: remove it" in capsys.readouterr().out
    assert (place / "note").read_text() == "kept"
    shutil.rmtree(place)  # as the remedy says
    assert repair(stars.folder) == 0
    assert verify(stars.folder) == []


def test_a_lost_description_is_that_of_the_shards(stars, contents, installed):
    before = contents(stars.folder)
    (stars.folder / "dataset.json").write_bytes(b"")
    assert repair(stars.folder) == 0
    assert contents(stars.folder) == before
    assert installed == []


def test_only_the_damaged_shards_are_made_again(stars, contents, installed):
    before = contents(stars.folder)
    flip(stars.folder / stars.rows[1].file)
    (stars.folder / "manifest.json").write_bytes(b"")
    assert repair(stars.folder) == 0
    assert installed == [1]
    assert contents(stars.folder) == before


def test_without_its_simulator_a_shard_is_left_to_its_generation(
    stars, toy, contents, capsys
):
    before = contents(stars.folder)
    flip(stars.folder / stars.rows[1].file)
    assert repair(stars.folder) == 1
    said = capsys.readouterr()
    assert "no simulator is installed that made shards 1" in said.err
    assert "shard-00001.arrow was altered" in said.out
    generate(toy, 20, seed=3, folder=stars.folder.parent, actors=0, shard_size=8)
    assert contents(stars.folder) == before
    assert repair(stars.folder) == 0


@pytest.mark.slow
@pytest.mark.parametrize("lost", [(), ("manifest.json",)], ids=str)
def test_the_remedy_of_a_shard_in_a_bucket_makes_it_again(toy, bucket, lost, capsys):
    """Generating again compares sizes alone there."""
    made = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    shard = made.folder / made.rows[1].file
    content = shard.read_bytes()
    shard.put(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    for name in lost:
        (made.folder / name).unlink()
    assert repair(made.folder) == 1
    said = capsys.readouterr().out
    assert re.search(
        "shard-00001.arrow .*: remove it if it is there, and run its", said
    )
    shard.unlink()
    generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    assert shard.read_bytes() == content
    assert repair(made.folder) == 0


@pytest.mark.slow
def test_only_the_damaged_shard_in_a_bucket_is_made_again(toy, bucket, installed):
    made = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    installed.clear()
    for row in made.rows[1:]:
        shard = made.folder / row.file
        content = shard.read_bytes()
        if row.shard == 1:
            shard.put(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
        else:
            shard.unlink()
    assert repair(made.folder) == 0
    assert installed == [1, 2]
    assert verify(made.folder) == []


def test_files_of_before_are_given_checksums(stars, contents):
    before = contents(stars.folder)
    for name in ("dataset.json", "manifest.json"):
        path = stars.folder / name
        path.write_bytes(checked(path.read_bytes()))
    (stars.folder / "shards.sha256").unlink()
    work = stars.folder / "work.jsonl"
    lines = [checked(line) for line in work.read_bytes().splitlines()]
    work.write_bytes(b"\n".join([*lines, b""]))
    assert repair(stars.folder) == 0
    assert contents(stars.folder) == before


def test_only_the_very_simulator_is_taken(stars, toy, installed, monkeypatch):
    described = stars.metadata["simulator"]
    assert known_simulator(described) == toy
    assert known_simulator({**described, "colour": 1}) is None
    monkeypatch.setattr(type(toy), "describe", lambda self: {"scale": 2.0})
    assert known_simulator(described) is None


@pytest.mark.slow
def test_a_document_of_a_run_and_its_page_are_as_they_were(tmp_path, write_run):
    folder = write_run(tmp_path)
    page.write(Result.open(folder))
    assert verify(tmp_path) == []
    names = ("run.json", "line.pdf")
    for name in names:
        content = (folder / name).read_bytes()
        flip(folder / name)
        assert [one.file for one in verify(folder)] == [name]
        assert commands.main(["verify", "--repair", str(folder)]) == 0
        assert (folder / name).read_bytes() == content


def test_what_cannot_be_made_again_is_told_with_what_helps(tmp_path, write_run, capsys):
    folder = write_run(tmp_path)
    flip(folder / "draws.parquet")
    assert commands.main(["verify", "--repair", str(tmp_path)]) == 1
    assert "draws.parquet is damaged" in capsys.readouterr().out


@pytest.mark.slow
def test_a_dataset_in_a_bucket_is_repaired(stars, toy, bucket, installed):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    installed.clear()
    for name in DOCUMENTS[:3]:
        (there.folder / name).put(b"")
    altered = there.folder / there.rows[1].file
    altered.put(b"x" * there.rows[1].bytes)
    found = {finding.file for finding in verify(there.folder)}
    assert found == {"dataset.json", "manifest.json", there.rows[1].file}
    # shards.sha256 is lost too, so that shards are taken if they can be read
    assert repair(there.folder) == 0
    assert installed == [1]
    for name in (*DOCUMENTS[:3], there.rows[1].file):
        here = (stars.folder / name).read_bytes()
        assert (there.folder / name).read_bytes() == here


def test_of_each_line_of_a_work_log_one_is_kept(stars, capsys):
    log, written = (
        stars.folder / "work.jsonl",
        (stars.folder / "README.md").read_bytes(),
    )
    lines = log.read_bytes()
    log.write_bytes(lines * 3)
    assert repair(stars.folder) == 0
    assert log.read_bytes() == lines
    assert (stars.folder / "README.md").read_bytes() == written


def test_a_shard_that_is_linked_to_another_place_is_left_there(stars, tmp_path, capsys):
    shard, there = stars.folder / "shards/shard-00001.arrow", tmp_path / "elsewhere"
    content = shard.read_bytes()
    shard.rename(there)
    shard.symlink_to(there)
    assert repair(stars.folder) == 1
    assert "shard-00001.arrow is a link that leads out" in capsys.readouterr().out
    assert (shard.is_symlink(), there.read_bytes()) == (True, content)
    shutil.move(there, shard)
    assert repair(stars.folder) == 0
