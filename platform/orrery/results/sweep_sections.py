"""What a run tells of a comparison of architectures: the winner, the options, the trials."""

import math
from typing import Any

from astropy.table import Table

from orrery.results.recording import Number, Recording
from orrery.results.sections import Caution, Headline, Text, shown
from orrery.sentences import Sentence
from orrery.sweeps.comparison import Comparison
from orrery.sweeps.space import Choice
from orrery.sweeps.trial import Trial, commonest_failure

METHOD = (
    "Share: by how much the better half of the trials differs from all in this option "
    "(PED-ANOVA), as a fraction of what all options do. Effect: the standard deviation of the "
    "score that this option alone makes (functional ANOVA)."
)


def record_comparison(recording: Recording, key: str, found: Comparison) -> None:
    """Records which architecture is best, and how much architectures matter.

    Arguments:
        recording: Where it is recorded.
        key: Of its sections and numbers.
        found: The comparison.
    """
    numbers = _numbers(key, found)
    recording.metrics({**numbers, **best_options(key, found.winner)})
    recording.add(_headline(key, found))
    summary = _summary(found)
    untold = _untold(key, found)
    shows = tuple(name for name in numbers if name not in untold)
    recording.add(Text(key, "Architectures", summary, shows))
    if not len(found.seeds):
        record_failures(
            recording, f"{key}.seeds", "What the seed changes", found.repeats
        )
    recording.tables(
        {"Layers, nodes and seeds": changes_table(f"{key}.changes", found)}
    )
    if found.tells_options:
        matters = options_table(f"{key}.options", found)
        recording.tables({"What matters": matters})
    recording.tables(
        {
            "Architectures that were tried": trials_table(
                f"{key}.trials", found.trials
            ),
            "Seeds of one architecture": trials_table(f"{key}.seeds", found.repeats),
        }
    )


def best_options(key: str, winner: Trial) -> dict[str, Number]:
    """Returns the options of the best trial by stable key.

    Arguments:
        key: Of the sections and numbers of the sweep.
        winner: The best trial.

    Example:
        >>> best_options("flows", Trial(3, {"flow.transforms": 5}, "finished"))
        {'flows.best.transforms': 5}
    """
    return {
        f"{key}.best.{path.rpartition('.')[2]}": value
        for path, value in winner.point.items()
    }


def best_in_words(key: str, winner: Trial) -> Sentence:
    """Returns the options of the best trial in words.

    Arguments:
        key: Of the sections and numbers of the sweep.
        winner: The best trial.

    Example:
        >>> best_in_words("flows", Trial(3, {"flow.transforms": 5}, "finished")).text
        'transforms 5'
    """
    options = best_options(key, winner)
    words = [f"{name.rpartition('.')[2]} {shown(v)}" for name, v in options.items()]
    return Sentence(", ".join(words), tuple(options))


def record_failures(
    recording: Recording, key: str, what: str, trials: list[Trial]
) -> None:
    """Records that something is not known, since each trial that should tell it failed.

    Arguments:
        recording: Where it is recorded.
        key: Of what they should tell.
        what: What they should tell.
        trials: The trials.
    """
    reason, count = commonest_failure(trials)
    reason = " ".join(reason.split())
    numbers: dict[str, Number] = {
        f"{key}.failed": len(trials),
        f"{key}.failed_alike": count,
        f"{key}.failed_reason": reason,
    }
    recording.metrics(numbers)
    text = f"All {len(trials)} trials that should tell it failed, {count} of them so: {reason}"
    recording.add(
        Caution(f"{key}.failure", f"{what} is not known", text, tuple(numbers))
    )


def _headline(key: str, found: Comparison) -> Headline:
    """Returns the best architecture, and how it does on tests."""
    best = best_in_words(key, found.winner)
    name = found.goal.name.replace("_", " ")
    return Headline(
        f"{key}.headline",
        "The best architecture",
        f"Trial {found.winner.number} of {len(found.trials)}: {best}. On the tests, which "
        f"no trial has seen, its {name} is {found.test:.4f} ± {found.test_error:.4f} "
        f"{found.unit}.",
        (
            *(f"{key}.winner", f"{key}.trials"),
            *best.shows,
            *(f"{key}.test", f"{key}.test_error"),
        ),
    )


