"""What pages and figures call the words of this science's tables and commands."""

import re
from collections.abc import Iterable

from mwlmc.sky.binning import MOMENTS
from mwlmc.sky.options import VELOCITIES
from mwlmc.sky.patches import ALL_SKY, DESI, DESI_NORTH, DESI_SOUTH, Q1, Q2, Q3, Q4

_MEAN = "\N{MATHEMATICAL LEFT ANGLE BRACKET}v_t,b\N{MATHEMATICAL RIGHT ANGLE BRACKET}"

AS_WRITTEN = {
    "with v_tb": f"with {_MEAN}",
    "without v_tb": f"without {_MEAN}",
    "v_tb": "v_t,b",
    "v_gsr": "v_GSR",
    "lambda_DF": "\N{GREEK SMALL LETTER LAMDA}_DF",
}
"""By the words: data `with v_tb` hold the means of that velocity in bins."""
_OF_TABLES = {
    "log10_m_mw_halo_50": "log10 M_MW,halo(<50 kpc)",
    "log10_m_lmc_50": "log10 M_LMC(<50 kpc)",
    "log10_lambda_df": "log10 \N{GREEK SMALL LETTER LAMDA}_DF",
    "m200_mw": "M_200 of the Milky Way",
    "m_lmc": "M_LMC",
    "ra_lmc": "right ascension of the LMC",
    "dec_lmc": "declination of the LMC",
    "d_lmc": "distance of the LMC",
    "vlos_lmc": "v_los of the LMC",
    "pmra_lmc": "proper motion of the LMC in right ascension",
    "pmdec_lmc": "proper motion of the LMC in declination",
    "r_dehnen": "r_Dehnen",
    "outer_slope": "outer slope",
    "lmc_x": "x of the LMC",
    "lmc_y": "y of the LMC",
    "lmc_z": "z of the LMC",
    "lmc_vx": "v_x of the LMC",
    "lmc_vy": "v_y of the LMC",
    "lmc_vz": "v_z of the LMC",
    "mean_v_r": "mean v_r",
    "v_travel_strong_friction": "v_travel with strong friction",
    "width_ratio": "ratio of widths",
    "median_ratio": "ratio of medians",
    "prior_median": "median of the prior",
    "published_mean": "published mean",
    "published_sigma": "published standard deviation",
    "dispersion_error": "error of the dispersion",
    "count_clipped": "stars after clipping",
    "mean_sin_b": "mean sin b",
    "r_lo": "r from",
    "r_hi": "r to",
    "binned_velocities.count": "stars",
    "table2.median": "our median",
    "table2.lower": "our lower end",
    "table2.upper": "our upper end",
    "table2.published": "published median",
    "table2.minus": "published lower error",
    "table2.plus": "published upper error",
    "table2.shift": "shift in published sigmas",
    "table2.width_ratio": "our width over theirs",
    "table2.median_ratio": "our median over theirs",
    "prior.travel_velocity.published": "published v_travel",
    "mass_ratio.published": "published ratio",
}

MEANINGS = {
    "v_travel": "the speed at which the Milky Way's disc, pulled by the LMC, moves against the "
    "stars of its outer halo",
    "v_x": "the component of that motion along x, from the Sun towards the Galactic centre",
    "v_y": "the component of that motion along y, in the sense of the Galaxy's rotation at the Sun",
    "v_z": "the component of that motion along z, towards the north Galactic pole",
    "M_LMC(<50 kpc)": "the mass of the LMC within that distance of its centre",
    "M_MW,halo(<50 kpc)": "the mass of the Milky Way's halo, without disc and bulge, within that "
    "distance of its centre",
    "M_MW,total(<50 kpc)": "the mass of the Milky Way, with disc and bulge, within that distance "
    "of its centre",
    "log10 lambda_DF": "the logarithm of a factor of the dynamical friction on the LMC",
}
"""What the quantities of answers are, in words without numbers."""

_PATCHES = {
    ALL_SKY.name: "whole sky",
    Q1.name: "quadrant 1",
    Q2.name: "quadrant 2",
    Q3.name: "quadrant 3",
    Q4.name: "quadrant 4",
    DESI.name: "both fields",
    DESI_NORTH.name: "north",
    DESI_SOUTH.name: "south",
}
_ENTRY = re.compile(
    rf"({'|'.join(VELOCITIES)})_({'|'.join(MOMENTS)})_(.+)_([\d.]+)_([\d.]+)"
)
_FOOTPRINTS = {DESI.name: "DESI"}
_OF_DESI = tuple(f"{DESI.name}_{one.name}" for one in (ALL_SKY, Q1, Q2, Q3, Q4))
_CELLS = "healpix"


def table_words() -> dict[str, str]:
    """Returns what pages call the words of tables, by the words.

    Example:
        >>> table_words()["v_gsr"], table_words()["m_lmc"]
        ('v_GSR', 'M_LMC')
    """
    return {**AS_WRITTEN, **_OF_TABLES, **_patch_words([*_PATCHES, *_OF_DESI])}


def _patch_words(names: Iterable[str]) -> dict[str, str]:
    """Returns what pages call patches, in cells of tables and where sentences quote them."""
    titles = {name: patch_title(name) for name in names}
    cells = {f"patch={name}": title for name, title in titles.items()}
    return cells | {f"patch '{name}'": title for name, title in titles.items()}


def patch_title(name: str) -> str:
    """Returns what a figure calls a patch of the sky.

    Example:
        >>> patch_title("q1"), patch_title("desi_q3"), patch_title("healpix2_7")
        ('quadrant 1', 'DESI, quadrant 3', 'HEALPix nside 2, cell 7')
    """
    footprint, _, patch = name.rpartition("_")
    if footprint.startswith(_CELLS):
        return f"HEALPix nside {footprint.removeprefix(_CELLS)}, cell {patch}"
    called = _PATCHES.get(patch, patch)
    return f"{_FOOTPRINTS.get(footprint, footprint)}, {called}" if footprint else called


def entry_words(names: Iterable[str]) -> dict[str, str]:
    """Returns what pages call the entries of data vectors and their patches, by their names.

    Arguments:
        names: As a binning gives them; those that no binning gives are left out.

    Example:
        >>> found = entry_words(["v_gsr_mean_north_30_40", "v_tb_mean_desi_50_70", "lmc_x"])
        >>> found["v_gsr_mean_north_30_40"], found["v_tb_mean_desi_50_70"]
        ('mean v_GSR, north, 30 to 40 kpc', 'mean v_t,b, both fields, 50 to 70 kpc')
        >>> found["patch=north"], "lmc_x" in found
        ('north', False)
    """
    found = {name: _ENTRY.fullmatch(name) for name in names}
    titles = {name: _entry_title(entry) for name, entry in found.items() if entry}
    return titles | _patch_words(entry[3] for entry in found.values() if entry)


def _entry_title(entry: re.Match[str]) -> str:
    velocity, moment, patch, lower, upper = entry.groups()
    called = f"{moment} {AS_WRITTEN[velocity]}, {patch_title(patch)}"
    return f"{called}, {lower} to {upper} kpc"
