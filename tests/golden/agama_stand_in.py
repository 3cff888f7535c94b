"""Record of the second engine: what it tells agama, and what it makes of the answers.

agama is an optional extra with numbers of its own. Here a stand-in with simple spheres
answers instead: so the record can be made everywhere, and no release of agama bends it.
Whether agama's answers are right is tested by `tests/mwlmc/model/test_agama_engine.py`.
"""

import sys
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np

from mwlmc.model import agama_engine as engines
from mwlmc.model.constants import G
from mwlmc.parameters import columns, prior
from orrery.parameters import FloatArray, generator

from .quantities import Record, quantity

SEED = 20251126
LAST = 6  # numbers of a long argument that are kept

# So that the stars of the stand-in pull at the Sun about as much as the real ones do.
_PULL = 0.95


class Potential:
    """A sum of spheres, each with the mass that an analytic model has inside a radius."""

    def __init__(self, *members: Any, **choices: Any) -> None:
        self.members = [
            *members,
            *([choices["potential"]] if "potential" in choices else []),
        ]
        self.choices = choices

    def totalMass(self) -> float:  # noqa: N802 (agama's name)
        return self.choices["mass"]

    def force(self, x: Any) -> FloatArray:
        x = np.asarray(x, dtype=float)
        r = np.linalg.norm(x, axis=-1, keepdims=True) + 1e-9
        return -G * self.inside(r) * x / r**3

    def density(self, x: Any) -> Any:
        r = np.linalg.norm(x, axis=-1)
        step = 1e-3 * r
        shell = self.inside(r + step) - self.inside(r - step)
        return shell / (8.0 * np.pi * r**2 * step)

    def inside(self, r: Any) -> Any:
        s = r / abs(self.choices.get("scaleRadius", 1.0))
        mass = self.choices.get("mass", 0.0)
        match self.choices.get("type"):
            case "NFW":
                own = mass * (np.log1p(s) - s / (1.0 + s))
            case "Dehnen":
                own = mass * (s / (1.0 + s)) ** 2
            case _:
                own = mass * _PULL
        return own + sum(member.inside(r) for member in self.members)


class _Model:
    """Samples stars on a line, as many as are asked for."""

    def __init__(self, potential: Potential, f: Any) -> None:
        self.potential = potential

    def sample(self, count: int, method: int) -> tuple[FloatArray, int]:
        return np.linspace(-100.0, 100.0, 6 * count).reshape(count, 6), method


def _orbit(potential: Potential, ic: FloatArray, time: float, **_: Any) -> tuple:
    """Returns stars that move as if the force where they began were all they feel."""
    pull = potential.force(ic[:, :3]) * 1e-3
    return None, np.hstack(
        [ic[:, :3] + 1e-3 * ic[:, 3:] * time, ic[:, 3:] + pull * time]
    )


@contextmanager
def _listening(said: Record):
    """Puts the stand-in where `import agama` finds it, and notes what it is told."""
    stand_in = ModuleType("agama")
    stand_in.__version__ = f"1.0.{engines._OLDEST}"
    answers = {
        "Potential": Potential,
        "Density": Potential,
        "DistributionFunction": Potential,
        "GalaxyModel": _Model,
        "orbit": _orbit,
        "setRandomSeed": lambda seed: None,
        "setUnits": lambda **_: None,
        "setNumThreads": lambda count: nullcontext(),
    }
    for name, answer in answers.items():
        setattr(stand_in, name, _noted(name, answer, said))
    before = sys.modules.get("agama")
    sys.modules["agama"] = stand_in
    try:
        yield
    finally:
        del sys.modules["agama"]
        if before is not None:
            sys.modules["agama"] = before


def _noted(name: str, answer: Any, said: Record) -> Any:
    def noting(*arguments: Any, **choices: Any) -> Any:
        # the last call of a kind: how many a root's search takes may differ elsewhere
        call = f"{name}.{choices.get('type', '')}"
        for key, value in {**dict(enumerate(arguments)), **choices}.items():
            if isinstance(value, int | float | np.ndarray):
                said[f"{call}.{key}"] = quantity(np.ravel(value)[-LAST:])
        return answer(*arguments, **choices)

    return noting


def agama_engine() -> Record:
    """Returns what the engine tells the stand-in, and what it returns."""
    theta = prior("table1").draw(generator(SEED, 0), 2)
    record: Record = {}
    for equilibrium, drawn in zip(("halo", "total"), theta, strict=True):
        named = columns(drawn[None], prior("table1").names)
        said: Record = {}
        with _listening(said):
            halo = engines.simulate(
                named, 3, [5], equilibrium=equilibrium, circular_velocity=235.0
            )
        record |= {f"{equilibrium}.{name}": values for name, values in said.items()}
        for name in ("position", "velocity", "c200", "a_lmc", "clipped"):
            record[f"{equilibrium}.{name}"] = quantity(getattr(halo, name))
        record[f"{equilibrium}.path"] = quantity(halo.trajectory.lmc[::110])
    return record
