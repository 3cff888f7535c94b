"""Whether the posteriors of Table 2 are calibrated, by simulations that nobody has seen.

    python experiments/table2.py
    python tests/benchmarks/calibrate.py --fresh 16384

The options are those of `experiments/table2.py`, whose trained posteriors are judged: TARP
with many sets of references, ranks with their bands, the power against intervals nine tenths
as wide, and by how much truths follow the posteriors' means, parameter by parameter, on
fresh simulations of the same proposal; and at the data themselves, where
they are DESI's stars, whether a classifier tells draws from truths (L-C2ST). All rows share
the fresh simulations and their truths, so that their areas lean together.

The last line is one JSON object: `largest_area_z`, `smallest_sbc_pvalue` (corrected for the
number of parameters), `smallest_slopes_pvalue` (likewise), `smallest_power`,
`smallest_local_pvalue`, and all of it by row.
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
from mwlmc.study.options import Table2
from mwlmc.study.study import conditioned
from mwlmc.study.versions import SUMMARIES
from orrery import runs, terminal
from orrery.branches import LEARNING, TEST_NOISE
from orrery.execution import cluster, summaries
from orrery.identity import JSON
from orrery.judging import calibration, predictive
from orrery.judging.local_calibration import LocalCalibration, local_calibration
from orrery.judging.slopes import Slopes
from orrery.judging.verdicts import holm
from orrery.learning import mixture
from orrery.learning.mixture import Mixture
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import generator
from orrery.storage.dataset import Dataset
from orrery.storage.run import identify_run

DRAWS_HERE = 5000  # of the posterior of the data, which the classifier is shown
FEW_DRAWS = 64  # of each fresh simulation's posterior, whose median the control needs


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
            row.label: judged(conditioned(row, learned), fresh, options) for row in rows
        }
    print(json.dumps(summed_up(found)))


def rows_of_table2(options: Table2, wanted: Collection[str]) -> list[DataRow]:
    """Returns the data vectors of some rows of Table 2; of all when none is named."""
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


def judged(row: DataRow, halos: Dataset, options: Calibrating) -> JSON:
    """Returns what is found of one row's posterior."""
    terminal.say(f"judging {row.label}")
    chosen = options.table2
    splits = summaries.compute(
        kinematics.velocity_moments, halos, row.binning, chosen.measurement.parameters
    )
    fresh = as_tests(splits)
    estimate = mixture.load(trained(row, chosen))
    seed = options.fresh_seed
    found = calibration.calibrate(
        estimate, fresh, seed, options.draws_each, len(fresh.test), options.references
    )
    numbers = {
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
    if row.label.startswith("DESI,"):
        local = here(row, estimate, fresh.test, options)
        numbers |= {
            "local_pvalue": local.pvalue,
            "local_control_pvalue": local.control_pvalue,
        }
    terminal.say(json.dumps({row.label: numbers}))  # the next takes minutes
    return numbers


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
    row: DataRow, estimate: Mixture, fresh: Pairs, options: Calibrating
) -> LocalCalibration:
    """Returns whether a row's posterior is right at the row's own data."""
    seed = options.fresh_seed
    noisy = convolve(fresh, estimate.covariance, generator(seed, LEARNING, TEST_NOISE))
    return local_calibration(
        noisy.theta,
        noisy.x,
        estimate.sample_each(noisy.x, FEW_DRAWS, seed),
        estimate.draws(row.observation, DRAWS_HERE, seed),
        row.observation.value,
        calibration.SLIGHTLY_NARROW,
        seed,
        options.trials,
    )


def summed_up(found: dict[str, JSON]) -> JSON:
    """Returns the worst of all rows, and all of it."""
    rows = list(found.values())
    local = [row["local_pvalue"] for row in rows if "local_pvalue" in row]
    return {
        "largest_area_z": max((row["area_z"] for row in rows), key=abs),
        "smallest_sbc_pvalue": min(
            min(row["sbc_pvalue"], row["band_pvalue"]) for row in rows
        ),
        "smallest_slopes_pvalue": min(row["slopes_pvalue"] for row in rows),
        "smallest_power": min(row["power"] for row in rows),
        "smallest_local_pvalue": min(local, default=None),
        "rows": found,
    }


if __name__ == "__main__":
    runs.main(main, Calibrating)
