"""Counts evaluations of the force, for the benchmarks beside it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from mwlmc.model import orbits
from mwlmc.model.compiled_step import stepper


@dataclass
class Counted:
    """The first part of a step, which counts the evaluations of the force."""

    begin: Callable[..., Any]
    evaluations: int = 0

    def __call__(self, x: Any, v: Any, time: torch.Tensor, *others: Any) -> Any:
        """Returns what the first part returns, and adds the four evaluations of a step."""
        self.evaluations += 4 * time.numel()
        return self.begin(x, v, time, *others)


def counted_stepper() -> tuple[orbits.Stepper, Counted]:
    """Returns the compiled step, and what counts the evaluations it makes."""
    steps = stepper()
    counted = Counted(steps.begin)
    return replace(steps, begin=counted), counted
