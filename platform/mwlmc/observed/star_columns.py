"""What columns of star tables mean: quantities, their ranges, and what surveys call them.

The names are those of Gaia, DESI, H3, SDSS and SEGUE, LAMOST, APOGEE, S5, of catalogues of
RR Lyrae, of galstreams, VizieR and TOPCAT. A survey's own name has the unit that the
survey has defined; other names need one, in the file or in the title.
"""

import numpy as np
from astropy import units

from mwlmc.observed.columns import DEG, KMS, KPC, MASYR, NONE
from orrery.tables.columns import ColumnDescription

MAS = units.mas
MAG = units.mag

_FASTEST = 1500.0  # [km/s] the fastest star known, thrown out of the Galaxy, has 1,020
_FASTEST_ACROSS = 11_000.0  # [mas/yr] Barnard's star has 10,393
_NEAREST, _FURTHEST = 1e-3, 1000.0  # [kpc] of stars, those of Andromeda included


def _documented(unit: units.UnitBase, names: str) -> dict[str, units.UnitBase]:
    return dict.fromkeys(names.split(), unit)


def _described(
    quantity: str,
    unit: units.UnitBase,
    documented: dict[str, units.UnitBase],
    others: str,
    **more: object,
) -> ColumnDescription:
    """Returns a description whose names are the documented ones and others."""
    names = tuple(dict.fromkeys([*documented, *others.split()]))
    return ColumnDescription(quantity, unit, names, documented, **more)  # type: ignore[arg-type]


_RA = _described(
    "ra",
    DEG,
    {
        **_documented(DEG, "ra ra_icrs raj2000 radeg ra_deg ra_obs ra_gaia plug_ra"),
        **_documented(units.hourangle, "ra_h ra_hr rah_ram_ras rah_ram"),
    },
    "right_ascension alpha",
    lower=-180.0,
    upper=360.0,
    wraps=True,
    ordered=True,
    sexagesimal="hours",
    consequence="row",
    needed=True,
    ties="none",
    frame="equatorial",
    meaning="right ascension",
)
_DEC = _described(
    "dec",
    DEG,
    _documented(
        DEG,
        "dec de_icrs dec_icrs dej2000 decj2000 dedeg dec_obs dec_gaia plug_dec "
        "de_ded_dem_des de_ded_dem",
    ),
    "declination delta",
    lower=-90.0,
    upper=90.0,
    ordered=True,
    sexagesimal="degrees",
    consequence="row",
    needed=True,
    ties="none",
    frame="equatorial",
    meaning="declination",
)
_L = _described(
    "l",
    DEG,
    _documented(DEG, "l glon gal_l l_gal"),
    "galactic_longitude gal_lon",
    lower=-180.0,
    upper=360.0,
    wraps=True,
    ordered=True,
    consequence="row",
    needed=True,
    ties="none",
    frame="galactic",
    meaning="Galactic longitude",
)
_B = _described(
    "b",
    DEG,
    _documented(DEG, "b glat gal_b b_gal"),
    "galactic_latitude gal_lat",
    lower=-90.0,
    upper=90.0,
    ordered=True,
    consequence="row",
    needed=True,
    ties="none",
    frame="galactic",
    meaning="Galactic latitude",
)
_DISTANCE = _described(
    "distance",
    KPC,
    {
        **_documented(KPC, "dist_adpt dist50 dist_adop"),
        **_documented(units.pc, "distance_gspphot r_med_geo r_med_photogeo rgeo rpgeo"),
        **_documented(units.pc, "weighted_dist"),
    },
    "distance dist d d_helio dhelio d_hel dhel r_helio rhelio r_hel heliocentric_distance "
    "helio_distance helio_dist d_sun dsun r_sun rsun dist_mean dist_median dist_helio",
    lower=_NEAREST,
    upper=_FURTHEST,
    consequence="row",
    needed=True,
    ties="some",
    meaning="distance from the Sun",
)


def _bound(side: str, percentile: int, kpc: str, pc: str) -> ColumnDescription:
    """Returns the description of a percentile of distances, which many give for errors."""
    return _described(
        f"distance_{side}",
        KPC,
        {**_documented(KPC, kpc), **_documented(units.pc, pc)},
        "",
        lower=_NEAREST,
        upper=_FURTHEST,
        meaning=f"{percentile}th percentile of the distance",
    )


