"""What README's sentences say of Table 2, and what the table of results says."""

import pytest

from mwlmc.model.disc_and_bulge import stellar_mass_within
from mwlmc.model.total_masses import MASS_EDGE
from mwlmc.study.comparison import BOUNDS, WIDTHS
from mwlmc.study.forecast import SIMULATIONS
from mwlmc.study.literature import HALO_MASS, TABLE2
from mwlmc.study.options import Desi, Table2
from mwlmc.study.quantities import is_forecast

from .files import NUMBER, ends, measured, printed, result

_LMC = "M_LMC(<50 kpc)"


def of_table_2():
    lines = result("table2")
    row = "H3+SEGUE+MagE quadrants, with v_tb"

    def ratios(quantity, chosen):
        found = lines[lines["quantity"] == quantity]["width_ratio"]
        return [printed(found[number], "%.2f") for number in chosen]

    def error(lines):
        (line,) = lines[lines["quantity"] == HALO_MASS]
        return f"{50 * (line['upper'] - line['lower']) / line['median']:.0f}"

    desi = Desi().selection
    return {
        rf"of DESI DR1 at {NUMBER}-{NUMBER} kpc": [
            f"{desi.inner:g}",
            f"{desi.outer:g}",
        ],
        rf"published values, from {NUMBER} simulations": [
            f"{Table2().campaign.simulations:,}"
        ],
        rf"more than {NUMBER} % wider or narrower": [f"{100 * WIDTHS:g}"],
        rf"v_x in the last three rows \({NUMBER}, {NUMBER} and {NUMBER} times as wide\)": ratios(
            "v_x", (-3, -2, -1)
        ),
        rf"M_LMC in the last \({NUMBER}\)": ratios("M_LMC(<50 kpc)", (-1,)),
        rf"the average posterior of {NUMBER} mock surveys": [f"{SIMULATIONS}"],
        rf"M_MW is {NUMBER} to {NUMBER} above what was put in": above_what_was_put_in(
            lines
        ),
        rf"disc and bulge are {NUMBER} more\. DESI's rows have {NUMBER} and {NUMBER}, {NUMBER} "
        rf"published sigma below theirs and {NUMBER} above, beyond the {NUMBER} at": halo_masses(
            lines
        ),
        rf"the Milky Way's halo to {NUMBER} %, instead of {NUMBER} %": [
            error(result("dispersions")),
            error(lines[lines["data"] == row]),
        ],
    }


def above_what_was_put_in(lines):
    """How far the halos of forecasts are, at least and at most, above the published ones."""
    forecasts = [is_forecast(row) for row in lines["data"]]
    halos = lines[forecasts & (lines["quantity"] == HALO_MASS)]
    differences = halos["median"] - halos["published"]
    assert min(differences) > 0
    assert max(differences) < 0.3
    return ends(differences, "%.2f")


def halo_masses(lines):
    """Disc and bulge, DESI's halos, and how far these are from the published ones."""
    stars = stellar_mass_within(MASS_EDGE) / 1e11
    below, above = lines[lines["quantity"] == HALO_MASS][:2]
    (bound,) = {bounds[HALO_MASS] for bounds in BOUNDS.values()}
    assert bound > -below["shift"] > 0
    assert above["shift"] > bound
    masses = [printed(one["median"], "%.2f") for one in (below, above)]
    shifts = [printed(-below["shift"], "%.2f"), printed(above["shift"], "%.2f")]
    return [printed(stars, "%.2f"), *masses, *shifts, f"{bound:g}"]


def of_errors_counted_twice():
    without, with_motions = measured("errors_twice").values()
    halos = [one["twice"]["quantiles"][HALO_MASS][1] for one in (without, with_motions)]
    once, twice = (without[how]["quantiles"][_LMC][1] for how in ("once", "twice"))
    # the same posteriors as the table's
    lines = result("table2")
    assert once == pytest.approx(
        lines[lines["quantity"] == _LMC]["median"][0], abs=1e-3
    )
    return {
        rf"the halos have {NUMBER} and {NUMBER}, and the LMC without v_t,b has {NUMBER}, not "
        rf"{NUMBER} \(published {NUMBER}\)": [
            *(printed(mass, "%.2f") for mass in halos),
            printed(twice),
            printed(once),
            printed(TABLE2["DESI, without v_tb"][_LMC].median),
        ]
    }
