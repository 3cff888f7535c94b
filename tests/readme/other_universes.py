"""What README says of the halo's mass, if the Milky Way is like hosts of another universe."""

from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study.options import HaloMass
from orrery.judging.regression import INTERVAL_LEVEL

from .files import MINUS, NUMBER, result, with_errors


def of_other_universes():
    bias, whole, parts = zip(*map(_of_ensemble, NEIGHBOUR_COUNTS), strict=True)
    shares, by_chance = zip(*map(_of_interval, NEIGHBOUR_COUNTS), strict=True)
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
        rf"holds {NUMBER} to {NUMBER} % of the hosts of a universe by {NUMBER} neighbours, and "
        rf"{NUMBER} to {NUMBER} % by {NUMBER}": [
            *(*shares[0], first, *shares[1], second)
        ],
        r"would make systematic errors of (\S+) and (\S+): the lower ones may be chance": [
            *by_chance
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
    low, high, below, above = _metrics(count, "lower", "upper", "below", "above")
    whole = with_errors(median, high - median, median - low, "%.2f")
    return f"{bias:.2f}", whole, f"+{above:.2f}{MINUS}{below:.2f}"


def _of_interval(count):
    """Returns its smallest and largest share of a universe's hosts, and its parts by chance."""
    shares = _metrics(count, "smallest_share", "largest_share")
    below, above = _metrics(count, "below_by_chance", "above_by_chance")
    percent = [f"{100 * share:.0f}" for share in shares]
    return percent, f"+{above:.2f}{MINUS}{below:.2f}"


def _metrics(count, *names):
    found = result("halo_mass_systematic").meta["metrics"]
    return [found[f"mass.systematic.{count}.{name}"] for name in names]
