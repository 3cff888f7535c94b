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

WIDTH = 128  # stars in a row of a compiled step: several vectors of any processor


def can_compile() -> bool:
    """Returns whether this machine has a C++ compiler and Python's headers."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return headers.is_file() and shutil.which(os.environ.get("CXX", "g++")) is not None


def _of_full_rows(part: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a part of a step that is for rows of `WIDTH` stars only."""

    def of_full_rows(x: Tensor, v: Tensor, *others: Tensor) -> Any:
        assert x.shape[0] == v.shape[0] == 3
        assert x.shape[2] == WIDTH
        return part(x, v, *others)

    return of_full_rows


def _kernels() -> Path:
    """Returns the folder where compiled steps are kept between sessions, for this processor.

    Code for vectors of one width is found again by processors of another, because
    torch's key leaves that out: where several kinds share a home, stars went nowhere.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    kept = Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR", home / "orrery" / "kernels"))
    kind = torch.backends.cpu.get_cpu_capability().lower()
    return kept if kept.name == kind else kept / kind


@cache
def stepper() -> Stepper:
    """Returns the step as compiled loops over stars, or as it is where that is not possible."""
    if not can_compile():
        warnings.warn(
            "no C++ compiler or no Python headers: orbits are integrated several times more slowly",
            RuntimeWarning,
            stacklevel=2,
        )
        return Stepper()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(_kernels())
    # Sizes that happen to be equal at the first call must not be taken for equal ever
    # after.
    fx_config.use_duck_shape = False
    torch._dynamo.config.specialize_float = True  # the model's constants are constants
    options: dict[str, Any] = {
        "cpp.enable_floating_point_contract_flag": "fast",
        # Rows have one shape for all arguments, and never a single row: only their
        # precision and device are checked, not each size and stride at each call.
        "guard_filter_fn": lambda guards: [
            guard.guard_type == "TENSOR_MATCH" for guard in guards
        ],
        "size_asserts": False,
        "alignment_asserts": False,
        # Places in tables and paths are clamped where they are computed.
        "assert_indirect_indexing": False,
        # A cold start waits for these: the processor's flags are believed, not tried
        # one by one, and headers are read three times, which is faster than to compile
        # them once.
        "cpp.vec_isa_ok": True,
        "cpp_cache_precompile_headers": False,
    }
    begin, stage, finish = (
        torch.compile(_of_full_rows(part), dynamic=True, options=options)
        for part in (begin_step, evaluate_stage, finish_step)
    )
    return Stepper(begin, stage, finish, WIDTH)
