"""Whether the posteriors of Table 2 are calibrated, by simulations that nobody has seen.

    python experiments/table2.py
    python tests/benchmarks/calibrate.py --fresh 16384

The options are those of `experiments/table2.py`, whose trained posteriors are judged: TARP
with many sets of references, from the box of all truths and from the prior, ranks with their
bands, the power against intervals nine tenths as wide, and by how much truths follow the
posteriors' means, parameter by parameter, on fresh simulations of the same proposal; and at
the data themselves, where they are DESI's stars, whether a classifier tells draws from truths
(L-C2ST), and the ranks of the simulations whose data are nearest to them. All rows share the
fresh simulations and their truths, so that their areas lean together.

Where settings of a training were chosen by the areas of some seed, another one judges it.

The last line is one JSON object: `largest_area_z`, `largest_prior_area_z` (of references that
are drawn from the prior), `smallest_sbc_pvalue` (corrected for the number of parameters),
`smallest_slopes_pvalue` (likewise), `smallest_power`, `smallest_local_pvalue`,
`smallest_nearest_pvalue`, and all of it by row.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mwlmc.observed.binned_table import load_binned
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study import forecast
from mwlmc.study.campaign import campaign_simulations
from mwlmc.study.data_rows import DataRow, data_rows
from mwlmc.study.literature import TABLE2
from mwlmc.study.options import Table2
from mwlmc.study.study import conditioned
from mwlmc.study.versions import SUMMARIES
from orrery import runs, terminal
from orrery.branches import LEARNING, TEST_NOISE
from orrery.execution import cluster, summaries
from orrery.identity import JSON
from orrery.judging import calibration, predictive
from orrery.judging.calibration import SLIGHTLY_NARROW, Calibration
from orrery.judging.diagnostics import narrowed, sbc_ranks, tarp
from orrery.judging.local_calibration import local_calibration, nearest_simulations
from orrery.judging.slopes import Slopes
from orrery.judging.verdicts import holm
from orrery.learning import mixture
from orrery.learning.mixture import Mixture
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, generator
from orrery.storage.dataset import Dataset
from orrery.storage.run import identify_run

DRAWS_HERE = 5000  # of the posterior of the data, which the classifier is shown
# Of each fresh simulation's posterior, besides those of the judgement: for the median that a
# control needs, ranks, and what regions around references of the prior hold.
FEW_DRAWS = 200


@dataclass(frozen=True)
class Calibrating:
    """Judges the posteriors of Table 2 on fresh simulations."""

    fresh: int = 16_384
    """How many fresh simulations."""
    fresh_seed: int = 20_002
    """Their root seed, another than the campaign's."""
    references: int = 20
    """Sets of references over which TARP's coverage is averaged."""
    draws_each: int = 1000
    """Draws for each fresh simulation."""
    nearest: int = 1200
    """How many of the fresh simulations are near DESI's data."""
    trials: int = 100
    """Classifiers that are trained on permuted labels."""
    rows: tuple[str, ...] = ()
    """The rows that are judged; all when empty."""
    table2: Table2 = field(default_factory=Table2)
    """The options of `experiments/table2.py`."""

    # before hours of simulation
    def __post_init__(self) -> None:
        if self.fresh_seed == self.table2.campaign.seed:
            raise ValueError(
                f"--fresh-seed {self.fresh_seed} is the campaign's own: fresh simulations need "
                "another"
            )
        if self.nearest > self.fresh:
            raise ValueError(
                f"--nearest {self.nearest} of --fresh {self.fresh} simulations: give fewer"
            )


def main(options: Calibrating) -> None:
    """Prints what was found, row by row."""
    campaign = options.table2.campaign
    rows = rows_of_table2(options.table2, options.rows)
    with cluster.connect():
        learned = campaign_simulations(campaign)
        fresh = campaign_simulations(
            replace(campaign, simulations=options.fresh, seed=options.fresh_seed)
        )
        # what training added depends on the simulations that were learned from
        found = {
            row.label: judged(conditioned(row, learned), learned, fresh, options)
            for row in rows
        }
    print(json.dumps(summed_up(found)))


def rows_of_table2(options: Table2, wanted: Collection[str]) -> list[DataRow]:
    """Returns the data vectors of some rows of Table 2; of all when none is named.

    Raises:
        ValueError: If it has no such row.
    """
    unknown = sorted(set(wanted) - set(TABLE2))
    if unknown:
        raise ValueError(
            f"Table 2 has no row {unknown[0]!r}: choose from {', '.join(TABLE2)}"
        )
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    campaign = options.campaign
    return data_rows(
        forecast.rows(
            stars, options.measurement, campaign.seed, campaign.simulator, wanted
        )
    )


def judged(
    row: DataRow, learned: Dataset, unseen: Dataset, options: Calibrating
) -> JSON:
    """Returns what is found of one row's posterior."""
    terminal.say(f"judging {row.label}")
    known, fresh = (
        summaries.compute(
            kinematics.velocity_moments,
            halos,
            row.binning,
            options.table2.measurement.parameters,
        )
        for halos in (learned, unseen)
    )
    tests = as_tests(fresh)
    estimate = mixture.load(trained(row, options.table2))
    seed = options.fresh_seed
    found = calibration.calibrate(
        estimate, tests, seed, options.draws_each, len(tests.test), options.references
    )
    noisy = convolve(
        tests.test, estimate.covariance, generator(seed, LEARNING, TEST_NOISE)
    )
    drawn = estimate.sample_each(noisy.x, FEW_DRAWS, seed)
    numbers = summary(found, estimate)
    numbers |= prior_area(drawn, noisy.theta, known.train.theta, options)
    if row.label.startswith("DESI,"):
        numbers |= here(row, estimate, noisy, drawn, options)
        numbers |= nearest(row, noisy, drawn, options)
    terminal.say(json.dumps({row.label: numbers}))  # the next takes minutes
    return numbers


