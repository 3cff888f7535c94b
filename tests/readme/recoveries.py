"""What README's sentences say of posteriors that were given agama's simulations."""

from .files import NUMBER, ends, measured


def of_recoveries():
    found = measured("recovery_desi_choices")["posteriors"]
    full, alike = (
        [one for name, one in found.items() if name.startswith(f"desi.{kind}")]
        for kind in ("full_footprint", "survey_like")
    )
    (simulations,) = {one["simulations"] for one in found.values()}
    (error,) = {f"{one['bias_error']:.2f}" for one in found.values()}
    (off,) = {f"{one['bias']:.2f}" for one in full}
    return {
        rf"of {NUMBER} of them, the central {NUMBER} % of DESI's posteriors hold the truth in "
        rf"{NUMBER} to {NUMBER} of cases where stars fill the survey's fields and in {NUMBER} to "
        rf"{NUMBER} where": [
            f"{simulations}",
            "68",
            *reached(full, "coverage"),
            *reached(alike, "coverage"),
        ],
        rf"medians are off by {NUMBER} and by {NUMBER} to {NUMBER} half widths on average, each ± "
        rf"{NUMBER}\.": [off, *reached(alike, "bias"), error],
    }


def reached(posteriors, name):
    return ends([one[name] for one in posteriors], "%.2f")
