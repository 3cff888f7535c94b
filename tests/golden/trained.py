"""Records of architectures as trials: how they compare, and how they are scored."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from halomass.study import architectures as halomass
from orrery.learning import ensemble, posterior
from orrery.learning.options import Learning, Training
from orrery.parameters import FloatArray, Parameter
from orrery.sweeps.architectures import EnsembleTask, FlowTask
from orrery.sweeps.comparison import SEEDS, Comparison
from orrery.sweeps.effects import joint_effect
from orrery.sweeps.options import (
    ENSEMBLE_SPACE,
    FLOW_SPACE,
    EnsembleArchitecture,
    FlowArchitecture,
)
from orrery.sweeps.space import Int, SearchSpace
from orrery.sweeps.trial import Goal, Trial

from .judgements import COVARIANCE, LinearPosterior, linear_splits
from .quantities import Record, quantity


def compared(trials: list[Trial], space: SearchSpace) -> Record:
    """Returns what architectures change and what seeds do, where more is better and less."""
    record: Record = {}
    for better in ("larger", "smaller"):
        goal = Goal("loss", better)
        found = Comparison(goal, "nat", space, trials, trials[:7], 0.11, 0.02)
        record[f"compared.{better}"] = quantity(
            [found.validation, found.optimism, found.spread, found.scatter, found.given]
        )
        record[f"winner.{better}"] = quantity(found.winner.number)
    effects = found.effects
    shares = found.shares
    return {
        **record,
        "shares": quantity([shares[path] for path in space.domains]),
        # by a forest, whose trees choose between options that are as good
        "effects": quantity([effects[path] for path in space.domains], relative=1e-4),
    }


def effects() -> Record:
    """Returns what two of three options do together, and what they would by chance."""
    space = SearchSpace({name: Int(1, 9) for name in ("width", "depth", "rate")})
    random = np.random.default_rng(7)
    trials = []
    for number in range(9):
        point = {name: int(random.integers(1, 10)) for name in space.domains}
        score = 0.3 * point["width"] - 0.1 * point["depth"] + 0.2 * point["rate"]
        trials.append(Trial(number, point, "finished", objectives={"p": score}))
    found = joint_effect(space, Goal("p", "larger"), trials, ("width", "depth"))
    chance = [found.by_chance, found.chance_scatter]
    # by a forest, whose trees choose between options that are as good
    return {
        "joint": quantity([found.value, found.error], relative=1e-4),
        "chance": quantity(chance, relative=1e-4),
    }


def tasks() -> Record:
    """Returns scores of what is learned, how often a trial reports, and what is varied."""
    splits = linear_splits(4, 60, 50)
    parameters = (Parameter("a", "", "$a$"), Parameter("b", "", "$b$"))
    flows = FlowTask(splits, parameters, COVARIANCE, seed=5)
    alone = replace(splits.test, theta=splits.test.theta[:, :1])
    ensembles = EnsembleTask(splits, parameters[0], splits.names)
    heard: list[float] = []
    learned = LinearPosterior()
    with (
        patch.object(posterior, "fit_plan", _learner(learned)),
        patch.object(ensemble, "fit_plan", _learner(_Mean())),
    ):
        longer = FlowArchitecture(training=Training(max_epochs=60))
        trial = flows(longer, lambda values: heard.append(values["epoch"]))
        scores = flows.score(FlowArchitecture(), splits.test)
        errors = ensembles.score(EnsembleArchitecture(), alone)
        shorter = EnsembleArchitecture(learning=Learning(max_epochs=9))
        ensembles(shorter, lambda values: heard.append(values["epoch"]))
    widths = [EnsembleArchitecture(w, 4).networks.hidden for w in (10, 33)]
    spaces = {"flow": FLOW_SPACE, "ensemble": ENSEMBLE_SPACE, "seed": SEEDS}
    return {
        "score.flow": quantity([*trial.values(), scores.score, scores.error]),
        "score.ensemble": quantity([errors.score, errors.error]),
        "score.validation_errors": quantity(
            [scores.validation_error, errors.validation_error]
        ),
        "reports": quantity(heard),
        "widths": quantity(widths),
        "flow.hidden": quantity(FlowArchitecture(width=9, depth=3).flow.hidden),
        "neighbours": quantity(halomass.NEIGHBOURS),
        **{f"space.{name}": quantity(_ends(space)) for name, space in spaces.items()},
    }


def _learner(learned: Any) -> Any:
    """Returns what tells of as many epochs as there are, and returns what was learned."""

    def fit(plan: Any, folder: Path, on_epoch: Any) -> Any:
        for epoch in range(45):
            on_epoch(epoch, {"train": 0.0})
        return learned

    return fit


class _Mean:
    """Predicts the first parameter by the first summary."""

    def mean(self, x: FloatArray) -> FloatArray:
        return 0.8 * x[:, :1]


def _ends(space: SearchSpace) -> list[float]:
    domains = space.domains.values()
    return [e for d in domains for e in d.ends if isinstance(e, int | float)]
