"""What is not Orrery's is neither judged nor changed, whatever it is called."""

import numpy as np
import pytest

from orrery import __main__ as commands
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.learning.tensor_files import save_tensors
from orrery.results.result import Result
from orrery.storage.documents import checked
from orrery.verification import verify

VERSION = 1  # of `counts`
THEIRS = {
    "summaries/mine.parquet": b"no parquet",
    "summaries/0123456789abcdef.parquet": b"of another program",
    "mine/last.ckpt": b"of another training",
    "mine/trained.pt": b"weights",
    "last.ckpt": b"\norrery sha256 " + b"0" * 64,
    "mine/notes.jsonl": b'[1, 2]\n{"loss": NaN}\nplain\n',
    "work/epochs.jsonl": b"not a line\n",
    "mine/work.jsonl": b"hours\n",
    "mine/options.json": b'{"z": 1, "a": 2}',
    "mine/package.json": b"[3",
    "mine/ensemble.json": b'{"z": 1}',
    "mine/trials/best.json": b'{"number": 3}',
}


def counts(records, binning):
    return np.diff(records.offsets).astype(np.float64)[:, np.newaxis]


@pytest.fixture
def stars(toy, tmp_path):
    return generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def contents(folder):
    """Returns the bytes of all files, by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("words", [["dataset", "repair"], ["verify", "--repair"]])
def test_files_of_others_stay_as_they_are(stars, words):
    for name, content in THEIRS.items():
        (stars.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (stars.folder / name).write_bytes(content)
    (stars.folder / "mine" / "plan.md").symlink_to("elsewhere")
    flip(stars.folder / "dataset.json", -20)  # so that there is something to repair
    before = contents(stars.folder)
    commands.main([*words, str(stars.folder)])
    after = contents(stars.folder)
    assert {name: after.get(name) for name in THEIRS} == THEIRS
    assert before.keys() <= after.keys()
    assert (stars.folder / "mine" / "plan.md").is_symlink()


@pytest.mark.parametrize(
    "name",
    ["mine/notes.jsonl", "mine/options.json", "mine/last.ckpt", "mine/package.json"],
)
def test_files_of_others_are_no_damage(stars, name, capsys):
    (stars.folder / name).parent.mkdir()
    (stars.folder / name).write_bytes(THEIRS[name])
    assert verify(stars.folder) == []


def kept_summaries(stars, centre):
    compute(counts, stars, Entries(("count",), ("",)), centre)
    (path,) = (stars.folder / "summaries").glob("*.parquet")
    return path


def tensors(stars):
    folder = stars.folder / "posteriors" / ".training-0123456789abcdef"
    folder.mkdir(parents=True)
    save_tensors(folder / "last.ckpt", {"epoch": 3})
    return folder / "last.ckpt"


@pytest.mark.parametrize("place", [40, -20])
def test_our_own_are_put_aside_and_not_lost(stars, centre, place, capsys):
    ours = [kept_summaries(stars, centre), tensors(stars)]
    for path in ours:
        flip(path, place)
    damaged = [path.read_bytes() for path in ours]
    assert commands.main(["verify", "--repair", str(stars.folder)]) == 0
    aside = [path.with_name(f"{path.name}.damaged") for path in ours]
    assert [path.read_bytes() for path in aside] == damaged
    assert not any(path.exists() for path in ours)
    assert "is now last.ckpt.damaged: it is computed again" in capsys.readouterr().err


def test_what_was_put_aside_before_stays(stars, centre):
    path = kept_summaries(stars, centre)
    for byte in (40, 50, 60):
        kept_summaries(stars, centre)
        flip(path, byte)
        commands.main(["verify", "--repair", str(stars.folder)])
    names = sorted(one.name.removeprefix(path.name) for one in path.parent.iterdir())
    assert names == [".damaged", ".damaged-2", ".damaged-3"]


def test_lines_that_cannot_be_read_are_kept_aside(tmp_path, write_run):
    folder = write_run(tmp_path)
    log = folder / "epochs.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines, b"torn {\n"]))
    commands.main(["verify", "--repair", str(tmp_path)])
    assert log.read_bytes() == b"".join(lines)
    assert (folder / "epochs.jsonl.damaged").read_bytes().endswith(b"torn {\n")


def test_a_document_of_before_gets_a_checksum_where_it_is_one(tmp_path, write_run):
    path = write_run(tmp_path) / "run.json"
    whole = path.read_bytes()
    path.write_bytes(checked(whole))
    commands.main(["verify", "--repair", str(tmp_path)])
    assert path.read_bytes() == whole
    assert Result.open(path).status == "finished"
