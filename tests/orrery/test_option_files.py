"""Which file of options is meant, and what is said of files that hold none."""

import json
import os
from pathlib import Path

import pytest

from orrery import option_files
from orrery.option_files import find_options, read_options

OPTIONS = {"seed": 3}


@pytest.fixture
def write(tmp_path):
    """Writes the document of an attempt; returns its path."""

    def written(number, status, run="0123"):
        path = tmp_path / "desi" / run / f"attempt-{number:03d}" / "run.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"status": status, "options": OPTIONS}))
        return path

    return written


def test_the_newest_finished_attempt_of_a_run_has_its_options(write):
    first, second, failed = map(write, (1, 2, 10), ("finished", "finished", "failed"))
    shared = first.parents[1]
    assert find_options(shared) == second
    assert find_options(failed.parent) == find_options(failed) == failed
    second.write_text("{")  # a damaged attempt hides no whole one
    assert find_options(shared) == first
    first.write_text("[]")
    assert find_options(shared) == failed
    assert read_options(failed) == OPTIONS


def test_a_folder_of_several_runs_is_asked_for_one(write):
    shared = [write(1, "finished", run).parents[1] for run in ("0123", "4567")]
    with pytest.raises(FileNotFoundError, match=f"2 runs: give one .* {shared[1]}$"):
        find_options(shared[0].parent)


def test_a_folder_of_one_run_is_that_run(write):
    document = write(1, "finished", "0123")
    assert find_options(document.parents[2]) == document


def test_places_without_options_are_named_with_a_remedy(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, said in (
        (tmp_path, "no run in"),
        (tmp_path / "nowhere", "there is no /"),
        (pipe, "pipe is no file"),
        (Path("/dev/zero"), "/dev/zero is no file"),
    ):
        with pytest.raises((ValueError, OSError), match=f"{said}.*give the run.json"):
            find_options(place)


def test_a_file_of_another_size_than_options_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "catalogue.json"
    with path.open("wb") as file:
        file.truncate(10**9)  # which takes no space
    with pytest.raises(ValueError, match=r"has 1000 MB, more than options.*give the"):
        find_options(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1, column 1, is no JSON"),
        (b'{"seed": 1,\n  seed}', "line 2, column 3, is no JSON"),
        (b'{"star": "\xe9"}', "is not text in UTF-8 from byte 10 on"),
        ("{}".encode("utf-16"), "is not text in UTF-8 from byte 0 on"),
        (b"[" * 10**5, "is nested deeper than options are"),
        (b"[1, 2]", r"holds \[1, 2\], not options"),
        (b"null", "holds None, not options"),
        (b'{"options": [1]}', r"options is \[1\]"),
        (b'{"options": "' + b"a" * 10**6 + b'"}', "options is 'aaa"),
    ],
    ids=range(9),
)
def test_a_file_that_holds_none_is_refused_by_place(tmp_path, content, said):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said) as refused:
        read_options(path)
    assert str(path) in str(refused.value)
    assert "give" in str(refused.value)
    assert len(str(refused.value)) < len(str(path)) + 300


def test_what_a_document_says_beside_its_options_is_read_whole(write):
    assert read_options(write(1, "failed"), whole=True)["status"] == "failed"
    assert option_files.LARGEST < 1000
