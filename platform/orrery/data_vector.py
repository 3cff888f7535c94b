"""A data vector as a table, and back: what reports write, people edit and posteriors read.

Each summary has a row with its own unit, so that nothing depends on the order of the
rows or on the unit that somebody works in. Written as ECSV the table loses nothing: the
covariance and the fingerprint of the binning are in its metadata.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.table import Column, Table
from astropy.units import Unit, UnitConversionError
from numpy.typing import NDArray

from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.records import Observation

VERSION = 1  # of what tables and observations mean; raised whenever a number changes

# Relative: by how much equal errors may differ after rounding in a file.
ROUNDING = 1e-6


def to_table(observation: Observation) -> Table:
    """Returns an observation as a table with the columns summary, unit, value and error.

    And `simulation_error`, if simulated summaries have errors of themselves.
    """
    columns = {
        "summary": list(observation.names),
        "unit": list(observation.units),
        "value": observation.value,
        "error": np.sqrt(np.diag(observation.covariance)),
    }
    meta = {
        "observation": observation.name,
        "definition": observation.definition,
        "provenance": observation.provenance,
        "covariance": observation.covariance.tolist(),
    }
    if observation.simulation_error is not None:
        columns["simulation_error"] = observation.simulation_error
    return Table(columns, meta=meta)


def from_table(table: Table) -> Observation:
    """Returns the observation that a table holds.

    Arguments:
        table: With the columns `summary` (or `name`), `value` and `error`. Units stand
            in a column `unit`, or belong to the column `value`. In the metadata,
            `definition` is the fingerprint of the binning; `covariance` `[S][S]`, in
            the units of the rows, may be missing if the errors are independent; so may
            `observation`, a name, and `provenance`. A column `simulation_error`, if there
            is one, has the unit of `error`.

    Raises:
        ValueError: If a column or the definition is missing, a value is not finite, an
            error is negative, or errors and covariance disagree.
    """
    plain = Table(table, copy=False)  # quantities become columns with units
    value = _column(plain, "value")
    error = _column(plain, "error")
    names = tuple(str(name) for name in _column(plain, "summary", "name"))
    rescale = (
        _factor(error.unit, value.unit, "error") if error.unit and value.unit else 1.0
    )
    return Observation(
        name=str(table.meta.get("observation", "table")),
        names=names,
        units=_units(plain, value),
        value=_numbers(value),
        covariance=_covariance(table, _numbers(error) * rescale, names),
        definition=_definition(table),
        provenance=_provenance(table),
        simulation_error=_simulation_error(plain, value),
    )


def _provenance(table: Table) -> JSON:
    found = table.meta.get("provenance", {})
    if not isinstance(found, dict):
        raise ValueError(
            f"the metadata has provenance = {found!r}, which names nothing: leave it out, or "
            "give words and what they stand for"
        )
    return dict(found)


def _simulation_error(table: Table, value: Column) -> FloatArray | None:
    if "simulation_error" not in table.colnames:
        return None
    own = table["simulation_error"]
    rescale = (
        _factor(own.unit, value.unit, own.name) if own.unit and value.unit else 1.0
    )
    return _numbers(own) * rescale


def _column(table: Table, *names: str) -> Column:
    for name in names:
        if name in table.colnames:
            return table[name]
    raise ValueError(
        f"the table has no column {' or '.join(map(repr, names))}, only {table.colnames}: "
        "give the columns summary, unit, value and error"
    )


def _units(table: Table, value: Column) -> tuple[str, ...]:
    if "unit" not in table.colnames:
        return (str(value.unit or ""),) * len(table)
    if value.unit:
        raise ValueError(
            f"the table gives units twice, in its column 'unit' and as the unit {value.unit} of "
            "'value': drop one"
        )
    return tuple(np.ma.filled(table["unit"].astype(str), "").tolist())


def _numbers(column: Column) -> FloatArray:
    """Returns a column as numbers; what is masked is NaN."""
    try:
        return np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
    except ValueError as error:
        raise ValueError(
            f"the table's column {column.name!r} must hold numbers: {error}"
        ) from None


def _definition(table: Table) -> str:
    if not table.meta.get("definition"):
        raise ValueError(
            "the table does not say how its summaries are defined: write the fingerprint of their "
            "binning to meta['definition'], as the table 'Data vector' of a report has it"
        )
    return str(table.meta["definition"])


def _covariance(table: Table, error: FloatArray, names: tuple[str, ...]) -> FloatArray:
    wrong = [
        n for n, e in zip(names, error, strict=True) if not (np.isfinite(e) and e >= 0)
    ]
    if wrong:
        raise ValueError(f"the errors of {wrong} must be finite and not negative")
    # People write tables by hand, and independent errors need no matrix.
    if "covariance" not in table.meta:
        return np.diag(error**2)
    covariance = np.array(table.meta["covariance"], dtype=np.float64)
    if covariance.shape != (len(error),) * 2 or not np.allclose(
        covariance, covariance.T
    ):
        raise ValueError(
            f"meta['covariance'] of shape {covariance.shape} must be symmetric and of shape "
            f"{(len(error),) * 2}, as the table has {len(error)} rows: rows that were cut or "
            "sorted leave it behind"
        )
    return _agreeing(covariance, error, names)


def _agreeing(
    covariance: FloatArray, error: FloatArray, names: tuple[str, ...]
) -> FloatArray:
    expected = np.sqrt(np.diag(covariance))
    differ = ~np.isclose(error, expected, rtol=ROUNDING, atol=0)
    if differ.any():
        i = int(np.argmax(differ))
        raise ValueError(
            f"{names[i]!r} has the error {error[i]:g}, but {expected[i]:g} in meta['covariance']: "
            "change both, or delete the covariance if the errors are independent; rows that were "
            "sorted leave it behind"
        )
    return covariance


def arranged(
    observation: Observation, names: Sequence[str], units: Sequence[str]
) -> Observation:
    """Returns an observation with its summaries in another order and in other units.

    Arguments:
        observation: What was observed.
        names: The same names in the wanted order.
        units: The wanted units.

    Raises:
        ValueError: If a name is missing, unknown or there twice, or a unit is of
            another kind.
    """
    order = _order(observation, tuple(names))
    wanted = zip(order, units, names, strict=True)
    factor = np.array([_factor(observation.units[i], u, n) for i, u, n in wanted])
    covariance = observation.covariance[np.ix_(order, order)] * np.outer(factor, factor)
    value = observation.value[order] * factor
    own = observation.simulation_error
    return replace(
        observation,
        names=tuple(names),
        units=tuple(units),
        value=value,
        covariance=covariance,
        simulation_error=None if own is None else own[order] * np.abs(factor),
    )


def conform_to(
    observation: Observation | Table,
    definition: str,
    names: Sequence[str],
    units: Sequence[str],
    learner: str,
) -> Observation:
    """Returns an observation as somebody learned it: its order of summaries and its units.

    Arguments:
        observation: What was observed, or a table of it: see `from_table`.
        definition: Fingerprint of the definition of the learned summaries.
        names: Their names in the learned order.
        units: Their units.
        learner: Who learned them, such as `posterior`, for the error's text.

    Raises:
        ValueError: If the observation's summaries are not those that were learned.
    """
    if isinstance(observation, Table):
        observation = from_table(observation)
    if observation.definition != definition:
        raise ValueError(
            f"observation {observation.name!r} has the definition {observation.definition}, "
            f"but the {learner} learned {definition}: observe with the binning of the "
            "training, or train again"
        )
    return arranged(observation, names, units)


def checked_rows(x: FloatArray, size: int) -> FloatArray:
    """Returns rows of summaries after a look at their shape.

    Arguments:
        x: Summaries, with shape `[N, S]`.
        size: The number S of learned summaries.

    Raises:
        ValueError: If the summaries have another shape or are not finite.
    """
    if x.ndim != 2 or x.shape[1] != size or not np.isfinite(x).all():
        raise ValueError(
            f"summaries of shape {x.shape} must be finite, with shape [N, {size}]"
        )
    return x


def _order(observation: Observation, names: tuple[str, ...]) -> NDArray[np.intp]:
    given = observation.names
    if Counter(given) != Counter(names):
        raise ValueError(
            f"observation {observation.name!r} has other summaries: "
            f"{sorted(set(names) - set(given))} are missing, {sorted(set(given) - set(names))} are "
            "unknown; observe with the binning of the training"
        )
    return np.array([given.index(name) for name in names])


def _factor(given: Any, wanted: Any, name: str) -> float:
    """Returns what values in one unit are multiplied with to be in another."""
    try:
        old = Unit(given)
        new = Unit(wanted)
        if old == new:
            return 1.0
        # a logarithm changes by a sum, not by a factor
        if hasattr(old, "physical_unit") or hasattr(new, "physical_unit"):
            raise UnitConversionError(f"of {old} and {new} one is a logarithm")
        return float(old.to(new))
    except ValueError as error:  # also of units that are no units
        raise ValueError(
            f"{name!r} is given in {str(given)!r} where {str(wanted)!r} is learned: {error}"
        ) from error
