"""What README's sentences say of means and dispersions, and of a model without an LMC."""

import re

import numpy as np

from mwlmc.parameters import OUTER_SLOPE
from mwlmc.sky.binning import QUADRANTS
from mwlmc.study.follow_up import FOLLOW_UP
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.shell_options import Dispersions
from mwlmc.study.shell_profiles import DISTANCES_OF_OTHERS

from .files import MINUS, NUMBER, RESULTS, interval, measured, numbers_of, result

ESTIMATE = rf"{NUMBER} \+{NUMBER}{MINUS}{NUMBER}"
LARGEST_MASS_ERROR = 0.05
LARGEST_ANISOTROPY_ERROR = 0.04
STEEPER_SHELL = (30, 56)  # [kpc] of the first slope of tests/benchmarks/steeper_halo.py


def of_dispersions():
    lines = {line["quantity"]: line for line in result("dispersions_forecast")}
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    command = r"dispersions\.py --data forecast-h3 --simulations (\d+)"
    halo, anisotropy = lines[HALO_MASS], lines["beta0"]
    assert halo["relative_error"] < LARGEST_MASS_ERROR
    assert anisotropy["half_width"] < LARGEST_ANISOTROPY_ERROR
    theirs = FOLLOW_UP[HALO_MASS]
    return {
        rf"medians, {NUMBER} simulations give M_MW,halo\(<50 kpc\) {ESTIMATE}e11": [
            f"{int(re.search(command, text)[1]):,}",
            *numbers_of(interval(halo, "%.2f")),
        ],
        rf"an error of {NUMBER} % \(published {NUMBER} %\)": [
            f"{100 * halo['relative_error']:.1f}",
            f"{100 * theirs.width / 2 / theirs.median:.1f}",
        ],
        rf"β0 {ESTIMATE} \(published {NUMBER} ± {NUMBER}\)": [
            *numbers_of(interval(anisotropy, "%.2f")),
            *(f"{FOLLOW_UP['beta0'].median}", f"{FOLLOW_UP['beta0'].plus}"),
        ],
        rf"M_LMC\(<50 kpc\) {ESTIMATE}e10": [
            *numbers_of(interval(lines["M_LMC(<50 kpc)"], "%.1f"))
        ],
        rf"v_travel {ESTIMATE} km/s against stars at {NUMBER}-{NUMBER} kpc \(published "
        rf"{ESTIMATE} at {NUMBER}\)": [
            *numbers_of(interval(lines["v_travel"], "%.1f")),
            *(f"{edge:g}" for edge in Dispersions().travel_edges),
            *(
                f"{getattr(FOLLOW_UP['v_travel'], n)}"
                for n in ("median", "plus", "minus")
            ),
            f"{DISTANCES_OF_OTHERS['brooks_2026'][0]:g}",
        ],
        rf"velocities to {NUMBER} kpc, as Brooks": [f"{QUADRANTS.distances[1]:g}"],
        **_of_a_model_without_an_lmc(),
        **_of_real_stars(),
        **_of_a_free_slope(),
        **_of_steeper_halos(),
    }


def _of_real_stars():
    lines = {line["quantity"]: line for line in result("dispersions_sdss_desi")}
    # far from the published mass: README says why nobody should believe it
    assert lines[HALO_MASS]["shift"] < -5
    return {
        rf"give a halo of {ESTIMATE}e11 M☉, β0 {ESTIMATE} and v_travel {ESTIMATE} km/s": [
            *numbers_of(interval(lines[HALO_MASS], "%.2f")),
            *numbers_of(interval(lines["beta0"], "%.2f")),
            *numbers_of(interval(lines["v_travel"], "%.1f")),
        ]
    }


def _of_a_free_slope():
    lines = {line["quantity"]: line for line in result("dispersions_outer_slope")}
    halo, slope = lines[HALO_MASS], lines["outer_slope"]
    # what README says: near the published mass, by a slope that the data hardly know
    assert abs(halo["published"] - halo["median"]) < 1.5 * halo["half_width"]
    parameter, prior = OUTER_SLOPE
    low, high = prior.quantile(np.array([0.16, 0.84]))
    assert slope["half_width"] > 0.6 * (high - low) / 2
    theirs = FOLLOW_UP[HALO_MASS]
    return {
        rf"same stars give {ESTIMATE}e11 M☉ \(published {NUMBER} ± {NUMBER}\)": [
            *numbers_of(interval(halo, "%.2f")),
            f"{theirs.median}",
            f"{theirs.plus}",
        ],
        rf"an LMC of {ESTIMATE}e10, β0 {ESTIMATE} and v_travel {ESTIMATE} km/s; their": [
            *numbers_of(interval(lines["M_LMC(<50 kpc)"], "%.1f")),
            *numbers_of(interval(lines["beta0"], "%.2f")),
            *numbers_of(interval(lines["v_travel"], "%.1f")),
        ],
        rf"slope, {ESTIMATE}, is little more than its prior from {NUMBER} to {NUMBER}, and "
        rf"the mass has an error of {NUMBER} %": [
            *numbers_of(interval(slope, "%.1f")),
            *(f"{parameter.lower:g}", f"{parameter.upper:g}"),
            f"{100 * halo['relative_error']:.0f}",
        ],
    }


def _of_steeper_halos():
    tracers = measured("steeper_halo")["tracers"]
    own, best = tracers["4"], min(tracers.values(), key=lambda one: one["chi2"])
    assert own["chi2"] > 5 * own["bins"]
    assert best["chi2"] < own["chi2"] / 10
    return {
        rf"whose density falls as r\^-{NUMBER} at {NUMBER}-{NUMBER} kpc": [
            f"{own['slopes'][0]:.1f}",
            *(f"{edge:g}" for edge in STEEPER_SHELL),
        ],
        rf"real stars' dispersions are {NUMBER} % smaller": [f"{-own['excess']:.0f}"],
        rf"weighted to fall as r\^-{NUMBER}, the stars of the same simulations have them "
        rf"to {NUMBER} % on average": [
            f"{best['slopes'][0]:.1f}",
            f"{abs(best['excess']):.1f}",
        ],
    }


def _of_a_model_without_an_lmc():
    shifts = {one["comparison"]: one for one in result("dispersions_without_lmc")}
    without, usual = (
        shifts[f"{model} an LMC, against the truth"] for model in ("without", "with")
    )
    # beyond what the usual model errs by
    assert without["shift"] - usual["shift"] > 5 * without["error"]
    plain = measured("without_lmc")["with_published_lmc"]
    return {
        rf"mocks, {NUMBER} ± {NUMBER} % too massive, one with an LMC {NUMBER} ± {NUMBER} %": [
            f"{100 * one[name]:.1f}"
            for one in (without, usual)
            for name in ("shift", "error")
        ],
        rf"dispersions, without any flow, finds {NUMBER} ± {NUMBER} %": [
            *(f"{plain[name]:.1f}" for name in ("shift", "error"))
        ],
    }
