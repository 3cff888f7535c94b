"""What a run tells of a comparison of binnings: the best one, and what its choices are worth."""

import math
from dataclasses import dataclass

from astropy.table import Table

from orrery.parameters import Parameter
from orrery.results.calibration_sections import record_calibration
from orrery.results.kept_bins import add_kept_columns, kept_in_words, kept_numbers
from orrery.results.lineage import record_summary_lineage
from orrery.results.panels import Band, Constraint
from orrery.results.recording import Number, Recording
from orrery.results.sections import FigureSection, Headline, Text
from orrery.results.sweep_sections import (
    best_in_words,
    best_options,
    difference_in_words,
    options_table,
    record_failures,
    trials_table,
)
from orrery.results.views import Intervals
from orrery.sentences import Sentence
from orrery.sweeps.binning_comparison import BinningComparison
from orrery.sweeps.worth import Worth

_GAIN = "information_gain"
_WIDTH = "width"
_NOTHING = Band("nothing", (0.0, 0.0, 0.0))


@dataclass(frozen=True)
class WidthQuantity:
    """The quantity whose expected width is told.

    Arguments:
        name: What it is called.
        unit: Its unit.

    Example:
        >>> WidthQuantity("v_travel", "km / s").printed
        'km / s'
    """

    name: str
    unit: str

    @property
    def printed(self) -> str:
        """The unit as a sentence has it."""
        return self.unit or "units of its own"


def record_binnings(
    recording: Recording,
    key: str,
    title: str,
    found: BinningComparison,
    quantity: WidthQuantity,
    parameters: tuple[Parameter, ...],
) -> None:
    """Records which binning is best, how it does on tests, and what choices are worth.

    Arguments:
        recording: Where it is recorded.
        key: Of its sections and numbers.
        title: What is binned.
        found: The comparison.
        quantity: The quantity whose width is told.
        parameters: The P parameters of the posteriors.
    """
    record_summary_lineage(recording, key, found.test.pairs)
    recording.metrics({**_numbers(key, found), **kept_numbers(key, found)})
    recording.metrics(best_options(key, found.sweep.winner))
    recording.add(_headline(key, title, found, quantity))
    chosen = _chosen(key, title, found, quantity)
    tested = _tested(key, found, quantity)
    binned = _binned(key, found)
    text = "\n\n".join([chosen.text, tested.text, binned.text])
    shows = (*chosen.shows, *tested.shows, *binned.shows)
    recording.add(Text(key, f"{title}: the best binning", text, shows))
    if found.worths_are_known:
        recording.metrics(_worths(key, found))
        worth = _worth_table(f"{key}.worth", found.worths, quantity)
        recording.tables({f"{title}: what choices are worth": worth})
    else:
        record_failures(
            recording,
            f"{key}.worth",
            f"{title}: what choices are worth",
            found.worth_trials,
        )
    if found.sweep.tells_options:
        matters = options_table(f"{key}.options", found.sweep)
        recording.tables({f"{title}: what matters": matters})
    behind = trials_table(f"{key}.worth_trials", found.worth_trials)
    add_kept_columns(behind, key, found.kept, found.worth_trials)
    recording.tables(
        {
            f"{title}: binnings that were tried": _tried(key, found),
            f"{title}: trials behind the worth": behind,
        }
    )
    if any(one.seeds > 1 for one in found.worths):
        recording.add(_figure(key, title, found, _GAIN, "information gain [nat]"))
        label = f"expected width of {quantity.name} [{quantity.printed}]"
        recording.add(_figure(key, title, found, _WIDTH, label))
    record_calibration(recording, key, title, found.test.calibration, parameters)


def _headline(
    key: str, title: str, found: BinningComparison, quantity: WidthQuantity
) -> Headline:
    """Returns the best binning, and how it does on tests."""
    sweep = found.sweep
    best = best_in_words(key, sweep.winner)
    test = found.test
    kept = kept_in_words(f"{key}.kept", found.kept, sweep.winner.point)
    leaves = f" It {kept}." if kept.text else ""
    return Headline(
        f"{key}.headline",
        f"The best binning, {title}",
        f"Trial {sweep.winner.number} of {len(sweep.trials)}: {best}.{leaves} On the tests, which "
        f"no trial has seen, it has an information gain of {test.gain:.3f} ± "
        f"{test.errors[_GAIN]:.3f} nat and an expected width of {quantity.name} of "
        f"{test.width:.3f} ± {test.errors[_WIDTH]:.3f} {quantity.printed}.",
        (
            *(f"{key}.winner", f"{key}.trials"),
            *best.shows,
            *kept.shows,
            *(f"{key}.gain", f"{key}.gain_error"),
            *(f"{key}.width", f"{key}.width_error"),
        ),
    )


