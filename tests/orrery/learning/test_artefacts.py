"""What was kept is what is found, or an error says what to do."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
import torch

from orrery.learning.artefacts import Shelf
from orrery.storage import files

DOCUMENT = {"fingerprint": "0123", "seed": 1}
WEIGHTS = {"a": torch.arange(3.0)}


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path, "ensemble")
    shelf.write(DOCUMENT, WEIGHTS)
    return shelf


def test_what_was_written_is_read(shelf):
    document = shelf.read()
    assert DOCUMENT.items() <= document.items()
    assert document["versions"]["torch"]
    assert torch.equal(shelf.weights(document)["a"], WEIGHTS["a"])
    assert shelf.holds("0123")
    assert not shelf.holds("4567")


def test_a_newer_result_replaces_the_older_and_the_unfinished(shelf):
    shelf.unfinished("4567").mkdir()
    shelf.write({"fingerprint": "4567"}, {"a": torch.zeros(1)})
    assert not shelf.weights(shelf.read())["a"].any()
    assert {path.name for path in shelf.folder.iterdir()} == {"ensemble.json", "weights-4567.pt"}


def learned(value):
    return {"seed": value}, {"a": torch.full((1,), float(value))}


def forbidden(folder):
    raise AssertionError("it was learned before")


def test_what_is_there_is_not_learned_again(shelf):
    shelf.provide("0123", forbidden)
    shelf.provide("4567", lambda folder: learned(len(folder.name)))
    shelf.provide("4567", forbidden)
    assert shelf.weights(shelf.read())["a"].item() == len(shelf.unfinished("4567").name)


def test_a_second_process_is_refused_while_one_learns(shelf):
    program = (
        "import pathlib, sys, torch; from orrery.learning.artefacts import Shelf\n"
        "shelf = Shelf(pathlib.Path(sys.argv[1]), 'ensemble')\n"
        "try: shelf.provide('89ab', lambda folder: ({'seed': 3}, {'a': torch.full((1,), 3.0)}))\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(shelf.folder)]
    said = []

    def learn(folder):
        folder.mkdir()
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert folder.exists()
        return learned(1)

    shelf.provide("4567", learn)
    assert f"{shelf.folder} is being written by process" in said[0]
    assert "wait until it has finished, or choose another folder of reports or datasets" in said[0]
    assert shelf.weights(shelf.read())["a"].item() == 1
    subprocess.run(command, check=True)
    assert shelf.holds("89ab")


def test_what_another_has_learned_meanwhile_is_kept(shelf, monkeypatch):
    locked = files.locked

    @contextmanager
    def late(folder, instead):
        with locked(folder, instead):
            shelf.write({"fingerprint": "4567"}, WEIGHTS)
            yield

    monkeypatch.setattr(files, "locked", late)
    shelf.provide("4567", forbidden)
    assert shelf.holds("4567")


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no flow\.json.*train a flow there first"):
        Shelf(tmp_path, "flow").read()
    assert not Shelf(tmp_path, "flow").holds("0123")


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_document_is_named(shelf, text):
    shelf.document.write_text(text)
    with pytest.raises(ValueError, match=r"ensemble\.json is damaged.*delete it"):
        shelf.read()


def test_damaged_weights_are_named(shelf):
    path = shelf.folder / "weights-0123.pt"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="its checksum differs"):
        shelf.weights(shelf.read())
    path.unlink()
    with pytest.raises(ValueError, match="missing or empty"):
        shelf.weights(shelf.read())
    with pytest.raises(ValueError, match="damaged"):
        shelf.weights({"fingerprint": "0123"})
