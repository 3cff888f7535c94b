"""What README says of the halo's mass, if the Milky Way is like hosts of another universe."""

from halomass.study.ensembles import NEIGHBOUR_COUNTS
from halomass.study.options import HaloMass
from orrery.judging.regression import INTERVAL_LEVEL

from .files import MINUS, NUMBER, result, with_errors


def of_other_universes():
    bias, whole, parts = zip(*map(_of_ensemble, NEIGHBOUR_COUNTS), strict=True)
    first, second = (f"{count}" for count in NEIGHBOUR_COUNTS)
    universes = {*result("halo_mass_systematic")["if_it_is_like"]}
    level = f"{100 * INTERVAL_LEVEL:g}"
    return {
        rf"are off by up to {NUMBER} dex with {NUMBER} neighbours and {NUMBER} with {NUMBER}": [
            *(bias[0], first, bias[1], second)
        ],
        rf"holds {NUMBER} % or more of the hosts of each of the {NUMBER} universes is (\S+ \S+) by "
        rf"{NUMBER} neighbours and (\S+ \S+) by {NUMBER}: systematic errors of (\S+) and "
        r"(\S+) beside": [
            *(level, f"{len(universes)}", whole[0], first, whole[1], second, *parts)
        ],
    }


def _of_ensemble(count):
    """Returns its largest bias, its interval in any universe, and the systematic part."""
    name = f"{count} neighbours"
    shifts = result("halo_mass_domain_shift")
    bias = abs(shifts["bias"][shifts["ensemble"] == name]).max()
    table = result("halo_mass_systematic")
    own = table["if_it_is_like"] == HaloMass().campaign.name
    (median,) = table["median"][own & (table["ensemble"] == name)]
    low, high, below, above = (
        table.meta["metrics"][f"mass.systematic.{count}.{end}"]
        for end in ("lower", "upper", "below", "above")
    )
    whole = with_errors(median, high - median, median - low, "%.2f")
    return f"{bias:.2f}", whole, f"+{above:.2f}{MINUS}{below:.2f}"