_LOW = _bound(
    "low",
    16,
    "dist16 dist_16 distance16 distance_16 d16",
    "r_lo_geo r_lo_photogeo distance_gspphot_lower",
)
_HIGH = _bound(
    "high",
    84,
    "dist84 dist_84 distance84 distance_84 d84",
    "r_hi_geo r_hi_photogeo distance_gspphot_upper",
)
_MODULUS = _described(
    "distance_modulus",
    MAG,
    _documented(
        MAG,
        "distance_modulus dist_modulus distmod dist_mod dm dmod mod mu mu0 (m_m)0 (m_m)o "
        "m_m_0 m_m distance_mod",
    ),
    "",
    lower=-10.0,
    upper=25.0,
    ties="some",
    meaning="distance modulus",
)
_PARALLAX = _described(
    "parallax",
    MAS,
    _documented(MAS, "parallax plx"),
    "varpi parallaxes",
    lower=-1000.0,
    upper=1000.0,
    ties="none",
    meaning="parallax",
)
_V_LOS = _described(
    "v_los",
    KMS,
    {
        **_documented(
            KMS, "radial_velocity vrad rv_adop elodiervfinal elodie_rv_final"
        ),
        **_documented(KMS, "vhelio_avg vel_calib hrv dr2_radial_velocity"),
    },
    "v_los vlos rv rvel vel v_r vr v_rad radvel rad_vel v_hel vhel v_helio vhelio vh "
    "helio_rv rv_helio heliocentric_velocity los_velocity line_of_sight_velocity vel_map "
    "rv_noz corrected_rv rv_corr rv50 vel50",
    lower=-_FASTEST,
    upper=_FASTEST,
    consequence="row",
    needed=True,
    ties="none",
    meaning="heliocentric line-of-sight velocity",
)
WITHOUT_COSINE = ("mu_alpha", "mu_ra", "mu_a", "mua", "mualpha", "mura")
"""Names of proper motions along right ascension that do not say whether cos(dec) is in them."""
_PM_RA = _described(
    "pm_ra",
    MASYR,
    _documented(MASYR, "pmra"),
    "pm_ra_cosdec pmra_cosdec pm_ra pmracosdec mu_alpha_star pmra_cosd mu_ra_cosdec "
    "pm_ra_cosd mu_alpha_cosdelta mu_alpha_cosdec mu_alpha_cosd mu_alpha_cos_delta "
    "mu_alpha_cos_dec pm_ra_cos_dec pmra_cos_dec pm_ra_cosdelta pmra_cosdelta mua_cosd "
    "mu_ra_cosd mualpha_cosdelta mu_alphacosd mualphacosd mu_alphacosdelta "
    + " ".join(WITHOUT_COSINE),
    fallbacks=WITHOUT_COSINE,
    lower=-_FASTEST_ACROSS,
    upper=_FASTEST_ACROSS,
    ties="none",
    frame="equatorial",
    meaning="proper motion along right ascension, times cos(dec)",
)
_PM_DEC = _described(
    "pm_dec",
    MASYR,
    _documented(MASYR, "pmdec pmde"),
    "pm_dec pm_de mu_dec mu_de mud mu_d mu_delta",
    lower=-_FASTEST_ACROSS,
    upper=_FASTEST_ACROSS,
    ties="none",
    frame="equatorial",
    meaning="proper motion along declination",
)
_PM_L = _described(
    "pm_l",
    MASYR,
    {},
    "pml_cosb pm_l_cosb pmlcosb mu_l_cosb pml_cos_b",
    lower=-_FASTEST_ACROSS,
    upper=_FASTEST_ACROSS,
    ties="none",
    frame="galactic",
    meaning="proper motion along Galactic longitude, times cos(b)",
)
_PM_B = _described(
    "pm_b",
    MASYR,
    {},
    "pmb pm_b mu_b",
    lower=-_FASTEST_ACROSS,
    upper=_FASTEST_ACROSS,
    ties="none",
    frame="galactic",
    meaning="proper motion along Galactic latitude",
)
# No two errors are one: exactly 1 or -1 stands for no value.
_CORRELATED = float(np.nextafter(1.0, 0.0))
_PM_CORR = _described(
    "pm_corr",
    NONE,
    {},
    "pm_corr pm_correlation",
    lower=-_CORRELATED,
    upper=_CORRELATED,
    meaning="correlation of the proper motions' errors",
)
_PM_RA_DEC_CORR = _described(
    "pm_ra_dec_corr",
    NONE,
    {},
    "pmra_pmdec_corr pmrapmdecor pmrapmdeccor pmra_pmdec_correlation corr_pmra_pmdec "
    "pmra_pmde_corr",
    lower=-_CORRELATED,
    upper=_CORRELATED,
    meaning="correlation of the errors along right ascension and declination",
)
_PM_L_B_CORR = _described(
    "pm_l_b_corr",
    NONE,
    {},
    "pml_pmb_corr pml_cosb_pmb_corr pm_l_pm_b_corr corr_pml_pmb pml_pmb_correlation",
    lower=-_CORRELATED,
    upper=_CORRELATED,
    meaning="correlation of the errors along Galactic longitude and latitude",
)
IDENTIFIERS = ("gaia", "identifier")
"""Quantities that tell stars apart, the better first."""
_GAIA = ColumnDescription(
    IDENTIFIERS[0],
    NONE,
    (
        *("source_id", "gaia_source_id", "gaia_id", "source", "gaia", "gaiaedr3_id"),
        *("dr3_source_id", "edr3_source_id", "gaiadr3_id", "sourceid", "dr3name"),
    ),
    ordered=True,
    words=True,
    identifies="integers",
    meaning="identifiers of Gaia's",
)
_IDENTIFIER = ColumnDescription(
    IDENTIFIERS[1],
    NONE,
    (
        *("targetid", "apogee_id", "h3_id", "specobjid", "specobj_id", "sdss_id"),
        *("2mass", "2mass_id", "2mass_designation", "twomass", "tmass", "tmass_id"),
        *("star_id", "starid", "objid", "object_id", "obj_id", "uid", "id"),
    ),
    ordered=True,
    words=True,
    identifies="words",
    meaning="identifiers of stars",
)
DESCRIPTIONS: tuple[ColumnDescription, ...] = (
    *(_RA, _DEC, _L, _B, _PM_CORR, _PM_RA_DEC_CORR, _PM_L_B_CORR),
    *(_GAIA, _IDENTIFIER),
    *_DISTANCE.with_errors(_FURTHEST),
    *_DISTANCE.squared_errors(_FURTHEST),
    *(_LOW, _HIGH),
    *_MODULUS.with_errors(10.0),
    *_MODULUS.squared_errors(10.0),
    *_PARALLAX.with_errors(100.0),
    *_PARALLAX.squared_errors(100.0),
    *_V_LOS.with_errors(500.0, _documented(KMS, "verr")),  # APOGEE's
    *_V_LOS.squared_errors(500.0),
    *(
        error
        for motion in (_PM_RA, _PM_DEC, _PM_L, _PM_B)
        for error in (*motion.with_errors(100.0), *motion.squared_errors(100.0))
    ),
)
"""All that a star table may have."""

