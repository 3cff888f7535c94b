"""What a copy names belongs to it: one that lacks any of it is made again before it is sent."""

import shutil

import pytest

from orrery.results.dashboard.copies import Copy
from orrery.results.dashboard.parts import Part, parts
from orrery.results.dashboard.waiting import whole_run_copy
from orrery.results.result import Result

pytestmark = pytest.mark.slow

TABLES = ("files/media/table/answers", "files/media/table/draws", "files/media/table/v")


@pytest.fixture
def copied(mirrored):
    """A toy run with a whole copy, and what is known of the copy."""
    result = mirrored("mwlmc")
    return result, Copy.read(result.folder)


def test_all_that_a_copy_names_belongs_to_it(copied):
    result, copy = copied
    names = [part.path for part in copy.parts]
    assert names[0] == copy.path(result.folder).name
    assert [any(name.startswith(table) for name in names) for table in TABLES] == [
        True
    ] * 3
    data = result.folder.parents[3] / "datasets" / "toy-0123" / "summaries"
    assert str(data / "5555.parquet") in names
    assert any("wandb/own/artifacts" in name for name in names)
    assert copy.is_intact(result.folder)
    assert parts(copy.path(result.folder)) == copy.parts


def test_a_copy_is_not_intact_without_each_of_its_parts(copied):
    result, copy = copied
    folder = copy.path(result.folder).parent
    for part in copy.parts:
        file = folder / part.path
        content = file.read_bytes()
        for damaged in (None, content[:-1], bytes(len(content))):
            file.unlink()
            if damaged is not None:
                file.write_bytes(damaged)
            assert not copy.is_intact(result.folder)
            file.write_bytes(content)
    assert copy.is_intact(result.folder)


def test_what_was_gone_at_the_end_of_a_copy_is_missed(tmp_path):
    gone = Part.of("staged", tmp_path)
    assert gone == Part("staged")
    assert not gone.is_intact(tmp_path)


def test_the_copy_of_a_run_that_was_moved_is_made_again(copied):
    result, copy = copied
    above = result.folder.parents[3]
    moved = above / "moved"
    moved.mkdir()
    shutil.move(above / "runs", moved / "runs")
    shutil.move(above / "datasets", moved / "datasets")
    found = Result.open(moved / result.folder.relative_to(above))
    again = whole_run_copy(found)
    assert again.whole
    assert again.identity == copy.identity
    assert not copy.path(found.folder).exists()
    places = {part.path for part in again.parts if part.path.startswith("/")}
    assert len(places) == 10
    assert all(place.startswith(str(moved)) for place in places)
