"""Laws of clipped moments: equal to a plain loop, and indifferent to order, batch and frame."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.stats import sigma_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sigmaclip

from mwlmc.sky import frames, kinematics, survey
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
    lmc = {name: random.normal(size=count) for name in survey.LMC_NAMES}
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


numbers = st.lists(st.integers(-4000, 4000).map(lambda i: i / 8), max_size=40)


@given(st.lists(numbers, min_size=1, max_size=4), st.sampled_from([1.5, 2.0, 3.0]))
@settings(max_examples=60)
def test_clipping_all_bins_at_once_is_clipping_each(columns, clip):
    values = np.concatenate([np.array(c, dtype=float) for c in columns])
    bins = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    order = np.random.default_rng(7).permutation(len(values))
    got = kinematics.clipped_moments(values[order], bins[order], len(columns), clip)
    np.testing.assert_array_equal(got.count, [len(c) for c in columns])
    for k, column in enumerate(columns):
        if len(column) < 2:
            assert np.isnan(got.mean[k])
            assert np.isnan(got.dispersion[k])
            continue
        left = _loop(column, clip)
        assert got.kept[k] == len(left) >= 2
        np.testing.assert_allclose(got.mean[k], left.mean(), atol=1e-9)
        np.testing.assert_allclose(got.dispersion[k], left.std(), atol=1e-6)


def test_clipping_is_astropys_and_scipys():
    values = np.random.default_rng(8).standard_t(2, 3000)
    ours = kinematics.clipped_moments(values, np.zeros(len(values), dtype=int), 1)
    theirs = sigma_clip(values, sigma=3, maxiters=None, cenfunc="mean", masked=False)
    assert ours.kept[0] == len(theirs) == len(sigmaclip(values, 3, 3)[0]) < len(values)
    assert ours.mean[0] == pytest.approx(theirs.mean())
    assert ours.dispersion[0] == pytest.approx(theirs.std())


@pytest.mark.parametrize(
    "binning", [survey.DESI_FOOTPRINT, survey.QUADRANTS], ids=lambda b: b.name
)
def test_a_batch_gives_what_each_simulation_gives(binning):
    records = _records(count=20, stars=400)
    x = kinematics.velocity_moments(records, binning)
    assert x.shape == (20, len(binning.names))
    alone = [
        kinematics.velocity_moments(_one(records, i), binning)[0] for i in range(20)
    ]
    np.testing.assert_array_equal(x, alone)


def test_moments_are_those_of_the_stars_in_each_bin():
    binning = survey.QUADRANTS.with_moments(("mean", "dispersion"))
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
    x = kinematics.velocity_moments(records, survey.QUADRANTS)
    lmc = np.stack([records.scalars[name] for name in survey.LMC_NAMES], axis=1)
    np.testing.assert_array_equal(x[:, :6], lmc)


def test_without_the_lmc_the_rest_stays():
    records, stellar = _records(), replace(survey.QUADRANTS, lmc=False)
    whole = kinematics.velocity_moments(records, survey.QUADRANTS)
    np.testing.assert_array_equal(
        kinematics.velocity_moments(records, stellar), whole[:, 6:]
    )


def test_half_precision_is_enough():
    half = kinematics.velocity_moments(_records(dtype="float16"), survey.QUADRANTS)
    full = kinematics.velocity_moments(_records(dtype="float64"), survey.QUADRANTS)
    assert np.nanmedian(np.abs(half - full)[:, 6:]) < 0.2


def test_order_of_stars_does_not_matter():
    records = _records(count=1)
    order = np.random.default_rng(9).permutation(len(records.particles["x"]))
    shuffled = {name: column[order] for name, column in records.particles.items()}
    again = Records(records.scalars, shuffled, records.offsets)
    x, y = (kinematics.velocity_moments(r, survey.QUADRANTS) for r in (records, again))
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
    x = kinematics.velocity_moments(cut, survey.QUADRANTS)
    empty = [
        n.endswith(("_108_134", "_134_160", "_116.7_138.3", "_138.3_160"))
        for n in survey.QUADRANTS.names
    ]
    assert np.isnan(x[:, empty]).all()
    assert np.isfinite(
        x[:, [n.endswith("_30_56") for n in survey.QUADRANTS.names]]
    ).all()


def _stars(count, spread=100.0, seed=10, near=30.0, far=100.0):
    random = np.random.default_rng(seed)
    return kinematics.Stars(
        random.uniform(near, far, count),
        survey.Directions(random.normal(size=(count, 3))),
        random.normal(0, spread, count),
        random.normal(0, spread, count),
        np.zeros(count, dtype=int),
    )


def _binning(*bins):
    moments = ("mean", "dispersion")
    return survey.Binning(
        "test", (survey.Profile(survey.ALL_SKY, "v_gsr", bins, moments),)
    )


def test_bootstrap_errors_are_those_of_a_normal_sample():
    stars, binning = _stars(2000), _binning((30.0, 100.0))
    errors = kinematics.summary_errors(stars, binning, seed=1, resamples=2000)
    sigma = kinematics.summarise(stars, binning).dispersion[0, 0]
    assert errors.mean[0] == pytest.approx(sigma / np.sqrt(2000), rel=0.1)
    assert errors.dispersion[0] == pytest.approx(sigma / np.sqrt(4000), rel=0.1)


def test_errors_are_seeded_and_each_bin_has_its_own_stream():
    stars = _stars(500)
    one = kinematics.summary_errors(stars, _binning((30.0, 60.0)), seed=1)
    two = kinematics.summary_errors(
        stars, _binning((30.0, 60.0), (60.0, 100.0)), seed=1
    )
    other = kinematics.summary_errors(stars, _binning((30.0, 60.0)), seed=2)
    assert one.mean[0] == two.mean[0] != other.mean[0]


@given(st.floats(0, 5))
@settings(max_examples=20)
def test_two_stars_that_agree_do_not_make_a_small_error(apart):
    stars = _stars(300, far=80.0)
    pair = _stars(2, seed=11, near=90.0)
    velocity = np.array([40.0 - apart, 40.0 + apart])
    both = kinematics.Stars(
        np.concatenate([stars.distance, pair.distance]),
        survey.Directions(np.concatenate([stars.seen.galactic, pair.seen.galactic])),
        np.concatenate([stars.v_gsr, velocity]),
        np.concatenate([stars.v_tb, pair.v_tb]),
        np.zeros(302, dtype=int),
    )
    errors = kinematics.summary_errors(
        both, _binning((30.0, 80.0), (80.0, 100.0)), seed=1
    )
    assert errors.mean[1] == pytest.approx(100 / np.sqrt(2), rel=0.15)
    assert errors.dispersion[1] == pytest.approx(100 / np.sqrt(4), rel=0.15)


def test_too_few_stars_are_named():
    with pytest.raises(ValueError, match=r"patch 'all' at 200-300 kpc: 0\).*supported"):
        kinematics.summary_errors(
            _stars(100), _binning((30.0, 100.0), (200.0, 300.0)), seed=1
        )
    with pytest.raises(ValueError, match="5 stars in all"):
        kinematics.summary_errors(_stars(5), _binning((30.0, 100.0)), seed=1)
