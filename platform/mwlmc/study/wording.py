"""What pages and figures call the words of this science's tables and commands."""

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
_FOOTPRINTS = {DESI.name: "DESI"}
_CELLS = "healpix"


def patch_title(name: str) -> str:
    """Returns what a figure calls a patch of the sky.

    Example:
        >>> patch_title("q1"), patch_title("desi_q3"), patch_title("healpix2_7")
        ('quadrant 1', 'DESI, quadrant 3', 'HEALPix cell 7, nside 2')
    """
    footprint, _, patch = name.rpartition("_")
    if footprint.startswith(_CELLS):
        return f"HEALPix cell {patch}, nside {footprint.removeprefix(_CELLS)}"
    called = _PATCHES.get(patch, patch)
    return f"{_FOOTPRINTS.get(footprint, footprint)}, {called}" if footprint else called
