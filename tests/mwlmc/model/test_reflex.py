"""Laws of the reflex fit: it finds what was put in, and both ways of finding it agree."""

import json
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwlmc.model import reflex
from mwlmc.observed.star_tables import StarTable
from mwlmc.sky import frames

TRUTH = reflex.Reflex(5.0, -2.0, -30.0, -8.0, 12.0, 6.0, 110.0, 90.0, 80.0)


def _halo(count, truth=TRUTH, seed=12):
    random = np.random.default_rng(seed)
    position = random.normal(size=(count, 3))
    position *= (
        random.uniform(50, 100, (count, 1)) / np.linalg.norm(position, axis=1)[:, None]
    )
    radius, flat = (
        np.linalg.norm(position, axis=1),
        np.hypot(position[:, 0], position[:, 1]),
    )
    outward = position / radius[:, None]
    azimuth = (
        np.stack([-position[:, 1], position[:, 0], np.zeros(count)], axis=1)
        / flat[:, None]
    )
    polar = np.cross(azimuth, outward)
    numbers = astuple(truth)
    velocity = -np.array(numbers[:3]) + sum(
        speed * axis
        for speed, axis in zip(numbers[3:6], (outward, azimuth, polar), strict=True)
    )
    towards = (position - frames.SUN_POSITION) @ frames.GALACTIC_TO_GALACTOCENTRIC
    axes = frames.axes(towards) @ frames.GALACTIC_TO_GALACTOCENTRIC.T
    scatter = random.normal(size=(count, 3)) * np.array(numbers[6:])
    return position, velocity + np.einsum("ni,nij->nj", scatter, axes)


def _table(position, velocity, errors=(0.0, 0.0, 0.0), seed=13):
    """Stars as measured with errors of velocity [km/s], proper motion [mas/yr], and distance."""
    random = np.random.default_rng(seed)
    sky = frames.galactocentric_to_sky(position, velocity)
    pm_l, pm_b = frames.rotate_proper_motion(*sky[:2], *sky[4:])
    count, (of_velocity, of_motion, of_distance) = len(pm_l), errors
    moved = random.multivariate_normal(
        [0, 0], of_motion**2 * np.array([[1, 0.4], [0.4, 1]]), count
    )
    return StarTable(
        *frames.equatorial_to_galactic(*sky[:2]),
        sky.distance * (1 + of_distance * random.normal(size=count)),
        sky.v_los + of_velocity * random.normal(size=count),
        pm_l + moved[:, 0],
        pm_b + moved[:, 1],
        of_distance * sky.distance,
        np.full(count, of_velocity),
        np.full(count, of_motion),
        np.full(count, of_motion),
        np.full(count, 0.4),
    )


def test_travel_velocity_and_dispersions_are_found():
    found = reflex.fit_error_free(*_halo(40_000))
    np.testing.assert_allclose(astuple(found)[:6], astuple(TRUTH)[:6], atol=3.5)
    np.testing.assert_allclose(astuple(found)[6:], astuple(TRUTH)[6:], rtol=0.02)


@pytest.mark.slow
@given(st.tuples(*[st.floats(-100, 100)] * 6))
@settings(max_examples=20)
def test_cold_stars_are_fitted_exactly(motions):
    truth = reflex.Reflex(*motions, 0.0, 0.0, 0.0)
    found = reflex.fit_error_free(*_halo(100, truth))
    np.testing.assert_allclose(astuple(found)[:6], motions, atol=1e-6)


def test_stars_move_at_minus_the_travel_velocity():
    position, velocity = _halo(500)
    shift = np.array([3.0, -7.0, 20.0])
    before = reflex.fit_error_free(position, velocity)
    after = reflex.fit_error_free(position, velocity + shift)
    change = np.array(astuple(after)) - astuple(before)
    np.testing.assert_allclose(change[:3], -shift, atol=1e-6)
    np.testing.assert_allclose(change[3:], 0, atol=1e-6)