def summary(found: Calibration, estimate: Mixture) -> JSON:
    """Returns the numbers of a judgement that are printed."""
    return {
        "tests": found.tests,
        "area_to_curve": found.coverage.atc,
        "area_error": found.coverage.area_error,
        "area_z": found.coverage.area_z,
        "tarp_ks_pvalue": found.coverage.ks_pvalue,
        "power": found.power,
        "sbc_pvalue": float(holm(found.ranks.ks_pvalue).min()),
        "band_pvalue": float(holm(found.ranks.band_pvalue).min()),
        "log_probability": found.log_probability.mean,
        "slopes_pvalue": found.metrics["slopes.corrected_pvalue"],
        "slopes": slopes(found.slopes, estimate),
        "largest_displacement": found.metrics["slopes.largest_displacement"],
    }


def prior_area(
    drawn: FloatArray, theta: FloatArray, prior: FloatArray, options: Calibrating
) -> JSON:
    """Returns TARP's area where references are drawn from the prior, and a control's."""
    posteriors = {
        "prior_area": drawn,
        "prior_area_control": narrowed(drawn, SLIGHTLY_NARROW),
    }
    areas = {}
    for name, draws in posteriors.items():
        found = tarp(
            draws,
            theta,
            options.fresh_seed,
            references=options.references,
            prior=prior,
        )
        areas |= {f"{name}_to_curve": found.atc, f"{name}_z": found.area_z}
    return areas


def slopes(found: Slopes, estimate: Mixture) -> JSON:
    """Returns by how much truths move with the posteriors' means, and the error, by name."""
    names = [parameter.name for parameter in estimate.parameters]
    both = zip(names, found.slope, found.error, strict=True)
    return {name: [round(float(one), 4) for one in pair] for name, *pair in both}


def as_tests(splits: Splits) -> Splits:
    """Returns pairs of which all are tests: no posterior has seen any of them."""
    parts = (splits.train, splits.validation, splits.test)
    theta = np.concatenate([part.theta for part in parts])
    return replace(splits, test=Pairs(theta, predictive.all_summaries(splits)))


def trained(row: DataRow, options: Table2) -> Path:
    """Returns the folder of a row's posterior.

    Raises:
        FileNotFoundError: If there is none, or several and nothing says which.
    """
    run = identify_run("table2", options, SUMMARIES).shared(options.campaign.reports)
    found = [*(run / "posteriors" / row.key).glob("*/")]
    if len(found) != 1:
        raise FileNotFoundError(
            f"{run / 'posteriors' / row.key} has {len(found)} posteriors where one is judged: run "
            "experiments/table2.py with the same options"
        )
    return found[0]


def here(
    row: DataRow,
    estimate: Mixture,
    noisy: Pairs,
    drawn: FloatArray,
    options: Calibrating,
) -> JSON:
    """Returns whether a classifier finds a row's posterior wrong at the row's own data."""
    seed = options.fresh_seed
    found = local_calibration(
        noisy.theta,
        noisy.x,
        drawn,
        estimate.draws(row.observation, DRAWS_HERE, seed),
        row.observation.value,
        SLIGHTLY_NARROW,
        seed,
        options.trials,
    )
    return {"local_pvalue": found.pvalue, "local_control_pvalue": found.control_pvalue}


def nearest(
    row: DataRow, noisy: Pairs, drawn: FloatArray, options: Calibrating
) -> JSON:
    """Returns whether ranks of the simulations that are nearest to a row's data are uniform."""
    count = min(options.nearest, len(noisy))  # where a bin is empty, one is left out
    near = nearest_simulations(noisy.x, row.observation.value, count)
    theta, draws = noisy.theta[near], drawn[:, near]
    pvalues = {}
    for name, some in {
        "nearest_pvalue": draws,
        "nearest_control_pvalue": narrowed(draws, SLIGHTLY_NARROW),
    }.items():
        found = sbc_ranks(some, theta, options.fresh_seed)
        both = np.minimum(holm(found.ks_pvalue), holm(found.band_pvalue))
        pvalues[name] = min(1.0, 2.0 * float(both.min()))
    return pvalues


def summed_up(found: dict[str, JSON]) -> JSON:
    """Returns the worst of all rows, and all of it."""
    rows = list(found.values())
    desi = [row for row in rows if "local_pvalue" in row]
    return {
        "largest_area_z": max((row["area_z"] for row in rows), key=abs),
        "largest_prior_area_z": max((row["prior_area_z"] for row in rows), key=abs),
        "smallest_sbc_pvalue": min(
            min(row["sbc_pvalue"], row["band_pvalue"]) for row in rows
        ),
        "smallest_slopes_pvalue": min(row["slopes_pvalue"] for row in rows),
        "smallest_power": min(row["power"] for row in rows),
        "smallest_local_pvalue": min(
            (row["local_pvalue"] for row in desi), default=None
        ),
        "smallest_nearest_pvalue": min(
            (row["nearest_pvalue"] for row in desi), default=None
        ),
        "rows": found,
    }


if __name__ == "__main__":
    runs.main(main, Calibrating)
