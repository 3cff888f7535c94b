"""On linear problems with normal errors the posterior is known, and the flow finds it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.table import QTable

from orrery import data_vector, exports
from orrery.learning import posterior
from orrery.learning.options import Flow, Training
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import Parameter, generator
from orrery.records import Observation

pytestmark = pytest.mark.slow

# x = theta SLOPES, without errors
SLOPES = np.array([[1.0, 0.5, -0.3], [0.0, 1.0, 0.8]])
COVARIANCE = np.array([[0.5, 0.1, 0.0], [0.1, 0.4, 0.0], [0.0, 0.0, 0.3]])
PARAMETERS = (Parameter("a", "kpc", "a"), Parameter("b", "km / s", "b"))
NAMES, UNITS = ("u", "v", "w"), ("km / s",) * 3
FLOW = Flow(transforms=2, hidden=(32,))
BRIEF = Training(batch_size=128, max_epochs=2)
LONG = Training(batch_size=256, max_epochs=40, learning_rate=5e-3)


def pairs(count, seed):
    theta = np.random.default_rng(seed).normal(size=(count, 2))
    return Pairs(theta, theta @ SLOPES)


def splits(count=4096):
    three = pairs(count, 1), pairs(500, 2), pairs(500, 3)
    return Splits(*three, ("a", "b"), NAMES, UNITS, "binning", "halos", 0)


def observation(covariance=COVARIANCE, **changes):
    value = np.array([0.5, 0.2, 0.4])
    right = Observation("sky", NAMES, UNITS, value, covariance, "binning", {})
    return replace(right, **changes)


def fit(
    folder,
    covariance=COVARIANCE,
    options=BRIEF,
    seed=1,
    data=None,
    on_epoch=None,
    parameters=PARAMETERS,
):
    data = data or splits()
    return posterior.fit(
        data, parameters, covariance, FLOW, options, seed, folder, on_epoch
    )


def analytic(covariance):
    precision = np.linalg.inv(covariance)
    width = np.linalg.inv(np.eye(2) + SLOPES @ precision @ SLOPES.T)
    return width @ SLOPES @ precision @ observation().value, width


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("posterior")


@pytest.fixture(scope="module")
def trained(folder):
    return fit(folder, options=LONG)


def assert_recovers(found, covariance):
    draws = found.draws(observation(covariance), 40_000, seed=0)
    mean, width = analytic(covariance)
    sigma = np.sqrt(width.diagonal())
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.08 * sigma.min())
    error = (np.cov(draws, rowvar=False) - width) / np.outer(sigma, sigma)
    assert np.abs(error).max() < 0.08


def test_it_finds_the_analytic_posterior(trained):
    assert_recovers(trained, COVARIANCE)


def test_errors_broaden_the_posterior_as_they_should(tmp_path):
    assert_recovers(fit(tmp_path, 6 * COVARIANCE, LONG), 6 * COVARIANCE)


def test_the_log_probability_is_that_of_the_analytic_posterior(trained):
    noisy = convolve(splits().test, COVARIANCE, generator(5))
    precision = np.linalg.inv(COVARIANCE)
    _, width = analytic(COVARIANCE)
    centre = noisy.x @ (width @ SLOPES @ precision).T
    offset = noisy.theta - centre
    chi2 = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(width), offset)
    exact = -0.5 * chi2 - 0.5 * np.linalg.slogdet(2 * np.pi * width)[1]
    # The mean difference is a Kullback-Leibler divergence: never negative, and here
    # small.
    assert 0 < np.mean(exact - trained.log_prob(noisy.theta, noisy.x)) < 0.02


def test_each_row_is_sampled_from_its_own_posterior(trained):
    x = splits().test.x[:40]
    draws = trained.sample_each(x, 3000, seed=4)
    assert draws.shape == (3000, 40, 2)
    alone = trained.sample_each(x[7:8], 3000, seed=9)[:, 0]
    error = np.sqrt(2 / 3000) * alone.std(axis=0)
    assert np.all(np.abs(draws[:, 7].mean(axis=0) - alone.mean(axis=0)) < 4 * error)


def test_the_same_seed_gives_the_same_weights_and_draws(tmp_path):
    one, two = fit(tmp_path / "one"), fit(tmp_path / "two")
    assert one.document == two.document
    np.testing.assert_array_equal(
        one.draws(observation(), 100, seed=3), two.draws(observation(), 100, seed=3)
    )
    other = fit(tmp_path / "three", seed=2)
    assert other.curve != one.curve
    assert not np.array_equal(
        one.draws(observation(), 100, seed=3), one.draws(observation(), 100, seed=4)
    )


def test_the_global_generator_is_left_alone(tmp_path):
    state = torch.get_rng_state()
    fit(tmp_path).draws(observation(), 10, seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_saved_posterior_is_the_same(trained, folder):
    again = posterior.load(folder)
    assert again.document == trained.document
    noisy = convolve(splits().test, COVARIANCE, generator(5))
    np.testing.assert_array_equal(
        again.log_prob(noisy.theta, noisy.x), trained.log_prob(noisy.theta, noisy.x)
    )
    np.testing.assert_array_equal(
        again.draws(observation(), 50, seed=1), trained.draws(observation(), 50, seed=1)
    )


def test_it_knows_what_it_is(trained):
    document = trained.document
    assert document["training"]["max_epochs"] == LONG.max_epochs
    assert document["parameters"][0] == {"name": "a", "unit": "kpc"}
    assert document["labels"][0] == "a"
    assert (document["dataset"], document["definition"]) == ("halos", "binning")
    assert document["pairs"]["train"]["count"] == 4096
    assert document["versions"]["sbi"]


def test_a_second_call_opens_the_first_ones_posterior(tmp_path):
    seen = []
    first = fit(tmp_path)
    again = fit(tmp_path, on_epoch=lambda *epoch: seen.append(epoch))
    assert again.document == first.document
    assert not seen
    # reworded, they are the same parameters: none is trained again, and today's label holds
    reworded = tuple(replace(p, label=f"${p.name}$") for p in PARAMETERS)
    found = fit(tmp_path, parameters=reworded)
    assert found.document == first.document
    assert found.parameters == reworded


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"covariance": 2 * COVARIANCE},
        {"options": replace(BRIEF, learning_rate=1e-4)},
        {"data": splits(4000)},
    ],
)
def test_other_arguments_replace_it_and_that_is_said(tmp_path, change, capsys):
    first, seen = fit(tmp_path), []
    second = fit(tmp_path, on_epoch=lambda *epoch: seen.append(epoch), **change)
    assert len(seen) == BRIEF.max_epochs
    before, after = (one.document["fingerprint"] for one in (first, second))
    assert before != after
    assert f"posterior {before} in" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".lock",
        "posterior.json",
        second.document["weights"]["file"],
    ]


def test_an_interrupted_fit_continues_to_the_same_posterior(tmp_path):
    def interrupt(epoch, losses):
        if epoch == 10:
            raise KeyboardInterrupt

    options = replace(BRIEF, max_epochs=12)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "twice", options=options, on_epoch=interrupt)
    assert not (tmp_path / "twice" / "posterior.json").exists()
    twice, once = (fit(tmp_path / name, options=options) for name in ("twice", "once"))
    assert twice.document == once.document
    kept = {".lock", "posterior.json", twice.document["weights"]["file"]}
    assert {path.name for path in (tmp_path / "twice").iterdir()} == kept


def test_a_missing_posterior_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="train a posterior there first"):
        posterior.load(tmp_path)


@pytest.mark.parametrize(
    "damage", ["cut weights", "no weights", "cut document", "other document"]
)
def test_a_damaged_posterior_is_an_error(tmp_path, damage):
    found = fit(tmp_path)
    weights, document = (
        tmp_path / found.document["weights"]["file"],
        tmp_path / "posterior.json",
    )
    match damage:
        case "cut weights":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "no weights":
            weights.unlink()
        case "cut document":
            document.write_text(document.read_text()[:-100])
        case _:
            document.write_text(document.read_text().replace('"hidden"', '"hidde"'))
    with pytest.raises(ValueError, match=r"is damaged .*: give the training's command"):
        posterior.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"definition": "other"},
            "definition other, but the posterior learned binning",
        ),
        ({"names": ("u", "v", "z")}, "'z'"),
        ({"units": ("kpc",) * 3}, "'kpc'"),
        ({"units": ("km / s", "km / s", "deg")}, "'deg' .* 'km / s'"),
        ({"covariance": 2 * COVARIANCE}, "other errors"),
        (
            {"covariance": np.diag(COVARIANCE.diagonal())},
            "covariance of 'u' and 'v' is 0, not 0.1",
        ),
    ],
)
def test_an_observation_of_something_else_is_refused(trained, change, message):
    with pytest.raises(ValueError, match=message):
        trained.draws(observation(**change), 10, seed=0)
    with pytest.raises(ValueError, match=message):
        trained.sample(data_vector.to_table(observation(**change)))


def test_a_table_of_draws_has_their_numbers_and_says_what_they_are(trained):
    drawn = trained.sample(observation(), 100, seed=3)
    plain = trained.draws(observation(), 100, seed=3)
    np.testing.assert_array_equal(drawn["b"].to_value("m / s"), 1000 * plain[:, 1])
    assert [str(drawn[name].unit) for name in drawn.colnames] == ["kpc", "km / s"]
    assert drawn.meta == {
        "observation": "sky",
        "posterior": trained.document["fingerprint"],
        "dataset": "halos",
        "definition": "binning",
        "seed": 3,
    }
    assert len(trained.sample(observation())) == 10_000


def test_draws_depend_on_no_order_and_no_unit(trained):
    """Rows that are shuffled and in m/s are the same measurement."""
    order = [2, 0, 1]
    shuffled = observation(
        names=tuple(NAMES[i] for i in order),
        units=("m / s", "km / s", "km/s"),
        value=observation().value[order] * [1000, 1, 1],
        covariance=COVARIANCE[np.ix_(order, order)]
        * np.outer([1000, 1, 1], [1000, 1, 1]),
    )
    wanted = trained.draws(observation(), 100, seed=0)
    np.testing.assert_allclose(trained.draws(shuffled, 100, seed=0), wanted, rtol=1e-5)


def test_a_file_and_a_fresh_process_give_the_same_draws(trained, folder, tmp_path):
    data_vector.to_table(observation()).write(tmp_path / "seen.ecsv")
    code = f"""
