"""Published values, and ours beside them.

Table 2 of Brooks et al. (2025b) for the posteriors, its Table 1 for the prior's implied masses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from astropy.table import Table

from mwlmc.parameters import INFERRED
from orrery.parameters import FloatArray, names


@dataclass(frozen=True)
class Published:
    """A published median with its 1 sigma interval."""

    median: float
    plus: float
    minus: float

    def shift(self, value: float) -> float:
        """Returns how many published sigma a value lies above the median."""
        difference = value - self.median
        return difference / (self.plus if difference > 0.0 else self.minus)


@dataclass(frozen=True)
class Quantity:
    """A quantity of Table 2: unit, scale of the printed numbers, and its place among `INFERRED`."""

    unit: str
    scale: float = 1.0
    parameter: str = ""


QUANTITIES: dict[str, Quantity] = {
    "v_travel": Quantity("km / s"),
    "v_x": Quantity("km / s", parameter="v_x"),
    "v_y": Quantity("km / s", parameter="v_y"),
    "v_z": Quantity("km / s", parameter="v_z"),
    "M_LMC(<50 kpc)": Quantity("1e10 solMass", 1e10, "log10_m_lmc_50"),
    "M_MW(<50 kpc)": Quantity("1e11 solMass", 1e11, "log10_m_mw_50"),
    "log10 lambda_DF": Quantity("", parameter="log10_lambda_df"),
}

# How far a median may be from the published one [published sigma] before it is called a miss. The
# Milky Way's mass follows its prior, which the paper prints lower than its model gives; with v_tb
# much depends on the nearest bin.
BOUNDS: dict[str, dict[str, float]] = {
    "without v_tb": {"": 0.6, "M_MW(<50 kpc)": 1.0},
    "with v_tb": {"": 1.3},
}

Stars = Literal["same", "other", "mock"]
Row = Mapping[str, Published]


def _row(*columns: tuple[float, float, float]) -> Row:
    return {name: Published(*column) for name, column in zip(QUANTITIES, columns, strict=True)}


TABLE2: dict[str, Row] = {
    "DESI, without v_tb": _row(
        (20.4, 7.5, 6.2),
        (3.2, 2.0, 1.9),
        (-1.0, 2.7, 2.7),
        (-20.0, 6.3, 7.6),
        (7.3, 2.8, 2.5),
        (4.4, 0.8, 1.0),
        (0.1, 0.6, 1.6),
    ),
    "DESI, with v_tb": _row(
        (19.7, 6.8, 5.7),
        (3.2, 1.7, 1.7),
        (-1.1, 2.5, 2.6),
        (-19.2, 5.8, 6.8),
        (7.0, 2.7, 2.4),
        (4.5, 0.8, 1.0),
        (0.2, 0.6, 1.7),
    ),
    "H3+SEGUE+MagE quadrants, without v_tb": _row(
        (31.2, 6.4, 5.7),
        (4.6, 1.7, 1.6),
        (-0.1, 2.6, 3.4),
        (-30.5, 5.9, 6.6),
        (10.2, 2.1, 1.9),
        (4.2, 0.8, 0.7),
        (-0.2, 0.7, 1.5),
    ),
    "H3+SEGUE+MagE quadrants, with v_tb": _row(
        (26.4, 5.5, 4.4),
        (4.2, 1.4, 1.3),
        (-1.0, 2.7, 3.6),
        (-25.3, 4.5, 5.4),
        (9.2, 2.3, 1.9),
        (4.4, 0.7, 0.7),
        (-0.1, 0.7, 1.6),
    ),
}

# Medians of M_LMC(<50 kpc) [1e10 Msun] and v_travel [km/s] of five rows of Table 2: how the travel
# velocity depends on the LMC's mass in that paper's simulations.
RELATION: tuple[tuple[float, float], ...] = (
    (7.0, 19.7),
    (7.8, 20.9),
    (8.9, 24.9),
    (9.2, 26.4),
    (10.2, 31.2),
)

STRONG_FRICTION = 0.4  # log10 lambda_DF

# Table 1: mean and standard deviation of the masses that the prior implies.
TABLE1: dict[str, tuple[float, float]] = {
    "M_MW(<50 kpc)": (4.8, 0.8),
    "M_LMC(<50 kpc)": (8.6, 2.9),
}


def quantities(draws: FloatArray) -> dict[str, FloatArray]:
    """Returns Table 2's quantities, each `[n]` and in its printed unit, of draws `[n, P]`."""
    column = dict(zip(names(INFERRED), draws.T, strict=True))
    v_travel = np.sqrt(column["v_x"] ** 2 + column["v_y"] ** 2 + column["v_z"] ** 2)
    values = {"v_travel": v_travel}
    for name, quantity in QUANTITIES.items():
        if quantity.parameter:
            value = column[quantity.parameter]
            values[name] = value if quantity.scale == 1.0 else 10.0**value / quantity.scale
    return values


