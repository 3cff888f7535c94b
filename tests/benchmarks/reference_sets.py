"""The reference sets of a folder, and how errors of vectors and of many numbers are told."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mwlmc import parameters
from orrery.parameters import FloatArray

Errors = dict[str, float]
Facts = dict[str, Any]

EDGE = 30.0  # [kpc] the survey's inner edge


@dataclass(frozen=True)
class Reference:
    """One set: its numbers from the JSON file and its arrays; what it lacks is noted."""

    name: str
    document: Mapping[str, Any]
    arrays: Mapping[str, FloatArray]
    absent: list[str] = field(default_factory=list)

    def number(self, key: str) -> Any:
        """Returns what the JSON file has under a key, or key.key; None where there is nothing."""
        value: Any = self.document
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def has(self, numbers: Sequence[str], arrays: Sequence[str]) -> bool:
        """Returns whether the set has these, and tells which ones it lacks."""
        lacks = [
            f"{self.name}.json: {key}" for key in numbers if self.number(key) is None
        ]
        lacks += [f"{self.name}.npz: {key}" for key in arrays if key not in self.arrays]
        for lack in sorted(set(lacks) - set(self.absent)):
            tell(f"{lack} is absent, and so is what is compared with it")
            self.absent.append(lack)
        return not lacks

    @property
    def theta(self) -> FloatArray:
        """The parameters `[1, P]` in the prior's order.

        Raises:
            ValueError: If one is missing.
        """
        names = parameters.prior("observed").names
        lacks = [name for name in names if self.number(f"parameters.{name}") is None]
        if lacks:
            raise ValueError(
                f"{self.name}.json has no {lacks} under 'parameters': add them"
            )
        return np.array([[self.document["parameters"][name] for name in names]])

    @property
    def beta0(self) -> float:
        """The anisotropy."""
        return float(self.document["parameters"]["beta0"])


def tell(line: str) -> None:
    """Prints a line on the progress."""
    print(line, file=sys.stderr, flush=True)


def load(folder: Path) -> list[Reference]:
    """Returns the sets of a folder.

    Raises:
        ValueError: If there are none.
    """
    files = sorted(folder.glob("set*.json"))
    if not files:
        raise ValueError(
            f"{folder} has no set*.json: give the folder of the reference sets"
        )
    return [Reference(f.stem, json.loads(f.read_text()), _arrays(f)) for f in files]


def _arrays(file: Path) -> dict[str, FloatArray]:
    beside = file.with_suffix(".npz")
    if not beside.exists():
        return {}
    with np.load(beside) as arrays:
        return dict(arrays)


def size(vectors: FloatArray) -> FloatArray:
    """Returns the lengths `[N]` of vectors `[N, 3]`."""
    return np.linalg.norm(vectors, axis=-1)


def apart(ours: FloatArray, theirs: FloatArray) -> float:
    """Returns the largest |difference| / |reference| of vectors `[N, 3]`."""
    return float((size(ours - theirs) / size(theirs)).max())


def largest_and_rms(name: str, values: FloatArray) -> Errors:
    """Returns the largest absolute value and the root mean square; nothing of no values."""
    if not len(values):
        return {}
    return {
        name: float(np.abs(values).max()),
        f"{name}_rms": float(np.sqrt(np.mean(values**2))),
    }
