"""Our results beside published ones: shifts, widths, and what has to be called a miss."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from astropy.table import Table, vstack

from mwlmc.simulator import Simulator
from mwlmc.study.literature import (
    HALO_MASS,
    MASS_AND_TRAVEL_VELOCITY,
    QUANTITIES,
    TABLE1,
    TABLE2,
    TOTAL_MASS,
)
from mwlmc.study.quantities import (
    VELOCITY_KEYS,
    is_forecast,
    quantities,
    quantity_key,
    row_key,
)
from orrery.parameters import FloatArray
from orrery.sentences import Sentence, cell

# How far a median may be from the published one [published sigma] before it is called a
# miss. The mass of the Milky Way's halo hardly leaves its prior, which is the paper's; with
# v_tb much depends on the nearest bin.
BOUNDS: dict[str, dict[str, float]] = {
    "without v_tb": {"": 0.5, HALO_MASS: 0.2},
    "with v_tb": {"": 1.2, HALO_MASS: 0.2},
}
_AS_MUCH = 0.5  # of a width's change that a median's must be to be its reason
WIDTHS = 0.3  # how far the ratio of our width to the published one may be from 1
# Friction is hardly measured: its interval is that of its prior, whose shape decides
# its ends.
UNJUDGED = ("log10 lambda_DF",)

StellarSample = Literal["same", "other", "mock"]
STRONG_FRICTION = 0.4  # log10 lambda_DF
NEAR_MASS = 0.1  # of an LMC mass, by which those of simulations may differ

# How far the travel velocity that is fitted to one simulation's stars scatters in v_x
# [km/s], within `Simulator.reflex_shell` and beyond its inner edge: of 192 simulations of
# one model with either (tests/benchmarks/reflex_scatter.py).
REFLEX_SHELL = Simulator().reflex_shell
SCATTER_IN_SHELL = 1.9
SCATTER_BEYOND = 1.3


def compare_with_published(
    draws: FloatArray, row: str, prior: FloatArray, stars: StellarSample = "same"
) -> dict[str, Table]:
    """Returns our medians and 16-84 % beside a row of Table 2, by title.

    Arguments:
        draws: Draws from our posterior, with shape `[n, P]`.
        row: The row's name in `TABLE2`.
        prior: Draws from our prior, with shape `[m, P]`: where a posterior follows its
            prior, a shift is the prior's.
        stars: Whether ours are the row's (`same`), others, or a mock at the row's
            medians.

    Returns:
        One table with a row for each quantity; `shift` is in published sigma. Its
        metadata lists the quantities that are further off than `BOUNDS` allows.
    """
    ours, before = quantities(draws), quantities(prior)
    names_ = ["quantity", "unit", "median", "lower", "upper"]
    names_ += ["published", "minus", "plus", "shift", "width_ratio", "median_ratio"]
    names_ += ["prior_median"]
    rows = [
        (
            name,
            QUANTITIES[name].unit,
            *np.percentile(ours[name], [50, 16, 84]),
            *(published.median, published.minus, published.plus),
            published.shift(float(np.median(ours[name]))),
            float(np.ptp(np.percentile(ours[name], [16, 84]))) / published.width,
            abs(float(np.median(ours[name])) / published.median),
            float(np.median(before[name])),
        )
        for name, published in TABLE2[row].items()
    ]
    table = Table(rows=rows, names=names_)
    for name in names_[2:]:
        table[name].info.format = _FORMATS.get(name, "%.1f")
    table.meta["key"] = f"table2.{row_key(row)}"
    table.meta["caption"] = (
        f"Ours (median, 16 and 84 %) and those of Brooks et al. (2025b), Table 2, {row}; shift in "
        "published sigma, our interval's width over theirs, our median over theirs without "
        "their signs (of a logarithm: the logarithm over theirs, no ratio of what it is of); "
        "prior_median is that of our simulations." + _STARS[stars]
    )
    table.meta["row"] = row
    table.meta["misses"] = misses(table, row, stars) if stars != "other" else []
    table.meta["metrics"] = _bound_numbers(row) if stars != "other" else {}
    return {f"Compared with Table 2: {row}": table}


_FORMATS = {"shift": "%+.2f", "width_ratio": "%.2f", "median_ratio": "%.2f"}
_STARS: dict[StellarSample, str] = {
    "same": "",
    "other": " The paper's stars are others.",
    "mock": (
        " A forecast: its stars are not public, its data are mocks at the published masses, "
        "its posterior the average of theirs."
    ),
}


def _bounds(row: str) -> tuple[str, dict[str, float]]:
    """Returns which of `BOUNDS` judge a row, and these."""
    label = "with v_tb" if row.endswith(" with v_tb") else "without v_tb"
    return label, BOUNDS[label]


def _bound_numbers(row: str) -> dict[str, float]:
    """Returns the bounds that judge a row, and what explains a width, by stable key."""
    _, bounds = _bounds(row)
    shifts = {_bound_key(row, name): bound for name, bound in bounds.items()}
    fit = (*REFLEX_SHELL, SCATTER_IN_SHELL, SCATTER_BEYOND)
    return {
        **shifts,
        **dict(zip(_WIDTH_KEYS, (1 - WIDTHS, 1 + WIDTHS), strict=True)),
        **dict(zip(_FIT_KEYS, fit, strict=True)),
    }


def _bound_key(row: str, quantity: str) -> str:
    label, bounds = _bounds(row)
    judged = quantity_key(quantity) if bounds.get(quantity) and quantity else "any"
    return f"bounds.table2.{VELOCITY_KEYS[label]}.shift.{judged}"


_WIDTH_KEYS = ("bounds.table2.width_ratio.lower", "bounds.table2.width_ratio.upper")
_FIT_KEYS = (
    "reflex_fit.inner",
    "reflex_fit.outer",
    "reflex_fit.scatter.in_shell",
    "reflex_fit.scatter.beyond",
)


def misses(table: Table, row: str, stars: StellarSample) -> list[Sentence]:
    """Returns a sentence for each quantity that is further from the published one than allowed.

    The widths of all are judged, and the medians of those that are no forecasts: a
    forecast has the published masses, and whatever else follows from them.

    Arguments:
        table: What `compare_with_published` returns, with a line for each quantity.
        row: The row's name in `TABLE2`.
        stars: Whether ours are the row's (`same`), others, or a mock at the row's
            medians.
    """
    _, bounds = _bounds(row)
    found = []
    for line in (line for line in table if line["quantity"] not in UNJUDGED):
        bound = bounds.get(line["quantity"], bounds[""])
        if stars == "same" and abs(line["shift"]) > bound:
            found.append(_far_median(line, row, bound))
        if abs(line["width_ratio"] - 1.0) > WIDTHS:
            found.append(_other_width(line, row, stars))
    return found


def _cells(line: Any, row: str, columns: Sequence[str]) -> list[str]:
    """Returns the keys of some cells of a line of the table of a row."""
    table = f"table2.{row_key(row)}"
    return [cell(table, line["quantity"], column) for column in columns]


def _far_median(line: Any, row: str, bound: float) -> Sentence:
    reason = _reason(line)
    text = (
        f"{line['quantity']}: {line['median']:.1f} {line['unit']}, published "
        f"{line['published']:.1f}, shift {line['shift']:+.2f} sigma, beyond {bound}. {reason}"
    )
    shows = _cells(line, row, ["median", "published", "shift"])
    prior = _cells(line, row, ["prior_median"])
    return Sentence(text, (*shows, _bound_key(row, line["quantity"]), *prior))


def _other_width(line: Any, row: str, stars: StellarSample) -> Sentence:
    cause = _cause(line, row, stars)
    text = (
        f"{line['quantity']}: its interval is {line['width_ratio']:.2f} times the "
        f"published one, beyond {1 - WIDTHS:.1f} to {1 + WIDTHS:.1f}. {cause}"
    )
    shows = (*_cells(line, row, ["width_ratio"]), *_WIDTH_KEYS, *cause.shows)
    return Sentence(text, shows)


def _cause(line: Any, row: str, stars: StellarSample) -> Sentence:
    """Returns why an interval may have another width: another signal, or other errors."""
    inner, outer = REFLEX_SHELL
    if line["quantity"] == "v_x" and line["width_ratio"] > 1:
        near, far, in_shell, beyond = _FIT_KEYS
        return Sentence(
            f"Of every interval, the fit to one simulation's stars at {inner:g}-{outer:g} kpc "
            f"has {SCATTER_IN_SHELL} km/s; to all beyond {inner:g} kpc it would have "
            f"{SCATTER_BEYOND} km/s.",
            (near, far, in_shell, near, beyond),
        )
    signal = line["median_ratio"]
    # the reflex has hardly a component along y, whose median is no measure of it
    explained = (signal - 1) / (line["width_ratio"] - 1) > _AS_MUCH
    if line["quantity"] != "v_y" and explained:
        return Sentence(
            f"Its median is {signal:.2f} times the published one, and the intervals of masses and "
            "speeds grow with their medians.",
            tuple(_cells(line, row, ["median_ratio"])),
        )
    if stars == "mock":
        return Sentence(
            "The forecast's errors are sqrt(N) estimates; the survey's own are printed nowhere."
        )
    return Sentence(
        "Our errors of bins with few stars differ from the paper's, which prints none."
    )


def _reason(line: Any) -> str:
    """Returns why a median may be off: its prior, or the data."""
    width = line["plus"] + line["minus"]
    if abs(line["median"] - line["prior_median"]) < 0.25 * width:
        return f"It stays near our prior's median, {line['prior_median']:.1f}."
    return (
        f"It is away from our prior's median, {line['prior_median']:.1f}. Possible reasons: our "
        "binned velocities and the errors of bins with few stars, which the paper prints "
        "nowhere, or, where the calibration fails, too few simulations."
    )


def compare_with_table2(
    found: Mapping[str, FloatArray], prior: FloatArray
) -> dict[str, Table]:
    """Returns each row beside the published one, and all of them together, by title.

    DESI's rows are judged as measurements, the others as forecasts.

    Arguments:
        found: Draws `[n, P]` for each row of `TABLE2`.
        prior: Draws from our prior, with shape `[m, P]`.
    """
    rows: dict[str, Table] = {}
    for row, draws in found.items():
        rows |= compare_with_published(
            draws, row, prior, "mock" if is_forecast(row) else "same"
        )
    return {**rows, **joined_table2([*rows.values()])}


def joined_table2(rows: Sequence[Table]) -> dict[str, Table]:
    """Returns our whole Table 2 beside the published one, by title.

    Arguments:
        rows: One table for each row, as `compare_with_published` returns it.

    Returns:
        One table in the published form, where each cell has ours before the published
        value, and one with a line for each row and quantity.
    """
    cells = [[row.meta["row"], *(_cell(line) for line in row)] for row in rows]
    units = [f"{name} [{q.unit}]" if q.unit else name for name, q in QUANTITIES.items()]
    compact = Table(rows=cells, names=["data", *units])
    compact.meta["key"] = "table2"
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
    whole.meta["key"] = "table2.lines"
    whole.meta["caption"] = "Every row and quantity, with shifts and ratios of widths."
    return {"Table 2": compact, "Table 2, line by line": whole}


def _cell(line: Any) -> str:
    ours = (
        line["median"],
        line["upper"] - line["median"],
        line["median"] - line["lower"],
    )
    theirs = (line["published"], line["plus"], line["minus"])
    return " | ".join(f"{m:.1f} +{p:.1f} -{n:.1f}" for m, p, n in (ours, theirs))


def prior_tables(prior: FloatArray) -> dict[str, Table]:
    """Returns what the prior implies, beside the paper, by title.

    Arguments:
        prior: Inferred parameters of simulations, with shape `[n, P]`.

    Returns:
        The masses within 50 kpc beside Table 1, and the travel velocity at the LMC
        masses of Table 2: for each mass the 16, 50 and 84 % of simulations within
        `NEAR_MASS` of it.
    """
    return {
        "Prior masses compared with Table 1": _prior_masses(quantities(prior)),
        "Travel velocity compared with Table 2": _travel_velocities(quantities(prior)),
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
    stars = float(np.mean(ours[TOTAL_MASS] - ours[HALO_MASS]))
    table.meta["key"] = "prior.masses"
    table.meta["caption"] = (
        "Mean and standard deviation of the masses that the prior implies, ours and those of "
        "Brooks et al. (2025b), Table 1. The Milky Way's is its halo's: disc and bulge are "
        f"{stars:.2f} times {QUANTITIES[HALO_MASS].unit} more."
    )
    table.meta["metrics"] = {"prior.masses.m_mw_stars_50": stars}
    table.meta["shows"] = list(table.meta["metrics"])
    return table


def _travel_velocities(ours: Mapping[str, FloatArray]) -> Table:
    strong = ours["log10 lambda_DF"] > STRONG_FRICTION
    rows = []
    for mass, published in MASS_AND_TRAVEL_VELOCITY:
        near = np.abs(ours["M_LMC(<50 kpc)"] / mass - 1.0) < NEAR_MASS
        speeds = ours["v_travel"]
        medians = _percentiles(speeds[near])
        rows.append(
            (
                mass,
                near.sum(),
                *medians,
                _percentiles(speeds[near & strong])[0],
                published,
            )
        )
    columns = ["M_LMC(<50 kpc)", "simulations", "v_travel", "lower", "upper"]
    columns += ["v_travel_strong_friction", "published"]
    table = Table(rows=rows, names=columns)
    table["M_LMC(<50 kpc)"].unit = "1e10 solMass"
    for name in columns[2:]:
        table[name].unit, table[name].info.format = "km / s", "%.1f"
    table.meta["key"] = "prior.travel_velocity"
    table.meta["caption"] = (
        f"Travel velocity of simulations within {100 * NEAR_MASS:g} % of the LMC masses of five "
        "rows of Table 2 (median, 16 and 84 %), and the median of those with lambda_DF above "
        f"{10**STRONG_FRICTION:.1f}, beside the rows' travel velocities. Those are medians of "
        "posteriors, which prefer strong friction and a light Milky Way: compare them with the "
        "pair that our posteriors give."
    )
    table.meta["metrics"] = {
        "prior.travel_velocity.near_mass": NEAR_MASS,
        "prior.travel_velocity.strong_friction": 10**STRONG_FRICTION,
    }
    table.meta["shows"] = list(table.meta["metrics"])
    return table


def _percentiles(values: FloatArray) -> list[float]:
    return np.percentile(values, [50, 16, 84]).tolist() if len(values) else [np.nan] * 3
