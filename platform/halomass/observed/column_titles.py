"""What the titles of a table mean: quantities by their many names, and units.

Titles are compared without capitals, endings such as `_kpc` and units in brackets,
and what a title or a unit says is taken at its word. Where it says nothing, numbers are
in kpc, km/s and Msun.
"""

import re
from collections.abc import Sequence
from typing import Any

from astropy import units

KPC = units.kpc
KMS = units.km / units.s
MSUN = units.Msun
DEX = units.dex(MSUN)

# The names that columns may have, in small letters and without their units.
NAMES = {
    "log_m_star": (
        "log_m_star",
        "log10_m_star",
        "log_mstar",
        "log10_mstar",
        "log10_mstar_ml1",
    ),
    "m_star": ("m_star", "mstar", "stellar_mass"),
    "log_m_peak": ("log_m_peak", "log10_m_peak", "log_mpeak", "log10_mpeak"),
    "m_peak": ("m_peak", "mpeak"),
    "log_m": (
        "log_m",
        "log10_m",
        "log_mass",
        "log10_mass",
        "log_m_vir",
        "log_mvir",
        "log10_mvir",
        "log_m_tidal",
        "log_mtidal",
        "log10_mtidal",
    ),
    "m": (
        "m",
        "mass",
        "m_vir",
        "mvir",
        "m200",
        "m200c",
        "msub",
        "m_sub",
        "m_tidal",
        "mtidal",
    ),
    "r": ("r", "distance", "dist"),
    "v_r": ("v_r", "vr", "v_rad"),
    "v_t": ("v_t", "vt", "v_tan"),
    **{axis: (axis,) for axis in ("x", "y", "z")},
    **{f"v{axis}": (f"v{axis}", f"v_{axis}") for axis in ("x", "y", "z")},
    "vmax": ("vmax", "v_max"),
    "v_peak": ("v_peak", "vpeak", "peakvmax", "peak_vmax", "vmax_peak", "vmaxpeak"),
    "v_acc": ("v_acc", "vacc"),
    "distance_larger": ("distance_larger", "dnl"),
    "distance_cluster": ("distance_cluster", "d14"),
    "name": ("name", "id", "haloid", "halo_id"),
}
_ENDINGS = {
    "_kpc": KPC,
    "_mpc": units.Mpc,
    "_kms": KMS,
    "_km_s": KMS,
    "_msun": MSUN,
}
# A number in brackets is no unit, and stays a part of the title.
_BRACKETS = re.compile(r"^(.*?)[\s_]*[\[(]\s*([^\d\])][^\])]*)?[\])]$")


def recognised_titles(titles: Sequence[str], file: str) -> dict[str, str]:
    """Returns what is known by which title.

    Raises:
        ValueError: If two titles say the same.
    """
    found: dict[str, str] = {}
    for title in titles:
        for what, names in NAMES.items():
            if bare_title(title) not in names:
                continue
            if what in found:
                raise ValueError(
                    f"{file}: both {found[what]} and {title} say {what}: leave one of them out"
                )
            found[what] = title
    return found


def _divided(title: str) -> tuple[str, str | None]:
    """Returns a title without its brackets, and the unit that stands in these, if there is one."""
    match = _BRACKETS.match(title.strip())
    return (match[1], match[2]) if match else (title.strip(), None)


def bare_title(title: str) -> str:
    """Returns a title in small letters, without its unit in brackets or at the end."""
    small = _divided(title)[0].lower()
    ending = next((e for e in _ENDINGS if small.endswith(e)), "")
    return small.removesuffix(ending)


def unit_of(title: str, given: Any) -> Any:
    """Returns the unit of a column, or the one in its title; None if there is neither."""
    if given is not None:
        return given
    name, unit = _divided(title)
    if unit:
        return units.Unit(unit)
    small = name.lower()
    return next(
        (unit for ending, unit in _ENDINGS.items() if small.endswith(ending)), None
    )


def conversion_factor(given: Any, wanted: Any) -> float:
    """Returns what numbers must be multiplied with; logarithms cannot be, and have to fit."""
    if given is None or given == wanted:
        return 1.0
    if wanted == DEX:
        # of logarithms the unit is seldom written down in full
        if given in (units.dex, units.dimensionless_unscaled, MSUN):
            return 1.0
        raise units.UnitConversionError(f"it is in {given}")
    return float(units.Unit(given).to(wanted))
