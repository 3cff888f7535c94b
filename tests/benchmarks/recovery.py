"""Do our posteriors recover the parameters of simulations that agama made?

    python experiments/table2.py
    python tests/benchmarks/recovery.py --run runs/table2/OPTIONS --sets FOLDER
    python tests/benchmarks/recovery.py --run runs/table2/OPTIONS --simulations datasets/NAME

    python experiments/desi_choices.py
    python tests/benchmarks/recovery.py --run runs/desi_choices/OPTIONS --simulations datasets/NAME

The posteriors of a run are conditioned on data that another code made from known
parameters. `--sets` is a folder of reference sets, whose JSON files hold the quadrants'
moments; `--simulations` a dataset of `--engine agama`, whose stars can be binned for
every row of Table 2 and for every choice of `desi_choices`, which must have been made of
the bundled tables with seed 1. Each data vector gets the survey's errors `--noises`
times; of stars that fill their patches these are drawn, while stars that are drawn
survey-like bring them, and are drawn anew. The last line is one JSON object: for each
posterior, how often the central 68 % hold the truth, and the mean of (median - truth) in
units of half that interval, for all parameters and for each; `_error` is the scatter of
such a mean over simulations.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mwlmc.parameters import INFERRED
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.sky import kinematics
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    SkyBinning,
    without_and_with_v_tb,
)
from mwlmc.study.desi_choices import choice_rows
from mwlmc.study.options import DesiChoices
from mwlmc.study.survey_draws import survey_drawn
from orrery import runs
from orrery.learning import mixture
from orrery.learning.mixture import Mixture
from orrery.pairs import Pairs, convolve
from orrery.parameters import FloatArray, generator, parameter_names
from orrery.storage.dataset import Dataset

DRAWS = 2000
# A reference set's names of our binning's patches.
PROFILES = {
    ("q1", "v_gsr"): "vgsr_Q1",
    ("q2", "v_gsr"): "vgsr_Q2",
    ("q3", "v_gsr"): "vgsr_Q3",
}
PROFILES |= {("q4", "v_gsr"): "vgsr_Q4", ("all", "v_tb"): "vtb_all"}
COLUMNS = {"mean": 1, "dispersion": 2}


@dataclass(frozen=True)
class Options:
    """Which posteriors are conditioned on which simulations."""

    run: Path
    """The folder of all attempts at a run of experiments/table2.py or desi_choices.py."""
    sets: Path | None = None
    """A folder of reference sets, set*.json."""
    simulations: Path | None = None
    """A dataset of simulations by agama."""
    noises: int = 10
    """How often errors, or the survey's stars, are drawn for each simulation."""
    seed: int = 0
    """Decides the errors and the draws."""


def main(options: Options) -> None:
    found: dict[str, Any] = {}
    folders = sorted(options.run.glob("posteriors/*/*/"))
    if not folders:
        raise ValueError(
            f"{options.run} has no posteriors/: give the folder above a run's attempts"
        )
    for folder in folders:
        data = folder.parent.name
        estimate = mixture.load(folder)
        parts = [part for part in _truths(options, estimate) if len(part[0])]
        if parts:
            every = [_joined(drawn) for drawn in zip(*parts, strict=True)]
            found[data] = recovered(estimate, every, options.seed)
        else:
            print(f"{data}: no simulations of its binning", file=sys.stderr)
    print(json.dumps({"run": options.run.name, "posteriors": found}))


def _truths(options: Options, estimate: Mixture) -> Iterator[list[Pairs]]:
    """Yields the pairs of each source, once for each draw of errors."""
    if options.sets:
        yield [from_sets(options.sets, estimate.names)] * options.noises
    if options.simulations:
        made = Dataset.open(options.simulations)
        yield from_dataset(made, binning_of(estimate), options.noises)


def _joined(parts: Sequence[Pairs]) -> Pairs:
    theta = np.concatenate([part.theta for part in parts])
    return Pairs(theta, np.concatenate([part.x for part in parts]))


def from_sets(folder: Path, wanted: tuple[str, ...]) -> Pairs:
    """Returns truths and summaries of the reference sets that have all the wanted summaries.

    Raises:
        ValueError: If the folder has no sets.
    """
    files = sorted(folder.glob("set*.json"))
    if not files:
        raise ValueError(
            f"{folder} has no set*.json: give the folder of the reference sets"
        )
    documents = [json.loads(file.read_text()) for file in files]
    rows = [
        (_truth(d), known)
        for d in documents
        if set(wanted) <= (known := _summaries(d)).keys()
    ]
    theta = np.array([truth for truth, _ in rows]).reshape(-1, len(INFERRED))
    x = np.array([[known[name] for name in wanted] for _, known in rows])
    return Pairs(theta, x.reshape(-1, len(wanted)))


