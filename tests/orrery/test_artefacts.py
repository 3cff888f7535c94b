"""What was kept is what is found, or an error says what to do."""

import pytest
import torch

from orrery.artefacts import Shelf

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
