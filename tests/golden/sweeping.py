"""Record of sweeps: which points are tried, which trials end early, and what matters."""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from orrery.sweeps.halving import Halving
from orrery.sweeps.proposals import importance
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Float, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, Trial

from .quantities import Record, quantity

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


def evaluate(options: Toy, report) -> dict[str, float]:
    """Returns how well it learns; one shape cannot."""
    if options.hidden == (16,) and options.width == 9:
        raise ValueError("too wide")
    loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10 + options.share
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
    }


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