def _truth(document: Mapping[str, Any]) -> list[float]:
    derived, reflex = document["derived"], document["reflex_50_100"]
    masses = [float(np.log10(derived[name])) for name in ("m_mw_halo_50", "m_lmc_50")]
    friction = document["parameters"]["log10_lambda_df"]
    return [*masses, reflex["vx"], reflex["vy"], reflex["vz"], friction]


def _summaries(document: Mapping[str, Any]) -> dict[str, float]:
    today = [*document["lmc_x"], *document["lmc_v"]]
    known = {
        f"lmc_{name}": value for name, value in zip(PHASE_SPACE, today, strict=True)
    }
    for profile in QUADRANTS.with_moments(("mean", "dispersion")).profiles:
        table = document.get("summaries", {}).get(
            PROFILES[profile.patch.name, profile.quantity]
        )
        if table is not None:
            values = [
                row[COLUMNS[moment]] for moment in profile.moments for row in table
            ]
            known |= dict(zip(profile.names, values, strict=True))
    return known


def binning_of(estimate: Mixture) -> SkyBinning:
    """Returns the binning that a posterior learned.

    Raises:
        ValueError: If it is none of those that are known.
    """
    binning = known_binnings().get(estimate.definition)
    if binning is None:
        raise ValueError(
            "the posterior learned another binning than those of Table 2's rows and of DESI's "
            "choices: give a run of the bundled tables with seed 1"
        )
    return binning


@cache
def known_binnings() -> dict[str, SkyBinning]:
    """Returns the binnings of Table 2's six rows and of DESI's choices, by fingerprint.

    Those of choices that draw stars survey-like know which stars the survey has.
    """
    of_rows = [
        binning
        for whole in (DESI_FOOTPRINT, QUADRANTS)
        for binning in without_and_with_v_tb(whole).values()
    ]
    of_choices = [
        row.binning for rows in choice_rows(DesiChoices()).values() for row in rows
    ]
    return {binning.fingerprint: binning for binning in of_rows + of_choices}


def from_dataset(made: Dataset, binning: SkyBinning, noises: int) -> list[Pairs]:
    """Returns truths and summaries of a dataset's simulations, once for each draw of errors.

    Where a survey draws stars, each time it draws others.
    """
    binnings = survey_drawn(binning, noises)
    theta, x = [], []
    for shard in made.shards:
        records = made.records(shard)
        names = parameter_names(INFERRED)
        theta.append(np.stack([records.scalars[name] for name in names], axis=1))
        x.append([kinematics.velocity_moments(records, one) for one in binnings])
    whole = np.concatenate(x, axis=1)  # [draws, N, S]
    # the same simulations in each draw, since their bias is averaged over draws
    kept = np.isfinite(whole).all(axis=(0, 2))
    truth = np.concatenate(theta)[kept]
    pairs = [Pairs(truth, drawn[kept]) for drawn in whole]
    return pairs if len(pairs) == noises else pairs * noises


def recovered(estimate: Mixture, drawn: Sequence[Pairs], seed: int) -> dict[str, Any]:
    """Returns coverage and bias of a posterior on simulations with known parameters.

    Arguments:
        estimate: The posterior.
        drawn: The same simulations, once for each draw of errors.
        seed: Decides the errors and the draws.
    """
    held, away = [], []
    for number, pairs in enumerate(drawn):
        # of stars drawn survey-like, the errors of the LMC and those that all stars share
        noisy = convolve(pairs, estimate.covariance, generator(seed, number))
        draws = estimate.sample_each(noisy.x, DRAWS, seed + number)
        low, median, high = np.quantile(draws, (0.16, 0.5, 0.84), axis=0)
        held.append((low <= pairs.theta) & (pairs.theta <= high))
        away.append((median - pairs.theta) / ((high - low) / 2))
    return {
        "simulations": len(drawn[0]),
        **_over_simulations("coverage", np.mean(held, axis=0)),
        **_over_simulations("bias", np.mean(away, axis=0)),
    }


def _over_simulations(name: str, values: FloatArray) -> dict[str, Any]:
    """Returns means of values `[N, P]`, of all parameters and of each, with their errors."""
    every = values.mean(axis=1)
    return {
        name: round(float(every.mean()), 3),
        f"{name}_error": round(float(_error(every)), 3),
        f"{name}_each": _named(values.mean(axis=0)),
        f"{name}_each_error": _named(_error(values)),
    }


def _error(values: FloatArray) -> FloatArray:
    """Returns the standard error of the mean over the first axis; NaN of one value."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def _named(values: FloatArray) -> dict[str, float]:
    return {p.name: round(float(v), 3) for p, v in zip(INFERRED, values, strict=True)}


if __name__ == "__main__":
    runs.main(main, Options)
