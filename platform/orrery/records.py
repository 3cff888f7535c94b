"""What simulations return and what observers measured: columns with names and units.

A record is what one simulation returns: a few scalars and lists of particles. An
observation is what nature returned, reduced to the same summaries. Both know what they
are; nothing else has to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orrery.covariances import check_covariance
from orrery.identity import JSON, canonical
from orrery.named_units import check_entries, check_names, check_unit
from orrery.parameters import FloatArray, generator

REAL = "biuf"  # kinds of numpy's types that a column can have


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Arguments:
        name: Its name.
        unit: Its unit in astropy's generic format; empty when dimensionless.
        description: What it means, in words, which decide nothing.
        dtype: Its type, as numpy names it.

    Raises:
        ValueError: If the unit cannot be read, or the type is none of real numbers that
            files can have.

    Example:
        >>> Column("r", "kpc", "Galactocentric distance", "float16").dtype
        'float16'
    """

    name: str
    unit: str
    description: str
    dtype: str = "float64"

    def __post_init__(self) -> None:
        check_unit(self.name, self.unit)
        try:
            kind = np.dtype(self.dtype)
            pa.from_numpy_dtype(kind)
            real = kind.kind in REAL and kind.isnative
        except (TypeError, pa.ArrowException):
            real = False
        if not real:
            raise ValueError(
                f"{self.name!r} has the type {self.dtype!r}, which no column can have: write "
                "it as in 'float64', 'float32', 'int64' or 'bool'"
            )


@dataclass(frozen=True)
class Schema:
    """The columns of records.

    Arguments:
        scalars: Columns with one value for each simulation.
        particles: Columns with a list of values for each simulation, all of the same
            length.

    Raises:
        ValueError: If two columns have one name.

    Example:
        >>> schema = Schema((Column("mass", "solMass", "of the host"),))
        >>> schema.arrow({"seed": 1}).field("mass").metadata[b"unit"]
        b'solMass'
    """

    scalars: tuple[Column, ...]
    particles: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        columns = (*self.scalars, *self.particles)
        check_names("the schema", [column.name for column in columns])

    def arrow(self, metadata: JSON) -> pa.Schema:
        """Returns the Arrow schema; `metadata` is stored with it as JSON under `orrery`."""
        scalars = [_arrow_field(c, pa.from_numpy_dtype(c.dtype)) for c in self.scalars]
        lists = [
            _arrow_field(c, pa.list_(pa.from_numpy_dtype(c.dtype)))
            for c in self.particles
        ]
        return pa.schema(scalars + lists, metadata={"orrery": canonical(metadata)})


def _arrow_field(column: Column, kind: pa.DataType) -> pa.Field:
    # Not what it means: shards have the same bytes however that is put.
    metadata = {"unit": column.unit}
    return pa.field(column.name, kind, nullable=False, metadata=metadata)


