"""Laws of clipped moments: those of a plain loop, of astropy and of scipy."""

import numpy as np
import pytest
from astropy.stats import sigma_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sigmaclip

from mwlmc.sky.moments import clipped_moments, unclipped


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
    got = clipped_moments(values[order], bins[order], len(columns), clip)
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
    ours = clipped_moments(values, np.zeros(len(values), dtype=int), 1)
    theirs = sigma_clip(values, sigma=3, maxiters=None, cenfunc="mean", masked=False)
    assert ours.kept[0] == len(theirs) == len(sigmaclip(values, 3, 3)[0]) < len(values)
    assert ours.mean[0] == pytest.approx(theirs.mean())
    assert ours.dispersion[0] == pytest.approx(theirs.std())


def test_moments_are_bit_for_bit_those_of_the_values_left():
    random = np.random.default_rng(9)
    values, bins = random.standard_t(2, 4000), random.integers(0, 30, 4000)
    left = unclipped(values, bins, 30)
    clipped = clipped_moments(values, bins, 30)
    # what is left is not clipped again
    again = clipped_moments(values[left], bins[left], 30)
    assert again.kept.sum() == again.count.sum() == len(left) < 4000
    np.testing.assert_array_equal(clipped.kept, again.kept)
    np.testing.assert_array_equal(clipped.mean, again.mean)
    np.testing.assert_array_equal(clipped.dispersion, again.dispersion)
