"""What README's sentences say of the calibration of Table 2's posteriors."""

import math

from orrery.judging.calibration import SLIGHTLY_NARROW, TOO_LITTLE, TOO_NARROW
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
        rf"p from {NUMBER} on, corrected\), slopes, and TARP": [f"{smallest:.2f}"],
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
    stars = [row for row in rows.values() if "local_pvalue" in row]
    local, control = (
        [row[f"local_{which}pvalue"] for row in stars] for which in ("", "control_")
    )
    return {
        rf"on {NUMBER} simulations made for it, by which the weights' decay and the number of "
        rf"flows were chosen, too, the areas are -{NUMBER} to -{NUMBER}, each ± {NUMBER}, which is "
        rf"{NUMBER} to {NUMBER} times their error": [
            f"{tests:,}",
            *ends(areas, "%.4f"),
            error,
            *ends([-row["area_z"] for row in rows.values()], "%.1f"),
        ],
        rf"DESI's two posteriors from truths \(p = {NUMBER} and {NUMBER}\)": [
            f"{pvalue:.2f}" for pvalue in local
        ],
        rf"nor would it if they were {NUMBER} times as wide \(p = {NUMBER} and {NUMBER}\)": [
            f"{SLIGHTLY_NARROW:g}",
            *(f"{pvalue:.2f}" for pvalue in control),
        ],
        **of_slopes(rows),
    }


def of_slopes(rows):
    slopes = [row["slopes"] for row in rows.values()]
    mass = [row["log10_m_mw_halo_50"] for row in slopes]
    others = [
        slope
        for row in slopes
        for name, (slope, _) in row.items()
        if name != "log10_m_mw_halo_50"
    ]
    # what is said of the mass is many errors from what it would be by chance
    assert all(slope - 1 > 2.5 * error for slope, error in mass)
    largest = max(abs(row["largest_displacement"]) for row in rows.values())
    assert largest < NOTABLE
    return {
        rf"truths move by {NUMBER} to {NUMBER} times as much as the means of posteriors in the "
        rf"mass of the Milky Way, with errors of at most {NUMBER}, and by {NUMBER} to {NUMBER} in "
        r"the others": [
            *ends([slope for slope, _ in mass], "%.2f"),
            f"{max(error for _, error in mass):.2f}",
            *ends(others, "%.2f"),
        ],
        rf"which displaces none by more than {NUMBER} standard deviations": [
            f"{math.ceil(100 * largest) / 100:.2f}"
        ],
    }


def of_tarp(table):
    assert min(table["tarp_both"]) > LEVEL
    assert min(table["slopes"]) > LEVEL
    return {
        rf"at {NUMBER} % by the shape of its curve and the area to the "
        rf"diagonal together \(p from {NUMBER} on\)": [
            f"{100 * LEVEL:g}",
            f"{min(table['tarp_both']):.3f}",
        ],
        rf"The shape alone has p from {NUMBER} on": [f"{min(table['tarp']):.3f}"],
        rf"the areas are -{NUMBER} to -{NUMBER}, which is {NUMBER} to "
        rf"{NUMBER} times the scatter of a right posterior's \(p from {NUMBER} on, corrected": [
            *(f"{-end(table['atc']):.3f}" for end in (max, min)),
            *(f"{-end(table['area_z']):.1f}" for end in (max, min)),
            f"{min(table['area']):.3f}",
        ],
    }