def _numbers(key: str, found: Comparison) -> dict[str, Number]:
    states = [trial.state for trial in found.trials]
    return {
        f"{key}.trials": len(states),
        f"{key}.failed": states.count("failed"),
        f"{key}.winner": found.winner.number,
        f"{key}.validation": found.validation,
        f"{key}.test": found.test,
        f"{key}.test_error": found.test_error,
        f"{key}.optimism": found.optimism,
        f"{key}.difference": abs(found.optimism),
        f"{key}.optimism_error": found.optimism_error,
        f"{key}.spread": found.spread,
        f"{key}.repeats": len(found.seeds),
        f"{key}.given": found.given,
        f"{key}.scatter": found.scatter,
        **_shape_numbers(key, found),
    }


def _untold(key: str, found: Comparison) -> set[str]:
    """Returns the numbers that are no numbers, where seeds or trials tell nothing."""
    names = ["optimism"]
    if math.isnan(found.optimism_error):
        names.append("optimism_error")
    if len(found.seeds) < 2:
        names += ["given", "scatter"]
    if found.tells_shape and math.isnan(found.shape_effect.error):
        names.append("shape_effect_error")
    return {f"{key}.{name}" for name in names}


def _summary(found: Comparison) -> str:
    unit = found.unit
    name = found.goal.name.replace("_", " ")
    failed = sum(trial.state == "failed" for trial in found.trials)
    return (
        f"Of {len(found.trials)} architectures ({failed} failed) the best one, trial "
        f"{found.winner.number}, has a {name} of {found.validation:.4f} {unit} on the "
        f"validation pairs, by which it was chosen, and of {found.test:.4f} ± "
        f"{found.test_error:.4f} {unit} on the tests, which no trial has seen: there it is "
        f"{difference_in_words(found, '.4f')}.\n\n"
        f"The architectures' scores scatter by {found.spread:.4f} {unit} (half of the "
        f"central 68 %){_seeds_in_words(found)}."
        f"{_shape_in_words(found)}"
    )


def difference_in_words(found: Comparison, form: str) -> str:
    """Returns how the winner's score on the tests compares with that by which it was chosen.

    Without its sign, and with its error, where that is known.

    Arguments:
        found: The comparison.
        form: How numbers are written.

    Example:
        >>> from orrery.sweeps.space import Int, SearchSpace
        >>> from orrery.sweeps.trial import Goal
        >>> goal, space = Goal("p", "larger"), SearchSpace({"depth": Int(0, 9)})
        >>> trials = [Trial(0, {"depth": 3}, "finished", objectives={"p": -6.15})]
        >>> found = Comparison(goal, "nat", space, trials, [], -6.10, 0.04, (), 0.03)
        >>> difference_in_words(found, ".2f").partition(",")[0]
        'better by 0.05 ± 0.05 nat than on the validation pairs'
    """
    side = "worse" if found.optimism > 0 else "better"
    size = f"{abs(found.optimism):{form}}"
    than = "than on the validation pairs"
    if found.is_optimistic is None:
        return f"{side} by {size} {found.unit} {than}, with an error that is not known"
    judged = "which is no more than other pairs may make"
    if abs(found.optimism) > 2 * found.optimism_error:
        judged = "which is more than other pairs make, but no optimism"
    if found.is_optimistic:
        judged = "by which the choice was optimistic"
    error = f"{found.optimism_error:{form}}"
    return f"{side} by {size} ± {error} {found.unit} {than}, {judged}"


def _seeds_in_words(found: Comparison) -> str:
    seeds = len(found.seeds)
    if seeds < 2:
        return (
            f"; what the seed changes is not known, since of the given architecture {seeds} "
            "trials have finished"
        )
    return (
        f", those of the given architecture over {seeds} seeds, "
        f"{found.given:.4f} {found.unit} on average, by {found.scatter:.4f} {found.unit}"
    )


def _shape_numbers(key: str, found: Comparison) -> dict[str, float]:
    if not found.tells_shape:
        return {}
    effect = found.shape_effect
    return {
        f"{key}.shape_effect": effect.value,
        f"{key}.shape_effect_error": effect.error,
        f"{key}.shape_effect_by_chance": effect.by_chance,
        f"{key}.shape_effect_by_chance_scatter": effect.chance_scatter,
    }


