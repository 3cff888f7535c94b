"""What a run tells of the bins that binnings keep, and of the stars in them."""

from collections.abc import Sequence

from astropy.table import Table

from orrery.results.recording import Number
from orrery.sentences import Sentence
from orrery.sweeps.binning_comparison import BinningComparison, Keeping
from orrery.sweeps.space import Point
from orrery.sweeps.trial import Trial

_NUMBERS = ("bins", "bins_asked", "stars_used", "stars", "which")


def add_kept_columns(
    table: Table, key: str, kept: Keeping | None, trials: Sequence[Trial]
) -> None:
    """Adds what each trial's binning keeps to a table of trials.

    Arguments:
        table: Of trials; its caption is continued.
        key: Of the binnings' sections and numbers.
        kept: Returns what the binning of a point keeps; with None nothing is added.
        trials: Those of its rows, one at least.

    Example:
        >>> from orrery.sweeps.binning_comparison import Kept
        >>> table = Table({"trial": [0]}, meta={"caption": "Scores."})
        >>> trials = [Trial(0, {"bins": 9}, "finished")]
        >>> add_kept_columns(table, "toy", lambda point: Kept(7, 2, 80.0, 90.0), trials)
        >>> [table[name][0].item() for name in table.colnames]
        [0, 7, 2, 80.0]
    """
    if kept is None:
        return
    found = [kept(trial.point) for trial in trials]
    table["bins_kept"] = [one.bins for one in found]
    table["bins_left_out"] = [one.left_out for one in found]
    table["stars_used"] = [one.stars for one in found]
    table["stars_used"].info.format = "%.0f"
    caption = table.meta["caption"]
    table.meta["caption"] = (
        f"{caption} Bins with too few expected stars are left out, and their stars with "
        f"them. Bins kept and left out are {found[0].what}; stars used are the "
        f"{found[0].which} in those that are kept."
    )
    table.meta["shows"] = [f"{key}.kept.which"]


def kept_numbers(key: str, found: BinningComparison) -> dict[str, Number]:
    """Returns what the best and the usual binning keep, by stable key.

    Arguments:
        key: Of the binnings' sections and numbers.
        found: The comparison.
    """
    if found.kept is None:
        return {}
    points = {"kept": found.sweep.winner.point, "usual.kept": found.reference.point}
    numbers: dict[str, Number] = {}
    for name, point in points.items():
        one = found.kept(point)
        place = f"{key}.{name}"
        numbers |= {
            f"{place}.bins": one.bins,
            f"{place}.bins_asked": one.asked,
            f"{place}.stars_used": one.stars,
            f"{place}.stars": one.all_stars,
            f"{place}.which": one.which,
        }
    return numbers


def kept_in_words(place: str, kept: Keeping | None, point: Point) -> Sentence:
    """Returns what the binning of a point keeps, as a sentence goes on; empty with None.

    Arguments:
        place: Where the numbers are, by stable key.
        kept: Returns what the binning of a point keeps.
        point: The point.

    Example:
        >>> from orrery.sweeps.binning_comparison import Kept
        >>> kept_in_words("toy.kept", lambda point: Kept(7, 2, 80.2, 90.0), {}).text
        'keeps 7 of 9 bins, with 80 of 90 expected stars'
    """
    if kept is None:
        return Sentence("")
    one = kept(point)
    return Sentence(
        f"keeps {one.bins} of {one.asked} {one.what}, with {one.stars:.0f} of "
        f"{one.all_stars:.0f} {one.which}",
        tuple(f"{place}.{name}" for name in _NUMBERS),
    )
