"""Judging a posterior: the right one passes, a narrow one fails, one without data gains nothing."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy import stats

from orrery.judging import calibration, diagnostics
from orrery.judging.options import LEVEL
from orrery.pairs import Pairs, Splits, pooled
from orrery.parameters import Parameter

TESTS, NOISE = 800, 0.6


@dataclass(frozen=True)
class Exact:
    """The posterior of a number with a standard normal prior, seen with normal errors."""

    width: float = 1.0
    covariance: np.ndarray = field(default_factory=lambda: NOISE**2 * np.eye(1))
    share: float = 1.0  # how far its mean follows the data

    def _moments(self, x):
        precision = 1 + 1 / NOISE**2
        mean = self.share * x / NOISE**2 / precision
        return mean, self.width / np.sqrt(precision)

    def sample_each(self, x, count, seed):
        mean, sigma = self._moments(x)
        return mean + sigma * np.random.default_rng(seed).normal(size=(count, *x.shape))

    def log_prob(self, theta, x):
        return stats.norm.logpdf(theta, *self._moments(x))[:, 0]


@dataclass(frozen=True)
class Blind:
    """A posterior that ignores the data and returns its prior, which is far from a Gaussian."""

    covariance: np.ndarray = field(default_factory=lambda: NOISE**2 * np.eye(1))

    def sample_each(self, x, count, seed):
        return np.random.default_rng(seed).exponential(size=(count, *x.shape))

    def log_prob(self, theta, x):
        return stats.expon.logpdf(theta)[:, 0]


@dataclass(frozen=True)
class InABox:
    """The posterior of numbers that are uniform in a box, seen with normal errors."""

    noise: float
    covariance: np.ndarray

    def _moments(self, x):
        ends = (0 - x) / self.noise, (1 - x) / self.noise
        return {"a": ends[0], "b": ends[1], "loc": x, "scale": self.noise}

    def sample_each(self, x, count, seed):
        random = np.random.default_rng(seed)
        within = stats.truncnorm(**self._moments(x))
        return within.ppf(random.uniform(size=(count, *x.shape)))

    def log_prob(self, theta, x):
        return stats.truncnorm.logpdf(theta, **self._moments(x)).sum(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [1.0, 0.15, 0.05, 0.01])
@pytest.mark.parametrize("size", [1, 3, 6])
def test_the_gain_is_over_the_prior_however_narrow_posteriors_are(noise, size):
    random = np.random.default_rng(11)
    exact = InABox(noise, noise**2 * np.eye(size))
    train, test = (
        Pairs(theta, theta) for theta in random.uniform(size=(2, 1500, size))
    )
    names = ("a",) * size
    splits = Splits(train, test, test, names, names, ("",) * size, "binning", "data", 0)
    judged = calibration.calibrate(exact, splits, seed=1, draws=20, tests=600)
    found = judged.log_probability
    # the prior's density is one, and its logarithm nought
    assert found.mean - found.gain == pytest.approx(found.reference)
    assert abs(found.reference) < 0.02 * size


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3])
def test_draws_of_the_same_simulations_tell_no_more_of_the_prior(size):
    # as often as there, a number of the prior would be a peak of its density
    random = np.random.default_rng(11)
    exact = InABox(0.15, 0.15**2 * np.eye(size))
    train, test = (Pairs(theta, theta) for theta in random.uniform(size=(2, 300, size)))
    names = tuple("abc"[:size])
    splits = Splits(train, test, test, names, names, ("",) * size, "binning", "data", 0)
    once, often = (
        calibration.calibrate(exact, some, seed=1, draws=20, tests=100).log_probability
        for some in (splits, pooled([splits] * 4))
    )
    assert often == once


@pytest.mark.slow
@pytest.mark.parametrize("tests", [300, 2500])
def test_the_power_is_how_often_a_slightly_narrow_posterior_is_rejected(tests):
    width, rejected, power = calibration.SLIGHTLY_NARROW, [], []
    for seed in range(16):
        random = np.random.default_rng(seed)
        theta = random.normal(size=(tests, 2))
        moments = Exact()._moments(theta + NOISE * random.normal(size=theta.shape))
        scatter = random.normal(size=(120, tests, 2))
        right, narrow = (moments[0] + w * moments[1] * scatter for w in (1.0, width))
        found = diagnostics.tarp(narrow, theta, seed, references=2)
        rejected.append(found.area_pvalue < LEVEL / 2)
        if seed < 6:
            own = diagnostics.tarp(right, theta, seed, references=2)
            power.append(calibration._power(own, right, theta, seed))
    share = np.mean(rejected)
    assert np.mean(power) == pytest.approx(share, abs=0.25)
    assert (share > 0.5) == (tests > 1000)


def splits(theta):
    pairs = Pairs(theta, theta.copy())
    return Splits(
        pairs, pairs, pairs, ("a",), ("x",), ("",), "definition", "dataset", 0
    )


@pytest.fixture(scope="module")
def normal():
    return splits(np.random.default_rng(1).normal(size=(TESTS, 1)))


def test_the_right_posterior_passes_and_gains_the_information_in_the_data(normal):
    judged = calibration.calibrate(Exact(), normal, seed=3, draws=400)
    assert judged.tests == TESTS
    assert judged.metrics["tarp.ks_pvalue"] > 0.01
    assert judged.metrics["sbc.smallest_ks_pvalue"] > 0.01
    information = 0.5 * np.log(1 + 1 / NOISE**2)
    # the mean over a hundred others' posteriors stands in for the prior: good to a few
    # per cent
    assert judged.log_probability.gain == pytest.approx(information, abs=0.1)


@pytest.mark.parametrize("width", [0.7, 1.4])
def test_a_wrong_width_is_rejected(normal, width):
    judged = calibration.calibrate(Exact(width), normal, seed=3, draws=400)
    assert judged.metrics["sbc.smallest_ks_pvalue"] < 0.01


@pytest.mark.parametrize("share", [0.8, 1.2])
def test_a_posterior_that_follows_the_data_too_little_or_too_much_is_rejected(
    normal, share
):
    judged = calibration.calibrate(Exact(share=share), normal, seed=3, draws=400)
    assert "slopes" in judged.verdict.names
    assert judged.passed["slopes"] is False
    assert judged.astray == (0,)
    assert judged.slopes.slope[0] == pytest.approx(1 / share, abs=0.1)


def test_a_posterior_without_data_covers_but_gains_nothing():
    theta = np.random.default_rng(2).exponential(size=(TESTS, 1))
    judged = calibration.calibrate(Blind(), splits(theta), seed=3, draws=400)
    assert judged.metrics["tarp.ks_pvalue"] > 0.01
    # what the training parameters say of the prior may be nearer to these tests
    assert -0.03 < judged.log_probability.gain < 1e-9


def test_a_posterior_without_data_is_rejected_for_its_gain_alone():
    theta = np.random.default_rng(2).exponential(size=(TESTS, 1))
    judged = calibration.calibrate(Blind(), splits(theta), seed=3, draws=400)
    assert judged.verdict.names == ("gain",)


def test_the_control_fails_where_the_right_posterior_passes(normal):
    judged = calibration.calibrate(Exact(), normal, seed=3, draws=400)
    assert judged.verdict.names == ()
    assert judged.negative_control.verdict.names == ("TARP", "SBC", "SBC's band")
    assert judged.slopes_control.slope == pytest.approx(1 / 0.7, rel=0.1)
    assert judged.powerless == ()
    assert (
        judged.metrics["negative_control.tarp.ks_pvalue"]
        < 0.001
        < judged.metrics["tarp.ks_pvalue"]
    )
    assert judged.metrics["negative_control.sbc.smallest_ks_pvalue"] < 0.001
    assert (
        judged.metrics["negative_control.tarp.area_to_curve"]
        < (judged.metrics["tarp.area_to_curve"])
    )


@pytest.mark.slow
def test_the_control_is_the_posterior_that_is_really_so_narrow(normal):
    control = calibration.calibrate(Exact(), normal, seed=3, draws=400).negative_control
    narrow = calibration.calibrate(Exact(control.width), normal, seed=3, draws=400)
    np.testing.assert_allclose(
        control.coverage.coverage, narrow.coverage.coverage, atol=0.02
    )


def test_what_a_test_rejects_is_not_untested(normal):
    judged = calibration.calibrate(Exact(), normal, seed=3, draws=50, tests=30)
    assert judged.passed["sbc"] is None  # of so few the control passes, too
    ranks = replace(judged.ranks, band_pvalue=0 * judged.ranks.band_pvalue + 0.002)
    rejected = replace(judged, ranks=ranks)
    assert "SBC's band" in rejected.verdict.names
    assert rejected.passed["sbc"] is False


def test_the_control_passes_where_tests_are_too_few(normal):
    judged = calibration.calibrate(Exact(), normal, seed=3, draws=100, tests=20)
    assert judged.negative_control.verdict.names == ()


def test_draws_of_different_tests_are_independent(normal):
    drawn = calibration._draws(Exact(), np.zeros((120, 1)), 2000, seed=5)[..., 0]
    correlation = np.corrcoef(drawn.T) - np.eye(120)
    assert np.abs(correlation).max() < 0.15


def test_tests_are_limited(normal):
    assert (
        calibration.calibrate(Exact(), normal, seed=3, draws=50, tests=60).tests == 60
    )


@pytest.mark.parametrize("tests", [0, 1])
def test_a_judgement_needs_two_tests(normal, tests):
    with pytest.raises(
        ValueError, match=f"2 tests or more, not {tests}: hold out more"
    ):
        calibration.calibrate(Exact(), normal, seed=3, draws=50, tests=tests)


@dataclass(frozen=True)
class Learned(Exact):
    """The exact posterior, which says of what it is."""

    parameters: tuple = (Parameter("a", "km / s", "$a$"),)
    names: tuple = ("v",)
    units: tuple = ("",)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"parameters": (Parameter("b", "km / s", "$b$"),)},
            r"parameters \('a',\), not",
        ),
        ({"parameters": (Parameter("a", "kpc", "$a$"),)}, "'a' in 'km / s', not in"),
        (
            {"names": ("w",)},
            r"names \('w',\), the pairs those of \('v',\): take pairs of",
        ),
        ({"units": ("kpc",)}, r"units \('kpc',\), the pairs those"),
    ],
)
def test_a_posterior_is_judged_by_pairs_of_its_own_columns(normal, other, message):
    """As they are where columns were put in another order: a right posterior would fail."""
    pairs = replace(normal, parameters=("a",), parameter_units=("km / s",))
    pairs = replace(pairs, names=("v",), units=("",))
    # what is called so may mean other things in somebody's own estimate
    for right in (Learned(), Learned(parameters=1, names="v", units=None)):
        judged = calibration.calibrate(right, pairs, seed=3, draws=50, tests=20)
        assert judged.tests == 20
    with pytest.raises(ValueError, match=message):
        calibration.calibrate(Learned(**other), pairs, seed=3, draws=50, tests=20)


def test_few_tests_leave_the_gain_untold(normal):
    judged = calibration.calibrate(Exact(), normal, seed=3, draws=50, tests=4)
    assert judged.passed["information_gain"] is None
    assert not judged.verdict.gain


@pytest.mark.slow
def test_judgements_stand_beside_each_other(normal):
    judged = {
        width: calibration.calibrate(Exact(width), normal, 3, 200)
        for width in (1.0, 0.7)
    }
    table = calibration.calibration_table(
        {str(width): one for width, one in judged.items()}
    )
    assert list(table["posterior"]) == ["1.0", "0.7"]
    assert table["tarp"][0] > 0.01 > table["control_tarp"][0]
    assert list(table["tarp_both"]) == [one.coverage.pvalue for one in judged.values()]
    assert list(table["control_tarp_both"]) == [
        one.negative_control.coverage.pvalue for one in judged.values()
    ]
    assert table["sbc"][1] < 0.01
    assert table["gain"][0] == judged[1.0].log_probability.gain


@dataclass(frozen=True)
class Sometimes(Exact):
    """The exact posterior, but the log-density of some truths is another number."""

    number: float = np.nan

    def log_prob(self, theta, x):
        found = super().log_prob(theta, x)
        return np.where(theta[:, 0] > np.sort(theta[:, 0])[-3], self.number, found)


@pytest.mark.parametrize("number", [np.nan, -np.inf, np.inf])
def test_log_densities_that_are_not_finite_are_refused(normal, number):
    with pytest.raises(ValueError, match="2 of 40 log-densities of truths are not"):
        calibration.calibrate(Sometimes(number=number), normal, 3, draws=50, tests=40)
