"""Draws as other programs want them: an astropy table, GetDist's samples, ArviZ's inference data.

The table is the source of all others. Each of its columns knows a parameter's unit, its
label and its finite bounds, also after a detour through a file, so that nobody has to
give them again.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity, UnitBase

from orrery.identity import JSON
from orrery.parameters import FloatArray, Parameter, finite

INSTALL = "pip install 'orrery[notebook]'"


def draws_table(
    parameters: Sequence[Parameter], draws: FloatArray, meta: JSON
) -> QTable:
    """Returns draws as a table with one column for each parameter.

    A logarithm's column is in `dex`: its `.physical` is the quantity itself.

    Arguments:
        parameters: The P parameters.
        draws: With shape `[n, P]`.
        meta: What the draws are, as plain JSON.

    Raises:
        ValueError: If the draws have not P columns.
    """
    if draws.ndim != 2 or draws.shape[1] != len(parameters):
        raise ValueError(f"draws of shape {draws.shape} need {len(parameters)} columns")
    drawn = QTable(meta=meta)
    for parameter, values in zip(parameters, draws.T, strict=True):
        # `subok` keeps logarithms logarithms, with their `.physical`.
        drawn[parameter.name] = Quantity(values, parameter.unit, subok=True)
        info = drawn[parameter.name].info
        info.description = parameter.label
        info.meta = finite({"lower": parameter.lower, "upper": parameter.upper})
    return drawn


def draws_array(drawn: QTable) -> FloatArray:
    """Returns the plain numbers `[n, P]` of a table of draws, column after column."""
    return np.stack([np.asarray(_plain(drawn[n])) for n in drawn.colnames], axis=1)


def corner_arguments(drawn: QTable) -> dict[str, Any]:
    """Returns what `corner.corner` takes: `corner.corner(**corner_arguments(drawn))`."""
    return {
        "data": draws_array(drawn),
        "labels": [f"${label}$" for label in _labels(drawn)],
    }


def getdist_samples(drawn: QTable) -> Any:
    """Returns draws as `getdist.MCSamples`, with labels, units and the parameters' bounds.

    Raises:
        ImportError: If GetDist is not installed.
    """
    samples = _getdist().MCSamples
    return samples(
        samples=draws_array(drawn),
        names=drawn.colnames,
        labels=_labels(drawn),
        ranges=_bounds(drawn),
        label=drawn.meta.get("observation"),
        # what a chain needs and independent draws do not: burn-in, correlation lengths
        sampler="uncorrelated",
    )


def inference_data(drawn: QTable) -> Any:
    """Returns draws as `arviz.InferenceData`: one chain, with units and labels as attributes.

    Raises:
        ImportError: If ArviZ is not installed.
    """
    values = draws_array(drawn).T[:, np.newaxis]
    found = _arviz().from_dict(posterior=dict(zip(drawn.colnames, values, strict=True)))
    found.posterior.attrs.update(drawn.meta)
    for name in drawn.colnames:
        info = drawn[name].info
        attributes = {
            "units": str(info.unit or ""),
            "long_name": info.description,
            **info.meta,
        }
        found.posterior[name].attrs.update(attributes)
    return found


def _getdist() -> ModuleType:
    try:
        import getdist
    except ImportError as error:
        raise ImportError(f"GetDist is not installed: {INSTALL}") from error
    return getdist


def _arviz() -> ModuleType:
    try:
        import arviz
    except ImportError as error:
        raise ImportError(f"ArviZ is not installed: {INSTALL}") from error
    return arviz


def _plain(column: Any) -> Any:
    return getattr(column, "value", column)


def _labels(drawn: QTable) -> list[str]:
    """Returns the columns' labels with their units, as mathematics without its dollars."""
    return [_label(drawn[name].info) for name in drawn.colnames]


def _label(info: Any) -> str:
    label = (info.description or rf"\mathrm{{{info.name}}}").strip("$")
    # the label of a logarithm names the logarithm; the unit is that of its argument
    unit: UnitBase | None = getattr(info.unit, "physical_unit", info.unit)
    if unit is None or not unit.to_string():
        return label
    return rf"{label}\;[{unit.to_string('latex_inline').strip('$')}]"


def _bounds(drawn: QTable) -> dict[str, list[float | None]]:
    metas = {name: drawn[name].info.meta or {} for name in drawn.colnames}
    return {
        name: [meta.get("lower"), meta.get("upper")] for name, meta in metas.items()
    }