def beside(
    draws: FloatArray, row: str, prior: FloatArray, stars: Stars = "same"
) -> dict[str, Table]:
    """Returns our medians and 16-84 % beside a row of Table 2, by title.

    Arguments:
        draws: Draws from our posterior, with shape `[n, P]`.
        row: The row's name in `TABLE2`.
        prior: Draws from our prior, with shape `[m, P]`: where a posterior follows its prior, a
            shift is the prior's.
        stars: Whether ours are the row's (`same`), others, or a mock at the row's medians.

    Returns:
        One table with a row for each quantity; `shift` is in published sigma. Its metadata lists
        the quantities that are further off than `BOUNDS` allows.
    """
    ours, before = quantities(draws), quantities(prior)
    names_ = ["quantity", "unit", "median", "lower", "upper"]
    names_ += ["published", "minus", "plus", "shift", "prior_median"]
    rows = [
        (
            name,
            QUANTITIES[name].unit,
            *np.percentile(ours[name], [50, 16, 84]),
            *(published.median, published.minus, published.plus),
            published.shift(float(np.median(ours[name]))),
            float(np.median(before[name])),
        )
        for name, published in TABLE2[row].items()
    ]
    table = Table(rows=rows, names=names_)
    for name in names_[2:]:
        table[name].info.format = "%+.2f" if name == "shift" else "%.1f"
    table.meta["caption"] = (
        f"Ours (median, 16 and 84 %) beside Brooks et al. (2025b), Table 2, {row}; shift in "
        "published sigma; prior_median is that of our simulations."
        + {"same": "", "other": " The paper's stars are others.", "mock": " A mock."}[stars]
    )
    table.meta["misses"] = misses(table, row, stars) if stars != "other" else []
    return {f"Beside Table 2: {row}": table}


def misses(table: Table, row: str, stars: Stars) -> list[str]:
    """Returns a sentence for each quantity further from the published median than its bound."""
    bounds = BOUNDS["with v_tb" if row.endswith("with v_tb") else "without v_tb"]
    found = []
    for line in table:
        bound = bounds.get(line["quantity"], bounds[""])
        if abs(line["shift"]) > bound:
            found.append(
                f"{line['quantity']}: {line['median']:.1f} {line['unit']}, published "
                f"{line['published']:.1f}, shift {line['shift']:+.2f} sigma, beyond {bound}. "
                f"{_reason(line, stars)}"
            )
    return found


def _reason(line: Any, stars: Stars) -> str:
    """Returns why a median may be off: its prior, the mock, or the data."""
    width = line["plus"] + line["minus"]
    if abs(line["median"] - line["prior_median"]) < 0.25 * width:
        return (
            f"It stays near our prior's median, {line['prior_median']:.1f}: the data hardly "
            "measure it."
        )
    if stars == "mock":
        return "The mock has the published masses; its travel velocity follows from them."
    return (
        f"It is away from our prior's median, {line['prior_median']:.1f}. Possible reasons: our "
        "binned velocities and the errors of bins with few stars, which the paper prints "
        "nowhere, or, where the calibration fails, too few simulations."
    )


def prior_tables(prior: FloatArray) -> dict[str, Table]:
    """Returns what the prior implies, beside the paper, by title.

    Arguments:
        prior: Inferred parameters of simulations, with shape `[n, P]`.

    Returns:
        The masses within 50 kpc beside Table 1, and the travel velocity at the LMC masses of
        Table 2: for each mass the 16, 50 and 84 % of simulations within 10 % of it.
    """
    return {
        "Prior masses beside Table 1": _prior_masses(quantities(prior)),
        "Travel velocity beside Table 2": _travel_velocities(quantities(prior)),
    }


def _prior_masses(ours: Mapping[str, FloatArray]) -> Table:
    rows = [
        (name, QUANTITIES[name].unit, ours[name].mean(), ours[name].std(), *published)
        for name, published in TABLE1.items()
    ]
    columns = ["quantity", "unit", "mean", "sigma", "published_mean", "published_sigma"]
    table = Table(rows=rows, names=columns)
    for name in columns[2:]:
        table[name].info.format = "%.2f"
    table.meta["caption"] = (
        "Mean and standard deviation of the masses that the prior implies, ours and those of "
        "Brooks et al. (2025b), Table 1. With 235 km/s at the Sun the Milky Way is heavier than "
        "printed there; about 226 km/s would match."
    )
    return table


def _travel_velocities(ours: Mapping[str, FloatArray]) -> Table:
    strong = ours["log10 lambda_DF"] > STRONG_FRICTION
    rows = []
    for mass, published in RELATION:
        near = np.abs(ours["M_LMC(<50 kpc)"] / mass - 1.0) < 0.1
        speeds = ours["v_travel"]
        medians = _percentiles(speeds[near])
        rows.append((mass, near.sum(), *medians, _percentiles(speeds[near & strong])[0], published))
    columns = ["M_LMC(<50 kpc)", "simulations", "v_travel", "lower", "upper"]
    columns += ["v_travel_strong_friction", "published"]
    table = Table(rows=rows, names=columns)
    table["M_LMC(<50 kpc)"].unit = "1e10 solMass"
    for name in columns[2:]:
        table[name].unit, table[name].info.format = "km / s", "%.1f"
    table.meta["caption"] = (
        "Travel velocity of simulations within 10 % of the LMC masses of five rows of Table 2 "
        "(median, 16 and 84 %), and the median of those with lambda_DF above 2.5, beside the rows' "
        "travel velocities. Those are medians of posteriors, which prefer strong friction and a "
        "light Milky Way: compare them with the pair that our posteriors give."
    )
    return table


def _percentiles(values: FloatArray) -> list[float]:
    return np.percentile(values, [50, 16, 84]).tolist() if len(values) else [np.nan] * 3


def relation(
    prior: FloatArray,
) -> tuple[FloatArray, FloatArray, tuple[str, str], dict[str, tuple[float, float]]]:
    """Returns travel velocity against LMC mass for a figure: x, y, labels, published points.

    Arguments:
        prior: Inferred parameters of simulations, with shape `[n, P]`.
    """
    ours = quantities(prior)
    labels = (r"$M_{\rm LMC}(<50)$ [$10^{10}\,M_\odot$]", r"$v_{\rm travel}$ [km/s]")
    points = {f"Table 2, {mass} and {speed}": (mass, speed) for mass, speed in RELATION}
    return ours["M_LMC(<50 kpc)"], ours["v_travel"], labels, points