# Catalogues fill unknown positions and proper motions with zeros.
PAIRS = (("ra", "dec"), ("l", "b"), ("pm_ra", "pm_dec"), ("pm_l", "pm_b"))

WITH_ERRORS = (
    "distance_modulus",
    "parallax",
    "distance",
    "v_los",
    *PAIRS[2],
    *PAIRS[3],
)
"""Quantities that have errors."""

SUPERSEDED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("ra", "dec"), ("l", "b")),
    (("distance",), ("distance_modulus", "parallax")),
    (("distance", "distance_error"), ("distance_low", "distance_high")),
    (("distance_modulus",), ("parallax",)),
    (("pm_l", "pm_b"), ("pm_ra", "pm_dec", "pm_ra_dec_corr")),
    *(
        ((f"{quantity}_error_ivar",), (f"{quantity}_error_variance",))
        for quantity in WITH_ERRORS
    ),
)
"""Quantities that are not used where others are there, which say the same or more."""

_NO_USE = {
    "of no use to motions": (
        "teff teff_k logg feh fe_h alpha_fe alphafe ebv e_b_v phot_g_mean_mag gmag g_mag bp_rp "
        "ruwe vmag snr name designation object field"
    ),
    "positions are taken as exact": "ra_error dec_error ra_err dec_err e_ra_icrs e_de_icrs",
    "computed anew from what was measured": (
        "v_gsr vgsr r_gal rgal r_gc rgc d_gal galactocentric_distance x y z vx vy vz x_gal "
        "y_gal z_gal v_x v_y v_z vel_x vel_y vel_z"
    ),
}
UNUSED = {name: why for why, names in _NO_USE.items() for name in names.split()}
"""Names that are recognised, and why their columns are not used."""
