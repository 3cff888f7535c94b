"""Which subhalos of a table count as satellites, and how many stars they have.

Catalogues that networks learn from lose a satellite once tides have brought its
circular velocity down to a fraction of what it was at infall. A simulation's table still
lists what is left of it; ranked by peak mass such remnants, fallen in long ago and sunk
deep, would come first and make the host too light. So the same cut is made here, with
the best columns there are for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from halomass.hosts.options import THRESHOLD, Criterion
from halomass.hosts.survival import (
    PEAK_OVER_INFALL,
    median_v_peak,
    velocity_limit,
    velocity_ratios,
)
from halomass.mock import stellar_mass
from halomass.mock.populations import V_PEAK, V_PEAK_SLOPE
from halomass.observed.columns_of_one import check_masses
from halomass.observed.plain_table import PlainTable
from halomass.observed.unmeasured_columns import LEAVE_OUT, check_differs
from halomass.systems import LOG_M_PEAK, FloatArray
from orrery.identity import JSON
from orrery.parameters import BoolArray

__all__ = ["THRESHOLD", "SatelliteSelection", "median_v_peak", "select_satellites"]

PEAK_ALONE = (
    "peak masses alone: stripped subhalos that no catalogue keeps come first, and the host seems "
    "too light, zoom-in hosts by about 0.15 dex; give vmax too, or present masses"
)
_OTHER_MASSES = f"{LEAVE_OUT}, if others say the masses"
# Of 29 % of the neighbours of a host, measured for this project, no more than remnants are
# left. Of twice as many the cut is doubted, unless there are few.
_MOST_STRIPPED = 0.6
_FEWEST_STRIPPED = 5
# [dex] from the mass whose median velocity a halo has: those of one mass scatter by 0.1, and
# simulations differ by less than one.
_MOST_APART = 1.5
# What is today, what it ever was, and by how many times it may be more nevertheless: numbers
# are rounded, and masses are of different definitions.
_NEVER_LARGER = (("vmax", "v_peak", 1.02), ("log_m", "log_m_peak", 1.5))
_FEW_LARGER = 2  # rows that may have such numbers whatever the table
_MOST_LARGER = 0.2  # of all rows


@dataclass(frozen=True)
class SatelliteSelection:
    """What a table's rows are taken for.

    Arguments:
        log_m_star: log10 of their stellar masses `[N]` [Msun]; NaN where unknown.
        mass: What these are from.
        kept: Which of them count, or may count, with shape `[N]`.
        unknown: Of which of these nobody knows, because they lack a value, `[N]`.
        selection: How many do not, as plain JSON; empty if no columns decide it.
        warnings: What a user must know.

    Example:
        >>> from astropy.table import Table
        >>> columns = {"m_peak": [1e10, 1e10], "vmax": [30.0, 90.0], "vpeak": [90.0, 90.0]}
        >>> select_satellites(PlainTable.of(Table(columns), "host.csv")).kept
        array([False,  True])
    """

    log_m_star: FloatArray
    mass: str
    kept: BoolArray
    unknown: BoolArray
    selection: JSON = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def log_m_peak_of(v_peak: FloatArray) -> FloatArray:
    """Returns log10 of the peak mass [Msun] whose median peak circular velocity [km/s] this is."""
    return 10 + (np.log10(v_peak) - V_PEAK) / V_PEAK_SLOPE


def mismatched_peaks(table: PlainTable, rows: Sequence[int]) -> list[str]:
    """Returns a warning of peak masses that no halo of such a peak velocity has, if there are any.

    Arguments:
        table: A host's neighbours.
        rows: Which of them count.

    Example:
        >>> from astropy.table import Table
        >>> columns = {"name": ["a", "b"], "m_peak": [4e8, 1e12], "v_peak": [13.0, 13.0]}
        >>> mismatched_peaks(PlainTable.of(Table(columns), "host.csv"), [0, 1])
        ["m_peak of 'b' is 1e+12 where v_peak is 13: no halo has both; look up which is wrong"]
    """
    mass = table.first("log_m_peak", "m_peak")
    if mass is None or "v_peak" not in table.columns:
        return []
    velocity = table.values("v_peak")
    apart = table.log_masses(mass) - log_m_peak_of(velocity)
    names, masses = table.names(), table.values(mass)
    found = [
        f"{table.columns[mass]} of {names[row]!r} is {masses[row]:.4g} where "
        f"{table.columns['v_peak']} is {velocity[row]:.4g}"
        for row in rows
        if np.abs(apart[row]) > _MOST_APART
    ]
    if not found:
        return []
    return [f"{', '.join(found[:8])}: no halo has both; look up which is wrong"]


@dataclass(frozen=True, eq=False)
class VelocityLoss:
    """How much of their circular velocity the rows of a table have left, by one criterion.

    Arguments:
        criterion: What the velocity today is compared with.
        ratio: Over that, with shape `[N]`; NaN where a value is missing.
        text: Which columns it is from.

    Example:
        >>> from astropy.table import Table
        >>> columns = {"vmax": [60.0], "vpeak": [100.0], "vacc": [80.0]}
        >>> table = PlainTable.of(Table(columns), "host.csv")
        >>> [(loss.text, loss.ratio[0]) for loss in velocity_losses(table)]
        [('vmax over vacc', np.float64(0.75)), ('vmax over vpeak', np.float64(0.6))]
    """

    criterion: Criterion
    ratio: FloatArray
    text: str


def velocity_losses(table: PlainTable) -> list[VelocityLoss]:
    """Returns what is left of the circular velocities, by each criterion, the best first.

    A `vmax` that is the host's one number says nothing of its neighbours.

    Raises:
        ValueError: If all masses are in other units, a mass or velocity is the same in all
            rows, or what is largest ever is smaller than today's.
    """
    speeds = [what for what in ("v_infall", "v_peak") if what in table.columns]
    for what in speeds:
        check_differs(table.values(what), table.columns[what], table.file)
    if "vmax" in table.columns and not table.vmax_is_of_host:
        speeds.append("vmax")
    known = {what: table.values(what) for what in speeds}
    titles = {what: table.columns[what] for what in speeds}
    for what, columns in _MASSES.items():
        found = table.first(*columns)
        if found:
            check_differs(
                table.values(found), table.columns[found], table.file, _OTHER_MASSES
            )
            known[what] = table.log_masses(found)
            titles[what] = table.columns[found]
    plain = {what: 10.0**n if what in _MASSES else n for what, n in known.items()}
    for today, ever, beyond in _NEVER_LARGER:
        if {today, ever} <= set(plain):
            more = plain[today] > beyond * plain[ever]
            _check_largest(more, (titles[today], titles[ever]), table.file)
    return [
        VelocityLoss(name, ratio, _TEXTS[name].format(**titles))
        for name, ratio in velocity_ratios(known).items()
    ]


def _check_largest(more: BoolArray, titles: tuple[str, str], file: str) -> None:
    """Refuses columns of which what is today is often more than what it ever was."""
    count = int(more.sum())
    if count > max(_FEW_LARGER, _MOST_LARGER * len(more)):
        today, ever = titles
        raise ValueError(
            f"{file}: {today} is larger than {ever} in {count} of {len(more)} rows, and today's "
            "is never more than the largest ever: are the columns exchanged, or in other units?"
        )


_MASSES = {"log_m_peak": ("log_m_peak", "m_peak"), "log_m": ("log_m", "m")}
_TEXTS: dict[Criterion, str] = {
    "infall": "{vmax} over {v_infall}",
    "peak_velocity": "{vmax} over {v_peak}",
    "peak_mass": "{vmax} over the usual peak velocity of {log_m_peak}",
    "bound_mass": "the velocity that {log_m} over {log_m_peak} leaves",
}


def select_satellites(
    table: PlainTable,
    threshold: float = THRESHOLD,
    criterion: Criterion | None = None,
) -> SatelliteSelection:
    """Returns which rows of a table count as satellites, and their stellar masses.

    Arguments:
        table: The rows.
        threshold: V_max over its value at infall, below which they are lost; with 0
            none is. Of other criteria it is the equivalent.
        criterion: By which; the best that columns allow when None.

    Raises:
        ValueError: If there are no masses, two columns contradict each other, no row is
            left, or columns do not allow the criterion.
    """
    check_masses(table.columns, table.log_masses, table.file)
    losses = velocity_losses(table)
    loss = _chosen(losses, table.file, criterion)
    found = _stellar_masses(table, cut=loss is not None)
    heavy = _heavy(found)
    limit = velocity_limit(loss.criterion if loss else "infall", threshold)
    survives = np.full(len(heavy), True) if loss is None else ~(loss.ratio <= limit)
    massless = table.without_mass()
    kept = heavy & survives | massless
    unknown = np.isnan(found.log_m_star) | massless
    if loss is not None:
        unknown = unknown | np.isnan(loss.ratio)
    if not (kept & ~unknown).any():
        raise ValueError(
            f"{table.file}: none of {len(kept)} subhalos is above 10^{LOG_M_PEAK:g} Msun and has "
            f"{loss.text if loss else 'survived'} above {limit:.4g}: check the units, or lower "
            "it with `--host.threshold`"
        )
    selection: JSON = (
        {} if found.log_m_peak is None else {"light": int((~heavy & ~kept).sum())}
    )
    if loss is not None:
        selection |= {"survival": loss.text, "criterion": loss.criterion}
        selection |= {"criteria": [loss.criterion for loss in losses]}
        selection |= {"threshold": round(limit, 4), "threshold_at_infall": threshold}
        selection |= {"stripped": int((heavy & ~kept).sum())}
    warnings = [PEAK_ALONE] if loss is None and found.by_peak else []
    if loss is not None:
        warnings += _too_many(selection["stripped"], int(heavy.sum()), loss.text)
    return SatelliteSelection(
        found.log_m_star, found.mass, kept, kept & unknown, selection, tuple(warnings)
    )


def _too_many(stripped: int, subhalos: int, measure: str) -> list[str]:
    """Returns a warning of a cut that leaves few: what it compares with may be another's."""
    if stripped <= _MOST_STRIPPED * subhalos or stripped < _FEWEST_STRIPPED:
        return []
    return [
        f"{stripped} of {subhalos} subhalos count as stripped by {measure}; around an N-body "
        "host it was 29 %: if they are not, give a column with their own circular velocity at "
        "infall, or the largest one ever"
    ]


