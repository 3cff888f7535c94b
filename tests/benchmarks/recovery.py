"""Do our posteriors recover the parameters of simulations that agama made?

    python experiments/table2.py
    python tests/benchmarks/recovery.py --run runs/table2/OPTIONS --sets FOLDER
    python tests/benchmarks/recovery.py --run runs/table2/OPTIONS --simulations datasets/NAME

The posteriors of a run are conditioned on data that another code made from known
parameters. `--sets` is a folder of reference sets, whose JSON files hold the quadrants'
moments; `--simulations` a dataset of `--engine agama`, whose stars can be binned for
every row. Each data vector gets the survey's errors `--noises` times. The last line is
one JSON object: for each posterior, how often the central 68 % hold the truth, and the
mean of (median - truth) in units of half that interval, for each parameter and for all;
`bias_error` is the scatter of that mean over simulations.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """The folder of all attempts at a run of experiments/table2.py."""
    sets: Path | None = None
    """A folder of reference sets, set*.json."""
    simulations: Path | None = None
    """A dataset of simulations by agama."""
    noises: int = 10
    """How often errors are drawn for each simulation."""
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
        parts = [part for part in _truths(options, estimate) if len(part)]
        if parts:
            theta = np.concatenate([part.theta for part in parts])
            every = Pairs(theta, np.concatenate([part.x for part in parts]))
            found[data] = recovered(estimate, every, options)
        else:
            print(f"{data}: no simulations of its binning", file=sys.stderr)
    print(json.dumps({"run": options.run.name, "posteriors": found}))


def _truths(options: Options, estimate: Mixture) -> Iterator[Pairs]:
    if options.sets:
        yield from_sets(options.sets, estimate.names)
    if options.simulations:
        yield from_dataset(Dataset.open(options.simulations), binning_of(estimate))


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
        ValueError: If it is none of those of the six rows.
    """
    for whole in (DESI_FOOTPRINT, QUADRANTS):
        for binning in without_and_with_v_tb(whole).values():
            if binning.fingerprint == estimate.definition:
                return binning
    raise ValueError(
        "the posterior learned another binning than those of Table 2's rows"
    )


def from_dataset(made: Dataset, binning: SkyBinning) -> Pairs:
    """Returns truths and summaries of a dataset's simulations."""
    theta, x = [], []
    for shard in made.shards:
        records = made.records(shard)
        theta.append(
            np.stack(
                [records.scalars[name] for name in parameter_names(INFERRED)], axis=1
            )
        )
        x.append(kinematics.velocity_moments(records, binning))
    whole = np.concatenate(x)
    kept = np.isfinite(whole).all(axis=1)
    return Pairs(np.concatenate(theta)[kept], whole[kept])


def recovered(estimate: Mixture, pairs: Pairs, options: Options) -> dict[str, Any]:
    """Returns coverage and bias of a posterior on simulations with known parameters."""
    held, away = [], []
    for number in range(options.noises):
        noisy = convolve(pairs, estimate.covariance, generator(options.seed, number))
        draws = estimate.sample_each(noisy.x, DRAWS, options.seed + number)
        low, median, high = np.quantile(draws, (0.16, 0.5, 0.84), axis=0)
        held.append((low <= pairs.theta) & (pairs.theta <= high))
        away.append((median - pairs.theta) / ((high - low) / 2))
    inside, bias = np.mean(held, axis=0), np.mean(away, axis=0)  # [N, P]
    scatter = (
        bias.std(axis=0, ddof=1) / np.sqrt(len(bias))
        if len(bias) > 1
        else bias[0] * np.nan
    )
    return {
        "simulations": len(pairs),
        "coverage": round(float(inside.mean()), 3),
        "bias": round(float(bias.mean()), 3),
        "coverage_each": _named(inside.mean(axis=0)),
        "bias_each": _named(bias.mean(axis=0)),
        "bias_error": _named(scatter),
    }


def _named(values: FloatArray) -> dict[str, float]:
    return {p.name: round(float(v), 3) for p, v in zip(INFERRED, values, strict=True)}


if __name__ == "__main__":
    runs.main(main, Options)