import sys
sys.modules["lightning"] = sys.modules["ray"] = None  # reading needs neither
from astropy.table import Table
from orrery.learning import posterior
found = posterior.load({str(folder)!r})
drawn = found.sample(Table.read({str(tmp_path / "seen.ecsv")!r}), 50, seed=7)
drawn.write({str(tmp_path / "drawn.ecsv")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    drawn = QTable.read(tmp_path / "drawn.ecsv")
    np.testing.assert_array_equal(
        exports.draws_array(drawn), trained.draws(observation(), 50, seed=7)
    )
    assert drawn.meta == trained.sample(observation(), 50, seed=7).meta


def test_it_describes_itself(trained):
    text = repr(trained)
    assert "2 parameters given 3 summaries" in text
    assert "a [kpc], b [km / s]" in text
    assert "u, v, w" in text
    assert "halos, 4096 pairs" in text
    assert trained.document["fingerprint"] in text
    assert max(map(len, text.splitlines())) <= 100


def test_it_describes_bounds(bounded):
    assert "f from -3 to 1" in bounded.describe()


@pytest.mark.parametrize("x", [np.zeros((4, 2)), np.zeros(3), np.full((4, 3), np.nan)])
def test_other_summaries_are_refused(trained, x):
    with pytest.raises(ValueError, match=r"finite, with shape \[N, 3\]"):
        trained.sample_each(x, 10, seed=0)


def test_other_numbers_of_parameters_and_draws_are_refused(trained):
    with pytest.raises(ValueError, match="one row of 2 for each of 5"):
        trained.log_prob(np.zeros((4, 2)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="count 0 must be 1"):
        trained.draws(observation(), 0, seed=0)


def bounded_splits():
    parts = []
    for seed, count in ((1, 2048), (2, 256), (3, 256)):
        theta = np.random.default_rng(seed).uniform(-3, 1, size=(count, 1))
        parts.append(Pairs(theta, 3 * theta))
    return Splits(*parts, ("f",), ("u",), ("",), "binning", "halos", 0)


BOUNDED = (Parameter("f", "", "f", -3.0, 1.0),)


@pytest.fixture(scope="module")
def bounded(tmp_path_factory):
    arguments = (
        bounded_splits(),
        BOUNDED,
        np.array([[1.0]]),
        FLOW,
        replace(BRIEF, max_epochs=15),
    )
    return posterior.fit(*arguments, 0, tmp_path_factory.mktemp("bounded"))


@pytest.mark.parametrize("x", [-9.0, -3.0, 3.0, 4.0])
def test_the_density_of_a_bounded_parameter_has_the_integral_one(bounded, x):
    edges = np.linspace(-3, 1, 20001)
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    density = np.exp(bounded.log_prob(middle, np.full((20000, 1), x)))
    assert density.sum() * (edges[1] - edges[0]) == pytest.approx(1, abs=2e-3)


def test_draws_follow_the_density_and_stay_within_the_bounds(bounded):
    draws = bounded.sample_each(np.array([[2.5]]), 20000, seed=2)
    assert ((draws > -3) & (draws < 1)).all()
    edges = np.linspace(-3, 1, 4001)
    density = np.exp(bounded.log_prob(edges[:, None], np.full((4001, 1), 2.5)))
    expected = np.cumsum(density) * (edges[1] - edges[0])
    found = np.searchsorted(np.sort(draws.ravel()), edges) / draws.size
    assert np.abs(found - expected).max() < 0.015


def test_beyond_the_bounds_there_is_no_probability(bounded):
    log_prob = bounded.log_prob(np.array([[-3.1], [0.0], [1.2]]), np.zeros((3, 1)))
    assert np.isneginf(log_prob).tolist() == [True, False, True]


def test_options_of_another_type_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^training.max_epochs is 2.0: give a whole"):
        fit(tmp_path, options=replace(BRIEF, max_epochs=2.0))


def test_pairs_of_other_parameters_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match="compute the summaries with the same parameters"
    ):
        fit(tmp_path, data=replace(splits(), parameters=("b", "a")))
    beyond = Pairs(np.full((9, 1), 2.0), np.zeros((9, 1)))
    outside = replace(bounded_splits(), train=beyond)
    with pytest.raises(ValueError, match=r"f reaches from .* widen the bounds"):
        posterior.fit(outside, BOUNDED, np.eye(1), FLOW, BRIEF, 0, tmp_path)


def test_a_covariance_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(2, 2\) does not belong to 3"):
        fit(tmp_path, np.eye(2))
