"""Laws of proper motions: a covariance turns as a tensor, and what is unknown stays unknown."""

import numpy as np

from mwlmc.observed.star_motions import motion_errors, proper_motions

RANDOM = np.random.default_rng(6)
RA, DEC = RANDOM.uniform(0, 6, 5), RANDOM.uniform(-1, 1, 5)
COLUMNS = {
    "pm_ra": np.array([1.0, 2.0, np.nan, 0.5, -1.0]),
    "pm_dec": np.array([0.3, -0.2, 1.0, 0.1, 2.0]),
    "pm_ra_error": np.full(5, 0.3),
    "pm_dec_error": np.full(5, 0.4),
}


def test_lengths_stay_and_one_unknown_part_leaves_none():
    pm_l, pm_b = proper_motions(COLUMNS, RA, DEC)
    expected = np.hypot(COLUMNS["pm_ra"], COLUMNS["pm_dec"])
    np.testing.assert_allclose(np.hypot(pm_l, pm_b), expected)
    assert np.isnan(pm_b).tolist() == [False, False, True, False, False]
    assert np.isnan(proper_motions({"pm_ra": RA}, RA, DEC)[0]).all()


def test_an_unknown_correlation_is_taken_as_none_and_loses_no_error():
    without = motion_errors(COLUMNS, RA, DEC)
    corr = np.array([0.5, np.nan, 0.0, -0.5, np.nan])
    found = motion_errors({**COLUMNS, "pm_corr": corr}, RA, DEC)
    for ours, theirs in zip(found, without, strict=True):
        np.testing.assert_allclose(ours[[1, 2, 4]], theirs[[1, 2, 4]])
        assert np.all(ours[[0, 3]] != theirs[[0, 3]])
    np.testing.assert_allclose(found[0] ** 2 + found[1] ** 2, 0.25)


def test_missing_errors_are_unknown():
    found = motion_errors({k: COLUMNS[k] for k in ("pm_ra", "pm_dec")}, RA, DEC)
    assert np.isnan(found[0]).all()
    assert np.isnan(found[1]).all()
    one = {**COLUMNS, "pm_ra_error": np.array([0.3, np.nan, 0.3, 0.3, 0.3])}
    assert np.isnan(motion_errors(one, RA, DEC)[1]).tolist() == [0, 1, 0, 0, 0]
