"""What can be laid over each other for several runs: posteriors, coverage, ranks, losses.

Runs are compared on a page that cannot compute, so densities are computed here. All is
plain JSON, rounded to what a plot and the table behind it can show.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.ndimage import gaussian_filter1d

from orrery.identity import JSON
from orrery.judging.diagnostics import posterior_summary
from orrery.parameters import FloatArray
from orrery.results.collation.scalars import exact, rounded
from orrery.results.panels import LossCurve
from orrery.results.result import Result
from orrery.results.views import CoverageCurves, Predictions, RankCurves, TrainingCurves

POINTS = 64  # of a density
_FINE = 8  # bins for each of them, in which draws are counted
MOST_EPOCHS = 80  # of a training that are drawn
_EVERY = 5  # level of the ranks' curves is drawn
_CONTROL = "negative_control"
# What a document of another version, or a damaged file, may fail with.
UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError, OSError),
    *(ArithmeticError, RecursionError, pa.ArrowException),
)


def run_curves(result: Result) -> tuple[JSON, list[str]]:
    """Returns a run's curves by kind and key, and what is wrong with those left out.

    Arguments:
        result: The run, whatever its state.
    """
    curves: JSON = {}
    problems = []
    for section in result.sections:
        try:
            found = _section_curves(result, section)
        except UNREADABLE as error:
            problems.append(f"{_name(section)}: {error}")
            continue
        for kind, key, curve in found:
            curves.setdefault(kind, {})[key] = curve
    return curves, problems


def _name(section: Any) -> str:
    key = section.get("key") if isinstance(section, dict) else section
    return f"part {key!r} cannot be drawn"


def _section_curves(result: Result, section: JSON) -> Iterable[tuple[str, str, JSON]]:
    """Returns the curves of one part: kind, key, and what is drawn."""
    # keys and titles say first what the part is, then of which data
    key = section["key"].partition(".")[2] or section["key"]
    label = section["title"].partition(", ")[2] or section["title"]
    if section["kind"] == "draws":
        drawn = _posterior(result.folder / section["files"][0])
        return [("posteriors", key, {"label": label, **drawn})]
    if section["kind"] != "figure" or section["view"]["$kind"] not in _READERS:
        return []
    kind, read = _READERS[section["view"]["$kind"]]
    found = read(result.view(section), key)
    return [(kind, name, {"label": label, **curve}) for name, curve in found.items()]


# --- posteriors -------------------------------------------------------------------------


def _posterior(path: Path) -> JSON:
    """Returns the marginal of each parameter of a file of draws."""
    table = pq.read_table(path)
    marginals = [
        _marginal(field, np.asarray(table[field.name].to_numpy(), np.float64))
        for field in table.schema
    ]
    return {"draws": len(table), "parameters": marginals}


def _marginal(field: pa.Field, values: FloatArray) -> JSON:
    unit = (field.metadata or {}).get(b"unit", b"").decode()
    summary = posterior_summary(values)
    places, heights = density(values)
    return {
        "name": field.name,
        "unit": unit,
        "median": exact(float(summary.median)),
        "lower": exact(float(summary.lower)),
        "upper": exact(float(summary.upper)),
        "from": exact(places[0]),
        "to": exact(places[-1]),
        # whole thousandths of the peak: half the page would be digits that nobody sees
        "peak": exact(heights.max()),
        "density": (1000 * heights / heights.max()).round().astype(int).tolist(),
    }


def density(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns where the density of draws is given `[POINTS]`, and the density `[POINTS]`.

    A kernel estimate with Silverman's width, between the smallest and the largest draw,
    at which the kernel is reflected: a posterior that ends at a bound of its prior ends
    there in the plot. Its sum times the step is one.

    doi.org/10.1201/9781315140919

    Arguments:
        values: The draws, with shape `[n]`.

    Raises:
        ValueError: If there are none, or one is not finite.

    Example:
        >>> places, heights = density(np.random.default_rng(1).normal(size=10_000))
        >>> round(float(heights.sum() * (places[1] - places[0])), 9)
        1.0
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{len(values)} draws, some not finite: they have no density")
    low, high = float(values.min()), float(values.max())
    if low == high:  # a parameter that was held
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, POINTS * _FINE, (low, high))
    fine = (high - low) / len(counts)
    smooth = gaussian_filter1d(
        counts.astype(float), _kernel_width(values) / fine, mode="reflect"
    )
    heights = smooth.reshape(POINTS, _FINE).sum(axis=1)
    places = edges[::_FINE][:-1] + _FINE * fine / 2
    return places, heights / (heights.sum() * _FINE * fine)


def _kernel_width(values: FloatArray) -> float:
    """Returns Silverman's width of a kernel."""
    lower, upper = np.quantile(values, (0.25, 0.75))
    spreads = [values.std(), (upper - lower) / 1.34]
    spread = min((s for s in spreads if s > 0), default=1.0)
    return float(0.9 * spread * len(values) ** -0.2)


# --- checks and trainings ---------------------------------------------------------------


def _coverages(view: CoverageCurves, key: str) -> dict[str, JSON]:
    return {
        _below(key, name): {
            "levels": rounded(curve.levels),
            "coverage": rounded(curve.coverage),
            "tests": len(curve.fractions),
            "area": exact(curve.atc),
            "pvalue": exact(curve.ks_pvalue),
        }
        for name, curve in view.curves.items()
        if name != _CONTROL
    }


def _ranks(view: RankCurves, key: str) -> dict[str, JSON]:
    names = [parameter.name for parameter in view.parameters]
    return {
        _below(key, name): {
            "levels": rounded(ranks.levels[::_EVERY]),
            "lower": rounded(ranks.lower[::_EVERY]),
            "upper": rounded(ranks.upper[::_EVERY]),
            "names": names,
            "difference": [rounded(d) for d in ranks.difference[::_EVERY].T],
            "pvalues": [exact(pvalue) for pvalue in ranks.ks_pvalue],
        }
        for name, ranks in view.results.items()
        if name != _CONTROL
    }


def _below(key: str, name: str) -> str:
    return key if name == "posterior" else f"{key}.{name}"


def _errors(view: Predictions, key: str) -> dict[str, JSON]:
    """Returns errors by the key of what predicts: figures that share it show the same."""
    return {
        name: {
            "label": view.legend.get(name, name),
            "unit": view.label[1],
            "edges": rounded(errors.edges),
            "tests": [int(count) for count in errors.counts],
            "rmse": rounded(errors.rmse),
            "rmse_error": rounded(errors.rmse_error),
        }
        for name, errors in view.errors.items()
    }


def _trainings(view: TrainingCurves, key: str) -> dict[str, JSON]:
    return {key: {"members": [_losses(curve) for curve in view.curves.values()]}}


def _losses(curve: LossCurve) -> JSON:
    """Returns losses at the first, the best, the last and evenly spaced epochs."""
    last = len(curve.train) - 1
    spaced = np.linspace(0, last, min(last + 1, MOST_EPOCHS)).round().astype(int)
    epochs = np.unique([*spaced, curve.best])
    return {
        "epochs": epochs.tolist(),
        "best": curve.best,
        "train": rounded(curve.train[epochs]),
        "validation": rounded(curve.validation[epochs]),
    }


_READERS: dict[str, tuple[str, Callable[[Any, str], dict[str, JSON]]]] = {
    "CoverageCurves": ("tarp", _coverages),
    "RankCurves": ("sbc", _ranks),
    "Predictions": ("rmse", _errors),
    "TrainingCurves": ("training", _trainings),
}