def test_both_ways_agree_on_stars_without_errors():
    position, velocity = _halo(800)
    exact = reflex.fit_error_free(position, velocity)
    searched = reflex.fit_reflex_motion(_table(position, velocity))
    np.testing.assert_allclose(astuple(searched), astuple(exact), atol=2e-3)


@pytest.mark.slow
def test_likelihood_takes_errors_out_of_the_dispersions():
    position, velocity = _halo(6000)
    measured = _table(position, velocity, errors=(60.0, 0.3, 0.0))
    found = np.array(astuple(reflex.fit_reflex_motion(measured)))
    naive = np.array(astuple(reflex.fit_reflex_motion(_without_errors(measured))))
    np.testing.assert_allclose(found[6:], astuple(TRUTH)[6:], rtol=0.06)
    np.testing.assert_allclose(found[:6], astuple(TRUTH)[:6], atol=12)
    assert (naive[6:] > 1.1 * found[6:]).all()


def _without_errors(table):
    none = np.zeros(len(table))
    return replace(
        table, v_los_error=none, pm_l_error=none, pm_b_error=none, distance_error=none
    )


def test_stars_without_proper_motions_still_count():
    position, velocity = _halo(3000)
    table = _table(position, velocity)
    some = np.arange(len(table)) % 2 == 0
    blank = {
        n: np.where(some, getattr(table, n), np.nan)
        for n in ("pm_l", "pm_b", "pm_l_error")
    }
    found, fewer = (
        reflex.fit_reflex_motion(replace(table, **blank)),
        reflex.fit_reflex_motion(table.keep(some, "half")),
    )
    np.testing.assert_allclose(astuple(found)[:6], astuple(TRUTH)[:6], atol=15)
    assert found.sigma_los != pytest.approx(fewer.sigma_los, rel=1e-4)
    assert found.sigma_b == pytest.approx(fewer.sigma_b, rel=0.01)


def test_apex_is_where_the_disc_moves():
    north = replace(TRUTH, v_x=0.0, v_y=0.0, v_z=10.0)
    assert north.apex[1] == pytest.approx(90, abs=0.2)
    rotation = replace(TRUTH, v_x=0.0, v_y=25.0, v_z=0.0)
    np.testing.assert_allclose(rotation.apex, (90, 0), atol=0.2)
    assert rotation.v_travel == pytest.approx(25)


def test_shell_is_between_its_radii():
    position = np.array([[0.0, 0.0, r] for r in (49.9, 50.0, 99.9, 100.0, 500.0)])
    assert reflex.shell(position).tolist() == [False, True, True, False, False]
    assert reflex.shell(position, 50.0, np.inf).tolist() == [
        False,
        True,
        True,
        True,
        True,
    ]


def test_impossible_stars_are_refused():
    position, velocity = _halo(20)
    with pytest.raises(ValueError, match="5 stars"):
        reflex.fit_error_free(position[:5], velocity[:5])
    with pytest.raises(ValueError, match="finite"):
        reflex.fit_error_free(np.where(position > 0, np.nan, position), velocity)
    table = _table(position, velocity)
    blank = np.full(20, np.nan)
    with pytest.raises(ValueError, match="0 stars"):
        reflex.fit_reflex_motion(replace(table, pm_l=blank))
    with pytest.raises(ValueError, match="errors are unknown"):
        reflex.fit_reflex_motion(replace(table, v_los_error=blank))


@pytest.mark.parametrize("number", range(8))
def test_reference_halos_give_agamas_reflex_within_the_scatter(shared, number):
    folder = shared / "reference" / "agama"
    if not folder.is_dir():
        pytest.skip("no reference solutions in the shared folder")
    stars = np.load(folder / f"set{number:02d}.npz")["final"]
    expected = json.loads((folder / f"set{number:02d}.json").read_text())[
        "reflex_50_100"
    ]
    inside = reflex.shell(stars[:, :3])
    found = np.array(
        astuple(reflex.fit_error_free(stars[inside, :3], stars[inside, 3:]))
    )
    sigma = expected["sigma_los"] * np.sqrt(3 / inside.sum())
    away = (found - list(expected.values())[:9]) / sigma
    assert np.abs(away).max() < 3.5
