"""Record of sweeps: which points are tried, which trials end early, and what matters."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.planned_survey import giants, survey_like
from mwlmc.parameters import INFERRED
from mwlmc.study import binnings
from orrery.sweeps.halving import Halving
from orrery.sweeps.proposals import importance
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Float, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, Trial
from orrery.sweeps.worth import Contrast, design, measure_worth

from .planned import TABLE
from .quantities import Record, quantity
from .trained import compared, tasks

HIDDEN = ((8,), (8, 8), (16,))
SPACE = SearchSpace(
    {
        "rate": Log(1e-3, 1.0),
        "share": Float(0.0, 0.5),
        "width": Int(1, 9),
        "hidden": Choice(HIDDEN),
    }
)
LOSS = Goal("loss")
STATES = ("finished", "pruned", "failed")


@dataclass(frozen=True)
class Toy:
    """Options of something that learns."""

    rate: float = 0.1
    share: float = 0.1
    width: int = 3
    hidden: tuple[int, ...] = (8,)
    seed: int = 1


def evaluate(options: Toy, report) -> dict[str, float]:
    """Returns how well it learns; one shape cannot."""
    if options.hidden == (16,) and options.width == 9:
        raise ValueError("too wide")
    loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10 + options.share
    loss += 0.01 * (options.seed - 1) * options.width
    for step in range(1, 7):
        report({"loss": loss + options.rate / step})
    return {"loss": loss, "width": options.width}


def sweeps() -> Record:
    """Returns trials of a sweep of one goal that halves, and of one of two goals."""
    halved = _trials((LOSS,), Halving(first=1, factor=2))
    both = _trials((LOSS, Goal("width", "larger")), None)
    matters = importance(SPACE, LOSS, both)
    return {
        **_described("one", halved),
        **_described("two", both),
        "importance": quantity([matters[path] for path in SPACE.domains]),
        **_worth(),
        **compared(halved, SPACE),
        **tasks(),
    }


def _worth() -> Record:
    """Returns what choices are worth, one of which may be taken at a point that fails."""
    base = {"rate": 0.1, "share": 0.2, "width": 9, "hidden": (8,)}
    contrasts = (
        Contrast("width", "a larger width", base, {**base, "width": 8}),
        Contrast("hidden", "another shape", {**base, "hidden": (16,)}, base),
    )
    sweep = Sweep("toy", SPACE, Toy(), evaluate, (LOSS,), seed=3)
    with TemporaryDirectory() as folder, patch.dict(sys.modules, {"ray": None}):
        found, trials = measure_worth(
            sweep, contrasts, "seed", 3, Path(folder), concurrent=1, more={}
        )
    width, hidden = found
    several = replace(width, contrast=replace(width.contrast, count=3))
    return {
        "worth.width": quantity([width.mean("loss"), width.error("loss")]),
        "worth.each": quantity(several.each("loss")),
        "worth.seeds": quantity([width.seeds, hidden.seeds]),
        "worth.points": quantity([[t.point["width"], t.point["seed"]] for t in trials]),
    }


def binning_choices() -> Record:
    """Returns the choices of planned surveys that are valued, and a quantity of draws."""
    draws = np.linspace(-40.0, 9.0, 2 * 3 * len(INFERRED)).reshape(2, 3, -1)
    names = tuple(parameter.name for parameter in INFERRED)
    record: Record = {}
    surveys = {"desi": survey_like(read_binned(TABLE)), "h3": giants()}
    for kind, survey in surveys.items():
        usual = binnings.USUAL[kind]
        point = {p: getattr(usual, p.partition(".")[2]) for p in binnings.SPACE.domains}
        found = binnings.contrasts(survey, point, stars=900, floor=0.5)
        points = design(found, binnings.SEED, 2)
        kept = binnings.kept(survey, {**point, "survey.patches": "healpix"}, 900)
        record |= {
            f"{kind}.contrasts": quantity([len(points), *(c.count for c in found)]),
            f"{kind}.kept": quantity([kept.bins, kept.left_out, kept.stars]),
        }
    for name in ("v_travel", "M_LMC(<50 kpc)"):
        experiment = binnings.PlannedExperiment(giants(), name, names)
        record[f"quantity.{name}"] = quantity(experiment.quantity(draws))
    return record


def _trials(goals: tuple[Goal, ...], halving: Halving | None) -> list[Trial]:
    sweep = Sweep("toy", SPACE, Toy(), evaluate, goals, seed=3, halving=halving)
    with TemporaryDirectory() as folder, patch.dict(sys.modules, {"ray": None}):
        return search(sweep, 24, Path(folder))


def _described(name: str, trials: list[Trial]) -> Record:
    points = [trial.point for trial in trials]
    return {
        f"{name}.numbers": quantity([[p["rate"], p["share"]] for p in points]),
        f"{name}.width": quantity([p["width"] for p in points]),
        f"{name}.hidden": quantity([HIDDEN.index(p["hidden"]) for p in points]),
        f"{name}.state": quantity([STATES.index(t.state) for t in trials]),
        f"{name}.reports": quantity([len(t.curve) for t in trials]),
    }
