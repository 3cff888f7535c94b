"""What README's sentences say of what DESI's answer depends on."""

from mwlmc.sky.options import V_TB_EDGES
from mwlmc.study.desi_choices import (
    LARGEST_MOTION_ERROR,
    MOTION_CHOICES,
    MOTION_FLOOR,
    OTHER_EDGES,
)
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.options import DesiChoices

from .files import NUMBER, ends, printed, result

TIMES = {10: "ten"}


def of_choices_for_desi():
    table = result("desi_choices")
    full, alike = (
        table[[str(data).startswith(f"DESI {kind}") for data in table["data"]]]
        for kind in ("full-footprint", "survey-like")
    )
    speeds = [one[one["quantity"] == "v_travel"] for one in (full, alike)]
    halos = [one[one["quantity"] == HALO_MASS] for one in (full, alike)]
    assert all(len(one) == len(MOTION_CHOICES) for one in (*speeds, *halos))
    times = TIMES[2 * len(MOTION_CHOICES)]
    simulations = f"{DesiChoices().campaign.simulations:,}"
    others = [end for one in speeds for end in ends(one["median"][2:], "%.1f")]
    return {
        rf"same stars {times} times, with the same {NUMBER} simulations": [simulations],
        rf"usual bins \(edges at {NUMBER}, {NUMBER}, {NUMBER} and {NUMBER} kpc\)": [
            f"{edge:g}" for edge in V_TB_EDGES
        ],
        rf"further out \({NUMBER}, {NUMBER}, {NUMBER} and {NUMBER}\), where their errors are below "
        rf"{NUMBER} km/s, or with a systematic error of {NUMBER} mas/yr": [
            *(f"{edge:g}" for edge in OTHER_EDGES),
            f"{LARGEST_MOTION_ERROR:g}",
            f"{MOTION_FLOOR:g}",
        ],
        rf"make v_travel {NUMBER} km/s in full fields and {NUMBER} survey-like, where it is "
        rf"{NUMBER} and {NUMBER} without": [
            printed(one["median"][row]) for row in (1, 0) for one in speeds
        ],
        rf"makes it {NUMBER} to {NUMBER} and {NUMBER} to {NUMBER}\. Published are {NUMBER} with "
        rf"v_t,b and {NUMBER} without": [
            *others,
            *(printed(speeds[0]["published"][row]) for row in (1, 0)),
        ],
        rf"a halo of {NUMBER} to {NUMBER}e11 M☉ within {NUMBER} kpc, {NUMBER} to {NUMBER} "
        rf"published sigma below the paper's, where full fields make it {NUMBER} to {NUMBER}\.": [
            *ends(halos[1]["median"], "%.2f"),
            "50",
            *ends(-halos[1]["shift"], "%.2f"),
            *ends(halos[0]["median"], "%.2f"),
        ],
    }
