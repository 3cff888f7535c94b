"""An ensemble's answer has the error that its tests have; what is told is what was found.

The problem is linear: a parameter `m` and some readings of it, whose best estimate is
known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from orrery.execution import simulation, summaries
from orrery.identity import fingerprint
from orrery.inference import ensembles
from orrery.inference.options import Prediction
from orrery.learning import ensemble
from orrery.learning.options import Learning, Networks
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter, generator
from orrery.records import Column, Observation, Records, Schema
from orrery.results import ensemble_sections
from orrery.results.recording import record

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
KEYS = {"all readings": "all", "one reading": "one", "brief": "brief"}


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
            place = dataset.folder / "ensembles" / KEYS[name]
            found[name] = ensembles.train_and_evaluate(
                name, pairs, M, options, 1, binning.groups, EDGES, place
            )
            ensemble_sections.record_ensemble(
                recording, KEYS[name], found[name], M, pairs
            )
    return found, recording.result


@pytest.fixture(scope="module")
def learned(readings, tmp_path_factory):
    return learn(readings, tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
def test_the_error_is_that_of_the_best_estimate(learned):
    found, _ = learned
    rmse = {
        name: np.sqrt(np.mean((t.predicted - t.truth) ** 2))
        for name, t in found.items()
    }
    one = WIDTH * NOISE / np.hypot(WIDTH, NOISE)
    assert rmse == pytest.approx({"all readings": BEST, "one reading": one}, rel=0.12)


@pytest.mark.slow
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

    monkeypatch.setattr(ensemble.EnsemblePlan, "train", stop)
    again, _ = learn(readings, tmp_path)
    for name, one in learned[0].items():
        digits = one.ensemble.document["fingerprint"]
        assert (readings.folder / "ensembles" / KEYS[name] / digits).is_dir()
        assert again[name].ensemble.document == one.ensemble.document
        np.testing.assert_array_equal(again[name].members, one.members)


def test_other_options_train_another_ensemble(learned, readings, tmp_path):
    other = replace(OPTIONS, learning=replace(BRIEF, max_epochs=2))
    found, _ = learn(readings, tmp_path, other, {"brief": Some()})
    names = {path.name for path in (readings.folder / "ensembles").iterdir()}
    assert names >= {"all", "one", "brief"}
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
        key = KEYS[name]
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


@pytest.mark.parametrize("window", [0.0, -1.0, np.nan])
def test_windows_must_be_wider_than_nothing(window):
    with pytest.raises(ValueError, match="must be larger than 0"):
        Prediction(window=window)


def test_pooled_pairs_have_the_tests_of_the_first(readings):
    pooled = ensembles.pooled_pairs(readings, read, [Some(), Some()], (M,))
    alone = summaries.compute(read, readings, Some(), (M,))
    assert len(pooled.train) == 2 * len(alone.train)
    np.testing.assert_array_equal(pooled.test.x, alone.test.x)


def toy_splits(shift=0.0):
    pairs = Pairs(np.linspace(0, 1, 9)[:, None], np.linspace(shift, 1, 9)[:, None])
    return Splits(pairs, pairs, pairs, ("m",), ("x",), (M.unit,), "binning", "data", 0)


@pytest.fixture
def place(monkeypatch):
    """Returns the name of the folder in which an ensemble of changed arguments is kept."""
    seen = []

    def fit_plan(plan, folder, on_epoch):
        seen.append((plan, folder))
        return SimpleNamespace(predict=lambda x: np.zeros((1, len(x), 1)))

    monkeypatch.setattr(ensemble, "fit_plan", fit_plan)

    def train(data=None, parameter=M, options=OPTIONS, seed=1, group="one"):
        data = data or toy_splits()
        kept = Path("kept")
        ensembles.train_and_evaluate(
            "it", data, parameter, options, seed, (group,), EDGES, kept
        )
        plan, folder = seen.pop()
        assert folder == kept / plan.fingerprint
        return folder.name

    return train


def test_an_ensemble_has_another_folder_whenever_it_is_another(place, monkeypatch):
    data = toy_splits()
    others = [
        place(toy_splits(shift=0.1)),
        place(replace(data, validation=toy_splits(shift=0.1).validation)),
        place(replace(data, dataset="other data")),
        place(replace(data, definition="other binning")),
        place(parameter=replace(M, lower=10.0)),
        place(options=replace(OPTIONS, networks=Networks(members=2, hidden=()))),
        place(options=replace(OPTIONS, learning=replace(BRIEF, patience=3))),
        place(seed=2),
        place(group="other"),
    ]
    known = place()
    monkeypatch.setattr(ensemble, "VERSION", ensemble.VERSION + 1)
    assert len({known, place(), *others}) == len(others) + 2


def test_what_decides_no_weight_is_kept_in_the_same_folder(place):
    learning = replace(BRIEF, workers=2)
    assert place(options=replace(OPTIONS, learning=learning, window=0.1)) == place()
    assert place(replace(toy_splits(), test=toy_splits(shift=0.1).test)) == place()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"window": True}, "window"),
        ({"networks": Networks(members=2.0)}, "networks.members"),
        ({"learning": replace(BRIEF, learning_rate=float("inf"))}, "learning"),
    ],
    ids=str,
)
def test_options_of_another_type_are_refused_before_training(place, changes, name):
    with pytest.raises(ValueError, match=f"^{name}.* is .*: give"):
        place(options=replace(OPTIONS, **changes))