def _numbers(key: str, found: BinningComparison) -> dict[str, Number]:
    sweep = found.sweep
    states = [trial.state for trial in sweep.trials]
    reference = found.reference.objectives
    values: dict[str, Number] = {
        "trials": len(states),
        "failed": states.count("failed"),
        "uncalibrated": len(found.uncalibrated),
        "calibration_tests": found.calibration_tests,
        "winner": sweep.winner.number,
        "validation": sweep.validation,
        "test": sweep.test,
        "test_error": sweep.test_error,
        "optimism": sweep.optimism,
        "optimism_error": sweep.optimism_error,
        "difference": abs(sweep.optimism),
        "gain": found.test.gain,
        "gain_error": found.test.errors["information_gain"],
        "width": found.test.width,
        "width_error": found.test.errors["width"],
        "usual.gain": reference.get(_GAIN, float("nan")),
        "usual.width": reference.get(_WIDTH, float("nan")),
        "validation_gain": sweep.winner.objectives[_GAIN],
        "validation_width": sweep.winner.objectives[_WIDTH],
        "repeats": len(sweep.seeds),
        "scatter": sweep.scatter,
        "rebinned": found.rebinned,
        "read": found.read,
        "rebinned_per_second": found.rate,
        "rebinned_per_cpu_second": found.cpu_rate,
    }
    return {f"{key}.{name}": value for name, value in values.items()}


def _worths(key: str, found: BinningComparison) -> dict[str, Number]:
    """Returns each choice's worth by stable key."""
    numbers: dict[str, Number] = {}
    for one in found.worths:
        place = f"{key}.worth.{one.contrast.key}"
        for name, short in ((_GAIN, "gain"), (_WIDTH, "width")):
            numbers[f"{place}.{short}"] = one.mean(name)
            numbers[f"{place}.{short}_error"] = one.error(name)
        numbers[f"{place}.seeds"] = one.seeds
        numbers[f"{place}.count"] = one.contrast.count
    return numbers


def _chosen(
    key: str, title: str, found: BinningComparison, quantity: WidthQuantity
) -> Sentence:
    """Returns which binning was chosen, beside the usual one."""
    sweep = found.sweep
    best = sweep.winner.objectives
    failed = sum(trial.state == "failed" for trial in sweep.trials)
    usual = _usual(key, found, quantity)
    kept = kept_in_words(f"{key}.kept", found.kept, sweep.winner.point)
    leaves = f" The best one {kept}." if kept.text else ""
    return Sentence(
        f"Of {len(sweep.trials)} binnings ({failed} failed, {len(found.uncalibrated)} of "
        "them because a test of calibration rejected their posterior on "
        f"{found.calibration_tests} validation pairs) the best one for a {title} "
        f"survey, trial {sweep.winner.number}, has an "
        f"information gain over the prior of {best[_GAIN]:.3f} nat and an expected width "
        f"(half of the central 68 %) of {quantity.name} of {best[_WIDTH]:.3f} "
        f"{quantity.printed} on the validation pairs, by which it was chosen; {usual}."
        f"{leaves}",
        (
            *(f"{key}.{name}" for name in ("trials", "failed", "uncalibrated")),
            *(f"{key}.{name}" for name in ("calibration_tests", "winner")),
            f"{key}.validation_gain",
            f"{key}.validation_width",
            *usual.shows,
            *kept.shows,
        ),
    )


def _usual(key: str, found: BinningComparison, quantity: WidthQuantity) -> Sentence:
    usual = found.reference.objectives
    if not usual:
        return Sentence("the usual binning's trial failed")
    kept = kept_in_words(f"{key}.usual.kept", found.kept, found.reference.point)
    leaves = f", and {kept}" if kept.text else ""
    return Sentence(
        f"the usual binning has {usual[_GAIN]:.3f} nat and {usual[_WIDTH]:.3f} "
        f"{quantity.printed} there{leaves}",
        (f"{key}.usual.gain", f"{key}.usual.width", *kept.shows),
    )


