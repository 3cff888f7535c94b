"""The step of the orbits, compiled for this machine's processor where it has a compiler."""

import os
import shutil
import sysconfig
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental import _config as fx_config

from mwlmc.model.orbits import Stepper, begin_step, evaluate_stage, finish_step
from mwlmc.model.step_libraries import WIDTH, are_built, libraries_folder, load


def can_compile() -> bool:
    """Returns whether this machine has a C++ compiler and Python's headers."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return headers.is_file() and shutil.which(os.environ.get("CXX", "g++")) is not None


def must_compile() -> bool:
    """Returns whether this machine will compile the step before its first simulation."""
    return can_compile() and not are_built()


def _of_full_rows(part: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a part of a step that is for rows of `WIDTH` stars only."""

    def of_full_rows(x: Tensor, v: Tensor, *others: Tensor) -> Any:
        assert x.shape[0] == v.shape[0] == 3
        assert x.shape[2] == WIDTH
        return part(x, v, *others)

    return of_full_rows


@cache
def stepper(device: str = "cpu") -> Stepper:
    """Returns the compiled step, or the step as it is where that is not possible.

    Arguments:
        device: Where the stars are: `cpu` or `cuda`.

    Raises:
        RuntimeError: If there is a compiler that does not work.
    """
    if not can_compile():
        warnings.warn(
            "no C++ compiler or no Python headers: orbits are integrated several times more slowly",
            RuntimeWarning,
            stacklevel=2,
        )
        return Stepper()
    return _traced() if device == "cuda" else Stepper(**load(), width=WIDTH)


def _traced() -> Stepper:
    """Returns the step as loops that are compiled where it is first called, on a GPU."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(libraries_folder())
    # Sizes that happen to be equal at the first call must not be taken for equal ever
    # after.
    fx_config.use_duck_shape = False
    torch._dynamo.config.specialize_float = True  # the model's constants are constants
    options: dict[str, Any] = {
        # Rows have one shape for all arguments, and never a single row: only their
        # precision and device are checked, not each size and stride at each call.
        "guard_filter_fn": lambda guards: [
            guard.guard_type == "TENSOR_MATCH" for guard in guards
        ],
        "size_asserts": False,
        "alignment_asserts": False,
        # Places in tables and paths are clamped where they are computed.
        "assert_indirect_indexing": False,
    }
    begin, stage, finish = (
        torch.compile(_of_full_rows(part), dynamic=True, options=options)
        for part in (begin_step, evaluate_stage, finish_step)
    )
    return Stepper(begin, stage, finish, WIDTH)
