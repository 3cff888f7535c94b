"""Runs as a study of two posteriors would leave them, without its physics and training.

Benchmarks and tests collate many of them. Some are written by the same code as real ones,
with draws, coverage, ranks, losses and errors that are drawn from what is right; others
are copies of these with options and metrics of their own, which takes no time.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orrery.identity import describe, fingerprint
from orrery.judging import diagnostics, intervals
from orrery.judging.regression import binned
from orrery.parameters import Parameter
from orrery.results.panels import LossCurve
from orrery.results.recording import Recording, read_by, record
from orrery.results.result import Result
from orrery.results.sections import Answer, DrawsSection, FigureSection, Verdict
from orrery.results.views import (
    CoverageCurves,
    Predictions,
    RankCurves,
    TrainingCurves,
)
from orrery.storage.documents import parsed, write_document
from orrery.storage.run import DOCUMENT

PARAMETERS = tuple(
    Parameter(name, unit, f"${name}$")
    for name, unit in (
        ("log10_m_mw", "dex(solMass)"),
        ("log10_m_lmc", "dex(solMass)"),
        ("v_x", "km / s"),
        ("v_y", "km / s"),
        ("v_z", "km / s"),
    )
)
EPOCHS = 60


@dataclass(frozen=True)
class Flow:
    """A flow's architecture."""

    kind: str = "maf"
    transforms: int = 5


@dataclass(frozen=True)
class Choices:
    """Options of a synthetic run."""

    seed: int = 1
    simulations: int = 2048
    stars: str = "desi_dr1_bhb.ecsv"
    flow: Flow = field(default_factory=Flow)


