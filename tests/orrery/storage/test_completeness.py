"""A manifest without its last shards is none of a finished dataset, whatever its checksum."""

import pytest

from orrery import __main__ as commands
from orrery.execution.simulation import generate
from orrery.storage.dataset import Dataset
from orrery.storage.journal import begin_journal
from orrery.storage.manifest import manifest_text
from orrery.verification import verify


@pytest.fixture
def stars(toy, tmp_path):
    return generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)


@pytest.fixture
def cut(stars):
    """The dataset's folder, with a manifest that has the first shard alone."""
    text = manifest_text(stars.fingerprint, stars.rows[:1])
    (stars.folder / "manifest.json").write_text(text)
    return stars.folder


def test_it_is_not_opened(cut):
    with pytest.raises(
        ValueError, match=r"lacks shards/shard-00001.arrow, which shards"
    ):
        Dataset.open(cut)


def test_it_is_named_alone(cut):
    (found,) = verify(cut)
    assert found.file == "manifest.json"
    assert "lacks shards/shard-00001.arrow, which shards.sha256 lists" in found.reason


@pytest.mark.parametrize("content", [None, b"", b"x"])
def test_without_the_list_the_shards_tell(cut, content):
    (cut / "shards.sha256").unlink()
    if content is not None:
        (cut / "shards.sha256").write_bytes(content)
    dataset = Dataset.open(cut)
    with pytest.raises(ValueError, match=r"manifest.json lacks .*, which lies there"):
        dataset.verify(full=True)
    assert "manifest.json" in {finding.file for finding in verify(cut)}


def test_the_list_tells_of_lost_shards(cut, stars):
    for row in stars.rows[1:]:
        (cut / row.file).unlink()
    assert [finding.file for finding in verify(cut)] == ["manifest.json"]


def test_it_is_rebuilt(cut, stars, contents, toy):
    assert commands.main(["dataset", "repair", str(cut)]) == 0
    assert Dataset.open(cut).rows == stars.rows
    cut_again = manifest_text(stars.fingerprint, stars.rows[:1])
    before = contents(cut)
    (cut / "manifest.json").write_text(cut_again)
    generate(toy, 8, seed=3, folder=cut.parent, actors=0, shard_size=8)
    assert contents(cut) == before


def test_one_that_is_being_made_larger_is_opened(cut, stars):
    begin_journal(cut, stars.rows)
    assert len(Dataset.open(cut)) == 8
    assert "manifest.json" not in {finding.file for finding in verify(cut)}


@pytest.mark.parametrize("place", range(0, 82 * 24, 181))
def test_a_wrong_bit_in_the_list_hinders_nobody(stars, place):
    path = stars.folder / "shards.sha256"
    content = bytearray(path.read_bytes())
    content[place // 8 % len(content)] ^= 1 << place % 8
    path.write_bytes(content)
    assert Dataset.open(stars.folder).rows == stars.rows
    assert {*stars.damaged(full=True)} == {"shards.sha256"}
