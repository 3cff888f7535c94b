"""An ensemble's answer has the error that its tests have; what is told is what was found.

The problem is linear: a parameter `m` and some readings of it, whose best estimate is
known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from scipy import stats

from orrery.execution import simulation, summaries
from orrery.identity import fingerprint
from orrery.inference import ensembles
from orrery.inference.ensembles import Prediction
from orrery.judging import regression
from orrery.learning import ensemble
from orrery.learning.members import Learning
from orrery.learning.networks import Networks
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter, generator
from orrery.records import Column, Observation, Records, Schema
from orrery.results import ensemble_sections
from orrery.results.recording import record
from orrery.results.sections import slug

VERSION = 1  # of `read`, which summarises
M = Parameter("m", "dex(solMass)", "$m$")
MEAN, WIDTH, NOISE, READINGS = 12.0, 0.5, 0.4, 4
EDGES = np.array([11.5, 12.0, 12.5])
SLOPE = WIDTH**2 / (WIDTH**2 + NOISE**2 / READINGS)
BEST = WIDTH * np.sqrt(1 - SLOPE)  # the width of the posterior
BRIEF = Learning(batch_size=32, learning_rate=0.01, max_epochs=12, patience=50)
OPTIONS = Prediction(Networks(members=3, hidden=()), BRIEF, window=0.3)


@dataclass(frozen=True)
class Readings:
    """Simulates `m`, and some readings of it with normal errors."""

    @property
    def schema(self) -> Schema:
        scalars = (
            Column("index", "", "number", "int64"),
            Column("m", M.unit, "the parameter"),
        )
        return Schema(scalars, (Column("reading", M.unit, "of it"),))

    def describe(self) -> dict:
        return {"readings": READINGS, "noise": NOISE}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        drawn = np.array(
            [generator(seed, i).normal(size=1 + READINGS) for i in indices]
        )
        m = MEAN + WIDTH * drawn[:, 0]
        readings = m[:, None] + NOISE * drawn[:, 1:]
        offsets = np.arange(len(m) + 1, dtype=np.int32) * READINGS
        scalars = {"index": np.array(indices), "m": m}
        return Records(scalars, {"reading": readings.ravel()}, offsets)


@dataclass(frozen=True)
class Some:
    """The first readings."""

    count: int = READINGS

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"reading_{i}" for i in range(self.count))

    @property
    def units(self) -> tuple[str, ...]:
        return (M.unit,) * self.count

    @property
    def groups(self) -> tuple[str, ...]:
        return ("reading",) * self.count

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.describe())

    def describe(self) -> dict:
        return {"readings": self.count}


def read(records: Records, binning: Some) -> np.ndarray:
    return records.particles["reading"].reshape(-1, READINGS)[:, : binning.count]


def observation(binning, value=12.3):
    values, none = np.full(binning.count, value), np.zeros((binning.count,) * 2)
    named = (binning.names, binning.units)
    return Observation("host", *named, values, none, binning.fingerprint, {})


@dataclass(frozen=True)
class Choices:
    seed: int = 1


BINNINGS = {"all readings": Some(), "one reading": Some(1)}


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    return simulation.generate(
        Readings(), 4096, 1, tmp_path_factory.mktemp("data"), actors=0
    )


def learn(dataset, folder, options=OPTIONS, binnings=BINNINGS):
    found = {}
    with record("toy", Choices(), folder) as recording:
        for name, binning in binnings.items():
            pairs = summaries.compute(read, dataset, binning, (M,))
            place = dataset.folder / "ensembles" / slug(name)
            found[name] = ensembles.train(
                name, pairs, M, options, 1, binning.groups, EDGES, place
            )
            ensemble_sections.record_ensemble(recording, slug(name), found[name], M)
    return found, recording.result


@pytest.fixture(scope="module")
def learned(readings, tmp_path_factory):
    return learn(readings, tmp_path_factory.mktemp("runs"))


def made(count=4000, seed=0, noise=0.2, bias=0.0, members=3, **changes):
    """Returns predictions with a normal error of known width, without networks."""
    random = np.random.default_rng(seed)
    truth = random.uniform(11, 13, count)
    error = bias + noise * random.normal(size=count)
    scatter = random.normal(size=(members, count))
    every = truth + error + 0.05 * (scatter - scatter.mean(axis=0))
    return ensembles.EvaluatedEnsemble(
        "made", None, truth, every, np.arange(11, 13.1, 0.5), 0.15, **changes
    )


def test_the_error_is_that_of_the_best_estimate(learned):
    found, _ = learned
    rmse = {
        name: np.sqrt(np.mean((t.predicted - t.truth) ** 2))
        for name, t in found.items()
    }
    one = WIDTH * NOISE / np.hypot(WIDTH, NOISE)
    assert rmse == pytest.approx({"all readings": BEST, "one reading": one}, rel=0.12)


def test_tests_are_those_that_the_dataset_keeps_apart(learned, readings):
    found, _ = learned
    pairs = summaries.compute(read, readings, Some(), (M,))
    one = found["all readings"]
    np.testing.assert_array_equal(one.truth, pairs.test.theta[:, 0])
    np.testing.assert_array_equal(
        one.members, one.ensemble.predict(pairs.test.x)[..., 0]
    )
    assert one.ensemble.document["pairs"]["train"]["count"] == len(pairs.train)
    of_x, of_theta = one.ensemble.scalings
    np.testing.assert_allclose(
        of_x.mean, pairs.train.x.mean()
    )  # of one group, training alone
    np.testing.assert_allclose(of_theta.mean, pairs.train.theta.mean())


def test_ensembles_are_found_again_in_another_run(
    learned, readings, tmp_path, monkeypatch
):
    def stop(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(ensemble._Plan, "learn", stop)
    again, _ = learn(readings, tmp_path)
    for name, one in learned[0].items():
        assert again[name].ensemble.document == one.ensemble.document
        np.testing.assert_array_equal(again[name].members, one.members)


def test_other_options_train_another_ensemble(learned, readings, tmp_path):
    other = replace(OPTIONS, learning=replace(BRIEF, max_epochs=2))
    found, _ = learn(readings, tmp_path, other, {"brief": Some()})
    names = {path.name for path in (readings.folder / "ensembles").iterdir()}
    assert names >= {"all_readings", "one_reading", "brief"}
    assert found["brief"].ensemble.document["learning"]["max_epochs"] == 2


def test_an_answer_is_the_best_estimate_with_its_width(learned):
    found, _ = learned
    for name, binning in BINNINGS.items():
        slope = WIDTH**2 / (WIDTH**2 + NOISE**2 / binning.count)
        answer = found[name].predict_observation(observation(binning))
        assert answer.prediction == pytest.approx(MEAN + slope * 0.3, abs=0.03)
        assert answer.prediction == found[name].predict(observation(binning))
        width = WIDTH * np.sqrt(1 - slope)
        assert (answer.upper - answer.lower) / 2 == pytest.approx(width, rel=0.25)


def test_rows_that_are_one_observation_get_its_answer(learned):
    one = learned[0]["all readings"]
    rows = np.full((5, READINGS), 12.3)
    assert vars(one.predict_rows(rows)) == pytest.approx(
        vars(one.predict_observation(observation(Some()))), rel=1e-6
    )
    mixed = np.vstack([rows[:1] - 0.2, rows[:1] + 0.2])
    each = [one.predict_rows(row[None]).prediction for row in mixed]
    assert one.predict_rows(mixed).prediction == pytest.approx(np.mean(each), rel=1e-6)


def test_another_binning_is_refused(learned):
    with pytest.raises(ValueError, match=r"'all readings': .*observe with the binning"):
        learned[0]["all readings"].predict_observation(observation(Some(1)))


def test_the_report_has_each_ensemble(learned):
    found, report = learned
    for name, one in found.items():
        key = slug(name)
        table = Table.read(report.folder / f"errors.{key}.ecsv")
        np.testing.assert_allclose(table["rmse"], one.errors.rmse, rtol=1e-6)
        rmse = np.sqrt(np.mean((one.predicted - one.truth) ** 2))
        assert report.metrics[f"rmse.{key}.all"] == pytest.approx(rmse)
        assert report.metrics[f"rmse.{key}.minimum"] == one.smallest_rmse()
        text = report.section(f"errors.{key}")["text"]
        pairs = one.ensemble.document["pairs"]
        assert text.startswith("3 networks, ")
        assert "One network scatters" in text
        for count in (
            pairs["train"]["count"],
            pairs["validation"]["count"],
            len(one.truth),
        ):
            assert str(count) in text


def test_intervals_hold_the_truth_as_often_as_they_say():
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


def test_a_bias_of_the_tests_moves_the_interval():
    even, biased = (made(bias=bias).interval(12.0) for bias in (0.0, 0.1))
    assert even.median == pytest.approx(12.0, abs=0.03)
    assert biased.median == pytest.approx(11.9, abs=0.03)
    assert biased.prediction == 12.0


@pytest.mark.parametrize(
    ("one", "prediction"),
    [(made(200), 12.0), (made(), 15.0), (made(), made().predicted.min() - 1e-3)],
    ids=["few tests", "none like it", "all on one side"],
)
def test_where_few_tests_are_alike_the_error_is_unknown(one, prediction):
    found = one.interval(prediction)
    assert found.prediction == prediction
    assert np.isnan([found.lower, found.median, found.upper]).all()
    assert found.tests == (np.abs(one.predicted - prediction) <= one.window).sum()
    with pytest.raises(regression.TooFewAlikeError):
        regression.prediction_interval(
            prediction, one.truth, one.predicted, one.window, fewest=100
        )


def test_other_errors_remain():
    with pytest.raises(ValueError, match=r"shape"):
        replace(made(), truth=np.zeros(3)).interval(12.0)


@pytest.mark.parametrize("window", [0.0, -1.0, np.nan])
def test_windows_must_be_wider_than_nothing(window):
    with pytest.raises(ValueError, match="must be larger than 0"):
        Prediction(window=window)


def test_errors_are_those_of_the_mean_of_all_members():
    one = made(members=4)
    np.testing.assert_allclose(one.predicted, one.members.mean(axis=0))
    assert one.errors.rmse == pytest.approx(np.full(4, 0.2), rel=0.1)
    assert one.member_errors.rmse.shape == (4, 4)
    assert (one.member_errors.rmse.mean(axis=0) > one.errors.rmse).all()
    assert one.score.rmse == pytest.approx(0.2, rel=0.05)


def test_errors_between_edges_are_those_of_the_bins_inside():
    one = made()
    np.testing.assert_array_equal(one.rmse_between(11.5, 12.5), one.errors.rmse[1:3])
    np.testing.assert_array_equal(one.rmse_between(11.4, 12.4), one.errors.rmse[1:2])


def stepped(*bias, counts=(150, 150, 20)):
    """Returns an ensemble of one that is as wrong as this in bins with so many tests."""
    truth = np.repeat([11.2, 11.7, 12.2], counts)
    return replace(made(), truth=truth, members=(truth + np.repeat(bias, counts))[None])


def test_bins_with_too_few_tests_have_no_error():
    one = stepped(0.3, 0.2, 0.1)
    np.testing.assert_allclose(one.rmse_between(11, 12.5), [0.3, 0.2, np.nan])
    np.testing.assert_allclose(one.rmse_between(11, 12.5, fewest=20), [0.3, 0.2, 0.1])


def test_the_largest_bias_has_no_sign_and_is_of_a_bin_inside_with_enough_tests():
    one = stepped(0.1, -0.2, 0.7)
    assert one.largest_bias(11, 12.5) == pytest.approx(0.2)
    assert one.largest_bias(11, 11.5) == pytest.approx(0.1)
    assert one.largest_bias(11, 12.5, fewest=20) == pytest.approx(0.7)
    assert np.isnan(one.largest_bias(12, 12.5))
    assert np.isnan(one.largest_bias(13, 14))


def test_the_scatter_is_that_of_the_members_and_unknown_of_one():
    one = made(members=4)
    expected = np.sqrt(one.members.var(axis=0, ddof=1).mean())
    assert one.scatter == pytest.approx((expected, expected / 2))
    assert np.isnan(replace(one, members=one.members[:1]).scatter).all()


def test_no_rows_have_no_answer():
    answer = made().predict_rows(np.empty((0, READINGS)))
    assert np.isnan([answer.prediction, answer.lower, answer.upper]).all()
    assert answer.tests == 0


@pytest.mark.parametrize("count", [5, 100, 200, 201])
def test_few_tests_are_scored_too(count):
    score = made(count).score
    assert np.isfinite([score.rmse, score.bias, score.log_probability]).all()


def test_next_to_no_tests_are_not_scored():
    with pytest.raises(ValueError, match="'made' has 4 tests, its score needs 5"):
        _ = made(4).score


def test_one_network_is_one_network():
    document = {"pairs": {name: {"count": 9} for name in ("train", "validation")}}
    one = replace(
        made(members=1), ensemble=SimpleNamespace(reseeded=0, document=document)
    )
    text = ensemble_sections._summary(one)
    assert text.startswith("1 network, 0 initialised anew")
    assert "scatters" not in text


def test_the_smallest_error_is_of_a_bin_with_enough_tests():
    truth = np.concatenate([np.full(150, 11.2), np.full(150, 11.7), np.full(20, 12.2)])
    error = np.repeat([0.3, 0.2, 0.1], [150, 150, 20])
    one = replace(made(), truth=truth, members=(truth + error)[None])
    assert one.smallest_rmse() == pytest.approx(0.2)
    assert one.smallest_rmse(fewest=20) == pytest.approx(0.1)
    assert np.isnan(one.smallest_rmse(fewest=151))


def test_the_table_of_errors_has_the_parameters_unit():
    one = made()
    table = ensemble_sections.error_table(one, M)
    assert table["tests"].sum() == ((one.truth >= 11) & (one.truth < 13)).sum()
    for name in ("from", "to", "rmse", "rmse_error", "bias", "bias_error"):
        assert str(table[name].unit) == M.unit
    assert table["tests"].unit is None
    np.testing.assert_array_equal(table["to"][:-1], table["from"][1:])


def test_variances_are_compared_where_tests_are_the_same():
    one = made(seed=1)
    twice = replace(one, members=one.truth + 2 * (one.members - one.truth))
    fewer = replace(twice, truth=twice.truth[1:], members=twice.members[:, 1:])
    found = {"one": one, "twice": twice, "fewer": fewer, "others": made(seed=2)}
    ratios = ensembles.variance_ratios(found, "one", seed=3)
    assert ratios.keys() == {"one", "twice"}
    assert ratios["one"] == pytest.approx((1.0, 0.0))
    assert ratios["twice"] == pytest.approx((4.0, 0.0))


def test_a_score_of_an_ensemble_is_the_log_density_of_its_error():
    random = np.random.default_rng(8)
    truth = random.normal(MEAN, WIDTH, 20_000)
    predicted = truth + NOISE * random.normal(size=len(truth))
    score = replace(made(), truth=truth, members=predicted[None]).score
    assert score.rmse == pytest.approx(NOISE, rel=0.03)
    assert score.bias == pytest.approx(0.0, abs=0.01)
    # normal errors of normal truths: given the prediction, the truth is normal again
    variance = (WIDTH * NOISE) ** 2 / (WIDTH**2 + NOISE**2)
    expected = -0.5 * np.log(2 * np.pi * np.e * variance)
    assert score.log_probability == pytest.approx(expected, abs=0.02)


@dataclass(frozen=True)
class Normal:
    """A posterior of one parameter that is known: x is its mean, `noise` its width."""

    noise: float

    def sample_each(self, x, count, seed):
        drawn = np.random.default_rng(seed).normal(size=(count, len(x), 1))
        return x[None, :, :1] + self.noise * drawn

    def log_prob(self, theta, x):
        return stats.norm.logpdf(theta[:, 0], x[:, 0], self.noise)


def exact(count=4000, noise=0.3):
    """Returns pairs whose posterior is that normal one under a flat prior."""
    random = np.random.default_rng(5)
    theta = random.normal(12, 5, (count, 1))
    test = Pairs(theta, theta + noise * random.normal(size=(count, 1)))
    other = Pairs(theta + 100, test.x)
    return Splits(other, other, test, ("m",), ("x",), (M.unit,), "binning", "data", 0)


def test_a_posteriors_score_is_the_analytic_one():
    splits, noise = exact(), 0.3
    score = ensembles.posterior_score(Normal(noise), splits, 1, draws=400)
    # the mean of n draws has an error of its own
    assert score.rmse == pytest.approx(noise * np.sqrt(1 + 1 / 400), rel=0.03)
    assert abs(score.bias) < 0.03
    entropy = 0.5 * np.log(2 * np.pi * np.e * noise**2)
    assert score.log_probability == pytest.approx(
        -entropy, abs=4 * score.standard_error
    )
    assert score.standard_error == pytest.approx(np.sqrt(0.5 / 4000), rel=0.1)


@pytest.mark.parametrize("wrong", [0.15, 0.6])
def test_a_posterior_of_another_width_scores_worse(wrong):
    right, other = (
        ensembles.posterior_score(Normal(w), exact(), 1) for w in (0.3, wrong)
    )
    assert right.log_probability > other.log_probability + 5 * other.standard_error
    assert right.rmse == pytest.approx(other.rmse, rel=0.01)


def test_an_ensemble_and_a_posterior_are_scored_alike():
    # the same means, normal errors: the scores must agree
    splits, noise = exact(20_000), 0.3
    of_flow = ensembles.posterior_score(Normal(noise), splits, 1)
    truth, means = splits.test.theta[:, 0], splits.test.x[:, 0]
    one = ensembles.EvaluatedEnsemble("made", None, truth, means[None], EDGES, 0.3)
    assert one.score.rmse == pytest.approx(of_flow.rmse, rel=0.01)
    assert one.score.log_probability == pytest.approx(of_flow.log_probability, abs=0.03)


def test_drawn_intervals_hold_their_share():
    draws = np.random.default_rng(0).normal(12.0, 0.2, (20_000, 1))
    found = ensembles.drawn_interval(draws)
    inside = (draws > found.lower) & (draws < found.upper)
    assert inside.mean() == pytest.approx(0.68, abs=1e-3)
    assert found.prediction == found.median == np.median(draws)
    assert (draws < found.lower).mean() == pytest.approx(
        (draws > found.upper).mean(), abs=1e-3
    )


def test_figures_show_each_ensemble_with_its_own_tests(tmp_path):
    one = made(seed=1)
    single = replace(one, members=one.members[:1])
    found = {"one": one, "other": made(3000, seed=2), "single": single}
    published = {"single": 0.2, "unasked": 0.3}
    with record("toy", Choices(), tmp_path) as recording:
        ensemble_sections.record_predictions(
            recording, "some", "Some", found, ("$m$", "dex"), published
        )
    result = recording.result
    view = result.view(result.section("some"))
    assert view.tests.keys() == view.errors.keys() == {*found}
    for name, (truth, predicted) in view.tests.items():
        np.testing.assert_array_equal(truth, found[name].truth)
        np.testing.assert_array_equal(predicted, found[name].predicted)
        assert view.errors[name].counts.sum() == len(truth)
    assert view.members.keys() == {"one", "other"}, "one member has no band"
    assert view.published == {"single, published": 0.2}


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("published", [{"one": 0.2}, {"another": 0.2}])
def test_captions_tell_of_what_is_drawn_alone(tmp_path, several, published):
    one = made(members=3 if several else 1)
    with record("toy", Choices(), tmp_path) as recording:
        ensemble_sections.record_predictions(
            recording, "some", "Some", {"one": one}, ("$m$", "dex"), published
        )
    caption = recording.result.section("some")["text"]
    assert ("bands" in caption) == several
    assert ("published" in caption) == ("one" in published)


def test_pooled_pairs_have_the_tests_of_the_first(readings):
    pooled = ensembles.pooled_pairs(readings, read, [Some(), Some()], M)
    alone = summaries.compute(read, readings, Some(), (M,))
    assert len(pooled.train) == 2 * len(alone.train)
    np.testing.assert_array_equal(pooled.test.x, alone.test.x)
