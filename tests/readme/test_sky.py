"""The table of patches says what the code's patches are, and its words what bins there are."""

import pytest

from mwlmc.sky import sagittarius
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.sky.patches import PATCHES

from .files import MINUS, PROSE, TEXT

NAMES = ("q1", "q2", "q3", "q4", "north", "south")
WHOLE = {
    "l": (0.0, 360.0),
    "b": (-90.0, 90.0),
    "ra": (0.0, 360.0),
    "dec": (-90.0, 90.0),
}


def rows():
    """Returns the cells of the table of patches, by a patch's name."""
    _, _, table = TEXT.partition("| patch |")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.partition("\n\n")[0].splitlines()[2:]
    ]
    return {name.strip("`"): limits for name, *limits in cells}


def printed(limits, whole):
    if tuple(limits) == whole:
        return "all"
    return " to ".join(f"{limit:g}".replace("-", MINUS) for limit in limits)


@pytest.mark.parametrize("name", NAMES)
def test_the_limits_of_a_patch_are_the_codes(name):
    (patch,) = [one for one in PATCHES if one.name == name]
    (window,) = patch.windows
    limits = window.describe()
    assert rows()[name] == [printed(limits[axis], WHOLE[axis]) for axis in WHOLE]


def test_no_patch_is_named_that_has_no_row():
    assert [*rows()] == [*NAMES]


def test_bins_and_depths_are_as_many_as_words_say():
    by_patch = [(p.patch.name, p.quantity, len(p.bins)) for p in QUADRANTS.profiles]
    assert by_patch == [*((q, "v_gsr", 5) for q in NAMES[:4]), ("all", "v_tb", 6)]
    assert "in five bins" in PROSE
    assert "v_t,b in one bin more on the whole sky, `all`" in PROSE
    (across,) = [p for p in DESI_FOOTPRINT.profiles if p.quantity == "v_tb"]
    assert (across.patch.name, len(across.bins)) == ("desi", 3)
    assert "v_t,b in three bins in both fields together, `desi`" in PROSE
    assert sagittarius.DEPTHS == 3
    assert "within three depths" in PROSE
