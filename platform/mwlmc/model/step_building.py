"""Builds libraries of the step's parts, ahead of time, with PyTorch's compiler.

A program of its own: `python -m mwlmc.model.step_building folder begin stage finish`. So
the compiler's settings and memory end with it, and who loads a library never imports it.
"""

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._inductor import compile_fx, cpu_vec_isa
from torch.export import Dim

from mwlmc.model.disc_and_bulge import TABLE_SIZE
from mwlmc.model.orbits import begin_step, evaluate_stage, finish_step
from mwlmc.model.step_libraries import WIDTH

_ROWS = Dim("rows", min=2)
_NODES = Dim("nodes", min=2)
_EXAMPLE = {_ROWS: 5, _NODES: 7}  # unlike each other and all sizes that never change


@dataclass(frozen=True)
class Argument:
    """An argument of a part of the step.

    Arguments:
        shape: Its sizes; a `Dim` where any will do.
        dtype: Its precision.

    Example:
        >>> Argument((_ROWS, 1)).example().shape
        torch.Size([5, 1])
    """

    shape: tuple[int | Dim, ...]
    dtype: torch.dtype = torch.float32

    def example(self) -> Tensor:
        """Returns a tensor like it."""
        sizes = [
            _EXAMPLE[size] if isinstance(size, Dim) else size for size in self.shape
        ]
        return torch.zeros(sizes, dtype=self.dtype)

    def free_axes(self) -> dict[int, Dim]:
        """Returns the axes that may have any size."""
        return {
            axis: size for axis, size in enumerate(self.shape) if isinstance(size, Dim)
        }


_VECTORS = Argument((3, _ROWS, WIDTH))
_NUMBERS = Argument((_ROWS, WIDTH))
_OF_ROWS = Argument((_ROWS, 1))
_TABLE = Argument((TABLE_SIZE,))
_FIELD = (
    *(_OF_ROWS, _OF_ROWS),  # the halos
    *(_TABLE, _TABLE),  # disc and bulge
    *(_OF_ROWS, _OF_ROWS),  # the LMCs
    *(Argument((3, _NODES)), Argument((_ROWS, 1), torch.int32)),  # the LMCs' paths
)
_STARS = (_VECTORS, _VECTORS, _NUMBERS)

SIGNATURES: dict[str, tuple[Callable[..., Any], tuple[Argument, ...]]] = {
    "begin": (begin_step, (*_STARS, Argument(()), *_FIELD)),
    "stage": (
        evaluate_stage,
        (*_STARS, _NUMBERS, _VECTORS, _VECTORS, _VECTORS, Argument((4,)), *_FIELD),
    ),
    "finish": (
        finish_step,
        (*_STARS, _NUMBERS, _VECTORS, _VECTORS, _VECTORS, _VECTORS),
    ),
}

OPTIONS: dict[str, Any] = {
    "cpp.enable_floating_point_contract_flag": "fast",
    # As many threads as the process has that calls it: an actor has one.
    "cpp.dynamic_threads": True,
    # Places in tables and paths are clamped where they are computed.
    "assert_indirect_indexing": False,
    # A cold start waits for this: the processor's flags are believed, not tried one by
    # one.
    "cpp.vec_isa_ok": True,
    # Headers that are compiled before cost five seconds each time, and are not taken up.
    "aot_inductor.precompile_headers": False,
    "aot_inductor.enable_line_tables": False,  # nobody debugs what is generated
}


class _Part(torch.nn.Module):
    def __init__(self, part: Callable[..., Any]) -> None:
        super().__init__()
        self.part = part

    def forward(self, *tensors: Tensor) -> Any:
        return self.part(*tensors)


def build(name: str, library: Path) -> None:
    """Writes the library of a part of the step, for any number of rows and simulations.

    Arguments:
        name: `begin`, `stage` or `finish`.
        library: The file, which ends with `.so`.
    """
    part, arguments = SIGNATURES[name]
    tensors = tuple(argument.example() for argument in arguments)
    dynamic = {"tensors": tuple(argument.free_axes() for argument in arguments)}
    program = torch.export.export(_Part(part), tensors, dynamic_shapes=dynamic)
    options = {**known_options(), "aot_inductor.output_path": str(library)}
    torch._inductor.aot_compile(
        program.module(check_guards=False), tensors, options=options
    )


def known_options() -> dict[str, Any]:
    """Returns the compiler's options that this torch has.

    What packaging of compiled code offers, and no number, differs from torch to torch.
    """
    packaging = torch._inductor.config.aot_inductor
    return {
        option: value
        for option, value in OPTIONS.items()
        if not option.startswith("aot_inductor")
        or hasattr(packaging, option.split(".")[-1])
    }


def build_side_by_side(names: Sequence[str], folder: Path) -> bool:
    """Builds parts in a process each, and returns whether all are built.

    Arguments:
        names: The parts.
        folder: Where their libraries come to lie.
    """
    # What all of them need, imported and asked of the compiler before they part.
    with compile_fx.config.patch(known_options()):
        cpu_vec_isa.pick_vec_isa()
    forked = multiprocessing.get_context("fork")
    builders = [
        forked.Process(target=build, args=(name, folder / f"{name}.so"))
        for name in names
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    return not any(builder.exitcode for builder in builders)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # PyTorch's, of its own
    sys.exit(not build_side_by_side(sys.argv[2:], Path(sys.argv[1])))
