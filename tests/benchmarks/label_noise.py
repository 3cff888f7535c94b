"""How much of the width of v_x is the noise of its label: the chance of which stars are fitted.

    python tests/benchmarks/label_noise.py

The reflex motion of a simulation is fitted to those of its 20,000 stars that are in the
shell from 50 to 100 kpc. What a network says of it from the model's parameters is without
that chance. Posteriors of the forecasts of Table 2 are trained on labels with all of their
noise, with 0.55 of it, as of 3.3 times as many stars in the shell, and with none; the
options are those of `experiments/table2.py`, whose simulations are made if they are not
there.

The last line is one JSON object: the `noise` of each label, its standard deviation
[km/s] in simulations that the network has not seen; and for each forecast the half width
of v_x as `published` [km/s], and `half_width` by the share of the noise that is left.
"""

import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from calibrate import rows_of_table2
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mwlmc.parameters import INFERRED
from mwlmc.sky import kinematics
from mwlmc.study.campaign import campaign_simulations
from mwlmc.study.data_rows import DataRow
from mwlmc.study.literature import TABLE2
from mwlmc.study.options import Table2
from mwlmc.study.study import conditioned
from orrery import runs, terminal
from orrery.branches import LEARNING, TEST_NOISE
from orrery.execution import cluster, summaries
from orrery.identity import JSON
from orrery.inference.posteriors import train_posterior
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, generator
from orrery.storage.dataset import Dataset

LABELS = ("v_x", "v_y", "v_z")
INTERVAL = (0.16, 0.84)


@dataclass(frozen=True)
class LabelNoise:
    """Trains forecasts' posteriors on labels with more and with less noise."""

    rows: tuple[str, ...] = tuple(row for row in TABLE2 if row.startswith("H3"))
    """The forecasts."""
    left: tuple[float, ...] = (1.0, 0.55, 0.0)
    """Which shares of the labels' noise are left."""
    draws_each: int = 1000
    """Draws for each mock survey."""
    table2: Table2 = field(default_factory=Table2)
    """The options of `experiments/table2.py`."""


def main(options: LabelNoise) -> None:
    """Prints what was found."""
    rows = rows_of_table2(options.table2, options.rows)
    with cluster.connect():
        halos = campaign_simulations(options.table2.campaign)
        found = [judged(conditioned(row, halos), halos, options) for row in rows]
    print(json.dumps({"noise": found[0][0], "rows": dict(row for _, row in found)}))


def judged(
    row: DataRow, halos: Dataset, options: LabelNoise
) -> tuple[JSON, tuple[str, JSON]]:
    """Returns the noise of the labels, and the widths of one forecast with its name."""
    inferred = options.table2.measurement.parameters
    drawn = options.table2.campaign.simulator.prior.parameters
    known = {parameter.name for parameter in inferred}
    more = tuple(parameter for parameter in drawn if parameter.name not in known)
    splits = summaries.compute(
        kinematics.velocity_moments, halos, row.binning, (*inferred, *more)
    )
    names = splits.parameters
    columns = [names.index(parameter.name) for parameter in drawn]
    labels = [names.index(label) for label in LABELS]
    network = learned(splits.train.theta, columns, labels)
    expected = network.predict(splits.test.theta[:, columns])
    noise = (splits.test.theta[:, labels] - expected).std(axis=0)
    widths = {
        f"{share:g}": width(
            row, quieter(splits, network, columns, labels, share), options
        )
        for share in options.left
    }
    published = TABLE2[row.published]["v_x"].width / 2
    terminal.say(json.dumps({row.label: widths}))
    return (
        dict(zip(LABELS, noise.round(3).tolist(), strict=True)),
        (row.label, {"published": published, "half_width": widths}),
    )


def learned(theta: FloatArray, columns: list[int], labels: list[int]) -> Pipeline:
    """Returns a network that says labels by the model's parameters."""
    network = make_pipeline(
        StandardScaler(),
        MLPRegressor(
            hidden_layer_sizes=(64, 64),
            early_stopping=True,
            max_iter=200,
            random_state=1,
        ),
    )
    return network.fit(theta[:, columns], theta[:, labels])


def quieter(
    splits: Splits,
    network: Pipeline,
    columns: list[int],
    labels: list[int],
    share: float,
) -> Splits:
    """Returns pairs of the inferred parameters, with a share of the noise of labels."""
    few = len(INFERRED)

    def pairs(part: Pairs) -> Pairs:
        theta = part.theta.copy()
        expected = network.predict(theta[:, columns])
        theta[:, labels] = expected + share * (theta[:, labels] - expected)
        return replace(part, theta=theta[:, :few])

    return replace(
        splits,
        parameters=splits.parameters[:few],
        train=pairs(splits.train),
        validation=pairs(splits.validation),
        test=pairs(splits.test),
    )


def width(row: DataRow, splits: Splits, options: LabelNoise) -> float:
    """Returns half of the interval of v_x [km/s], the mean over mock surveys."""
    chosen = options.table2
    seed = chosen.campaign.seed
    parameters = chosen.measurement.parameters
    with tempfile.TemporaryDirectory() as folder:
        estimate = train_posterior(
            row.label,
            splits,
            parameters,
            row.observation.added_covariance,
            chosen.inference,
            seed,
            Path(folder),
        )
    simulated = row.observation.simulated
    mocks = Pairs(np.zeros((len(simulated), len(parameters))), simulated)
    seen = convolve(mocks, estimate.covariance, generator(seed, LEARNING, TEST_NOISE))
    draws = estimate.sample_each(seen.x, options.draws_each, seed)
    place = [parameter.name for parameter in parameters].index("v_x")
    low, high = np.quantile(draws[..., place], INTERVAL, axis=0)
    return round(float((high - low).mean() / 2), 3)


if __name__ == "__main__":
    runs.main(main, LabelNoise)
