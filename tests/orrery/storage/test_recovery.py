"""A manifest that is lost costs no sound shard."""

import pytest

from orrery.execution import simulation
from orrery.execution.simulation import generate
from orrery.storage.dataset import Dataset
from orrery.storage.documents import checked
from orrery.storage.recovery import recover, recover_metadata

DOCUMENTS = ("manifest.json", "dataset.json", "shards.sha256", "README.md")


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.fixture
def again(toy, tmp_path, monkeypatch):
    """Generates again; returns which shards were made."""
    made = []
    make = simulation.make_shard

    def count(simulator, metadata, shard, folder):
        made.append(shard)
        return make(simulator, metadata, shard, folder)

    monkeypatch.setattr(simulation, "make_shard", count)

    def generated(folder=tmp_path):
        made.clear()
        generate(toy, 20, seed=3, folder=folder, actors=0, shard_size=8)
        return made

    return generated


@pytest.mark.parametrize("damage", ["flipped", "empty", "half", "gone", "none of ours"])
def test_a_manifest_that_is_lost_is_rebuilt_from_the_shards(
    stars, contents, again, capsys, damage
):
    before = contents(stars.folder)
    manifest = stars.folder / "manifest.json"
    match damage:
        case "flipped":
            flip(manifest, 300)
        case "empty":
            manifest.write_bytes(b"")
        case "half":
            manifest.write_bytes(manifest.read_bytes()[:400])
        case "gone":
            manifest.unlink()
        case _:
            manifest.write_text("{}")
    capsys.readouterr()
    assert again() == []
    assert contents(stars.folder) == before
    said = capsys.readouterr().err.splitlines()
    assert sum(f"{manifest} is rebuilt from 3 sound shards" in s for s in said) == 1


def test_only_the_damaged_shard_is_made_again_with_the_manifest(
    stars, contents, again, capsys
):
    before = contents(stars.folder)
    (stars.folder / "manifest.json").write_bytes(b"")
    flip(stars.folder / stars.rows[1].file, -300)
    assert again() == [1]
    assert contents(stars.folder) == before
    assert "shard-00001.arrow has a checksum that nothing lists" in (
        capsys.readouterr().err
    )


def test_shards_that_nothing_proves_are_taken_if_they_can_be_read(
    stars, contents, again, capsys
):
    before = contents(stars.folder)
    for name in ("manifest.json", "shards.sha256"):
        (stars.folder / name).unlink()
    broken = stars.folder / stars.rows[2].file
    broken.write_bytes(broken.read_bytes()[:-1])
    assert again() == [2]
    assert "no checksum is left to prove them" in capsys.readouterr().err
    assert contents(stars.folder) == before


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("place", [5, 40, 120])
def test_no_document_costs_a_shard(stars, contents, again, name, place):
    before = contents(stars.folder)
    flip(stars.folder / name, place)
    made = again()
    assert made == []
    if name in ("manifest.json", "dataset.json"):
        assert contents(stars.folder) == before


def test_another_shard_size_in_the_document_is_refused(stars):
    path = stars.folder / "dataset.json"
    text = checked(path.read_bytes()).decode()
    path.write_text(text.replace('"shard_size": 8', '"shard_size": 9'))
    with pytest.raises(ValueError, match="has the fingerprint"):
        Dataset.open(stars.folder)


def test_a_manifest_of_another_dataset_is_refused(stars, toy, tmp_path):
    other = generate(toy, 8, 4, tmp_path / "other", actors=0, shard_size=8)
    manifest = (other.folder / "manifest.json").read_bytes()
    (stars.folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(ValueError, match=f"lists shards of {other.fingerprint}"):
        Dataset.open(stars.folder)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"first":8', '"first":0'),
        ('"file":"shards/shard-00001.arrow"', '"file":"../shard-00001.arrow"'),
        ('"shard":1,', '"shard":2,'),
        ('"count":8', '"count":-8'),
    ],
)
def test_rows_of_no_manifest_are_refused(stars, before, after):
    path = stars.folder / "manifest.json"
    text = checked(path.read_bytes()).decode()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match="is no finished dataset"):
        Dataset.open(stars.folder)


@pytest.mark.slow
def test_a_manifest_is_rebuilt_in_a_bucket(stars, toy, bucket, again):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    (there.folder / "manifest.json").put(b"")
    assert again(bucket) == []
    assert Dataset.open(there.folder, 20).rows == there.rows


def test_shards_say_what_the_dataset_is(stars):
    found = recover_metadata(stars.folder)
    assert found["fingerprint"] == stars.fingerprint
    recovered = recover(stars.folder, stars.fingerprint)
    assert (*recovered.rows.values(),) == stars.rows
    assert recovered.proven
    for row in stars.rows:
        (stars.folder / row.file).write_bytes(b"none")
    with pytest.raises(ValueError, match="no shard that can be read"):
        recover_metadata(stars.folder)
