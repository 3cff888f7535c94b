"""What was kept is what is found, or an error says what to do."""

from contextlib import contextmanager

import pytest
import torch

from orrery.identity import fingerprint
from orrery.learning.artefacts import ArtifactStore
from orrery.storage import files
from orrery.storage.documents import write_document

FIRST = fingerprint({"seed": 1})
SECOND = fingerprint({"seed": 2})
THIRD = fingerprint({"seed": 3})
DOCUMENT = {"fingerprint": FIRST, "seed": 1}
WEIGHTS = {"a": torch.arange(3.0)}


@pytest.fixture
def store(tmp_path):
    store = ArtifactStore(tmp_path, "ensemble")
    store.write(DOCUMENT, WEIGHTS)
    return store


def test_what_was_written_is_read(store):
    document = store.read()
    assert DOCUMENT.items() <= document.items()
    assert document["versions"]["torch"]
    assert torch.equal(store.weights(document)["a"], WEIGHTS["a"])
    assert store.holds(FIRST)
    assert not store.holds(SECOND)


def test_a_newer_result_replaces_the_older_and_the_unfinished(store):
    store.unfinished(SECOND).mkdir()
    store.write({"fingerprint": SECOND, "seed": 2}, {"a": torch.zeros(1)})
    assert not store.weights(store.read())["a"].any()
    assert {path.name for path in store.folder.iterdir()} == {
        "ensemble.json",
        f"weights-{SECOND}.pt",
    }


@pytest.mark.slow
def test_results_lie_in_a_bucket_and_unfinished_trainings_here(bucket):
    store = ArtifactStore(bucket / "ensembles", "ensemble")
    assert not store.holds(FIRST)
    seen = []

    def learn(unfinished):
        files.ensure_writable(unfinished)
        seen.append(unfinished)
        return learned(1, seed=1)

    store.get_or_train(FIRST, learn)
    store.get_or_train(FIRST, forbidden)
    assert torch.equal(store.weights(store.read())["a"], torch.ones(1))
    assert not seen[0].exists()
    store.write({"fingerprint": SECOND, "seed": 2}, {"a": torch.zeros(1)})
    names = {*store.folder.sizes()} - {".lock"}
    assert names == {"ensemble.json", f"weights-{SECOND}.pt"}
    (store.folder / f"weights-{SECOND}.pt").unlink()
    with pytest.raises(
        ValueError, match=rf"s3://.*weights-{SECOND}.pt is damaged \(it is mi"
    ):
        store.weights(store.read())


def learned(value, seed=2):
    return {"seed": seed}, {"a": torch.full((1,), float(value))}


def forbidden(folder):
    raise AssertionError("it was learned before")


def test_what_is_there_is_not_learned_again(store):
    store.get_or_train(FIRST, forbidden)
    store.get_or_train(SECOND, lambda folder: learned(len(folder.name)))
    store.get_or_train(SECOND, forbidden)
    assert store.weights(store.read())["a"].item() == len(store.unfinished(SECOND).name)


def test_a_second_process_is_refused_while_one_learns(store, forked, tmp_path):
    said = tmp_path / "said"

    def second():
        try:
            store.get_or_train(THIRD, lambda folder: learned(3, seed=3))
        except OSError as error:
            said.write_text(str(error))

    def learn(folder):
        folder.mkdir()
        forked(second).join()
        assert folder.exists()
        return learned(1)

    store.get_or_train(SECOND, learn)
    assert f"{store.folder} is being written by process" in said.read_text()
    assert "wait until it has finished, or stop it" in said.read_text()
    assert "choose another folder of reports or datasets" in said.read_text()
    assert store.weights(store.read())["a"].item() == 1
    forked(second).join()
    assert store.holds(THIRD)
    # what was replaced between its training and its opening is not taken for the other
    with pytest.raises(BlockingIOError, match=f"has replaced {SECOND}"):
        store.open(lambda document, weights: document, SECOND)


def test_what_another_has_learned_meanwhile_is_kept(store, monkeypatch):
    locked = files.locked

    @contextmanager
    def late(folder, instead):
        with locked(folder, instead):
            store.write({"fingerprint": SECOND, "seed": 2}, WEIGHTS)
            yield

    monkeypatch.setattr(files, "locked", late)
    store.get_or_train(SECOND, forbidden)
    assert store.holds(SECOND)


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no flow\.json.*train a flow there first"
    ):
        ArtifactStore(tmp_path, "flow").read()
    assert not ArtifactStore(tmp_path, "flow").holds(FIRST)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_document_is_named(store, text):
    store.document.write_text(text)
    with pytest.raises(ValueError, match=r"ensemble\.json is damaged.*command again"):
        store.read()


@pytest.mark.parametrize("file", ["ensemble.json", f"weights-{FIRST}.pt"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_what_is_damaged_is_told_and_learned_again(store, file, damage, capsys):
    path = store.folder / file
    content = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(bytes([*content[:-9], content[-9] ^ 1, *content[-8:]]))
        case "cut":
            path.write_bytes(content[:-100])
        case _:
            path.unlink()
    store.get_or_train(FIRST, lambda folder: ({"seed": 1}, WEIGHTS))
    assert path.read_bytes() == content
    assert (file in capsys.readouterr().err) == (damage != "gone" or "pt" in file)
    store.get_or_train(FIRST, forbidden)


@pytest.mark.parametrize("name", ["../outside.pt", "/tmp/outside.pt", "a/../../b.pt"])
def test_weights_outside_of_the_folder_are_refused(store, name, tmp_path):
    content = (store.folder / f"weights-{FIRST}.pt").read_bytes()
    (store.folder.parent / "outside.pt").write_bytes(content)
    document = store.read()
    weights = {**document["weights"], "file": name}
    write_document(store.document, {**document, "weights": weights})
    with pytest.raises(ValueError, match=r"ensemble\.json is damaged .*no file inside"):
        store.open(lambda document, weights: weights)


def test_a_document_whose_content_has_another_fingerprint_is_refused(tmp_path):
    store = ArtifactStore(tmp_path, "ensemble")
    store.write({"fingerprint": fingerprint({"seed": 1}), "seed": 1}, WEIGHTS)
    assert store.open(lambda document, weights: document["seed"]) == 1
    write_document(store.document, {**store.read(), "seed": 2})
    with pytest.raises(ValueError, match="its content has the fingerprint"):
        store.open(lambda document, weights: document["seed"])


def test_damaged_weights_are_named(store):
    path = store.folder / f"weights-{FIRST}.pt"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="its checksum differs"):
        store.weights(store.read())
    path.unlink()
    with pytest.raises(ValueError, match="missing or empty"):
        store.weights(store.read())
    with pytest.raises(ValueError, match="damaged"):
        store.weights({"fingerprint": FIRST})
