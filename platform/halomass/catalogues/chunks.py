"""A halo catalogue in chunks: what a file must offer, and what is kept of each chunk."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from halomass import cosmology
from orrery.identity import JSON
from orrery.records import Column, Schema

NOT_SAID = -2  # `upid` of halos of which nobody has said whether they lie in others


def _mpc_over_h(hubble: float) -> str:
    # readers of units know no h
    return f"{1 / hubble:.10g} Mpc"


_MPC_OVER_H = _mpc_over_h(cosmology.HUBBLE_PARAMETER)


HALOS = Schema(
    scalars=(
        Column("index", "", "number of the chunk of the file", "int64"),
        Column("rows", "", "halos in the chunk", "int64"),
        Column(
            "kept", "", "halos that count and have a large enough peak mass", "int64"
        ),
    ),
    particles=(
        Column("id", "", "identity of the halo in its snapshot", "int64"),
        Column(
            "descid",
            "",
            "identity of its descendant in the next snapshot, or -1",
            "int64",
        ),
        Column(
            "upid", "", "identity of the largest halo that it lies in, or -1", "int64"
        ),
        Column(
            "log_m_vir",
            "dex(solMass)",
            "log10 of the virial mass (Bryan & Norman)",
            "float32",
        ),
        Column(
            "log_m_peak",
            "dex(solMass)",
            "log10 of the largest mass in its past",
            "float32",
        ),
        Column(
            "log_m_star",
            "dex(solMass)",
            "log10 of the stellar mass; 0: none",
            "float32",
        ),
        Column("vmax", "km / s", "largest circular velocity today", "float32"),
        Column(
            "v_infall",
            "km / s",
            "the same at infall or at peak mass; 0: unknown",
            "float32",
        ),
        Column("v_peak", "km / s", "the largest in its past; 0: unknown", "float32"),
        Column("x", _MPC_OVER_H, "comoving, in the box", "float64"),
        Column("y", _MPC_OVER_H, "comoving, in the box", "float64"),
        Column("z", _MPC_OVER_H, "comoving, in the box", "float64"),
        Column("vx", "km / s", "physical, peculiar", "float32"),
        Column("vy", "km / s", "physical, peculiar", "float32"),
        Column("vz", "km / s", "physical, peculiar", "float32"),
    ),
)


def halo_schema(hubble: float) -> Schema:
    """Returns the columns of halos of a universe with another Hubble parameter."""
    columns = tuple(
        replace(column, unit=_mpc_over_h(hubble))
        if column.unit == _MPC_OVER_H
        else column
        for column in HALOS.particles
    )
    return replace(HALOS, particles=columns)


class ChunkedFile(Protocol):
    """A file in chunks: what its bytes mean.

    Example:
        >>> from pathlib import Path
        >>> from halomass.catalogues.universe_machine import STRUCT, StructFile
        >>> file: ChunkedFile = StructFile(Path("sfr_catalog_1.000000.bin"), chunk_rows=2)
        >>> len(file.rows(0, bytes(2 * STRUCT.itemsize)))
        2
    """

    @property
    def chunks(self) -> int: ...

    def describe(self) -> JSON: ...

    def content(self, chunk: int) -> bytes: ...

    def rows(self, chunk: int, content: bytes) -> NDArray[Any]: ...

    def place(self, chunk: int, row: int) -> str: ...


@dataclass(frozen=True)
class ChunkHalos:
    """The halos of a chunk.

    Arguments:
        rows: The number of all halos in the chunk.
        columns: The columns of those that are kept, each with shape `[kept]`.
        hosts: The identities of all that lie in no other halo, kept or not.
        radius: The virial radii of those that are kept, with shape `[kept]` [comoving
            kpc/h]; zeros where the file has none.
        beyond: How many of those that are kept, and lie in no other halo, are beyond the edges
            of the box in the file.

    Example:
        >>> part = ChunkHalos(rows=3, columns={"id": np.array([7, 9])})
        >>> part.rows - len(part.columns["id"])  # left out
        1
    """

    rows: int
    columns: dict[str, NDArray[Any]]
    hosts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    radius: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    beyond: int = 0
