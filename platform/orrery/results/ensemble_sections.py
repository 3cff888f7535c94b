"""What is told of ensembles: their errors as tables, curves and numbers."""

from collections.abc import Mapping

from astropy.table import Table

from orrery.inference.ensembles import EvaluatedEnsemble
from orrery.pairs import Splits
from orrery.parameters import Parameter
from orrery.results.lineage import record_learned_lineage
from orrery.results.recording import Recording
from orrery.results.sections import FigureSection, TableSection
from orrery.results.views import Predictions


def record_ensemble(
    recording: Recording,
    key: str,
    evaluated: EvaluatedEnsemble,
    parameter: Parameter,
    splits: Splits,
) -> None:
    """Records how an ensemble fares on its tests.

    Arguments:
        recording: Where it goes.
        key: Of the ensemble, such as `25`; files and numbers are named by it.
        evaluated: The ensemble.
        parameter: What it predicts.
        splits: The pairs that it was learned from.
    """
    document = evaluated.ensemble.document
    record_learned_lineage(recording, "ensembles", key, document, splits)
    scatter_one, scatter_mean = evaluated.scatter
    pairs = document["pairs"]
    recording.metrics(
        {
            f"rmse.{key}.all": evaluated.rmse,
            f"rmse.{key}.minimum": evaluated.smallest_rmse(),
            f"ensemble.{key}.members": len(evaluated.members),
            f"ensemble.{key}.reinitialised": evaluated.ensemble.reseeded,
            f"ensemble.{key}.scatter_of_one_network": scatter_one,
            f"ensemble.{key}.scatter_of_the_mean": scatter_mean,
            f"ensemble.{key}.training_examples": pairs["train"]["count"],
            f"ensemble.{key}.validation_examples": pairs["validation"]["count"],
            f"ensemble.{key}.tests": len(evaluated.truth),
        }
    )
    recording.add(
        TableSection(
            f"errors.{key}",
            f"Errors, {evaluated.label}",
            error_table(evaluated, parameter),
            _summary(evaluated),
            _summary_keys(key, evaluated),
        )
    )


def _summary(evaluated: EvaluatedEnsemble) -> str:
    """Returns what a reader must know of an ensemble, in some sentences."""
    pairs = evaluated.ensemble.document["pairs"]
    count = len(evaluated.members)
    text = (
        f"{count} network{'s' if count > 1 else ''}, {evaluated.ensemble.reseeded} "
        "initialised anew because the first weights collapsed, learned "
        f"{pairs['train']['count']} examples, stopped by the loss of "
        f"{pairs['validation']['count']} others; {len(evaluated.truth)} more are the "
        "tests. Root mean square error and median of prediction less truth in bins of "
        "the truth."
    )
    if count > 1:
        one, mean = evaluated.scatter
        text += (
            f" One network scatters by {one:.3f} about the mean of all, which would "
            f"scatter by {mean:.4f} if the members erred independently."
        )
    return text


def _summary_keys(key: str, evaluated: EvaluatedEnsemble) -> tuple[str, ...]:
    """Returns the keys of the numbers in these sentences."""
    names = ["members", "reinitialised", "training_examples", "validation_examples"]
    names.append("tests")
    if len(evaluated.members) > 1:
        names += ["scatter_of_one_network", "scatter_of_the_mean"]
    return tuple(f"ensemble.{key}.{name}" for name in names)


def error_table(evaluated: EvaluatedEnsemble, parameter: Parameter) -> Table:
    """Returns root mean square error and median bias in bins of the truth, with errors.

    Arguments:
        evaluated: The ensemble.
        parameter: What it predicts, whose unit the errors have.
    """
    errors = evaluated.errors
    columns = {
        "from": errors.edges[:-1],
        "to": errors.edges[1:],
        "tests": errors.counts,
        "rmse": errors.rmse,
        "rmse_error": errors.rmse_error,
        "bias": errors.bias,
        "bias_error": errors.bias_error,
    }
    table = Table(columns)
    for name in table.colnames:
        if name != "tests":
            table[name].unit = parameter.unit
            table[name].info.format = "%.3f"
    return table


def record_predictions(
    recording: Recording,
    key: str,
    title: str,
    evaluated: Mapping[str, EvaluatedEnsemble],
    label: tuple[str, str],
    published: Mapping[str, float],
) -> None:
    """Records predictions and errors of several ensembles as one figure.

    Arguments:
        recording: Where it goes.
        key: Of the figure.
        title: Its heading.
        evaluated: By key; the tests of the first in alphabetical order are drawn.
        label: The parameter in mathtext and its unit, such as dex.
        published: Published errors, by the ensemble's key, as lines.
    """
    # as documents have them, from which figures are drawn
    evaluated = dict(sorted(evaluated.items()))
    first = next(iter(evaluated.values()))
    bands = {k: e.member_errors for k, e in evaluated.items() if len(e.members) > 1}
    known = {k: evaluated[k].label for k in evaluated if k in published}
    lines = {f"{k}.published": published[k] for k in known}
    view = Predictions(
        {k: (one.truth, one.predicted) for k, one in evaluated.items()},
        {k: one.errors for k, one in evaluated.items()},
        label,
        bands,
        lines,
        legend={
            **{k: one.label for k, one in evaluated.items()},
            **{f"{k}.published": f"{name}, published" for k, name in known.items()},
        },
    )
    caption = (
        f"Tests as {first.label} predicts them, medians, and below root mean square error "
        "and median bias in bins of the truth"
    )
    caption += "; bands hold 16-84 % of the members" if bands else ""
    caption += "; horizontal lines in the middle are published" if lines else ""
    recording.add(FigureSection(key, title, view, f"{caption}."))
