"""Records of inference: what an ensemble's tests say of it, and a posterior's answer."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from orrery.inference import ensembles, posteriors
from orrery.inference.options import Inference
from orrery.judging import misspecification
from orrery.learning import posterior
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter, generator

from .judgements import (
    COVARIANCE,
    SEED,
    LinearPosterior,
    linear_observation,
    linear_splits,
    predictions,
)
from .quantities import Record, quantity


def inference() -> Record:
    """Returns what an ensemble's tests say of it and of its answers, and a posterior's answer."""
    return {**_evaluated(), **_small(), **_scored(), **_inferred(), **_trained()}


def _trained() -> Record:
    """Returns what is trained: seeds, members and options of plans, and which pairs are tests."""
    parameter = Parameter("a", "", "$a$")
    splits = linear_splits(4, 5, 6)
    heard: list[float] = []

    def fit(plan: Any, folder: Path, on_epoch: Any) -> Any:
        heard.extend((plan.seed, len(plan.splits.train)))
        return SimpleNamespace(predict=lambda x: np.stack([x[:, :1], 3 * x[:, :1]]))

    def fit_members(plan: Any, members: int, folder: Path, on_epoch: Any) -> None:
        heard.extend((plan.seed, members))

    with (
        patch.object(ensembles.ensemble, "fit_plan", fit),
        patch.object(posterior, "fit_plan", fit),
        patch.object(posteriors.mixture, "fit_members", fit_members),
    ):
        for members in (1, 2):
            options = Inference(members=members)
            posteriors.train_posterior(
                "a", splits, (parameter,), COVARIANCE, options, 5 + members, Path()
            )
        found = ensembles.train_and_evaluate(
            "a",
            splits,
            parameter,
            ensembles.Prediction(window=0.3),
            seed=8,
            groups=splits.names,
            edges=np.array([-1.0, 1.0]),
            folder=Path(),
        )
    return {
        "trained": quantity(heard),
        "trained.tests": quantity([found.truth, *found.members]),
        "trained.window": quantity(found.window),
    }


def _evaluated() -> Record:
    truth, members = predictions()
    # of the bins the second has just as many tests as are asked for, the third one fewer
    edges = np.array([10.0, truth[220], truth[320], truth[419], 13.0])
    one = ensembles.EvaluatedEnsemble("a", None, truth, members, edges, 0.15)
    wide = replace(one, window=0.4)
    intervals = [
        [*vars(found).values()]
        for found in (one.interval(11.7), wide.interval(11.7), one.interval(15.0))
    ]
    ratios = ensembles.variance_ratios(
        {"a": one, "b": replace(one, members=members[:1])}, "a", SEED
    )
    return {
        "rmse": quantity(one.rmse_between(10.0, 13.0)),
        "rmse.middle": quantity(one.rmse_between(edges[1], edges[3])),
        "bias": quantity([one.largest_bias(10.0, 13.0), one.largest_bias(0.0, 1.0)]),
        "rmse.all": quantity([one.rmse, replace(one, members=members[:1]).rmse]),
        "smallest": quantity([one.smallest_rmse(), one.smallest_rmse(fewest=500)]),
        "scatter": quantity(one.scatter),
        "members": quantity(one.member_errors.rmse),
        "interval": quantity(intervals),
        "score": quantity([*vars(one.score).values()]),
        "ratios": quantity([*ratios.values()]),
    }


def _small() -> Record:
    """Returns scores of few tests, and from how many tests on there is one."""
    truth, members = predictions()
    scores = []
    for count in (4, 5, 60):
        few = ensembles.EvaluatedEnsemble(
            "a", None, truth[:count], members[:1, :count], truth[[0, -1]], 0.15
        )
        try:
            scores.append([*vars(few.score).values(), *few.scatter])
        except ValueError:
            scores.append([np.nan] * 6)
    two = ensembles.EvaluatedEnsemble(
        "a", None, truth, members[:2], truth[[0, -1]], 0.15
    )
    return {"score.few": quantity(scores), "scatter.two": quantity(two.scatter)}


def _scored() -> Record:
    """Returns the score of a posterior, and the interval of draws."""
    found = ensembles.posterior_score(LinearPosterior(), linear_splits(1, 1, 60), SEED)
    draws = generator(SEED, 65).normal(size=(301, 1))
    interval = ensembles.drawn_interval(draws)
    return {
        "score.posterior": quantity([*vars(found).values()]),
        "interval.drawn": quantity([*vars(interval).values()]),
    }


def _inferred() -> Record:
    """Returns the answers of an observation and of a mock, and the seeds of their judges."""
    heard: list[float] = []

    def learn(splits: Splits, covariance: FloatArray, seed: int) -> Any:
        heard.extend((seed, covariance.sum()))
        return SimpleNamespace(compare=lambda observation: None)

    def train(*words: Any) -> LinearPosterior:
        heard.append(words[5])
        return LinearPosterior()

    parameters = (Parameter("a", "", "$a$"), Parameter("b", "", "$b$"))
    options = Inference(draws=300, calibration_draws=40, calibration_tests=30)
    with (
        patch.object(misspecification, "learn_prior_predictive", learn),
        patch.object(posteriors, "train_posterior", train),
    ):
        seen = linear_observation([0.2, 0.3, 0.1])
        splits = linear_splits(1, 1, 40)
        found = posteriors.infer("a", splits, parameters, seen, options, SEED, Path())
        mock = replace(seen, simulated=splits.test.x[:7])
        expected = posteriors.infer(
            "a", splits, parameters, mock, options, SEED, Path()
        )
    return {
        "mock.draws": quantity(expected.draws[::30]),
        "mock.count": quantity(len(expected.draws)),
        "heard": quantity(heard),
        "draws": quantity(found.draws[::30]),
        "draws.count": quantity(len(found.draws)),
        "calibration": quantity([*found.calibration.metrics.values()]),
    }
