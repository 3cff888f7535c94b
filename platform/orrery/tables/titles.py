"""Titles of columns, as people write them: a name, and often a unit."""

import re
from collections.abc import Mapping, Sequence, Set

from astropy import units

KM_S = units.km / units.s
# Units by the ending of a title, for files that hold none, such as CSV.
UNIT_ENDINGS: Mapping[str, units.UnitBase] = {
    "deg": units.deg,
    "degrees": units.deg,
    "rad": units.rad,
    "hours": units.hourangle,
    "hourangle": units.hourangle,
    "hms": units.hourangle,
    "dms": units.deg,
    "pc": units.pc,
    "kpc": units.kpc,
    "mpc": units.Mpc,
    "kms": KM_S,
    "km_s": KM_S,
    "kmps": KM_S,
    "kmsec": KM_S,
    "km_sec": KM_S,
    "km_per_s": KM_S,
    "masyr": units.mas / units.yr,
    "mas_yr": units.mas / units.yr,
    "mas_y": units.mas / units.yr,
    "mas_year": units.mas / units.yr,
    "mas_per_yr": units.mas / units.yr,
    "uasyr": units.uas / units.yr,
    "mas": units.mas,
    "mag": units.mag,
    "msun": units.Msun,
}
_RADIAL = ("v_rad", "vel_rad")  # velocities, and no angles in radians
# Titles of a table that several were joined to, by surveys and by programs.
_PREFIX = re.compile(
    r"^(|gaia_?(e?dr\d)?|e?dr\d|gdr\d|sdss|segue|lamost|apogee|desi|h3|s5|target|src)_"
)
_FIRST = re.compile(r"_(1|x|a|left)$")  # of the first of two joined tables
_SECOND = re.compile(r"_(2|3|y|b|right)$")
# What tells that such an ending is an axis: v_x of v_x, v_y, v_z; mu_a of mu_a and mu_d.
_OTHER_AXIS = {"x": "z", "y": "z", "a": "d"}
_MOST_SPELLINGS = 4  # with and without prefix and ending
# A number in brackets is no unit, and stays a part of the title.
_BRACKETS = re.compile(
    r"^(.*?)[\s_,/]*(?:[\[(]\s*([^\d\])][^\])]*)?[\])]|[{<]\s*([^\d}>][^}>]*)[}>])$"
)
# An inverse power at the end, as in vlos_kms-1: those of joined tables are written _1.
_PER = re.compile(r"(?<=[a-z])\^?-1$")
_ERRORS = (
    *("{}_err", "{}_error", "{}_unc", "{}_uncertainty", "{}_sigma", "{}_std", "{}_e"),
    *("{}err", "{}error", "e_{}", "e{}", "err_{}", "error_{}", "sigma_{}", "sig_{}"),
)
_BELOW = (
    *("{}_err_low", "{}_err_lo", "{}_err_lower", "{}_err_minus", "{}_err_m", "{}_em"),
    *("{}_error_low", "{}_error_lower", "{}_error_minus", "{}_lower_error"),
    *("{}_errlo", "{}_errm", "{}_err_down", "{}_minus"),
)
_IVAR = ("{}_ivar", "{}ivar", "ivar_{}", "{}_inverse_variance", "{}_invvar")
_VARIANCE = ("{}_var", "{}_variance", "var_{}", "{}_err2", "{}_error2")
_ABOVE = (
    *("{}_err_high", "{}_err_hi", "{}_err_upper", "{}_err_plus", "{}_err_p", "{}_ep"),
    *("{}_error_high", "{}_error_upper", "{}_error_plus", "{}_upper_error"),
    *("{}_errhi", "{}_errp", "{}_err_up", "{}_plus"),
)