@dataclass(frozen=True)
class Records:
    """The records of B simulations.

    Arguments:
        scalars: One array `[B]` for each scalar column.
        particles: One array `[sum of counts]` for each particle column, simulation
            after simulation.
        offsets: Where each simulation's particles begin, with shape `[B + 1]`.

    Example:
        >>> r = np.array([50.0, 60.0, 70.0])
        >>> records = Records({"mass": np.ones(2)}, {"r": r}, np.array([0, 1, 3]))
        >>> np.split(records.particles["r"], records.offsets[1:-1])
        [array([50.]), array([60., 70.])]
    """

    scalars: Mapping[str, NDArray[Any]]
    particles: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    offsets: NDArray[np.int32] = field(
        default_factory=lambda: np.zeros(1, dtype=np.int32)
    )

    def __len__(self) -> int:
        return len(next(iter(self.scalars.values())))

    def table(self, schema: Schema, metadata: JSON) -> pa.Table:
        """Returns the records as an Arrow table with the schema's columns, types and metadata."""
        # The schema's types, not the simulator's: half precision is enough for stars.
        scalars = [
            pa.array(self.scalars[c.name].astype(c.dtype)) for c in schema.scalars
        ]
        # All particle columns share one set of offsets, so that it is written from one array.
        offsets = pa.array(self.offsets.astype(np.int32))
        lists = [
            pa.ListArray.from_arrays(
                offsets, pa.array(self.particles[c.name].astype(c.dtype))
            )
            for c in schema.particles
        ]
        return pa.Table.from_arrays(scalars + lists, schema=schema.arrow(metadata))

    @classmethod
    def from_table(cls, table: pa.Table) -> "Records":
        """Returns the records of an Arrow table, without copying memory-mapped values."""
        # One piece for each column, which is then a view of the file.
        table = table.combine_chunks()
        scalars = {}
        particles = {}
        offsets = np.zeros(len(table) + 1, dtype=np.int32)
        for name, kind in zip(table.schema.names, table.schema.types, strict=True):
            column = table[name].chunk(0)
            if pa.types.is_list(kind):
                offsets = column.offsets.to_numpy()
                particles[name] = column.values.to_numpy(zero_copy_only=False)
            else:
                scalars[name] = column.to_numpy(zero_copy_only=False)
        return cls(scalars, particles, offsets)


@dataclass(frozen=True)
class Observation:
    """A measured data vector with its errors.

    Arguments:
        name: What was observed, as a figure's legend would say it.
        names: The S entries' names.
        units: The S entries' units.
        value: The measured values, with shape `[S]`.
        covariance: The measurement covariance, with shape `[S, S]`.
        definition: Fingerprint of the summaries' definition, the same that simulations
            used.
        provenance: Where the numbers come from: file, checksum, selection counts, as
            plain JSON.
        simulation_error: Standard errors `[S]` that simulated summaries have of
            themselves, such as those of the means of a simulation's few stars; none
            when missing.
        simulated: Of a mock, the summaries `[N, S]` of several simulations, which the
            value is the mean of; nothing when missing. What a survey measures scatters
            about that mean, which see `realisations`.

    Raises:
        ValueError: If the shapes do not belong together, a name is there twice, a unit
            cannot be read, a number is not finite, an error is negative, or no errors can
            have the covariance.

    Example:
        >>> value, covariance = np.array([12.0]), np.array([[4.0]])
        >>> seen = Observation("DESI", ("v_r",), ("km / s",), value, covariance, "0f", {})
        >>> np.sqrt(seen.covariance.diagonal())
        array([2.])
        >>> from dataclasses import replace
        >>> replace(seen, simulation_error=np.array([1.0])).added_covariance
        array([[3.]])
    """

    name: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    value: FloatArray
    covariance: FloatArray
    definition: str
    provenance: JSON
    simulation_error: FloatArray | None = None
    simulated: FloatArray | None = None

    def __post_init__(self) -> None:
        size = len(self.names)
        if self.value.shape != (size,) or self.covariance.shape != (size, size):
            raise ValueError(
                f"observation {self.name!r} has {size} names but values of shape "
                f"{self.value.shape} and covariance of shape {self.covariance.shape}"
            )
        check_entries(f"observation {self.name!r}", self.names, self.units)
        missing = [
            n for n, v in zip(self.names, self.value, strict=True) if not np.isfinite(v)
        ]
        if missing or not np.isfinite(self.covariance).all():
            raise ValueError(
                f"observation {self.name!r} has no finite value for {missing or 'its covariance'}: "
                "widen distance_edges or leave these entries out"
            )
        check_covariance(f"observation {self.name!r}", self.covariance, self.names)
        self._check_simulation_error()
        self._check_simulated()

    def _check_simulation_error(self) -> None:
        own = self.simulation_error
        if own is None:
            return
        if own.shape != self.value.shape or not (np.isfinite(own) & (own >= 0)).all():
            raise ValueError(
                f"observation {self.name!r} has simulation errors of shape {own.shape} for "
                f"{len(self.names)} names: give each a finite one that is not negative"
            )

    def _check_simulated(self) -> None:
        some = self.simulated
        if some is None:
            return
        several = some.ndim == 2 and len(some) > 0
        if not (several and some.shape[1:] == self.value.shape):
            raise ValueError(
                f"observation {self.name!r} has simulated summaries of shape {some.shape} "
                f"for {len(self.names)} names: give one row for each simulation"
            )
        if not np.isfinite(some).all():
            raise ValueError(
                f"observation {self.name!r} has simulated summaries that are not finite: "
                "widen distance_edges, or simulate more stars"
            )

    @property
    def added_covariance(self) -> FloatArray:
        """The covariance `[S, S]` of the errors that simulated summaries lack."""
        return added_covariance(self.covariance, self.simulation_error)

    def realisations(self, seed: int) -> FloatArray:
        """Returns data vectors `[N, S]` as a mock's survey could have measured them.

        Each is of one simulation, and has errors of its own: they scatter about the
        truth as the pairs do that a posterior is trained on.

        Arguments:
            seed: Draws the errors.

        Raises:
            ValueError: If the observation is no mock.
        """
        if self.simulated is None:
            raise ValueError(
                f"observation {self.name!r} is no mock: it has one realisation, its value"
            )
        none = np.zeros(len(self.names))
        errors = generator(seed).multivariate_normal(
            none, self.added_covariance, size=len(self.simulated)
        )
        return np.asarray(self.simulated + errors)

    @property
    def simulation_noise(self) -> FloatArray:
        """Errors of simulated summaries in units of the measured ones, `[S]`; nought if none."""
        if self.simulation_error is None:
            return np.zeros(len(self.names))
        measured = np.sqrt(self.covariance.diagonal())
        exact = measured == 0
        ratio = self.simulation_error / np.where(exact, 1.0, measured)
        return np.where(exact, 0.0, ratio)


