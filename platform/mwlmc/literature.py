"""Published values, and ours beside them.

Table 2 of Brooks et al. (2025b) for the posteriors, its Table 1 for the prior's implied masses, and
what others measured by other means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from astropy.table import Table, vstack

from mwlmc import potentials
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

    @property
    def width(self) -> float:
        """The length of the interval."""
        return self.plus + self.minus


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
    "without v_tb": {"": 0.5, "M_MW(<50 kpc)": 1.0},
    "with v_tb": {"": 1.2},
}
WIDTHS = 0.3  # how far the ratio of our width to the published one may be from 1
# Friction is hardly measured: its interval is that of its prior, whose shape decides its ends.
UNJUDGED = ("log10 lambda_DF",)

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
    "H3+SEGUE+MagE on DESI's sky, without v_tb": _row(
        (24.9, 6.7, 5.7),
        (3.8, 1.8, 1.7),
        (-0.5, 3.1, 3.1),
        (-24.4, 5.8, 6.6),
        (8.9, 2.5, 2.2),
        (4.5, 0.8, 0.7),
        (0.1, 0.7, 1.6),
    ),
    "H3+SEGUE+MagE on DESI's sky, with v_tb": _row(
        (20.9, 5.6, 4.7),
        (2.9, 1.6, 1.6),
        (-1.5, 2.9, 2.7),
        (-20.4, 4.7, 5.6),
        (7.8, 2.5, 2.2),
        (4.4, 0.8, 0.9),
        (0.3, 0.5, 1.8),
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
    names_ += ["published", "minus", "plus", "shift", "width_ratio", "prior_median"]
    rows = [
        (
            name,
            QUANTITIES[name].unit,
            *np.percentile(ours[name], [50, 16, 84]),
            *(published.median, published.minus, published.plus),
            published.shift(float(np.median(ours[name]))),
            float(np.ptp(np.percentile(ours[name], [16, 84]))) / published.width,
            float(np.median(before[name])),
        )
        for name, published in TABLE2[row].items()
    ]
    table = Table(rows=rows, names=names_)
    for name in names_[2:]:
        table[name].info.format = _FORMATS.get(name, "%.1f")
    table.meta["caption"] = (
        f"Ours (median, 16 and 84 %) beside Brooks et al. (2025b), Table 2, {row}; shift in "
        "published sigma, width_ratio of our interval to theirs; prior_median is that of our "
        "simulations." + _STARS[stars]
    )
    table.meta["row"] = row
    table.meta["misses"] = misses(table, row, stars) if stars != "other" else []
    return {f"Beside Table 2: {row}": table}


_FORMATS = {"shift": "%+.2f", "width_ratio": "%.2f"}
_STARS: dict[Stars, str] = {
    "same": "",
    "other": " The paper's stars are others.",
    "mock": " A forecast: its stars are not public, its data are a mock at the published masses.",
}


def misses(table: Table, row: str, stars: Stars) -> list[str]:
    """Returns a sentence for each quantity that is further from the published one than allowed.

    The widths of all are judged, and the medians of those that are no forecasts: a forecast has the
    published masses, and whatever else follows from them.

    Arguments:
        table: What `beside` returns, with a line for each quantity.
        row: The row's name in `TABLE2`.
        stars: Whether ours are the row's (`same`), others, or a mock at the row's medians.
    """
    bounds = BOUNDS["with v_tb" if row.endswith(" with v_tb") else "without v_tb"]
    found = []
    for line in (line for line in table if line["quantity"] not in UNJUDGED):
        bound = bounds.get(line["quantity"], bounds[""])
        if stars == "same" and abs(line["shift"]) > bound:
            found.append(
                f"{line['quantity']}: {line['median']:.1f} {line['unit']}, published "
                f"{line['published']:.1f}, shift {line['shift']:+.2f} sigma, beyond {bound}. "
                f"{_reason(line)}"
            )
        if abs(line["width_ratio"] - 1.0) > WIDTHS:
            found.append(
                f"{line['quantity']}: its interval is {line['width_ratio']:.2f} times the "
                f"published one, beyond {1 - WIDTHS:.1f} to {1 + WIDTHS:.1f}. {_cause(line, stars)}"
            )
    return found


def _cause(line: Any, stars: Stars) -> str:
    """Returns why an interval may have another width: other errors, or the prior."""
    if line["median"] < line["published"]:
        return "A smaller signal: the intervals of masses and speeds grow with their medians."
    if stars == "mock":
        return "The forecast's errors are sqrt(N) estimates; the survey's own are printed nowhere."
    return "Our errors of bins with few stars differ from the paper's, which prints none."


def _reason(line: Any) -> str:
    """Returns why a median may be off: its prior, or the data."""
    width = line["plus"] + line["minus"]
    if abs(line["median"] - line["prior_median"]) < 0.25 * width:
        return (
            f"It stays near our prior's median, {line['prior_median']:.1f}: the data hardly "
            "measure it."
        )
    return (
        f"It is away from our prior's median, {line['prior_median']:.1f}. Possible reasons: our "
        "binned velocities and the errors of bins with few stars, which the paper prints "
        "nowhere, or, where the calibration fails, too few simulations."
    )


def table2(rows: Sequence[Table]) -> dict[str, Table]:
    """Returns our whole Table 2 beside the published one, by title.

    Arguments:
        rows: One table for each row, as `beside` returns it.

    Returns:
        One table in the published form, where each cell has ours before the published value, and
        one with a line for each row and quantity.
    """
    cells = [[row.meta["row"], *(_cell(line) for line in row)] for row in rows]
    units = [f"{name} [{q.unit}]" if q.unit else name for name, q in QUANTITIES.items()]
    compact = Table(rows=cells, names=["data", *units])
    compact.meta["caption"] = (
        "Ours | Brooks et al. (2025b): medians and 16-84 %. The rows of H3+SEGUE+MagE are "
        "forecasts, because those stars are not public."
    )
    lines = [Table(row, meta={}, copy=True) for row in rows]
    for line, row in zip(lines, rows, strict=True):
        line.add_column([row.meta["row"]] * len(line), name="data", index=0)
    whole = vstack(lines)
    for name in whole.colnames:
        whole[name].info.format = rows[0][name].info.format if name != "data" else None
    whole.meta["caption"] = "Every row and quantity, with shifts and ratios of widths."
    return {"Table 2": compact, "Table 2, line by line": whole}


def _cell(line: Any) -> str:
    ours = (line["median"], line["upper"] - line["median"], line["median"] - line["lower"])
    theirs = (line["published"], line["plus"], line["minus"])
    return " | ".join(f"{m:.1f} +{p:.1f} -{n:.1f}" for m, p, n in (ours, theirs))


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


@dataclass(frozen=True)
class Measurement:
    """What others measured by other means.

    Arguments:
        label: Who, as a legend would say it.
        source: Where it is printed.
        values: Quantities of Table 2, in their printed units, as far as they were measured.
    """

    label: str
    source: str
    values: Mapping[str, Published]


def _lmc_within_50(total: float) -> float:
    """Returns the mass [1e10 Msun] within 50 kpc of an LMC of a total mass [1e10 Msun]."""
    halo = potentials.lmc_halo(np.array([1e10 * total]))
    return float(halo.enclosed_mass(halo.scale.new_full((1, 1), 50.0))[0, 0]) / 1e10


def measurements() -> tuple[Measurement, ...]:
    """Returns measurements by others, in the order of their years.

    Travel velocities are those of the disc against stars beyond 40 or 50 kpc; where an apex is
    printed instead of components, these are its. An LMC whose total mass is printed has the mass
    within 50 kpc of our profile.
    """
    erkal = [_lmc_within_50(mass) for mass in (13.8, 13.8 + 2.7, 13.8 - 2.4)]
    lmc = Published(erkal[0], erkal[1] - erkal[0], erkal[0] - erkal[2])
    return (
        Measurement(
            "Erkal+19, Orphan stream",
            "MNRAS 487, 2685",
            {"M_LMC(<50 kpc)": lmc, "M_MW(<50 kpc)": Published(3.80, 0.14, 0.11)},
        ),
        Measurement(
            "Petersen & Penarrubia 21",
            "Nature Astronomy 5, 251",
            _travel(Published(32.0, 4.0, 4.0), (14.8, 22.0, -17.9)),
        ),
        Measurement(
            "Yaaqib+24, r > 50 kpc",
            "arXiv:2402.10841",
            _travel(Published(40.0, 7.0, 7.0), (25.2, 19.7, -24.1)),
        ),
        Measurement(
            "Brooks+26, means and dispersions",
            "arXiv:2603.08788v2",
            {
                "v_travel": Published(38.6, 8.3, 7.8),
                "M_LMC(<50 kpc)": Published(8.76, 1.94, 1.77),
                "M_MW(<50 kpc)": Published(3.36, 0.15, 0.15),
            },
        ),
    )


def _travel(speed: Published, components: tuple[float, float, float]) -> Mapping[str, Published]:
    # an apex and a speed give the components, but not their errors
    parts = dict(zip(("v_x", "v_y", "v_z"), components, strict=True))
    return {"v_travel": speed, **{k: Published(v, np.nan, np.nan) for k, v in parts.items()}}