def _tested(key: str, found: BinningComparison, quantity: WidthQuantity) -> Sentence:
    """Returns how the best binning does on tests, and by how much it was lucky."""
    sweep = found.sweep
    test = found.test
    errors = test.errors
    names = ["gain", "gain_error", "width", "width_error", "difference"]
    if not math.isnan(sweep.optimism_error):
        names.append("optimism_error")
    luck = ""
    if len(sweep.seeds) > 1:
        names += ["repeats", "scatter"]
        luck = (
            f" From {len(sweep.seeds)} other seeds it scatters by {sweep.scatter:.3f} "
            f"{sweep.unit} on the validation pairs."
        )
    return Sentence(
        "On the tests, which no trial has seen and which were used once, the best one "
        f"has {test.gain:.3f} ± {errors['information_gain']:.3f} nat and {test.width:.3f} "
        f"± {errors['width']:.3f} {quantity.printed}. In what was sought it is there "
        f"{difference_in_words(sweep, '.3f')}.{luck}",
        tuple(f"{key}.{name}" for name in names),
    )


def _binned(key: str, found: BinningComparison) -> Sentence:
    """Returns where summaries came from."""
    paces = {
        "rebinned_per_second": (
            found.rate,
            ", {:.0f} simulations a second in the median",
        ),
        "rebinned_per_cpu_second": (
            found.cpu_rate,
            " ({:.0f} in a second of CPU time)",
        ),
    }
    # where no clock has ticked, nothing can be said
    known = {name: one for name, one in paces.items() if math.isfinite(one[0])}
    pace = "".join(words.format(rate) for rate, words in known.values())
    return Sentence(
        f"No trial simulated anything: {found.rebinned} binned the stored stars anew{pace}, "
        f"and {found.read} read the summaries of an earlier trial.",
        tuple(f"{key}.{name}" for name in ("rebinned", *known, "read")),
    )


def _worth_table(key: str, worths: list[Worth], quantity: WidthQuantity) -> Table:
    table = Table(
        {
            "choice": [one.contrast.label for one in worths],
            "more": [one.contrast.count for one in worths],
            "gain": [one.mean(_GAIN) for one in worths],
            "gain_error": [one.error(_GAIN) for one in worths],
            "gain_each": [one.each(_GAIN) for one in worths],
            "width": [one.mean(_WIDTH) for one in worths],
            "width_error": [one.error(_WIDTH) for one in worths],
            "width_each": [one.each(_WIDTH) for one in worths],
            "seeds": [one.seeds for one in worths],
        }
    )
    for name in table.colnames:
        if name.startswith(("gain", "width")):
            table[name].info.format = "%+.3f" if "error" not in name else "%.3f"
        if name.startswith("width"):
            table[name].unit = quantity.unit or None
    table.meta = {
        "key": key,
        "caption": (
            "What the best binning has with a choice, less what it has without it: "
            f"information gain [nat] and expected width of {quantity.name}, with standard "
            f"errors by the scatter over {_scatter(worths)}; then for each of as many bins "
            "or patches as the choice adds to those that the survey has stars for (more). A "
            "choice that helps has a positive gain and a negative width."
            f"{_untold(worths)}"
        ),
    }
    return table


def _scatter(worths: list[Worth]) -> str:
    """Returns what errors are known by."""
    if all(one.tells_pairs for one in worths if one.seeds > 1):
        return "seeds and over parts of the validation pairs"
    return "seeds alone (other validation pairs would move them by more)"


def _untold(worths: list[Worth]) -> str:
    """Returns why there is no figure, where no choice has an error."""
    if any(one.seeds > 1 for one in worths):
        return ""
    return (
        " No choice has an error, since fewer than two seeds have finished with it and "
        "without it: none is drawn."
    )


def _tried(key: str, found: BinningComparison) -> Table:
    table = trials_table(f"{key}.trials", found.sweep.trials)
    first = [trial.curve[0] if trial.curve else {} for trial in found.sweep.trials]
    table["rebinned"] = [int(one.get("rebinned", 0)) for one in first]
    table["rebinned_per_second"] = [
        one.get("rebinned_per_second", math.nan if one.get("rebinned") else 0.0)
        for one in first
    ]
    table["rebinned_per_second"].info.format = "%.0f"
    caption = table.meta["caption"]
    table.meta["caption"] = f"{caption} Summaries that were not binned anew were read."
    add_kept_columns(table, key, found.kept, found.sweep.trials)
    return table


def _figure(
    key: str, title: str, found: BinningComparison, objective: str, label: str
) -> FigureSection:
    rows = tuple(
        Constraint(one.contrast.label, one.interval(objective))
        for one in found.worths
        if one.seeds > 1
    )
    short = "gain" if objective == _GAIN else "width"
    return FigureSection(
        f"{key}.worth_{short}",
        f"{title}: what choices are worth, {short}",
        Intervals(rows, f"change of {label}", (_NOTHING,), ours="mean and its error"),
        f"Change of the {label} by each choice, about the best binning.",
    )
