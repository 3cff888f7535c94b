"""What figures show of published values: others' points, bands and intervals beside ours."""

from collections.abc import Mapping, Sequence

import numpy as np

from mwlmc.study.literature import (
    MASS_AND_TRAVEL_VELOCITY,
    TABLE2,
    Published,
    published_measurements,
)
from mwlmc.study.quantities import interval_ends, labelled, quantities
from orrery.parameters import FloatArray
from orrery.results.panels import Band, Constraint, Interval
from orrery.results.views import Relation


def mass_velocity_relation(prior: FloatArray) -> Relation:
    """Returns travel velocity against LMC mass over the prior, with published points.

    Arguments:
        prior: Inferred parameters of simulations, with shape `[n, P]`.
    """
    ours = quantities(prior)
    labels = (
        r"$M_{\rm LMC}(<50)$ [$10^{10}\,M_\odot$]",
        r"$v_{\rm travel}$ [km/s]",
    )
    rows = dict(enumerate(MASS_AND_TRAVEL_VELOCITY, start=1))
    points = {f"table2.{row}": point for row, point in rows.items()}
    legend = {
        f"table2.{row}": f"Table 2, {mass} and {speed}"
        for row, (mass, speed) in rows.items()
    }
    masses = ours["M_LMC(<50 kpc)"]
    return Relation(masses, ours["v_travel"], labels, points, legend)


def published_points(wanted: Sequence[str]) -> dict[str, FloatArray]:
    """Returns median, lower and upper end `[3, K]` of what others measured, by their keys.

    NaN where a quantity is unknown, three times the median where its error is; those
    who measured none of them are left out.
    """
    unknown = Published(np.nan, np.nan, np.nan)
    found = {}
    for measured in published_measurements():
        values = [measured.values.get(name, unknown) for name in wanted]
        # identity, because NaN equals nothing
        if any(value is not unknown for value in values):
            found[measured.key] = np.array(
                [
                    [value.median for value in values],
                    [value.median - np.nan_to_num(value.minus) for value in values],
                    [value.median + np.nan_to_num(value.plus) for value in values],
                ]
            )
    return found


def published_legend() -> dict[str, str]:
    """Returns what a figure calls those who measured something, by their keys."""
    return {measured.key: measured.label for measured in published_measurements()}


def constraints(
    found: Mapping[str, FloatArray],
    name: str,
    published: Mapping[str, str] | None = None,
) -> list[Constraint]:
    """Returns each data vector's interval of one quantity, ours and the published one.

    Arguments:
        found: Draws `[n, P]`, by the name of the data.
        name: The quantity.
        published: The row of `TABLE2` to compare with, by the same; the row of that name
            when None.
    """
    rows = {data: data for data in found} if published is None else published
    return [
        Constraint(
            labelled(data),
            interval_ends(quantities(draws)[name]),
            _printed(TABLE2[rows[data]][name]),
        )
        for data, draws in found.items()
    ]


def bands(name: str) -> list[Band]:
    """Returns the intervals of all who measured a quantity, with its error."""
    known = [
        (measured.label, measured.values[name])
        for measured in published_measurements()
        if name in measured.values
    ]
    # components of an apex are printed without errors: a band needs a width
    return [Band(label, _printed(p)) for label, p in known if np.isfinite(p.width)]


def _printed(published: Published) -> Interval:
    return (
        published.median - published.minus,
        published.median,
        published.median + published.plus,
    )
