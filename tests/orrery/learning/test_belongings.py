"""What was learned is whole, and nobody else's, or it is named and not opened."""

import json
import shutil

import numpy as np
import pytest
import torch

from orrery.identity import fingerprint
from orrery.learning import mixture
from orrery.learning.artefacts import ArtifactStore
from orrery.learning.belongings import weighed
from orrery.storage.documents import read_document, write_document
from orrery.verification import verify

WEIGHTS = {"a": torch.arange(3.0)}


def train(folder, seed, kind="posterior"):
    """Keeps what a training of a seed found; returns its fingerprint."""
    folder.mkdir(parents=True)
    decided = {"seed": seed, "pairs": {"train": seed}}
    found = {"labels": ["$a$", "$b$"], "curve": {"train": [2.0, 1.0]}, "reach": None}
    own = fingerprint(decided)
    ArtifactStore(folder, kind).write({"fingerprint": own, **decided, **found}, WEIGHTS)
    return own


@pytest.fixture
def trained(tmp_path):
    train(tmp_path / "trained", seed=1)
    return tmp_path / "trained"


@pytest.fixture
def mixed(tmp_path):
    folder = tmp_path / "mixed"
    members = [train(folder / f"member-{k}", seed=k) for k in range(2)]
    document = {"members": members, "weights": [0.75, 0.25], "version": 1}
    whole = {**document, "fingerprint": weighed(document)}
    write_document(folder / "mixture.json", whole)
    return folder


def files(folder):
    return [finding.file for finding in verify(folder)]


def rewrite(path, change):
    """Writes a document with changes, and with a right checksum."""
    write_document(path, {**read_document(path, ""), **change})


def test_what_is_whole_is_sound(trained, mixed):
    assert verify(trained.parent) == []


CHANGES = (
    {"labels": ["$b$", "$a$"]},
    {"labels": ["$a$"]},
    {"curve": {"train": [2.0]}},
    {"reach": {"mean": [0.0]}},
    {"versions": {}},
    {"seed": 2},
    {"fingerprint": "0123456789abcdef"},
    {"outcome": "0123456789abcdef"},
)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_an_edited_document_with_a_right_checksum_is_named_and_not_opened(
    trained, change
):
    rewrite(trained / "posterior.json", change)
    assert files(trained) == ["posterior.json"]
    store = ArtifactStore(trained, "posterior")
    with pytest.raises(ValueError, match=r"posterior\.json is damaged"):
        store.open(lambda document, weights: document)
    identity = store.read()["fingerprint"]
    assert not store.holds(identity)  # it is made anew


def test_weights_that_were_trained_elsewhere_are_no_others(trained, tmp_path):
    train(tmp_path / "other", seed=2)
    theirs = read_document(tmp_path / "other" / "posterior.json", "")["weights"]
    shutil.copy(tmp_path / "other" / theirs["file"], trained)
    rewrite(trained / "posterior.json", {"weights": theirs})
    assert files(trained) == ["posterior.json"]


@pytest.mark.parametrize("kind", ["posterior", "ensemble"])
def test_a_lost_document_is_named(tmp_path, kind):
    folder = tmp_path / f"{kind}s" / "25" / "0123456789abcdef"
    train(folder, seed=1, kind=kind)
    (folder / f"{kind}.json").unlink()
    assert files(folder) == [f"{kind}.json"]


def test_what_lies_in_anothers_folder_is_named(tmp_path):
    train(tmp_path / "0123456789abcdef", seed=1)
    assert files(tmp_path) == ["0123456789abcdef/posterior.json"]


def test_a_lost_mixture_or_member_is_named(mixed):
    for file in ("mixture.json", "member-0/posterior.json", "member-1/posterior.json"):
        content = (mixed / file).read_bytes()
        (mixed / file).unlink()
        assert files(mixed) == [file]
        (mixed / file).write_bytes(content)
    shutil.rmtree(mixed / "member-1")
    assert files(mixed) == ["member-1/posterior.json"]


def test_a_mixture_that_has_not_ended_lacks_nothing(mixed):
    (mixed / "mixture.json").unlink()
    (mixed / "member-1" / "posterior.json").rename(mixed / "member-1" / ".training-1")
    for weights in (mixed / "member-1").glob("*.pt"):
        weights.unlink()
    assert files(mixed) == []


def test_a_member_that_is_a_copy_of_another_is_named(mixed):
    shutil.rmtree(mixed / "member-1")
    shutil.copytree(mixed / "member-0", mixed / "member-1")
    assert files(mixed) == ["member-1/posterior.json"]


@pytest.mark.parametrize("change", [{"weights": [0.25, 0.75]}, {"members": []}, {}])
def test_weights_of_a_mixture_that_were_exchanged_are_named_and_not_opened(
    mixed, change
):
    if not change:
        members = read_document(mixed / "mixture.json", "")["members"]
        change = {"members": members[::-1]}
    rewrite(mixed / "mixture.json", change)
    assert files(mixed) == ["mixture.json"]
    with pytest.raises(ValueError, match=r"mixture\.json is damaged"):
        mixture.load(mixed)


def test_documents_of_before_are_read_and_told(mixed):
    for path in mixed.rglob("*.json"):
        document = read_document(path, "")
        document.pop("outcome", None)
        if path.name == "mixture.json":
            del document["fingerprint"]
        write_document(path, document)
    found = verify(mixed)
    assert len(found) == 3
    assert not any(finding.is_damage for finding in found)
    opened = ArtifactStore(mixed / "member-0", "posterior").open(lambda d, w: d)
    assert opened["labels"] == ["$a$", "$b$"]


def test_what_was_found_has_the_same_fingerprint_when_it_is_read(tmp_path):
    found = {
        "labels": ["\u03b1"],
        "loss": [np.float64(0.1), 2.0, -0.0],
        "reseeded": {"3": 1},
    }
    document = {"fingerprint": fingerprint({"seed": 1}), "seed": 1, **found}
    store = ArtifactStore(tmp_path, "ensemble")
    store.write(document, WEIGHTS)
    read = store.open(lambda document, weights: document)
    assert read["loss"] == [0.1, 2.0, 0.0]
    assert json.dumps(read["reseeded"]) == '{"3": 1}'
