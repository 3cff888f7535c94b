"""What can be laid over each other for several runs: posteriors, coverage, ranks, losses.

Runs are compared on a page that cannot compute, so it gets densities, not draws. All is
plain JSON, rounded to what a plot and the table behind it can show.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orrery.identity import JSON
from orrery.judging.distributions import densities
from orrery.judging.intervals import posterior_summary
from orrery.parameters import FloatArray
from orrery.results.collation.scalars import exact, rounded, shares
from orrery.results.panels import LossCurve
from orrery.results.result import Result
from orrery.results.views import CoverageCurves, Predictions, RankCurves, TrainingCurves
from orrery.results.wording import figure_words, worded
from orrery.tables.arrow_bounds import check_parquet

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
    words = figure_words(result.document)
    if section["kind"] == "draws":
        drawn = _posterior(result.content(section, section["files"][0]))
        return [("posteriors", key, {"label": label, **worded(drawn, words)})]
    if section["kind"] != "figure" or section["view"]["$kind"] not in _READERS:
        return []
    kind, read = _READERS[section["view"]["$kind"]]
    found = read(result.view(section), key)
    return [
        (kind, name, {"label": label, **worded(curve, words)})
        for name, curve in found.items()
    ]


# --- posteriors -------------------------------------------------------------------------


def _posterior(content: bytes) -> JSON:
    """Returns the marginal of each parameter of a file of draws."""
    # a checksum says who wrote it, and not that it was well meant
    check_parquet("the file of draws", content, "run the experiment again")
    table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    draws = np.array([column.to_numpy() for column in table.columns], np.float64)
    places, heights = densities(draws.T)
    ends = posterior_summary(draws.T)
    marginals = [
        {
            "name": field.name,
            "unit": (field.metadata or {}).get(b"unit", b"").decode(),
            "median": exact(ends.median[i]),
            "lower": exact(ends.lower[i]),
            "upper": exact(ends.upper[i]),
            "from": exact(places[0, i]),
            "to": exact(places[-1, i]),
            # whole thousandths of the peak: half the page would be digits nobody sees
            "peak": exact(heights[:, i].max()),
            "density": _thousandths(heights[:, i]),
        }
        for i, field in enumerate(table.schema)
    ]
    return {"draws": len(table), "parameters": marginals}


def _thousandths(heights: FloatArray) -> list[int]:
    return (1000 * heights / heights.max()).round().astype(int).tolist()


# --- checks and trainings ---------------------------------------------------------------


def _coverages(view: CoverageCurves, key: str) -> dict[str, JSON]:
    return {
        _below(key, name): {
            "levels": shares(curve.levels),
            "coverage": shares(curve.coverage),
            "tests": len(curve.fractions),
            "area": exact(curve.atc),
            "pvalue": exact(curve.pvalue),
        }
        for name, curve in view.curves.items()
        if name != _CONTROL
    }


def _ranks(view: RankCurves, key: str) -> dict[str, JSON]:
    names = [str(parameter.name) for parameter in view.parameters]
    return {
        _below(key, name): {
            "levels": shares(ranks.levels[::_EVERY]),
            "lower": shares(ranks.lower[::_EVERY]),
            "upper": shares(ranks.upper[::_EVERY]),
            "names": names,
            "difference": [shares(d) for d in ranks.difference[::_EVERY].T],
            "pvalues": rounded(ranks.ks_pvalue),
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
            "label": str(view.legend.get(name, name)),
            "unit": str(view.label[1]),
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
