import numpy as np
import pytest
import torch

from orrery.learning import posterior
from orrery.learning.options import Flow, Training
from orrery.learning.sets import SetLayout
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter

LAYOUT = SetLayout(places=6, numbers=3, context=2, width=16)
THETA = (Parameter("mean", "", "$m$"),)


def rows(count, seed=0, fewest=2):
    """Returns rows of sets with 2 to 6 entries around a mean, and the means `[count, 1]`."""
    random = np.random.default_rng(seed)
    theta = random.normal(size=(count, 1))
    entries = np.zeros((count, 6, 3))
    entries[..., 0] = theta + 0.5 * random.normal(size=(count, 6))
    entries[..., 1] = random.normal(3, 2, size=(count, 6))
    entries[..., 2] = (
        np.arange(6) < random.integers(fewest, 7, size=count)[:, np.newaxis]
    )
    entries[..., :2] *= entries[..., 2:]
    return np.hstack(
        [entries.reshape(count, -1), random.normal(size=(count, 2))]
    ), theta


def built(x):
    torch.manual_seed(1)
    return LAYOUT.build(torch.from_numpy(x).float()).double()


def test_order_and_places_of_the_entries_do_not_matter():
    x, _ = rows(50)
    embedding = built(x)
    entries = x[:, :18].reshape(50, 6, 3)
    shuffled = entries[
        :, np.random.default_rng(1).permutation(6)
    ]  # moves absent ones inside too
    moved = np.hstack([shuffled.reshape(50, 18), x[:, 18:]])
    before, after = (embedding(torch.from_numpy(v)) for v in (x, moved))
    torch.testing.assert_close(before, after)


def test_what_stands_in_an_absent_place_does_not_matter():
    x, _ = rows(50)
    embedding = built(x)
    entries = x[:, :18].reshape(50, 6, 3).copy()
    entries[..., :2] += 1e3 * (1 - entries[..., 2:])
    changed = np.hstack([entries.reshape(50, 18), x[:, 18:]])
    before, after = (embedding(torch.from_numpy(v)) for v in (x, changed))
    torch.testing.assert_close(before, after)
    assert not torch.allclose(before, embedding(torch.from_numpy(x[::-1].copy())))


def test_units_of_the_numbers_do_not_matter():
    x, _ = rows(50)
    scaled = x.reshape(50, -1).copy()
    scaled[:, 0:18:3] *= 1000.0
    before, after = (built(v)(torch.from_numpy(v)) for v in (x, scaled))
    torch.testing.assert_close(before, after, rtol=1e-5, atol=1e-5)


def test_layouts_must_be_possible():
    with pytest.raises(ValueError, match="places for entries"):
        SetLayout(places=0, numbers=3, context=1)
    with pytest.raises(ValueError, match="places for entries"):
        SetLayout(places=3, numbers=1, context=1)
    with pytest.raises(ValueError, match="rows of 7 summaries"):
        LAYOUT.build(torch.zeros(4, 7))


@pytest.mark.slow
def test_a_flow_learns_from_sets_and_is_opened_again(tmp_path):
    # The mean of n values with scatter 0.5 and a standard normal prior is known
    # exactly.
    parts = [
        Pairs(theta, x)
        for x, theta in (rows(n, seed) for seed, n in enumerate((4000, 500)))
    ]
    names = tuple(map(str, range(20)))
    layout = (LAYOUT.places, LAYOUT.numbers, LAYOUT.context)
    splits = Splits(
        *(parts[0], parts[1], parts[1], ("mean",), names, ("",) * 20, "d", "s", 0),
        layout=layout,
    )
    flow, options = Flow(transforms=2, kind="nsf"), Training(max_epochs=20)
    fitted = posterior.fit(
        splits, THETA, np.zeros((20, 20)), flow, options, 1, tmp_path
    )
    x, theta = rows(1000, seed=5)
    count = x[:, 2:18:3].sum(axis=1)
    total = x[:, 0:18:3].sum(axis=1)
    precision = 1 + count / 0.25
    mean, spread = total / 0.25 / precision, precision**-0.5
    right = -0.5 * ((theta[:, 0] - mean) / spread) ** 2 - np.log(
        spread * np.sqrt(2 * np.pi)
    )
    assert np.mean(right - fitted.log_prob(theta, x)) < 0.1
    again = posterior.load(tmp_path)
    assert np.array_equal(again.log_prob(theta, x), fitted.log_prob(theta, x))
