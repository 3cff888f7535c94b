"""Laws of distances: moduli and parallaxes give them with the right errors and known biases."""

import numpy as np

from mwlmc.observed.star_distances import (
    FEWEST_ERRORS,
    distances,
    modulus_doubts,
)
from orrery.tables.error_columns import both_sides


def _drawn(seed, width, count=200_000):
    return np.random.default_rng(seed).normal(0.0, width, count)


def test_a_column_of_distances_comes_first_and_has_its_own_errors():
    columns = {"distance": np.array([40.0]), "parallax": np.array([9.0])}
    assert distances(columns).values == 40.0
    assert distances(columns).errors == 4.0
    assert "10 % is assumed" in distances(columns).notes[0]
    columns |= {"distance_low": np.array([33.0]), "distance_high": np.array([49.0])}
    assert (distances(columns).errors, distances(columns).notes) == (8.0, ())
    del columns["distance_low"], columns["distance_high"]
    columns |= {"distance_error_below": np.array([3.0])}
    assert distances(columns).errors == 4.0
    columns |= {"distance_error_above": np.array([5.0])}
    assert both_sides(columns, "distance") == 4.0
    columns |= {"distance_error": np.array([1.5])}
    assert distances(columns).errors == 1.5
    assert distances({"v_los": np.zeros(1)}) is None


def test_distances_of_moduli_have_the_scatter_and_the_bias_that_are_said():
    moduli, width = np.array([18.0]), 0.2
    found = distances(
        {"distance_modulus": moduli, "distance_modulus_error": np.array([width])}
    )
    drawn = 10 ** ((moduli + _drawn(1, width)) / 5 - 2)
    np.testing.assert_allclose(found.values, np.median(drawn), rtol=0.002)
    np.testing.assert_allclose(found.errors, drawn.std(), rtol=0.02)
    bias = 100 * (drawn.mean() / np.median(drawn) - 1)
    assert f"means would be {bias:.1f}" in found.notes[0]
    assert "10 % is assumed" in distances({"distance_modulus": moduli}).notes[0]


def test_parallaxes_are_distances_where_their_errors_are_small():
    errors = np.full(4, 0.01)
    parallaxes = np.array([0.2, 0.049, -0.3, 0.1])
    found = distances({"parallax": parallaxes, "parallax_error": errors})
    np.testing.assert_allclose(found.values, [5.0, np.nan, np.nan, 10.0])
    np.testing.assert_allclose(found.errors[[0, 3]], [0.25, 1.0])
    assert f"2 rows with less than {FEWEST_ERRORS:g} errors have none" in found.notes[0]
    # at 0.1 +- 0.01 mas the mean of 1 / parallax is a hundredth too large
    bias = (1 / (0.1 + _drawn(2, 0.01))).mean() / 10 - 1
    np.testing.assert_allclose(bias, 0.01, rtol=0.15)
    alone = distances({"parallax": parallaxes})
    np.testing.assert_allclose(alone.values, [5.0, 1 / 0.049, np.nan, 10.0])
    assert "bias is unknown" in alone.notes[0]


MODULI = np.linspace(15.1, 19.7, 60)


def test_distances_that_all_could_be_moduli_are_doubted():
    (doubt,) = modulus_doubts({"distance": MODULI})
    assert "all 60 distances are from 15.1 to 19.7 kpc" in doubt
    assert "call the column distance_modulus_mag" in doubt
    # 0.1 to 0.3 mag are errors of moduli
    columns = {"distance": MODULI, "distance_error": np.linspace(0.1, 0.3, 60)}
    assert len([*modulus_doubts(columns)]) == 1
    bounds = {"distance_low": MODULI - 0.2, "distance_high": MODULI + 0.2}
    assert len([*modulus_doubts({"distance": MODULI, **bounds})]) == 1


def test_distances_that_no_moduli_are_like_are_not_doubted():
    near = {"distance": np.append(MODULI, 4.2)}
    far = {"distance": np.append(MODULI, 33.0)}
    measured = {"distance": MODULI, "distance_error": 0.06 * MODULI}
    for columns in (near, far, measured, {"distance_modulus": MODULI}):
        assert [*modulus_doubts(columns)] == []
    assert [*modulus_doubts({"distance": MODULI[:15]})] == []
