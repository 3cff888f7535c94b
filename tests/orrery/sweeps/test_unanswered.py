"""A trial that ended for want of room, memory or a file has no answer, and gets one later."""

import errno
import sys
from dataclasses import dataclass, replace

import pytest

from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, best, read_trials

LOSS = Goal("loss")
SPACE = SearchSpace({"rate": Log(1e-3, 1.0), "width": Int(1, 9)})
COUNT = 14  # more than are proposed at random


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3


class Machine:
    """Evaluates toys; the evaluation of one number raises what the machine lacks."""

    def __init__(self, at=None, error=None, in_report=False):
        self.at = at
        self.error = error
        self.in_report = in_report
        self.computed = 0

    def __call__(self, options, report):
        number = self.computed
        self.computed += 1
        report({"loss": options.rate})
        if number == self.at:
            raise self.error
        return {"loss": (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10}


ERRORS = [
    OSError(errno.ENOSPC, "No space left on device"),
    MemoryError("too little"),
    FileNotFoundError(errno.ENOENT, "no such file", "stars.csv"),
]


@pytest.fixture(autouse=True)
def without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def sweep(evaluate):
    return Sweep("toy", SPACE, Toy(), evaluate, (LOSS,))


def lasting(folder):
    (place,) = (folder / "toy").iterdir()
    return [trial.lasting for trial in read_trials(place)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The trials of a search whose machine lacks nothing."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        search(sweep(Machine()), COUNT, folder)
    return lasting(folder)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", [0, 3, pytest.param(11, marks=pytest.mark.slow)])
def test_once_there_is_room_the_trials_are_those_of_a_machine_that_had_it(
    tmp_path, whole, at, error
):
    wanted = sweep(Machine(at, error))
    with pytest.raises(ValueError, match=f"{COUNT - at} of {COUNT} trials") as ended:
        search(wanted, COUNT, tmp_path)
    assert str(error) in str(ended.value)
    assert "once that is mended, the same command computes them" in str(ended.value)
    *before, left = lasting(tmp_path)
    assert before == whole[:at]
    assert (left["state"], left["objectives"]) == ("interrupted", {})
    found = search(replace(wanted, evaluate=Machine()), COUNT, tmp_path)
    assert lasting(tmp_path) == whole
    assert (
        best(found, LOSS).number == best(search(wanted, COUNT, tmp_path), LOSS).number
    )


def test_what_is_never_mended_ends_each_start_after_one_try(tmp_path):
    class Lacking(Machine):
        def __call__(self, options, report):
            self.computed += 1
            raise FileNotFoundError(errno.ENOENT, "no such file", "stars.csv")

    for _ in range(3):
        lacking = Lacking()
        with pytest.raises(ValueError, match=r"not computed: FileNotFoundError.*stars"):
            search(sweep(lacking), 5, tmp_path)
        assert lacking.computed == 1
    (trial,) = lasting(tmp_path)
    assert trial["state"] == "interrupted"


def test_the_reason_is_that_of_this_start(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(sweep(Machine(2, KeyboardInterrupt())), 4, tmp_path)
    with pytest.raises(
        ValueError, match="2 of 2 trials were not computed: MemoryError"
    ):
        search(sweep(Machine(0, MemoryError())), 4, tmp_path)
