"""What is told of a calibration: its keys outlive its labels, its doubts name their numbers."""

from dataclasses import dataclass

import numpy as np
import pytest

from orrery.judging import calibration
from orrery.judging.slopes import Slopes
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.results import calibration_doubts
from orrery.results.calibration_sections import record_calibration
from orrery.results.recording import record

PARAMETERS = (Parameter("v_x", "km / s", "$v_x$"), Parameter("v_z", "km / s", "$v_z$"))


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@dataclass(frozen=True)
class Slow:
    """The posterior of numbers with a normal prior and errors, which follows them too little."""

    covariance: np.ndarray

    def sample_each(self, x, count, seed):
        random = np.random.default_rng(seed)
        return 0.3 * x + 0.5**0.5 * random.normal(size=(count, *x.shape))

    def log_prob(self, theta, x):
        return -((theta - 0.3 * x) ** 2).sum(axis=1)


@dataclass(frozen=True)
class Normal:
    """A posterior that ignores the data, with some width."""

    width: float
    covariance: np.ndarray

    def sample_each(self, x, count, seed):
        random = np.random.default_rng(seed)
        return self.width * random.normal(size=(count, len(x), 2))

    def log_prob(self, theta, x):
        return -0.5 * (theta**2).sum(axis=1)


def judged(width, tests=120):
    theta = np.random.default_rng(2).normal(size=(tests, 2))
    pairs = Pairs(theta, np.zeros((tests, 1)))
    names = tuple(parameter.name for parameter in PARAMETERS)
    splits = Splits(pairs, pairs, pairs, names, ("v",), ("",), "binning", "data", 0)
    return calibration.calibrate(Normal(width, np.zeros((1, 1))), splits, 1, draws=60)


def recorded(root, label, width=0.5, tests=120):
    with record("toy", Choices(), root) as recording:
        one = judged(width, tests)
        record_calibration(recording, "toy.v", label, one, PARAMETERS)
    return recording.result


@pytest.mark.slow
def test_another_label_changes_no_key(tmp_path, keys):
    plain = recorded(tmp_path / "1", "DESI, without v_tb")
    other = recorded(tmp_path / "2", "<A survey> & its 7 stars")
    assert keys(plain) == keys(other)
    titles = [
        {section["title"] for section in result.sections} for result in (plain, other)
    ]
    assert not set.intersection(*titles)
    assert plain.metrics == other.metrics


@pytest.mark.parametrize(
    ("width", "tests", "doubts"),
    [
        (0.4, 120, {"miscalibrated", "ranks", "uninformative"}),
        (0.4, 80, {"ranks", "too_few", "uninformative"}),
        (1.0, 6, {"too_few", "uninformative", "untested"}),
    ],
)
def test_each_doubt_says_which_numbers_it_shows(tmp_path, width, tests, doubts):
    result = recorded(tmp_path, "Toy", width, tests)
    told = [section for section in result.sections if section["kind"] == "warning"]
    assert {section["key"] for section in told} == {f"{one}.toy.v" for one in doubts}
    known = {*result.metrics, *(section["key"] for section in result.sections)}
    for section in told:
        assert section["shows"]
        assert {key.partition("[")[0] for key in section["shows"]} <= known


def test_slopes_that_are_not_one_are_told_by_parameter(tmp_path):
    random = np.random.default_rng(4)
    theta = random.normal(size=(400, 2))
    pairs = Pairs(theta, theta + random.normal(size=theta.shape))
    names = tuple(parameter.name for parameter in PARAMETERS)
    splits = Splits(pairs, pairs, pairs, names, names, ("",) * 2, "binning", "data", 0)
    one = calibration.calibrate(Slow(np.zeros((2, 2))), splits, 1, draws=60)
    with record("toy", Choices(), tmp_path) as recording:
        record_calibration(recording, "toy.v", "Toy", one, PARAMETERS)
    verdicts = {v["key"]: v for v in recording.result.document["verdicts"]}
    assert verdicts["calibration.toy.v.slopes"]["passed"] is False
    (told,) = [
        section
        for section in recording.result.sections
        if section["key"] == "slopes.toy.v"
    ]
    first, second = one.slopes.slope
    assert min(first, second) > 1.4
    assert f"v_x by {first:.3f} +- " in told["text"]
    assert f"v_z by {second:.3f} +- " in told["text"]
    assert "calibration.toy.v[v_z].slope_error" in told["shows"]


def test_what_has_no_slope_is_told_without_one():
    unknown = np.array([np.nan])
    slopes = Slopes(unknown, unknown, np.array([9.0]), np.array([0.4]), 500)
    found = calibration_doubts._moved("calibration.toy", "v_x", slopes, 0)
    assert found.text.startswith("v_x whose means hardly move at all, which displaces")
    assert "nan" not in found.text
    assert found.shows == ("calibration.toy[v_x].displacement",)


def test_too_few_tests_pass_nothing_and_fail_nothing(tmp_path):
    result = recorded(tmp_path, "Toy", 0.4, 99)
    (verdict,) = [
        v for v in result.document["verdicts"] if v["key"] == "calibration.toy.v.tarp"
    ]
    assert verdict["passed"] is None
    assert verdict["text"].endswith(", of too few tests, 99.")


def test_a_doubt_stands_beside_the_verdict_that_it_is_about(tmp_path):
    result = recorded(tmp_path, "Toy", 0.4, 80)
    doubts = {
        s["key"]: {*s["shows"]} for s in result.sections if s["kind"] == "warning"
    }
    shared = {
        verdict["key"].rpartition(".")[2]: {
            key.partition(".")[0]
            for key, shows in doubts.items()
            if shows & {*verdict["shows"]}
        }
        for verdict in result.document["verdicts"]
    }
    assert shared == {
        "tarp": {"too_few"},
        "sbc": {"ranks"},
        "slopes": set(),  # untested, as there is no gain
        "information_gain": {"uninformative"},
    }