_ROUNDING = 1e-12  # of eigenvalues, in units of the measured variances


def added_covariance(
    covariance: FloatArray, simulation_error: FloatArray | None
) -> FloatArray:
    """Returns the covariance `[S, S]` of the errors that simulated summaries lack.

    Added to them they make them scatter as measured ones do: the measured covariance
    less the variances that simulations have of themselves, which are independent. What
    measured entries share, simulations lack, and it stays whole. Variances do not fall
    below nought: where simulations scatter more than measured ones, nothing is added.
    Errors as large as the measured ones on top of those of simulations would count
    noise twice.

    Arguments:
        covariance: The measurement covariance, with shape `[S, S]`.
        simulation_error: Standard errors `[S]` that simulated summaries have of
            themselves; none when None.
    """
    if simulation_error is None:
        return covariance
    measured = covariance.diagonal()
    left = np.maximum(measured - simulation_error**2, 0.0)
    exact = measured == 0
    share = np.where(exact, 1.0, left / np.where(exact, 1.0, measured))
    added = covariance * np.sqrt(np.outer(share, share))
    correlated = np.flatnonzero((covariance != 0).sum(axis=0) > 1)
    block = np.ix_(correlated, correlated)
    added[block] = _less(covariance[block], simulation_error[correlated] ** 2)
    return added


def _less(covariance: FloatArray, variances: FloatArray) -> FloatArray:
    """Returns a covariance less independent variances, or the nearest one that there can be.

    In units of the measured errors, the nearest one has no negative eigenvalue.
    """
    less = covariance - np.diag(variances)
    errors = np.sqrt(covariance.diagonal())
    units = np.outer(errors, errors)
    values, vectors = np.linalg.eigh(less / units)
    if values.min(initial=0.0) > -_ROUNDING:
        return less
    return (vectors * np.maximum(values, 0.0)) @ vectors.T * units
