"""A reader that fails hides neither the error of a run nor the other readers."""

import pytest

from orrery.results import result
from orrery.results.recording import read_by
from orrery.results.result import Result


class Broken:
    """A reader that fails at the end."""

    def __init__(self, told):
        self.told = told

    def closed(self, found):
        self.told.append(found.status)
        raise OSError("no space for the page")

    def __getattr__(self, name):
        return lambda *anything: None


def test_readers_that_fail_hide_no_error_and_no_other_reader(tmp_path, write):
    told = []

    def body(recording):
        raise FloatingPointError("the loss is not finite")

    with (
        read_by(Broken(told), Broken(told)),
        pytest.raises(FloatingPointError, match="the loss is not finite") as raised,
    ):
        write(tmp_path, body=body)
    assert told == ["failed", "failed"]
    (note,) = raised.value.__notes__
    assert "could not be told: OSError: no space for the page" in note
    (found,) = result.all_results(tmp_path)
    assert "the loss is not finite" in found.document["reason"]


def test_a_reader_that_fails_at_the_end_of_a_finished_run_is_heard(tmp_path, write):
    told = []
    with (
        read_by(Broken(told), Broken(told)),
        pytest.raises(OSError, match="no space for the page"),
    ):
        write(tmp_path)
    assert told == ["finished", "finished"]
    assert Result.open(next((tmp_path / "toy").iterdir())).status == "finished"
