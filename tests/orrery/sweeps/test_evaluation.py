"""An evaluation ends in objectives or in a reason, never in an error."""

import errno
import json
import pickle
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from orrery.sweeps.evaluation import Evaluation, StoppedEarly
from orrery.sweeps.trial import Goal


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1

    def __post_init__(self):
        if self.rate > 1:
            raise ValueError("too fast")


@dataclass(frozen=True)
class Options:
    inner: Inner = field(default_factory=Inner)


def reports_and_returns(options, report):
    report({"loss": np.float32(2.0)})
    report({"loss": 1})
    return {"loss": options.inner.rate, "seconds": np.float64(0.5)}


def compute(evaluate, rate=0.5):
    seen = []
    evaluation = Evaluation(Options(), evaluate, (Goal("loss"),))
    found = evaluation.compute(
        {"inner.rate": rate}, lambda step, values: seen.append((step, values))
    )
    return found, seen


def test_reports_and_objectives_are_pythons_numbers():
    found, seen = compute(reports_and_returns)
    assert found.objectives == {"loss": 0.5, "seconds": 0.5}
    assert seen == [(1, {"loss": 2.0}), (2, {"loss": 1.0})]
    assert found.reason == ""
    assert found.seconds >= 0
    json.dumps([found.objectives, seen])


def test_an_evaluation_can_be_sent():
    evaluation = Evaluation(Options(), reports_and_returns, (Goal("loss"),))
    assert pickle.loads(pickle.dumps(evaluation)) == evaluation


def raises(options, report):
    raise RuntimeError("the disk is full")


def raises_nothing_in_words(options, report):
    raise MemoryError


def reports_nan(options, report):
    report({"loss": 1.0})
    report({"loss": float("nan")})
    return {"loss": 0.0}


def returns_infinity(options, report):
    return {"loss": np.inf}


def returns_another(options, report):
    return {"los": 1.0}


@pytest.mark.parametrize(
    ("evaluate", "reason"),
    [
        (raises, "RuntimeError: the disk is full"),
        (raises_nothing_in_words, "MemoryError"),
        (reports_nan, "FloatingPointError: loss of report 2 is nan"),
        (returns_infinity, "FloatingPointError: loss of the evaluation is inf"),
        (
            returns_another,
            r"ValueError: the evaluation gave .*\['los'\].*\['loss'\] are sought",
        ),
    ],
)
def test_what_goes_wrong_is_the_reason(evaluate, reason):
    found, _ = compute(evaluate)
    assert found.objectives == {}
    assert re.fullmatch(f"{reason}.*", found.reason)


def wrapped(error):
    """Returns an error that names another as its cause, as a library has it."""
    outer = RuntimeError("cannot read the pairs")
    outer.__cause__ = error
    return outer


def asks_torch_for_too_much(options, report):
    import torch

    torch.empty(1 << 58)


def raising(error):
    def evaluate(options, report):
        raise error

    return evaluate


@pytest.mark.parametrize(
    ("evaluate", "says_nothing"),
    [
        (raising(OSError(errno.EDQUOT, "quota")), True),
        (raising(FileNotFoundError("stars.csv")), True),
        (raising(ConnectionResetError()), True),
        (raising(wrapped(TimeoutError("no answer"))), True),
        (raises_nothing_in_words, True),
        (asks_torch_for_too_much, True),
        (raising(wrapped(KeyError("v_x"))), False),
        (raising(RuntimeError("shapes do not fit")), False),
        (reports_nan, False),
        (reports_and_returns, False),
    ],
)
def test_what_the_machine_lacks_says_nothing_of_a_point(evaluate, says_nothing):
    assert compute(evaluate)[0].says_nothing is says_nothing


def test_a_report_without_what_is_watched_is_a_reason():
    def evaluate(options, report):
        report({"los": 1.0})
        return {"loss": 1.0}

    found = Evaluation(Options(), evaluate, (Goal("loss"),), ("loss",)).compute(
        {"inner.rate": 0.5}, lambda step, values: None
    )
    assert "report 1 gave ['los']: ['loss'] are sought" in found.reason


def test_a_point_that_the_options_refuse_is_a_reason():
    found, _ = compute(reports_and_returns, rate=2.0)
    assert "inner.rate = 2.0" in found.reason
    assert "too fast" in found.reason


class Unusual(BaseException):
    """As of a library whose error is no Exception."""


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (SystemExit(), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (Unusual("it went"), "Unusual: it went"),
    ],
)
def test_what_would_end_the_program_is_a_reason(end, reason):
    def evaluate(options, report):
        report({"loss": 1.0})
        raise end

    found, seen = compute(evaluate)
    assert (found.objectives, found.reason) == ({}, reason)
    assert seen == [(1, {"loss": 1.0})]


@pytest.mark.parametrize("end", [StoppedEarly, KeyboardInterrupt])
def test_who_ends_it_is_not_caught(end):
    def evaluate(options, report):
        try:
            raise end
        except Exception:
            return {"loss": 0.0}

    with pytest.raises(end):
        compute(evaluate)


def test_an_evaluation_has_one_thread():
    import torch

    def evaluate(options, report):
        return {"loss": torch.get_num_threads()}

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert compute(evaluate)[0].objectives == {"loss": 1.0}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