def error_names(names: Sequence[str], side: str = "both") -> tuple[str, ...]:
    """Returns what columns of errors are called.

    Arguments:
        names: What the columns of the quantity itself are called.
        side: `both`, or `below` or `above` where errors are not symmetric; or `ivar` or
            `variance` where one over their squares is given, or their squares.

    Example:
        >>> error_names(["rv"])[:2], error_names(["rv"], "above")[0]
        (('rv_err', 'rv_error'), 'rv_err_high')
    """
    forms = {
        **{"both": _ERRORS, "below": _BELOW, "above": _ABOVE},
        **{"ivar": _IVAR, "variance": _VARIANCE},
    }[side]
    return tuple(form.format(name) for name in names for form in forms)


def divided(title: str) -> tuple[str, str | units.UnitBase | None]:
    """Returns a title's name in small letters, and its unit if there is one in it.

    Example:
        >>> divided("Distance [kpc]"), divided("e_Plx"), divided("vlos_kms")[0]
        (('distance', 'kpc'), ('e_plx', None), 'vlos')
    """
    match = _BRACKETS.match(title.strip())
    name, unit = (match[1], match[2] or match[3]) if match else (title.strip(), None)
    name = re.sub(r"[\s\-./,]+", "_", _PER.sub("", name.lower()))
    if unit or name in _RADIAL:
        return name, unit
    for ending in sorted(UNIT_ENDINGS, key=len, reverse=True):
        if name.endswith(f"_{ending}"):
            return name.removesuffix(f"_{ending}"), UNIT_ENDINGS[ending]
    return name, None


def unit_remedy(title: str, wanted: units.UnitBase) -> str:
    """Returns how to call a column so that its title says in which unit its numbers are.

    Arguments:
        title: As it is, without a unit.
        wanted: The unit in which such numbers are usual.

    Example:
        >>> unit_remedy("dist", units.kpc)
        "call it 'dist_kpc' (_pc, _mpc for other units)"
        >>> unit_remedy("vlos", KM_S)
        "call it 'vlos_kms'"
    """
    endings: dict[units.UnitBase, str] = {}
    for ending, unit in UNIT_ENDINGS.items():
        if unit.is_equivalent(wanted):
            endings.setdefault(unit, f"_{ending}")
    usual = endings.pop(wanted, None)
    others = ", ".join(endings.values())
    if usual is None:
        return f"call it with one of {others}" if others else "give it one"
    return f"call it '{title}{usual}'" + (
        f" ({others} for other units)" if others else ""
    )


def spellings(titles: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns for each title the names that it may stand for, the plainest first.

    Of VizieR's pairs `e_Dist` and `E_Dist`, which only a capital tells apart, the first
    is the error below and the second the one above.

    Example:
        >>> spellings(["GAIAEDR3_PMRA", "e_D", "E_D"])["GAIAEDR3_PMRA"]
        ('gaiaedr3_pmra', 'pmra')
        >>> spellings(["e_D", "E_D"])["E_D"]
        ('d_err_high',)
    """
    names = {divided(title)[0] for title in titles}
    written = set(titles)
    return {title: _spelled(title, written, names) for title in titles}


def _spelled(title: str, titles: Set[str], names: Set[str]) -> tuple[str, ...]:
    name = divided(title)[0]
    if title[:2] == "E_" and f"e_{title[2:]}" in titles:
        name = f"{name[2:]}_err_high"
    elif title[:2] == "e_" and f"E_{title[2:]}" in titles:
        name = f"{name[2:]}_err_low"
    found = [name]
    base, _, ending = name.rpartition("_")
    if ending in _OTHER_AXIS and f"{base}_{_OTHER_AXIS[ending]}" in names:
        return (name,)
    for pattern in (_FIRST, _PREFIX):
        found += [pattern.sub("", one) for one in found if pattern.search(one)]
    second = [_SECOND.sub("", one) for one in found if _SECOND.search(one)]
    if not second:
        return tuple(found)
    # further from the name than any spelling of the first table's columns
    return (*found, *[""] * (_MOST_SPELLINGS - len(found)), *second)
