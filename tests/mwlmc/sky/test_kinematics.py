"""Laws of summaries: indifferent to order, batch and precision, and equal to a plain loop."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.sky import frames, kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, LMC_NAMES, QUADRANTS
from orrery.records import Records

NAMES = ("x", "y", "z", "vx", "vy", "vz")


def _records(count=3, stars=1500, seed=6, dtype="float16"):
    random = np.random.default_rng(seed)
    sizes = random.integers(stars // 2, stars, count)
    total = int(sizes.sum())
    position = random.normal(size=(3, total))
    position *= (
        30 * 10 ** random.uniform(0, 0.8, total) / np.linalg.norm(position, axis=0)
    )
    velocity = random.normal(0, 110, (3, total)) + np.array([[5.0], [0.0], [25.0]])
    columns = np.concatenate([position, velocity]).astype(dtype)
    lmc = {name: random.normal(size=count) for name in LMC_NAMES}
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return Records(lmc, dict(zip(NAMES, columns, strict=True)), offsets)


def _one(records, i):
    here = slice(records.offsets[i], records.offsets[i + 1])
    return Records(
        {name: column[i : i + 1] for name, column in records.scalars.items()},
        {name: column[here] for name, column in records.particles.items()},
        np.array([0, here.stop - here.start], dtype=np.int32),
    )


def _loop(values, clip):
    values = np.array(values)
    while True:
        inside = np.abs(values - values.mean()) <= clip * values.std()
        if inside.all():
            return values
        values = values[inside]


@pytest.mark.parametrize("binning", [DESI_FOOTPRINT, QUADRANTS], ids=lambda b: b.name)
def test_a_batch_gives_what_each_simulation_gives(binning):
    records = _records(count=20, stars=400)
    x = kinematics.velocity_moments(records, binning)
    assert x.shape == (20, len(binning.names))
    alone = [
        kinematics.velocity_moments(_one(records, i), binning)[0] for i in range(20)
    ]
    np.testing.assert_array_equal(x, alone)


def test_moments_are_those_of_the_stars_in_each_bin():
    binning = QUADRANTS.with_moments(("mean", "dispersion"))
    records = _records(count=1, stars=6000, dtype="float64")
    position = np.stack([records.particles[n] for n in NAMES[:3]], axis=1)
    velocity = np.stack([records.particles[n] for n in NAMES[3:]], axis=1)
    rest, radius = (
        frames.sky_velocities(position, velocity),
        np.linalg.norm(position, axis=1),
    )
    chosen = (rest.l >= np.pi) & (rest.b < 0) & (radius >= 56) & (radius < 82)
    left = _loop(rest.v_gsr[chosen], 3.0)
    x = kinematics.velocity_moments(records, binning)[0]
    entry = dict(zip(binning.names, x, strict=True))
    assert entry["v_gsr_mean_q4_56_82"] == pytest.approx(left.mean())
    assert entry["v_gsr_dispersion_q4_56_82"] == pytest.approx(left.std())
    inner = (radius >= 30) & (radius < 30 + 130 / 6)
    across = _loop(rest.v_b[inner], 3.0)
    assert entry["v_tb_mean_all_30_51.67"] == pytest.approx(across.mean())


def test_first_entries_are_the_lmc():
    records = _records()
    x = kinematics.velocity_moments(records, QUADRANTS)
    lmc = np.stack([records.scalars[name] for name in LMC_NAMES], axis=1)
    np.testing.assert_array_equal(x[:, :6], lmc)


def test_without_the_lmc_the_rest_stays():
    records, stellar = _records(), replace(QUADRANTS, lmc=False)
    whole = kinematics.velocity_moments(records, QUADRANTS)
    np.testing.assert_array_equal(
        kinematics.velocity_moments(records, stellar), whole[:, 6:]
    )


def test_half_precision_is_enough():
    half = kinematics.velocity_moments(_records(dtype="float16"), QUADRANTS)
    full = kinematics.velocity_moments(_records(dtype="float64"), QUADRANTS)
    assert np.nanmedian(np.abs(half - full)[:, 6:]) < 0.2


def test_order_of_stars_does_not_matter():
    records = _records(count=1)
    order = np.random.default_rng(9).permutation(len(records.particles["x"]))
    shuffled = {name: column[order] for name, column in records.particles.items()}
    again = Records(records.scalars, shuffled, records.offsets)
    x, y = (kinematics.velocity_moments(r, QUADRANTS) for r in (records, again))
    np.testing.assert_allclose(x, y, atol=1e-9)


def test_empty_bins_are_nan_and_nothing_else_is():
    records = _records(count=2, stars=300)
    near = (
        np.linalg.norm([records.particles[n].astype(float) for n in NAMES[:3]], axis=0)
        < 100
    )
    owner = np.repeat([0, 1], np.diff(records.offsets))
    kept = {name: column[near] for name, column in records.particles.items()}
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[near], minlength=2))])
    cut = Records(records.scalars, kept, offsets.astype(np.int32))
    x = kinematics.velocity_moments(cut, QUADRANTS)
    empty = [
        n.endswith(("_108_134", "_134_160", "_116.7_138.3", "_138.3_160"))
        for n in QUADRANTS.names
    ]
    assert np.isnan(x[:, empty]).all()
    assert np.isfinite(x[:, [n.endswith("_30_56") for n in QUADRANTS.names]]).all()
