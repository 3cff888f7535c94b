"""Whether posteriors of Table 2 lean, by cross-validation: each simulation is a test once.

    python tests/benchmarks/cross_validation.py

The tests of a campaign are a tenth of its simulations, always the same: what chance did to
them is in all that is judged by them. Here the simulations are cut into folds, and those of
each fold are the tests of flows that learned from all others. The options are those of
`experiments/table2.py`, but for half as many simulations, which are made if they are not there.

The last line is one JSON object, for each row: `tests`; TARP's `area_to_curve` of all of
them, its `area_error`, `area_z` and `tarp_pvalue`; the `log_probability` of the truths
[nat]; the `folds`' areas; and `usual_area_to_curve` and `usual_area_z`, by the usual tests.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from calibrate import as_tests, rows_of_table2

from mwlmc.sky import kinematics
from mwlmc.study.campaign import campaign_simulations
from mwlmc.study.data_rows import DataRow
from mwlmc.study.options import SimulationCampaign, Table2
from mwlmc.study.study import conditioned
from orrery import runs, terminal
from orrery.branches import LEARNING, TEST_NOISE
from orrery.execution import cluster, summaries
from orrery.identity import JSON
from orrery.inference.posteriors import train_posterior
from orrery.judging import diagnostics
from orrery.judging.calibration import REFERENCES
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, generator
from orrery.storage.dataset import Dataset

ROWS = ("DESI, without v_tb",)


@dataclass(frozen=True)
class CrossValidation:
    """Judges posteriors by all simulations."""

    folds: int = 5
    """Into how many parts the simulations are cut."""
    draws_each: int = 200
    """Draws for each simulation."""
    rows: tuple[str, ...] = ROWS
    """The rows that are judged; all when empty."""
    table2: Table2 = field(
        default_factory=lambda: Table2(campaign=SimulationCampaign(simulations=16_384))
    )
    """The options of `experiments/table2.py`."""

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError(f"folds {self.folds}: give 2 or more")


def main(options: CrossValidation) -> None:
    """Prints what was found, row by row."""
    rows = rows_of_table2(options.table2, options.rows)
    with cluster.connect():
        halos = campaign_simulations(options.table2.campaign)
        found = {
            row.label: judged(conditioned(row, halos), halos, options) for row in rows
        }
    print(json.dumps(found))


def judged(row: DataRow, halos: Dataset, options: CrossValidation) -> JSON:
    """Returns what is found of one row."""
    splits = summaries.compute(
        kinematics.velocity_moments,
        halos,
        row.binning,
        options.table2.measurement.parameters,
    )
    seed = options.table2.campaign.seed
    folds = [drawn(row, fold, options) for fold in cut(splits, options.folds, seed)]
    areas = [area(theta, draws, seed).atc for theta, draws, _ in folds]
    together = area(
        np.concatenate([theta for theta, _, _ in folds]),
        np.concatenate([draws for _, draws, _ in folds], axis=1),
        seed,
    )
    usual = area(*drawn(row, splits, options)[:2], seed)
    return {
        "tests": len(together.fractions),
        "area_to_curve": together.atc,
        "area_error": together.area_error,
        "area_z": together.area_z,
        "tarp_pvalue": together.pvalue,
        "log_probability": float(np.concatenate([log for _, _, log in folds]).mean()),
        "folds": areas,
        "usual_area_to_curve": usual.atc,
        "usual_area_z": usual.area_z,
    }


def cut(splits: Splits, folds: int, seed: int) -> Iterator[Splits]:
    """Yields for each fold the pairs whose tests it is; of the others a tenth validates."""
    every = as_tests(splits).test
    order = generator(seed, LEARNING, folds).permutation(len(every))
    for fold in range(folds):
        tests = order[fold::folds]
        others = np.setdiff1d(order, tests)
        validation = generator(seed, LEARNING, folds, fold).permutation(others)
        tenth = len(validation) // 10
        yield replace(
            splits,
            train=_some(every, validation[tenth:]),
            validation=_some(every, validation[:tenth]),
            test=_some(every, tests),
        )


def _some(pairs: Pairs, chosen: np.ndarray) -> Pairs:
    return Pairs(pairs.theta[chosen], pairs.x[chosen])


def drawn(
    row: DataRow, splits: Splits, options: CrossValidation
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns truths `[N, P]`, draws `[M, N, P]` and the truths' log-probabilities `[N]`."""
    chosen = options.table2
    seed = chosen.campaign.seed
    with tempfile.TemporaryDirectory() as folder:
        estimate = train_posterior(
            row.label,
            splits,
            chosen.measurement.parameters,
            row.observation.added_covariance,
            chosen.inference,
            seed,
            Path(folder),
        )
    seen = convolve(
        splits.test, estimate.covariance, generator(seed, LEARNING, TEST_NOISE)
    )
    draws = estimate.sample_each(seen.x, options.draws_each, seed)
    terminal.say(f"{row.label}: {len(seen)} tests")
    return seen.theta, draws, estimate.log_prob(seen.theta, seen.x)


def area(theta: FloatArray, draws: FloatArray, seed: int) -> diagnostics.Coverage:
    """Returns TARP's curve of some tests."""
    return diagnostics.tarp(draws, theta, seed, references=REFERENCES)


if __name__ == "__main__":
    runs.main(main, CrossValidation)
