"""Laws of domain shift: answers are right at home, and what is wrong elsewhere is seen."""

from types import SimpleNamespace

import numpy as np
import pytest

from orrery.judging import regression
from orrery.judging.domain_shift import intervals_alike, transfer

WINDOW = 0.15


def _predicted(truth, predicted):
    return SimpleNamespace(truth=truth, predicted=predicted)


def _tests(seed, bias=0.0, scatter=0.15, count=3000):
    """Truths, and predictions that are `bias` too large and scatter."""
    random = np.random.default_rng(seed)
    truth = random.uniform(10.5, 14.0, count)
    return _predicted(truth, truth + bias + random.normal(0, scatter, count))


def test_at_home_there_is_no_bias_and_intervals_hold_their_share():
    own = _tests(1, bias=0.3)  # of the prediction: the answer has none
    found = transfer(own, own, WINDOW, low=11.5, high=12.5)
    assert found.tests == np.sum((own.predicted >= 11.5) & (own.predicted <= 12.5))
    assert abs(found.bias) < 3 * found.bias_error
    assert found.coverage == pytest.approx(regression.INTERVAL_LEVEL, abs=0.02)


@pytest.mark.parametrize("bias", [-0.2, 0.1])
def test_a_bias_elsewhere_is_found_and_costs_coverage(bias):
    found = transfer(_tests(1), _tests(2, bias=bias), WINDOW, low=11.5, high=12.5)
    assert found.bias == pytest.approx(bias, abs=4 * found.bias_error)
    # of normal errors of 0.15, in intervals of one standard deviation
    expected = np.mean(
        np.abs(np.random.default_rng(0).normal(bias, 0.15, 100_000)) < 0.149
    )
    assert found.coverage == pytest.approx(expected, abs=4 * found.coverage_error)


def test_a_larger_scatter_elsewhere_costs_coverage_alone():
    found = transfer(_tests(1), _tests(2, scatter=0.3), WINDOW, low=11.5, high=12.5)
    assert abs(found.bias) < 4 * found.bias_error
    assert found.coverage == pytest.approx(0.38, abs=0.05)


def _others_scatter_as_said(again, rel):
    """Compares what numbers say of their errors with how they scatter when drawn again."""
    found = [again(i) for i in range(50)]
    for number in ("bias", "coverage"):
        values = [getattr(one, number) for one in found]
        said = np.mean([getattr(one, f"{number}_error") for one in found])
        assert np.std(values, ddof=1) == pytest.approx(said, rel=rel), number


@pytest.mark.slow
def test_standard_errors_are_the_scatter_of_other_tests():
    own = _tests(1, count=12_000)  # beside which the few others decide
    _others_scatter_as_said(
        lambda i: transfer(own, _tests(2 + i, count=400), WINDOW), rel=0.35
    )


@pytest.mark.slow
@pytest.mark.parametrize("bias", [0.0, 0.1])
def test_standard_errors_have_in_them_that_own_tests_are_few_too(bias):
    _others_scatter_as_said(
        lambda i: transfer(
            _tests(1000 + i, count=1500),
            _tests(2 + i, bias=bias, count=1200),
            WINDOW,
            low=11.5,
            high=12.5,
        ),
        rel=0.25,
    )


def test_whoever_is_asked_and_has_no_interval_is_told_of():
    truth = np.concatenate([np.linspace(11.4, 12.0, 20), np.linspace(12.0, 13.0, 900)])
    own = _predicted(truth, truth)  # few below 12
    found = transfer(own, _tests(2), WINDOW, low=11.5, high=12.5)
    predicted = _tests(2).predicted
    assert found.asked == np.sum((predicted >= 11.5) & (predicted <= 12.5))
    assert found.tests < 0.7 * found.asked


def test_intervals_are_those_of_one_prediction_after_the_other():
    own = _tests(1)
    predictions = np.linspace(9.0, 16.0, 101)
    found = intervals_alike(predictions, own, WINDOW)
    known = np.isfinite(found[1])
    assert 50 < known.sum() < 90
    for place, prediction in enumerate(predictions):
        if known[place]:
            one = regression.prediction_interval(
                prediction, own.truth, own.predicted, WINDOW
            )
            assert found[:, place].tolist() == [one.lower, one.median, one.upper]
        else:
            with pytest.raises(regression.TooFewAlikeError):
                regression.prediction_interval(
                    prediction, own.truth, own.predicted, WINDOW
                )


def test_who_is_predicted_beyond_all_tests_is_not_counted():
    own = _tests(1)
    beyond = _predicted(np.full(50, 14.0), np.full(50, 16.0))
    found = transfer(own, beyond, WINDOW)
    assert found.tests == 0
    assert np.isnan([found.bias, found.coverage]).all()


def test_tests_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="truths of shape"):
        transfer(_predicted(np.zeros(3), np.zeros(4)), _tests(2, count=5), WINDOW)
