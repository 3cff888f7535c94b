"""Can the model make the data? Simulations of the posteriors' own draws beside what was observed.

python experiments/predictive.py                       # 32,768 simulations, 256 more per posterior
python experiments/predictive.py --rows "DESI, with v_tb" --replicates 1000

Masses and friction alone do not make stars: here the flows learn all eleven parameters
of the model, their draws are simulated by the same actors, and each bin gets a tail
probability.
"""

from dataclasses import dataclass, field
from pathlib import Path

from mwlmc import replay
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import Measurement
from mwlmc.observed.star_tables import StarSelection
from mwlmc.replay import Replay
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study.campaign import Campaign
from mwlmc.study.forecast import rows
from mwlmc.study.literature import TABLE2
from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.inference import posteriors
from orrery.inference.posteriors import Inference
from orrery.judging import predictive
from orrery.results import figures, reports
from orrery.results.figures import Panel
from orrery.storage import card

BINNED = Path("datasets/observed/desi_dr1_bhb.ecsv")


@dataclass(frozen=True)
class PredictiveChecks:
    """Posterior predictive checks of the six rows of Table 2 of Brooks et al. (2025b)."""

    stars: Path = BINNED
    """DESI's stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    measurement: Measurement = field(default_factory=Measurement)
    """What is measured of stars, and which simulated stars stand for them."""
    rows: tuple[str, ...] = tuple(TABLE2)
    """The rows of Table 2 that are checked."""
    replicates: int = 256
    """Draws of each posterior that are simulated again."""
    campaign: Campaign = field(default_factory=lambda: Campaign(simulations=32_768))
    """The simulations, and where they and the reports are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are learned and sampled."""

    def __post_init__(self) -> None:
        if not self.rows or not set(self.rows) <= set(TABLE2):
            raise ValueError(
                f"rows {self.rows}: choose from {', '.join(map(repr, TABLE2))}"
            )


def main(options: PredictiveChecks) -> None:
    """Simulates draws of each posterior and writes the report."""
    campaign, simulator = options.campaign, options.campaign.simulator
    model, seed = simulator.prior.parameters, campaign.seed
    stars = load_binned(options.stars, DESI_FOOTPRINT, options.selection)
    data = rows(stars, options.measurement, seed, simulator)
    with (
        cluster.connect(),
        reports.open_run("predictive", options, campaign.reports) as report,
    ):
        halos = simulation.generate(
            simulator, campaign.simulations, seed, campaign.datasets, name="mwlmc"
        )
        report.text("Simulations", f"{card.summary(halos)} {campaign.summary}")
        for row in options.rows:
            binning, observation = data[row]
            pairs = summaries.compute(
                kinematics.velocity_moments, halos, binning, model
            )
            found = posteriors.infer(
                report, row, pairs, model, observation, options.inference, seed
            )
            draws = replay.simulable(simulator, found.draws[: options.replicates])
            report.text(f"Simulated draws, {row}", str(draws))
            remade, count = Replay(simulator, draws.theta), len(draws.theta)
            # other stars than those that the posterior was trained on
            again = simulation.generate(
                remade, count, seed + 1, campaign.datasets, name="replay"
            )
            made = summaries.compute(kinematics.velocity_moments, again, binning, model)
            check = predictive.check(predictive.every(made), observation, seed)
            report.tables({f"Predictive check, {row}": predictive.table(check)})
            report.metrics(
                {f"{reports.slug(row)}.predictive_whole_vector": check.whole_vector}
            )
            report.figure(
                f"Predictions, {row}",
                figures.violins(
                    [Panel(*panel) for panel in binning.panels],
                    {observation.name: observation},
                    {observation.name: check.predicted},
                    {observation.name: check.tails},
                ),
                "What draws of the posterior predict, with errors of measurement, and the data.",
            )


if __name__ == "__main__":
    runs.main(main, PredictiveChecks)
