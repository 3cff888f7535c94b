"""Laws of numbers that too many rows share: written ones are found, measured ones never."""

import numpy as np
import pytest

from orrery.tables.repeated_values import (
    are_round,
    are_written,
    judged_values,
    repeated_values,
    zeros_are_rounded,
)


def _speeds(count=800, seed=6):
    return np.random.default_rng(seed).normal(0.0, 130.0, count)


def _judged(numbers, ties):
    return {one.repeated.value: one.is_certain for one in judged_values(numbers, ties)}


@pytest.mark.parametrize("value", [-1200.0, -640.0, 0.0, 7.25, 88.0])
@pytest.mark.parametrize("rounding", [8, 2, 0])
def test_a_round_number_that_many_velocities_share_is_none(value, rounding):
    speeds = np.round(_speeds(), rounding)
    speeds[::9] = value
    assert _judged(speeds, "none") == {value: True}


@pytest.mark.parametrize("value", [8.888, -99.9999, 2222.2, -0.55555])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_one_digit_again_and_again_is_written_and_not_measured(value, precision):
    speeds = _speeds().astype(precision)
    speeds[::15] = value
    numbers = speeds.astype(float)
    assert _judged(numbers, "none") == {float(precision(value)): True}


def test_numbers_of_many_digits_are_not_written():
    assert np.mean(are_written(_speeds(20_000))) < 0.01
    assert are_written(np.array([0.0, -444.4, 6666.0, 1e20, 0.0777777])).all()
    assert not are_written(np.array([9.998, 77.78, 1.1112, -444.5])).any()


def test_two_such_numbers_side_by_side_are_both_found():
    speeds = _speeds()
    speeds[::20] = -640.0
    speeds[1::20] = -641.0
    assert _judged(speeds, "none") == {-640.0: True, -641.0: True}


def test_a_mean_that_was_filled_in_is_doubted():
    speeds = _speeds()
    speeds[::12] = 13.57246
    assert _judged(speeds, "none") == {13.57246: False}


@pytest.mark.parametrize("value", [1234.5, -8765.4321, 977.13])
@pytest.mark.parametrize("every", [3, 40, 150])
def test_a_number_far_outside_of_all_others_stands_for_none(value, every):
    speeds = _speeds()
    speeds[::every] = value
    speeds[1::every] = value + 1.25  # and another one beside it
    assert _judged(speeds, "none") == {value: True, value + 1.25: True}


def test_stars_of_a_cluster_may_share_a_velocity_that_few_others_have():
    """Its mean, of many figures: at the edge of all others, or somewhat beyond."""
    speeds = _speeds()
    for velocity in (388.4321, -512.7777, 640.1234):
        speeds[::12] = velocity
        assert _judged(speeds, "none") == {velocity: False}


@pytest.mark.parametrize("step", [1e-3, 0.1, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("count", [60, 800, 20_000])
def test_rounded_measurements_are_neither_none_nor_doubted(step, count):
    rounded = np.round(_speeds(count) / step) * step
    assert not list(repeated_values(rounded))
    assert _judged(rounded, "none") == {}


def test_numbers_that_people_round_to_tens_are_no_placeholders():
    random = np.random.default_rng(2)
    exact = np.round(random.uniform(20, 120, 900))
    heaped = np.where(random.random(900) < 0.4, 10 * np.round(exact / 10), exact)
    assert _judged(heaped, "none") == {}


@pytest.mark.parametrize("scatter", [0.2, 0.4, 0.7, 1.5])
@pytest.mark.parametrize("count", [150, 3000])
def test_numbers_rounded_more_coarsely_than_they_scatter_peak(scatter, count):
    for seed in range(8):
        random = np.random.default_rng(seed)
        for drawn in (random.normal(size=count), random.standard_t(3, count)):
            assert _judged(np.round(scatter * drawn), "none") == {}


def test_errors_are_zero_because_they_are_rounded_or_missing():
    errors = np.random.default_rng(4).gamma(2.0, 1.0, 500)
    for decimals in (0, 1):
        assert zeros_are_rounded(np.append(np.round(errors, decimals), 0.0))
    assert zeros_are_rounded(np.zeros(9))
    errors[:40] = 0.0
    assert not zeros_are_rounded(errors)
    assert not zeros_are_rounded(np.round(errors, 2))
    assert not zeros_are_rounded(np.round(5 + errors * (errors > 0), 1) * (errors > 0))
    assert not zeros_are_rounded(np.repeat([0.0, 4.0], [3, 90]))
    assert not zeros_are_rounded(np.repeat([0.0, 4.0, 4.5], [3, 90, 80]))


def test_each_star_several_times_is_no_placeholder():
    assert _judged(np.repeat(_speeds(), 6), "none") == {}


def test_stars_of_one_galaxy_may_have_one_distance():
    distances = np.random.default_rng(1).uniform(20, 120, 800)
    distances[::10] = 81.0
    assert _judged(distances, "some") == {81.0: False}
    distances[::10] = 700.0
    assert _judged(distances, "some") == {700.0: True}


def test_errors_may_be_equal_but_not_absurd():
    random = np.random.default_rng(3)
    errors = random.gamma(4.0, 0.5, 600)
    assert _judged(errors, "errors") == {}
    errors[::3] = 2.5  # one survey's
    assert _judged(errors, "errors") == {}
    errors[::30] = 40.0
    assert _judged(errors, "errors") == {40.0: False}
    errors[::30] = 400.0
    assert _judged(errors, "errors") == {400.0: True}
    assert _judged(np.repeat([0.2, 0.9, 70.0], [300, 200, 30]), "errors") == {
        70.0: True
    }


def test_most_columns_may_have_any_number_of_equal_values():
    assert _judged(np.repeat([1.0, 2.0], [5, 90]), "many") == {}
    assert _judged(np.append(_speeds(), np.zeros(200)), "many") == {}


def test_round_numbers_are_so_in_single_precision_too():
    numbers = np.array([9.99, 0.01, -888.0, 1e20, 0.0], np.float32).astype(float)
    assert are_round(numbers).all()
    assert not are_round(np.array([12.34, -1234.0, 0.1001])).any()
