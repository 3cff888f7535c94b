"""A toy run with every kind of part, and readers of it."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from orrery.results.panels import Constraint
from orrery.results.recording import record
from orrery.results.sections import (
    Answer,
    Caution,
    DrawsSection,
    FigureSection,
    TableSection,
    Text,
    Verdict,
)
from orrery.results.views import Intervals


@dataclass(frozen=True)
class Flow:
    layers: int = 5


@dataclass(frozen=True)
class Choices:
    seed: int = 1
    stars: str = "<stars> & co"
    flow: Flow = Flow()


@pytest.fixture(autouse=True)
def _no_dashboard(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")


@pytest.fixture(scope="session")
def section():
    """Returns the one part of a run with a key."""

    def found(result, key):
        (part,) = [part for part in result.sections if part["key"] == key]
        return part

    return found


@pytest.fixture
def choices():
    return Choices


def velocities():
    table = QTable(
        {"name": ["north", "south"], "v": [1.5, -2.0] * u.km / u.s, "n": [3, 4]}
    )
    table["v"].info.format = ".1f"
    return table


def fill(recording):
    view = Intervals((Constraint("DESI", (15.0, 22.5, 29.5)),), "v [km/s]")
    recording.epoch("flow", 0, {"train": 2.0, "validation": 2.5})
    recording.metrics({"v_travel": np.float32(20.5), "simulations": 100})
    answer = Answer(
        "posterior.toy.v_x", "toy", "v_x", "km / s", 3.25, 1.0, 6.0, (-9.5, 12.25)
    )
    recording.answers([answer])
    recording.verdicts([Verdict("tarp.toy", "TARP", True, "p = 0.25.")])
    recording.add(
        Text("question", "Question", "How <fast>?\n\nSecond paragraph."),
        Caution("miss", "A miss", "v_y is off."),
        TableSection("profile", "Profile", velocities(), "Velocities & errors."),
        FigureSection("speed", "A speed", view, 'Straight "up".'),
        DrawsSection(
            "draws.toy",
            "Draws",
            ("v_x", "mass"),
            ("km / s", ""),
            np.arange(6.0).reshape(3, 2),
        ),
    )


@pytest.fixture(scope="session")
def write():
    """Records a toy run; `body` says what it finds."""

    def made(root, chosen=None, body=fill):
        with record("toy", chosen or Choices(), root) as recording:
            body(recording)
        return recording.result

    return made
