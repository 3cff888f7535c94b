"""What a run tells of a comparison of architectures: the winner, the options, the trials."""

import math
from typing import Any

from astropy.table import Table

from orrery.results.recording import Recording
from orrery.results.sections import Text, shown
from orrery.sweeps.comparison import Comparison
from orrery.sweeps.space import Choice
from orrery.sweeps.trial import Trial

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
    recording.metrics(numbers)
    summary = _summary(key, found)
    recording.add(Text(key, "Architectures", summary, tuple(numbers)))
    recording.tables(
        {
            "Layers, nodes and seeds": changes_table(f"{key}.changes", found),
            "What matters": options_table(f"{key}.options", found),
            "Architectures that were tried": trials_table(
                f"{key}.trials", found.trials
            ),
            "Seeds of one architecture": trials_table(f"{key}.seeds", found.repeats),
        }
    )


def _numbers(key: str, found: Comparison) -> dict[str, float]:
    states = [trial.state for trial in found.trials]
    return {
        f"{key}.trials": len(states),
        f"{key}.failed": states.count("failed"),
        f"{key}.winner": found.winner.number,
        f"{key}.validation": found.validation,
        f"{key}.test": found.test,
        f"{key}.test_error": found.test_error,
        f"{key}.optimism": found.optimism,
        f"{key}.spread": found.spread,
        f"{key}.repeats": len(found.seeds),
        f"{key}.given": found.given,
        f"{key}.scatter": found.scatter,
        **_shape_numbers(key, found),
    }


def _summary(key: str, found: Comparison) -> str:
    unit = found.unit
    name = found.goal.name.replace("_", " ")
    failed = sum(trial.state == "failed" for trial in found.trials)
    return (
        f"Of {len(found.trials)} architectures ({failed} failed) the best one, trial "
        f"{found.winner.number}, has a {name} of {found.validation:.4f} {unit} on the "
        f"validation pairs, by which it was chosen, and of {found.test:.4f} ± "
        f"{found.test_error:.4f} {unit} on the tests, which no trial has seen: it was "
        f"optimistic by {found.optimism:.4f} {unit}.\n\n"
        f"The architectures' scores scatter by {found.spread:.4f} {unit} (half of the "
        f"central 68 %), those of the given architecture over {len(found.seeds)} seeds, "
        f"{found.given:.4f} {unit} on average, by {found.scatter:.4f} {unit}."
        f"{_shape_in_words(found)}"
    )


def _shape_numbers(key: str, found: Comparison) -> dict[str, float]:
    if not found.shape:
        return {}
    effect = found.shape_effect
    return {
        f"{key}.shape_effect": effect.value,
        f"{key}.shape_effect_error": effect.error,
        f"{key}.shape_effect_by_seeds": effect.by_seeds,
    }


def _shape_in_words(found: Comparison) -> str:
    if not found.shape:
        return ""
    effect = found.shape_effect
    names = " and ".join([", ".join(found.shape[:-1]), found.shape[-1]])
    return (
        f"\n\nThe number of layers and nodes ({names}) changes the score by "
        f"{effect.value:.4f} ± {effect.error:.4f} {found.unit} (standard deviation that "
        "each makes alone, by functional ANOVA, added in quadrature; error by leaving out "
        f"one group of trials after the other); {effect.by_seeds:.4f} {found.unit} would "
        "be found if nothing mattered but seeds."
    )


def changes_table(key: str, found: Comparison) -> Table:
    """Returns by how much shapes and seeds change the score.

    Arguments:
        key: Of the table.
        found: The comparison.
    """
    rows = [("seeds of one architecture", found.scatter, found.scatter_error)]
    if found.shape:
        effect = found.shape_effect
        rows = [
            ("layers and nodes", effect.value, effect.error),
            ("layers and nodes, by seeds alone", effect.by_seeds, math.nan),
            *rows,
        ]
    table = Table(rows=rows, names=["what", "change", "error"])
    for name in ("change", "error"):
        table[name].unit = found.unit if found.unit != "nat" else None
        table[name].info.format = "%.4f"
    of = " [nat]" if found.unit == "nat" else ""
    table.meta = {
        "key": key,
        "caption": f"Standard deviations of the score{of} that each makes alone.",
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
