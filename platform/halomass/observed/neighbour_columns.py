"""What the columns of a table of neighbours mean: each described once, with its many names.

Titles are compared without capitals and units, and what a title or a unit says is taken
at its word. Where it says nothing, numbers are in kpc, km/s and Msun.
"""

from dataclasses import replace

from astropy import units
from astropy.table import Table

from orrery.tables.columns import ColumnDescription
from orrery.tables.titles import divided

KPC = units.kpc
KMS = units.km / units.s
MSUN = units.Msun
DEX = units.dex(MSUN)

# [dex(solMass)] outside of which a mass is in other units, or no mass
_SMALLEST_LOG_MASS = 0.0
_LARGEST_LOG_MASS = 15.0
_SMALLEST_LOG_HALO = (
    3.0  # no halo is lighter: it is a logarithm among masses, or no value
)
_FASTEST = 5000.0  # [km/s] beyond which nothing moves in a host
_FARTHEST = 1e6  # [kpc] that tables of a host's surroundings reach


def _described(
    unit: units.UnitBase, lower: float, upper: float, names: tuple[str, ...]
) -> ColumnDescription:
    # the quantity is called by its first name; what says no unit is in ours
    return ColumnDescription(
        names[0], unit, names, dict.fromkeys(names, unit), lower=lower, upper=upper
    )


def _log_mass(
    names: tuple[str, ...], least: float = _SMALLEST_LOG_MASS
) -> ColumnDescription:
    described = _described(DEX, least, _LARGEST_LOG_MASS, names)
    return replace(described, zero_is_none=True)


def _mass(
    names: tuple[str, ...], least: float = _SMALLEST_LOG_MASS
) -> ColumnDescription:
    return _described(MSUN, 10.0**least, 10.0**_LARGEST_LOG_MASS, names)


def _velocity(names: tuple[str, ...], lower: float = -_FASTEST) -> ColumnDescription:
    return _described(KMS, lower, _FASTEST, names)


def _length(names: tuple[str, ...], lower: float = 0.0) -> ColumnDescription:
    return _described(KPC, lower, _FARTHEST, names)


_LOG_M_STAR = (
    "log_m_star",
    "log10_m_star",
    "log_mstar",
    "log10_mstar",
    "logmstar",
)
_LOG_M_VIR = ("log_m_vir", "log_mvir", "log10_mvir")
_LOG_M_TIDAL = ("log_m_tidal", "log_mtidal", "log10_mtidal")
_LOG_M = ("log_m", "log10_m", "log_mass", "log10_mass", *_LOG_M_VIR, *_LOG_M_TIDAL)
_M_VIR = ("m_vir", "mvir", "m200", "m200c")
_M_BOUND = ("msub", "m_sub", "m_tidal", "mtidal")
_V_PEAK = ("v_peak", "vpeak", "peakvmax", "peak_vmax", "vmax_peak", "vmaxpeak")
# at infall or at peak mass, in the words of tables, UniverseMachine and hlists
_V_INFALL = ("v_infall", "vinfall", "vmax_infall", "infall_vmax", "v_inf", "vinf")
_V_AT_PEAK_MASS = (
    "v_mpeak",
    "vmpeak",
    "vmp",
    "vmax@mpeak",
    "vmax_mpeak",
    "vmax_at_mpeak",
)
_V_ACC = ("v_acc", "vacc", "vmax_acc", "acc_vmax", "first_acc_vmax")

MASS_COLUMNS = (
    _log_mass((*_LOG_M_STAR, "log10_mstar_ml1")),
    _mass(("m_star", "mstar", "stellar_mass")),
    _log_mass(
        ("log_m_peak", "log10_m_peak", "log_mpeak", "log10_mpeak"), _SMALLEST_LOG_HALO
    ),
    _mass(("m_peak", "mpeak"), _SMALLEST_LOG_HALO),
    _log_mass(_LOG_M, _SMALLEST_LOG_HALO),
    _mass(("m", "mass", *_M_VIR, *_M_BOUND), _SMALLEST_LOG_HALO),
)
_POSITIONS = (
    _length(("r", "distance", "dist")),
    _length(("x", "pos_x", "posx"), -_FARTHEST),
    _length(("y", "pos_y", "posy"), -_FARTHEST),
    _length(("z", "pos_z", "posz"), -_FARTHEST),
)
VELOCITY_COLUMNS = (
    _velocity(("v_r", "vr", "v_rad")),
    _velocity(("v_t", "vt", "v_tan"), 0.0),
    _velocity(("vx", "v_x", "vel_x", "velx")),
    _velocity(("vy", "v_y", "vel_y", "vely")),
    _velocity(("vz", "v_z", "vel_z", "velz")),
)
_SLOWEST = 1e-3  # [km/s] a circular velocity of zero is none
_SPEEDS = (
    _velocity(("vmax", "v_max"), _SLOWEST),
    _velocity(_V_PEAK, _SLOWEST),
    # several of these may be there: the first counts
    replace(_velocity((*_V_INFALL, *_V_AT_PEAK_MASS, *_V_ACC), _SLOWEST), ordered=True),
)
# What surrounds a host. Nearer than this it is a satellite itself, or within the cluster:
# these are Mpc. A satellite that is slower hosts no galaxy, and a faster one is a cluster.
_SURROUNDINGS = (
    _length(("distance_larger", "dnl"), 20.0),
    _length(("distance_cluster", "d14"), 250.0),
)
_SLOWEST_HEAVIEST, _FASTEST_HEAVIEST = 3.0, 1000.0  # [km/s]
ENVIRONMENT_COLUMNS = (
    replace(_SPEEDS[0], lower=_SLOWEST_HEAVIEST, upper=_FASTEST_HEAVIEST),
    *_SURROUNDINGS,
)
"""What surrounds a host, wherever it is said: `vmax` is that of its most massive satellite."""

NEIGHBOUR_COLUMNS = (
    *MASS_COLUMNS,
    *_POSITIONS,
    *VELOCITY_COLUMNS,
    *_SPEEDS,
    *_SURROUNDINGS,
)
NEIGHBOURS_DIFFER_IN = frozenset(
    description.quantity for description in (*_POSITIONS[1:], *VELOCITY_COLUMNS)
)
"""Of what no two neighbours have exactly the same, but for rounding."""
DESCRIBED = {description.quantity: description for description in NEIGHBOUR_COLUMNS}
NAME = ColumnDescription(
    "name",
    units.dimensionless_unscaled,
    ("name", "id", "haloid", "halo_id", "galaxy", "satellite", "galaxy_name"),
    words=True,
)


def with_logarithms_in_msun(table: Table) -> Table:
    """Returns a table whose logarithms of masses have their unit written in full.

    It seldom is: most tables say `dex`, `Msun` or nothing.

    Example:
        >>> from astropy.table import Column
        >>> table = Table({"log_m": Column([9.0], unit="solMass"), "r": [1.0]})
        >>> str(with_logarithms_in_msun(table)["log_m"].unit)
        'dex(solMass)'
    """
    names = {name for d in MASS_COLUMNS if d.unit == DEX for name in d.names}
    changed = table.copy(copy_data=False)
    for title in changed.colnames:
        name, titled = divided(title)
        said = changed[title].unit
        if said is None and titled is not None:
            said = units.Unit(titled, parse_strict="silent")
        known = (units.dex, units.dimensionless_unscaled, MSUN)
        if name in names and said is not None and said in known:
            changed[title].unit = DEX
    return changed
