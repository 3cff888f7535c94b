"""Which subhalos of a table count as satellites, and how many stars they have.

Catalogues that networks learn from lose a satellite once tides have brought its
circular velocity down to a fraction of its peak. A simulation's table still lists what is
left of it; ranked by peak mass such remnants, fallen in long ago and sunk deep, would
come first and make the host too light. So the same cut is made here, with the best
columns there are for it.
"""

from dataclasses import dataclass, field

import numpy as np

from halomass.mock import stellar_mass, tides
from halomass.mock.mock_universe import THRESHOLDS
from halomass.mock.populations import V_PEAK, V_PEAK_SLOPE
from halomass.observed.plain_table import PlainTable
from halomass.systems import LOG_M_PEAK, FloatArray
from orrery.identity import JSON
from orrery.parameters import BoolArray

THRESHOLD = THRESHOLDS["UM-SAGA"]  # the mock universe's default catalogue

PEAK_ALONE = (
    "peak masses alone: stripped subhalos that no catalogue keeps come first, and the host seems "
    "too light; give vmax too, or present masses"
)


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


def median_v_peak(log_m_peak: FloatArray) -> FloatArray:
    """Returns the median peak circular velocity [km/s] of halos in the mock universe.

    Arguments:
        log_m_peak: log10 of the largest mass in their past [Msun], with any shape.
    """
    return 10.0 ** (V_PEAK + V_PEAK_SLOPE * (np.asarray(log_m_peak, np.float64) - 10))


def log_m_peak_of(v_peak: FloatArray) -> FloatArray:
    """Returns log10 of the peak mass [Msun] whose median peak circular velocity [km/s] this is."""
    return 10 + (np.log10(v_peak) - V_PEAK) / V_PEAK_SLOPE


def velocity_ratio(table: PlainTable) -> tuple[FloatArray, str] | None:
    """Returns V_max over its peak `[N]`, and what it is from; None if columns are missing.

    The best first: both velocities; V_max and the median peak velocity of halos of the
    peak mass; what tides leave of the velocity when they leave a fraction of the peak
    mass.

    Where a column has no value it is NaN.

    Raises:
        ValueError: If all masses are in other units.
    """
    peak = table.first("log_m_peak", "m_peak")
    now = table.first("log_m", "m")
    fast = table.first("v_peak", "v_acc")
    titles = table.columns
    if "vmax" in titles and fast:
        text = f"{titles['vmax']} over {titles[fast]}"
        return table.values("vmax") / table.values(fast), text
    if "vmax" in titles and peak:
        text = f"{titles['vmax']} over the usual peak velocity of {titles[peak]}"
        return table.values("vmax") / median_v_peak(table.log_masses(peak)), text
    if now and peak:
        # a present mass above the peak mass means that nothing was lost
        bound = 10.0 ** np.minimum(table.log_masses(now) - table.log_masses(peak), 0.0)
        text = f"the velocity that {titles[now]} over {titles[peak]} leaves"
        return tides.velocity_fraction(bound), text
    return None


def select_satellites(
    table: PlainTable, threshold: float = THRESHOLD
) -> SatelliteSelection:
    """Returns which rows of a table count as satellites, and their stellar masses.

    Arguments:
        table: The rows.
        threshold: V_max over its peak, below which they are lost; with 0 none is.

    Raises:
        ValueError: If there are no masses, or no row is left.
    """
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold {threshold} must be from 0 to below 1, such as {THRESHOLD}"
        )
    ratio = velocity_ratio(table)
    found = _stellar_masses(table, cut=ratio is not None)
    heavy = _heavy(found)
    survives = np.full(len(heavy), True) if ratio is None else ~(ratio[0] <= threshold)
    massless = table.without_mass()
    kept = heavy & survives | massless
    unknown = np.isnan(found.log_m_star) | massless
    if ratio is not None:
        unknown = unknown | np.isnan(ratio[0])
    if not (kept & ~unknown).any():
        raise ValueError(
            f"{table.file}: none of {len(kept)} subhalos is above 10^{LOG_M_PEAK:g} Msun and has "
            f"{ratio[1] if ratio else 'survived'} above {threshold:g}: check the units, or lower "
            "the threshold"
        )
    selection: JSON = (
        {} if found.log_m_peak is None else {"light": int((~heavy & ~kept).sum())}
    )
    if ratio is not None:
        selection |= {"survival": ratio[1], "threshold": threshold}
        selection |= {"stripped": int((heavy & ~kept).sum())}
    warnings = (PEAK_ALONE,) if ratio is None and found.by_peak else ()
    return SatelliteSelection(
        found.log_m_star, found.mass, kept, kept & unknown, selection, warnings
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
    fast = table.first("v_peak", "v_acc")
    log_m_peak = table.log_masses(peak) if peak else None
    if stars:
        return _StellarMasses(table.log_masses(stars), table.columns[stars], log_m_peak)
    if peak and log_m_peak is not None:
        return _from_halos(log_m_peak, table.columns[peak], log_m_peak)
    # once remnants are cut, peaks say more of the stars than what tides have left
    if fast and (cut or not now):
        masses = log_m_peak_of(table.values(fast))
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