def _shape_in_words(found: Comparison) -> str:
    if not found.tells_shape:
        return ""
    effect = found.shape_effect
    names = " and ".join([", ".join(found.shape[:-1]), found.shape[-1]])
    error = f" ± {effect.error:.4f}"
    how = "error by leaving out one group of trials after the other"
    if math.isnan(effect.error):
        error = ""
        how = "so few trials tell no error"
    return (
        f"\n\nThe number of layers and nodes ({names}) changes the score by "
        f"{effect.value:.4f}{error} {found.unit} (standard deviation that each makes "
        f"alone, by functional ANOVA, added in quadrature; {how}); "
        f"{effect.by_chance:.4f} ± {effect.chance_scatter:.4f} {found.unit} would be found "
        "if they did not matter (mean and standard deviation where they are exchanged "
        "among the trials)."
    )


def changes_table(key: str, found: Comparison) -> Table:
    """Returns by how much shapes and seeds change the score.

    Arguments:
        key: Of the table.
        found: The comparison.
    """
    rows = [("seeds of one architecture", found.scatter, found.scatter_error)]
    if found.tells_shape:
        effect = found.shape_effect
        rows = [
            ("layers and nodes", effect.value, effect.error),
            (
                "layers and nodes, if they did not matter",
                effect.by_chance,
                effect.chance_scatter,
            ),
            *rows,
        ]
    table = Table(rows=rows, names=["what", "change", "error"])
    for name in ("change", "error"):
        table[name].unit = found.unit if found.unit != "nat" else None
        table[name].info.format = "%.4f"
    of = " [nat]" if found.unit == "nat" else ""
    table.meta = {
        "key": key,
        "caption": (
            f"Standard deviations of the score{of} that each makes alone. If layers and "
            "nodes did not matter: the mean of what would be found, and in place of an "
            "error its standard deviation, where they are exchanged among the trials."
        ),
    }
    return table


def options_table(key: str, found: Comparison) -> Table:
    """Returns what was varied, what the best trial has of it, and how much it matters.

    Arguments:
        key: Of the table.
        found: The comparison.
    """
    shares = found.shares
    effects = found.effects
    paths = list(found.space.domains)
    table = Table(
        {
            "option": paths,
            "tried": [_tried(found, path) for path in paths],
            "winner": [shown(found.winner.point[path]) for path in paths],
            "share": [shares[path] for path in paths],
            "effect": [effects[path] for path in paths],
        }
    )
    table["effect"].unit = found.unit if found.unit != "nat" else None
    table["share"].info.format = "%.2f"
    table["effect"].info.format = "%.4f"
    of = " [nat]" if found.unit == "nat" else ""
    table.meta = {"key": key, "caption": f"{METHOD.replace('Effect', f'Effect{of}')}"}
    return table


def _tried(found: Comparison, path: str) -> str:
    domain = found.space.domains[path]
    if isinstance(domain, Choice):
        return ", ".join(map(shown, domain.values))
    return f"{domain.low:g} to {domain.high:g}"


def trials_table(key: str, trials: list[Trial]) -> Table:
    """Returns the trials with their options, objectives and states.

    Arguments:
        key: Of the table.
        trials: Those of one sweep, one at least.
    """
    paths = list(trials[0].point)
    goals = sorted({name for trial in trials for name in trial.objectives})
    columns: dict[str, list[Any]] = {
        "trial": [trial.number for trial in trials],
        "state": [trial.state for trial in trials],
    }
    for path in paths:
        columns[path] = _cells([trial.point[path] for trial in trials])
    for goal in goals:
        columns[goal] = [trial.objectives.get(goal, float("nan")) for trial in trials]
    columns["seconds"] = [trial.seconds for trial in trials]
    table = Table(columns)
    for goal in goals:
        table[goal].info.format = "%.4f"
    table["seconds"].info.format = "%.1f"
    if any(trial.reason for trial in trials):
        table["reason"] = [trial.reason for trial in trials]
    table.meta = {"key": key, "caption": "Scores on validation pairs."}
    return table


def _cells(values: list[Any]) -> list[Any]:
    """Returns an option's values as numbers where all of them are, and else as text."""
    numbers = all(type(value) in (int, float) for value in values)
    return values if numbers else [shown(value) for value in values]
