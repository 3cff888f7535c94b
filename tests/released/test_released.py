"""Today's code reads the files of every version that was released, and finds in them the same."""

import json
import shutil
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parent
sys.path.insert(0, str(PLACE))
import release  # noqa: E402

sys.path.remove(str(PLACE))
VERSIONS = sorted(
    path.name for path in PLACE.iterdir() if (path / release.HOLDS).exists()
)


def holds(folder):
    return json.loads((folder / release.HOLDS).read_text(encoding="utf-8"))


@pytest.fixture(params=VERSIONS)
def kept(request, tmp_path):
    """Returns a copy of a version's files: reading may write, such as a lock."""
    return Path(shutil.copytree(PLACE / request.param, tmp_path / request.param))


def test_files_of_each_format_are_kept():
    assert VERSIONS


def test_what_a_version_wrote_is_read_as_it_was(kept):
    assert alike(json.loads(json.dumps(release.read(kept))), holds(kept))


def test_nothing_that_a_version_wrote_is_computed_again(kept):
    before = {path: path.stat().st_mtime_ns for path in files_of(kept)}
    release.read(kept)
    assert before == {path: path.stat().st_mtime_ns for path in files_of(kept)}


def test_a_file_that_holds_something_else_is_noticed(kept):
    trial = next(kept.rglob("trial-*.json"))
    trial.unlink()
    with pytest.raises(AssertionError):
        test_what_a_version_wrote_is_read_as_it_was(kept)


def files_of(folder):
    """Returns all files but locks."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name != ".lock")


def alike(found, expected):
    """Returns whether two pieces of JSON are alike but for the last digits."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            alike(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    return found == expected