def choices(number: int) -> Choices:
    """Returns the options of a run, different for each number."""
    kind = ("maf", "nsf")[number % 2]
    flow = Flow(kind, 2 + number // 2 % 7)
    return Choices(seed=number, simulations=2 ** (9 + number % 6), flow=flow)


def write_runs(count: int, root: Path, recorded: int = 20) -> list[Path]:
    """Returns the folders of runs after they were written.

    Arguments:
        count: How many.
        root: The folder of all runs.
        recorded: How many are recorded; the others are copies of these.
    """
    first = min(count, recorded)
    folders = [write_run(number, root).folder for number in range(first)]
    copies = [
        copy_run(number, folders[number % first], root)
        for number in range(first, count)
    ]
    return [*folders, *copies]


def copy_run(number: int, model: Path, root: Path) -> Path:
    """Returns the folder of a copy of a run that has its own options and metrics.

    Arguments:
        number: Decides its options and metrics.
        model: The folder of the run that is copied.
        root: The folder of all runs.
    """
    document = parsed((model / DOCUMENT).read_bytes())
    chosen = describe(choices(number))
    random = np.random.default_rng(number)
    document["options"] = chosen
    document["run"] = fingerprint([document["experiment"], chosen])
    document["seconds"] = round(float(random.uniform(10.0, 1000.0)), 3)
    document["metrics"] |= {
        name: float(random.normal(2.0, 0.3))
        for name in document["metrics"]
        if name.endswith("information_gain")
    }
    folder = root / document["experiment"] / document["run"] / "attempt-001"
    shutil.copytree(model, folder)
    write_document(folder / DOCUMENT, document)
    return folder


def write_run(number: int, root: Path, draws: int = 1000, tests: int = 200) -> Result:
    """Returns a run after it was recorded.

    Arguments:
        number: Decides its options and all of its numbers.
        root: The folder of all runs.
        draws: Of each of its posteriors.
        tests: That each was judged by.
    """
    chosen = choices(number)
    # nobody reads: pages and dashboards take longer than the runs
    name = f"synthetic_{number % 3}"
    with read_by(), record(name, chosen, root) as recording:
        random = np.random.default_rng(number)
        dataset = f"{number % 4:016x}"
        recording.lineage("datasets", {"key": "simulations", "fingerprint": dataset})
        for key in ("toy.alone", "toy.both"):
            _record_posterior(recording, key, dataset, random, draws, tests)
        _record_errors(recording, random)
    return recording.result


def _record_posterior(
    recording: Recording,
    key: str,
    dataset: str,
    random: np.random.Generator,
    draws: int,
    tests: int,
) -> None:
    label = key.removeprefix("toy.")
    centre = random.normal(size=len(PARAMETERS))
    values = centre + random.normal(size=(draws, len(PARAMETERS)))
    _record_lineage(recording, key, dataset, random)
    summary = intervals.posterior_summary(values)
    recording.answers(
        Answer(
            f"posterior.{key}.{parameter.name}",
            label,
            parameter.name,
            parameter.unit,
            float(summary.median[i]),
            float(summary.lower[i]),
            float(summary.upper[i]),
        )
        for i, parameter in enumerate(PARAMETERS)
    )
    names = tuple(parameter.name for parameter in PARAMETERS)
    units = tuple(parameter.unit for parameter in PARAMETERS)
    recording.add(DrawsSection(f"draws.{key}", f"Draws, {label}", names, units, values))
    _record_calibration(recording, key, random, tests)


def _record_calibration(
    recording: Recording, key: str, random: np.random.Generator, tests: int
) -> None:
    label = key.removeprefix("toy.")
    theta = random.normal(size=(tests, len(PARAMETERS)))
    held_out = random.normal(size=(60, tests, len(PARAMETERS)))
    coverage = diagnostics.tarp(held_out, theta, seed=1)
    ranks = diagnostics.sbc_ranks(held_out, theta, seed=1, simulations=50)
    recording.metrics(
        {
            f"calibration.{key}.information_gain": random.normal(2.0, 0.3),
            f"calibration.{key}.tarp.ks_pvalue": coverage.ks_pvalue,
        }
    )
    passed = coverage.ks_pvalue > 0.01
    recording.verdicts([Verdict(f"calibration.{key}.tarp", "TARP", passed, "A test.")])
    recording.add(
        FigureSection(
            f"tarp.{key}", f"TARP, {label}", CoverageCurves({"posterior": coverage}), ""
        ),
        FigureSection(
            f"sbc.{key}",
            f"SBC, {label}",
            RankCurves({"posterior": ranks}, PARAMETERS),
            "",
        ),
        FigureSection(
            f"training.{key}",
            f"Training, {label}",
            TrainingCurves({"member_0": _losses(random)}),
            "",
        ),
    )


def _record_lineage(
    recording: Recording, key: str, dataset: str, random: np.random.Generator
) -> None:
    definition = dataset[::-1]
    summaries = fingerprint([dataset, key])
    made = {"key": key, "dataset": dataset, "definition": definition}
    of = {"fingerprint": summaries, "function": "velocity_moments", "version": 1}
    recording.lineage("summaries", {**made, **of})
    learned = {"fingerprint": random.bytes(8).hex(), "summaries": [summaries]}
    recording.lineage("posteriors", {**made, **learned, "seed": 1})


def _losses(random: np.random.Generator) -> LossCurve:
    fall = 3.0 + 4.0 * np.exp(-np.arange(EPOCHS) / 12.0)
    return LossCurve(
        fall + random.normal(0, 0.02, EPOCHS), fall + random.normal(0.1, 0.02, EPOCHS)
    )


def _record_errors(recording: Recording, random: np.random.Generator) -> None:
    truth = random.uniform(11.5, 13.0, size=300)
    predicted = truth + random.normal(0.0, 0.15, size=300)
    errors = binned(truth, predicted, np.linspace(11.5, 13.0, 7))
    recording.metrics({"rmse.25.minimum": float(np.nanmin(errors.rmse))})
    view = Predictions({"25": (truth, predicted)}, {"25": errors}, ("$m$", "dex"))
    recording.add(FigureSection("predictions.ensembles", "Predictions", view, ""))
