"""What is refused before anything is trained, and what is told of an inference."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from orrery.inference import posteriors
from orrery.inference.options import Inference
from orrery.learning import flow_training, mixture, posterior
from orrery.learning.options import Flow, Training
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.records import Observation
from orrery.results import posterior_sections
from orrery.results.recording import record
from orrery.results.result import Result, all_results

A = (Parameter("a", "kpc", "$a$"),)
COVARIANCE = 0.25 * np.eye(2)


def splits(count, informative=True):
    random = np.random.default_rng(1)

    def pairs(size):
        theta = random.normal(size=(size, 1))
        other = theta if informative else random.normal(size=(size, 1))
        return Pairs(theta, np.hstack([other, -other]))

    sizes = (8 * count // 10, count // 10, count // 10)
    parts = map(pairs, sizes)
    return Splits(*parts, ("a",), ("u", "v"), ("kpc",) * 2, "binning", "halos", 0)


def observation(u=0.5, v=-0.4):
    value = np.array([u, v])
    return Observation(
        "stars", ("u", "v"), ("kpc",) * 2, value, COVARIANCE, "binning", {}
    )


OPTIONS = Inference(
    flow=Flow(transforms=2, hidden=(16,)),
    training=Training(workers=0, max_epochs=10, batch_size=128, learning_rate=5e-3),
    draws=500,
    calibration_draws=200,
)


@dataclasses.dataclass(frozen=True)
class Choices:
    seed: int = 1


def infer(folder, pairs, seen, options=OPTIONS):
    with record("toy", Choices(), folder) as recording:
        found = posteriors.infer(
            "it",
            pairs,
            A,
            seen,
            options,
            1,
            recording.run.shared / "posteriors",
            posterior_sections.epoch_logger(recording, "it"),
            posterior_sections.check_logger(recording, "it", "it"),
        )
        posterior_sections.record_posterior(recording, "it", "it", found, pairs)
    return found, recording.result


def warnings(report):
    found = [part for part in report.sections if part["kind"] == "warning"]
    return {part["title"].split(",")[0]: part["text"] for part in found}


@pytest.fixture(scope="module")
def plenty():
    return splits(6000)


@pytest.fixture(scope="module")
def alone(plenty, tmp_path_factory):
    """What one member says of an observation that the simulator makes, and the report."""
    return infer(tmp_path_factory.mktemp("alone"), plenty, observation())


@pytest.mark.slow
def test_dropped_simulations_are_told_in_words_for_any_summaries(tmp_path):
    dropped = replace(splits(100), dropped=3)
    found = SimpleNamespace(observation=observation())
    with record("toy", Choices(), tmp_path) as recording:
        posterior_sections._record_data(recording, "it", "it", found, dropped, ())
    told = warnings(recording.result)["Dropped simulations"]
    assert told == (
        "3 simulations lack a summary (fewer than two stars in a bin, or too few neighbours), "
        "which no network can do without: they were left out."
    )


@pytest.mark.slow
def test_an_observation_that_the_simulator_makes_is_inferred_without_a_warning(alone):
    found, report = alone
    assert found.draws.shape == (500, 1)
    assert np.all(found.posterior.draws(observation(), 500, 1) == found.draws)
    assert found.misspecification.pvalue > 0.01
    assert found.calibration.verdict.names == ()
    assert warnings(report) == {}
    titles = [part["title"] for part in report.sections]
    assert titles[0] == "Prior predictive check, it"  # before the training
    numbers = Result.open(report.folder).metrics
    control = numbers["calibration.it.negative_control.tarp.ks_pvalue"]
    assert control < 0.01 < numbers["calibration.it.tarp.ks_pvalue"]
    assert numbers["calibration.it.negative_control.sbc.smallest_ks_pvalue"] < 0.01
    assert numbers["prior_predictive.it.pvalue"] == found.misspecification.pvalue
    verdicts = {v["key"]: v["passed"] for v in report.document["verdicts"]}
    assert verdicts == {
        "prior_predictive.it": True,
        "calibration.it.tarp": True,
        "calibration.it.sbc": True,
        "calibration.it.slopes": True,
        "calibration.it.information_gain": True,
    }


@pytest.mark.slow
def test_an_observation_that_no_simulation_makes_is_told_before_training(
    tmp_path, plenty, monkeypatch
):
    # Each entry alone is ordinary, but simulations have v = -u up to their errors.
    def stop(*arguments):
        raise RuntimeError("training begins")

    monkeypatch.setattr(posterior, "fit_plan", stop)
    with pytest.raises(RuntimeError, match="training begins"):
        infer(tmp_path, plenty, observation(1.6, 1.6))
    (found,) = all_results(tmp_path)
    told = warnings(found)["Observation outside the prior predictive"]
    assert "The simulator cannot make this observation" in told
    assert "Each entry alone is ordinary" in told


@pytest.mark.slow
def test_a_posterior_that_learned_nothing_and_few_tests_are_told(tmp_path):
    brief = replace(OPTIONS, training=Training(workers=0, max_epochs=1))
    _, few = infer(
        tmp_path / "few", splits(250, informative=False), observation(), brief
    )
    told = warnings(few)
    assert "With 25 tests neither TARP nor slopes say anything" in told["Too few tests"]
    assert "No significant information gain" not in told
    assert "use more" in told["Observation untested"]
    _, many = infer(
        tmp_path / "many", splits(1000, informative=False), observation(), brief
    )
    told = warnings(many)
    assert "no significant gain" in told["No significant information gain"]
    assert "Too few tests" not in told


def test_an_observation_of_another_binning_is_refused_before_training(tmp_path):
    pairs = Pairs(np.zeros((4, 1)), np.zeros((4, 1)))
    splits = Splits(pairs, pairs, pairs, ("a",), ("x",), ("",), "this", "dataset", 0)
    seen = Observation("stars", ("x",), ("",), np.zeros(1), np.eye(1), "that", {})
    with pytest.raises(ValueError, match="another binning"):
        posteriors.infer(
            "it",
            splits,
            (Parameter("a", "", "a"),),
            seen,
            Inference(),
            1,
            tmp_path,
        )


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(Inference)][2:]
)
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} = 0"):
        Inference(**{name: 0})


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (Inference(members=True), "members"),
        (Inference(calibration_draws=20.5), "calibration_draws"),
        (Inference(flow=Flow(hidden=(16.0,))), "flow.hidden"),
        (Inference(training=Training(learning_rate=True)), "training.learning_rate"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_options_of_another_type_are_refused_before_training(tmp_path, wrong, name):
    with pytest.raises(ValueError, match=f"^{name} is .*: give"):
        posteriors.infer("it", splits(20), A, observation(), wrong, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_several_members_are_one_posterior(tmp_path, plenty, alone, keys):
    found, report = infer(tmp_path, plenty, observation(), replace(OPTIONS, members=2))
    members = found.posterior.members
    assert len(members) == 2
    assert found.posterior.weights.sum() == pytest.approx(1)
    alone, _ = alone
    # the first member is what one alone would be
    np.testing.assert_array_equal(
        members[0].sample_each(np.zeros((1, 2)), 50, 3),
        alone.posterior.sample_each(np.zeros((1, 2)), 50, 3),
    )
    assert found.draws.shape == alone.draws.shape
    assert not warnings(report)
    assert called("it", found, plenty, tmp_path, keys) == called(
        "The survey, with <2> members", found, plenty, tmp_path, keys
    ), "another label changes no key"


def called(label, found, pairs, folder, keys):
    """Returns the keys of a posterior that is told under a label."""
    with record("toy", Choices(), folder) as recording:
        posterior_sections.record_posterior(recording, "it", label, found, pairs)
    return keys(recording.result)


@pytest.mark.slow
def test_posteriors_of_other_options_lie_apart(tmp_path, plenty):
    brief = replace(OPTIONS, training=replace(OPTIONS.training, max_epochs=1))
    briefer = replace(brief, flow=Flow(transforms=1, hidden=(8,)))
    for options in (brief, briefer, brief):
        posteriors.train_posterior("it", plenty, A, COVARIANCE, options, 1, tmp_path)
    documents = [*tmp_path.glob("*/posterior.json")]
    assert len(documents) == 2
    for path in documents:
        assert json.loads(path.read_text())["fingerprint"] == path.parent.name


@pytest.fixture
def place(monkeypatch):
    """Returns the name of the folder in which a posterior of changed arguments is kept."""
    seen = []
    for module, name in ((posterior, "fit_plan"), (mixture, "fit_members")):
        monkeypatch.setattr(module, name, lambda *arguments: seen.extend(arguments))

    def train(data=None, parameters=A, covariance=COVARIANCE, options=OPTIONS, seed=1):
        seen.clear()
        data = data or splits(20)
        posteriors.train_posterior(
            "it", data, parameters, covariance, options, seed, Path("kept")
        )
        (folder,) = (given for given in seen if isinstance(given, Path))
        assert folder == Path("kept") / seen[0].fingerprint
        return folder.name

    return train


def test_a_posterior_has_another_folder_whenever_it_is_another(place, monkeypatch):
    few = splits(20)
    training = OPTIONS.training
    others = [
        place(replace(few, train=Pairs(few.train.theta, few.train.x + 1e-12))),
        place(replace(few, validation=few.train)),
        place(replace(few, dataset="other halos")),
        place(replace(few, definition="other binning")),
        place(replace(few, layout=(1, 2, 0))),
        place(parameters=(replace(A[0], lower=-9.0),)),
        place(covariance=2 * COVARIANCE),
        place(options=replace(OPTIONS, flow=Flow(transforms=3, hidden=(16,)))),
        place(options=replace(OPTIONS, training=replace(training, patience=2))),
        place(seed=2),
    ]
    known = place()
    monkeypatch.setattr(flow_training, "VERSION", flow_training.VERSION + 1)
    assert len({known, place(), *others}) == len(others) + 2


def test_more_members_or_draws_are_kept_in_the_same_folder(place):
    more = replace(OPTIONS, members=3, draws=7, calibration_tests=9)
    assert place(options=more) == place()
    assert place(replace(splits(20), dropped=4)) == place()