def _chosen(
    losses: list[VelocityLoss], file: str, criterion: Criterion | None
) -> VelocityLoss | None:
    if criterion is None:
        return losses[0] if losses else None
    for loss in losses:
        if loss.criterion == criterion:
            return loss
    raise ValueError(
        f"{file} cannot be cut by {criterion}: its columns allow "
        f"{', '.join(loss.criterion for loss in losses) or 'no criterion'}"
    )


@dataclass(frozen=True)
class _StellarMasses:
    """Stellar masses `[N]`, what they are from, and peak masses `[N]` where these are known."""

    log_m_star: FloatArray
    mass: str
    log_m_peak: FloatArray | None
    by_peak: bool = False


def _heavy(found: _StellarMasses) -> BoolArray:
    if found.log_m_peak is None:
        return np.full(len(found.log_m_star), True)
    return ~(found.log_m_peak <= LOG_M_PEAK)


def _stellar_masses(table: PlainTable, cut: bool) -> _StellarMasses:
    """Returns stellar masses from the best column: once remnants are cut, peaks say the most."""
    stars = table.first("log_m_star", "m_star")
    peak = table.first("log_m_peak", "m_peak")
    now = table.first("log_m", "m")
    fast = table.first("v_peak", "v_infall")
    log_m_peak = table.log_masses(peak) if peak else None
    if stars:
        title = table.columns[stars]
        check_differs(table.values(stars), title, table.file, _OTHER_MASSES)
        return _StellarMasses(table.log_masses(stars), table.columns[stars], log_m_peak)
    if peak and log_m_peak is not None:
        return _from_halos(log_m_peak, table.columns[peak], log_m_peak)
    # once remnants are cut, peaks say more of the stars than what tides have left
    if fast and (cut or not now):
        # the relation is that of peaks
        more = PEAK_OVER_INFALL if fast == "v_infall" else 1.0
        masses = log_m_peak_of(more * table.values(fast))
        return _from_halos(masses, f"peak mass of {table.columns[fast]}", masses)
    if now:
        return _from_halos(table.log_masses(now), table.columns[now], None)
    raise ValueError(
        f"{table.file} has no column with masses, only {', '.join(table.table.colnames)}: name one "
        "log_m_star, m_star, log_m_peak, m_peak, log_m or m"
    )


def _from_halos(
    masses: FloatArray, title: str, log_m_peak: FloatArray | None
) -> _StellarMasses:
    known = np.isfinite(masses)
    median = np.full(len(masses), np.nan)
    median[known] = stellar_mass.median_log_stellar_mass(masses[known])
    text = f"{title}: median stellar mass of halos of this mass"
    return _StellarMasses(median, text, log_m_peak, log_m_peak is not None)
