"""What README's sentences say of the calibration of Table 2's posteriors."""

import math

from orrery.judging.calibration import TOO_LITTLE, TOO_NARROW
from orrery.judging.diagnostics import FEWEST_TARP_TESTS
from orrery.judging.options import LEVEL
from orrery.judging.slopes import NOTABLE

from .files import NUMBER, ends, measured, result


def of_its_calibration():
    table = result("table2_calibration")
    gain = ends(table["gain"], "%.1f")
    worst = max(*table["control_tarp"], *table["control_sbc"])
    control = f"1e-{math.floor(-math.log10(worst))}"
    smallest = min(*table["sbc"], *table["sbc_band"])
    assert smallest > LEVEL
    lean = measured("cross_validation")["DESI, without v_tb"]
    less = measured("cross_validation_32768")["DESI, without v_tb"]
    assert 0 > less["area_to_curve"] > lean["area_to_curve"]
    return {
        **of_tarp(table),
        rf"has an area of -{NUMBER} ± {NUMBER} with {NUMBER} simulations, and of -{NUMBER} ± "
        rf"{NUMBER} with {NUMBER} \(": [
            *cross_validated(lean),
            *cross_validated(less),
        ],
        rf"Of TARP and slopes that is so below {NUMBER} held-out ones": [
            f"{FEWEST_TARP_TESTS}"
        ],
        rf"On {NUMBER} held-out simulations": [f"{table['tests'][0]:,}"],
        rf"p from {NUMBER} on, corrected\)\. \*\*TARP": [f"{smallest:.2f}"],
        **of_fresh_simulations(),
        rf"the same posteriors {NUMBER} times as wide, fail all with p below (1e-\d+)": [
            f"{TOO_NARROW:g}",
            control,
        ],
        rf"information gain over the prior is {NUMBER} to {NUMBER} nat": gain,
        rf"the same posterior {NUMBER} times as wide, which must fail": [
            f"{TOO_NARROW:g}"
        ],
        rf"away from the usual one, by more than {NUMBER} standard deviations": [
            f"{NOTABLE:g}"
        ],
        rf"as wide as the posterior, and follows the data {NUMBER} times as far": [
            f"{TOO_LITTLE:g}"
        ],
    }


def cross_validated(row):
    return [
        f"{-row['area_to_curve']:.4f}",
        f"{row['area_error']:.4f}",
        f"{row['tests']:,}",
    ]


def of_fresh_simulations():
    rows = measured("calibrate")["rows"]
    (tests,) = {row["tests"] for row in rows.values()}
    (error,) = {f"{row['area_error']:.4f}" for row in rows.values()}
    areas = [-row["area_to_curve"] for row in rows.values()]
    slopes = [row["slopes"] for row in rows.values()]
    mass = [row["log10_m_mw_halo_50"] for row in slopes]
    others = [
        slope
        for row in slopes
        for name, (slope, _) in row.items()
        if name != "log10_m_mw_halo_50"
    ]
    (mass_error,) = {f"{error:.2f}" for _, error in mass}
    # what is called real is many errors from what it would be by chance
    assert all(slope - 1 > 3 * error for slope, error in mass)
    local = [row["local_pvalue"] for row in rows.values() if "local_pvalue" in row]
    return {
        rf"on {NUMBER} simulations made for it, which nobody has seen, the areas are -{NUMBER} to "
        rf"-{NUMBER}, each ± {NUMBER}, which is {NUMBER} to {NUMBER} times their error": [
            f"{tests:,}",
            *ends(areas, "%.4f"),
            error,
            *ends([-row["area_z"] for row in rows.values()], "%.1f"),
        ],
        rf"truths move by {NUMBER} to {NUMBER} times as much in the mass of the Milky Way, with an "
        rf"error of {NUMBER}, and by {NUMBER} to {NUMBER} in the others": [
            *ends([slope for slope, _ in mass], "%.2f"),
            mass_error,
            *ends(others, "%.2f"),
        ],
        rf"DESI's two posteriors from truths \(p = {NUMBER} and {NUMBER}\)": [
            f"{pvalue:.2f}" for pvalue in local
        ],
    }


def of_tarp(table):
    rejected = [p for p in table["tarp_both"] if p <= LEVEL]
    accepted = [p for p in table["tarp_both"] if p > LEVEL]
    assert len(rejected) == 2
    assert min(table["tarp"]) > LEVEL
    return {
        rf"two of the six\*\*, at {NUMBER} % by the shape of its curve and the area to the "
        rf"diagonal together \(p = {NUMBER} and {NUMBER}; the others from {NUMBER} on\)": [
            f"{100 * LEVEL:g}",
            *ends(rejected, "%.4f"),
            f"{min(accepted):.3f}",
        ],
        rf"The shape alone rejects none \(p from {NUMBER} on\)": [
            f"{min(table['tarp']):.3f}"
        ],
        rf"the areas are -{NUMBER} to -{NUMBER}, which is {NUMBER} to "
        rf"{NUMBER} times the scatter of a right posterior's \(p from {NUMBER} on, corrected": [
            *(f"{-end(table['atc']):.3f}" for end in (max, min)),
            *(f"{-end(table['area_z']):.1f}" for end in (max, min)),
            f"{min(table['area']):.3f}",
        ],
    }
