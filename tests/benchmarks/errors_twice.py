"""What it changes that simulated stars' own sampling errors are counted once, not twice.

    python experiments/table2.py
    python tests/benchmarks/errors_twice.py

Simulated stars fill the survey's fields, so that the mean of a bin has a sampling error of
its own. Posteriors of DESI's rows of Table 2 add what the survey's errors are larger by;
the paper adds the survey's whole, which counts the simulation's beside them. Here those that
do are trained, with the options of `experiments/table2.py`, whose own posteriors are the
others.

The last line is one JSON object: for each row, and errors counted `once` and `twice`, the
16 %, 50 % and 84 % quantiles of each of `QUANTITIES`, and by how many published sigma the
median is above the published one (`shift`).
"""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from calibrate import rows_of_table2, trained

from mwlmc.sky import kinematics
from mwlmc.study import quantities
from mwlmc.study.campaign import campaign_simulations
from mwlmc.study.data_rows import DataRow
from mwlmc.study.literature import HALO_MASS, TABLE2
from mwlmc.study.options import Table2
from mwlmc.study.study import conditioned
from orrery import runs, terminal
from orrery.execution import cluster, summaries
from orrery.identity import JSON
from orrery.inference.posteriors import train_posterior
from orrery.learning import mixture
from orrery.learning.mixture import Mixture
from orrery.learning.posterior import Posterior
from orrery.storage.dataset import Dataset

QUANTITIES = (HALO_MASS, "M_LMC(<50 kpc)", "v_travel")
INTERVAL = (0.16, 0.5, 0.84)


@dataclass(frozen=True)
class ErrorsTwice:
    """Trains DESI's posteriors with the simulations' errors counted once, and twice."""

    rows: tuple[str, ...] = tuple(row for row in TABLE2 if row.startswith("DESI,"))
    """The rows of Table 2."""
    table2: Table2 = field(default_factory=Table2)
    """The options of `experiments/table2.py`."""


def main(options: ErrorsTwice) -> None:
    """Prints what was found, row by row."""
    campaign = options.table2.campaign
    rows = rows_of_table2(options.table2, options.rows)
    with cluster.connect():
        halos = campaign_simulations(campaign)
        found = {}
        for row in rows:
            found[row.label] = {
                "once": answered(
                    mixture.load(trained(row, options.table2)),
                    conditioned(row, halos),
                    options.table2,
                ),
                "twice": answered(
                    trained_anew(row, halos, options.table2), row, options.table2
                ),
            }
            terminal.say(json.dumps({row.label: found[row.label]}))
    print(json.dumps(found))


def trained_anew(row: DataRow, halos: Dataset, options: Table2) -> Posterior | Mixture:
    """Returns a row's posterior with all of the survey's errors added."""
    splits = summaries.compute(
        kinematics.velocity_moments, halos, row.binning, options.measurement.parameters
    )
    with tempfile.TemporaryDirectory() as folder:
        return train_posterior(
            row.label,
            splits,
            options.measurement.parameters,
            row.observation.added_covariance,
            options.inference,
            options.campaign.seed,
            Path(folder),
        )


def answered(estimate: Posterior | Mixture, row: DataRow, options: Table2) -> JSON:
    """Returns the quantiles of a row's posterior, and how far its medians are from published."""
    seed = options.campaign.seed
    draws = estimate.draws(row.observation, options.inference.draws, seed)
    values = quantities.quantities(draws)
    published = TABLE2[row.published]
    ends = {name: np.quantile(values[name], INTERVAL) for name in QUANTITIES}
    return {
        "quantiles": {name: ends[name].round(3).tolist() for name in QUANTITIES},
        "shift": {
            name: round(float(published[name].shift(ends[name][1])), 3)
            for name in QUANTITIES
        },
    }


if __name__ == "__main__":
    runs.main(main, ErrorsTwice)
