"""What README's sentences say of posteriors that were given agama's simulations."""

from .files import NUMBER, measured


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
            *ends(full, "coverage"),
            *ends(alike, "coverage"),
        ],
        rf"medians are off by {NUMBER} and by {NUMBER} to {NUMBER} half widths on average, each ± "
        rf"{NUMBER}\.": [off, *ends(alike, "bias"), error],
    }


def ends(posteriors, name):
    each = [one[name] for one in posteriors]
    return [f"{end(each):.2f}" for end in (min, max)]
