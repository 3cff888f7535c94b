"""The errors and the intervals of an ensemble are those that its tests have."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.inference import ensembles
from orrery.judging import regression


def test_intervals_hold_the_truth_as_often_as_they_say(made):
    # the error grows with the mass, so that one width for all would cover wrongly at
    # each end
    def growing(seed):
        one = made(20_000, seed)
        scale = one.truth - 10.5
        return replace(one, members=one.truth + (one.members - one.truth) * scale)

    lent, others = growing(1), growing(2)
    for centre in (11.5, 12.0, 12.5):
        near = np.abs(others.predicted - centre) < 0.05
        residual = (others.truth - others.predicted)[near]
        found = lent.interval(centre)
        inside = (found.lower - centre < residual) & (residual < found.upper - centre)
        assert near.sum() > 300
        assert inside.mean() == pytest.approx(found.level, abs=0.06)


def test_a_bias_of_the_tests_moves_the_interval(made):
    even, biased = (made(bias=bias).interval(12.0) for bias in (0.0, 0.1))
    assert even.median == pytest.approx(12.0, abs=0.03)
    assert biased.median == pytest.approx(11.9, abs=0.03)
    assert biased.prediction == 12.0


@pytest.mark.parametrize(
    ("count", "place"),
    [(200, lambda _: 12.0), (4000, lambda _: 15.0), (4000, lambda p: p.min() - 1e-3)],
    ids=["few tests", "none like it", "all on one side"],
)
def test_where_few_tests_are_alike_the_error_is_unknown(made, count, place):
    one = made(count)
    prediction = place(one.predicted)
    found = one.interval(prediction)
    assert found.prediction == prediction
    assert np.isnan([found.lower, found.median, found.upper]).all()
    assert found.tests == (np.abs(one.predicted - prediction) <= one.window).sum()
    with pytest.raises(regression.TooFewAlikeError):
        regression.prediction_interval(
            prediction, one.truth, one.predicted, one.window, fewest=100
        )


def test_other_errors_remain(made):
    with pytest.raises(ValueError, match=r"shape"):
        replace(made(), truth=np.zeros(3)).interval(12.0)


def test_errors_are_those_of_the_mean_of_all_members(made):
    one = made(members=4)
    np.testing.assert_allclose(one.predicted, one.members.mean(axis=0))
    assert one.errors.rmse == pytest.approx(np.full(4, 0.2), rel=0.1)
    assert one.member_errors.rmse.shape == (4, 4)
    assert (one.member_errors.rmse.mean(axis=0) > one.errors.rmse).all()
    assert one.score.rmse == pytest.approx(0.2, rel=0.05)


def test_errors_between_edges_are_those_of_the_bins_inside(made):
    one = made()
    np.testing.assert_array_equal(one.rmse_between(11.5, 12.5), one.errors.rmse[1:3])
    np.testing.assert_array_equal(one.rmse_between(11.4, 12.4), one.errors.rmse[1:2])


@pytest.fixture
def stepped(made):
    """Returns an ensemble of one that is as wrong as this in bins with few tests in the last."""

    def make(*bias):
        counts = (150, 150, 20)
        truth = np.repeat([11.2, 11.7, 12.2], counts)
        members = (truth + np.repeat(bias, counts))[None]
        return replace(made(), truth=truth, members=members)

    return make


def test_bins_with_too_few_tests_have_no_error(stepped):
    one = stepped(0.3, 0.2, 0.1)
    np.testing.assert_allclose(one.rmse_between(11, 12.5), [0.3, 0.2, np.nan])
    np.testing.assert_allclose(one.rmse_between(11, 12.5, fewest=20), [0.3, 0.2, 0.1])


def test_the_largest_bias_has_no_sign_and_is_of_a_bin_inside_with_enough_tests(stepped):
    one = stepped(0.1, -0.2, 0.7)
    assert one.largest_bias(11, 12.5) == pytest.approx(0.2)
    assert one.largest_bias(11, 11.5) == pytest.approx(0.1)
    assert one.largest_bias(11, 12.5, fewest=20) == pytest.approx(0.7)
    assert np.isnan(one.largest_bias(12, 12.5))
    assert np.isnan(one.largest_bias(13, 14))


def test_the_smallest_error_is_of_a_bin_with_enough_tests(made):
    truth = np.concatenate([np.full(150, 11.2), np.full(150, 11.7), np.full(20, 12.2)])
    error = np.repeat([0.3, 0.2, 0.1], [150, 150, 20])
    one = replace(made(), truth=truth, members=(truth + error)[None])
    assert one.smallest_rmse() == pytest.approx(0.2)
    assert one.smallest_rmse(fewest=20) == pytest.approx(0.1)
    assert np.isnan(one.smallest_rmse(fewest=151))


def test_the_scatter_is_that_of_the_members_and_unknown_of_one(made):
    one = made(members=4)
    expected = np.sqrt(one.members.var(axis=0, ddof=1).mean())
    assert one.scatter == pytest.approx((expected, expected / 2))
    assert np.isnan(replace(one, members=one.members[:1]).scatter).all()


def test_no_rows_have_no_answer(made):
    answer = made().predict_rows(np.empty((0, 4)))
    assert np.isnan([answer.prediction, answer.lower, answer.upper]).all()
    assert answer.tests == 0


@pytest.mark.slow
def test_variances_are_compared_where_tests_are_the_same(made):
    one = made(seed=1)
    twice = replace(one, members=one.truth + 2 * (one.members - one.truth))
    fewer = replace(twice, truth=twice.truth[1:], members=twice.members[:, 1:])
    found = {"one": one, "twice": twice, "fewer": fewer, "others": made(seed=2)}
    ratios = ensembles.variance_ratios(found, "one", seed=3)
    assert ratios.keys() == {"one", "twice"}
    assert ratios["one"] == pytest.approx((1.0, 0.0))
    assert ratios["twice"] == pytest.approx((4.0, 0.0))
