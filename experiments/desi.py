"""What DESI's blue horizontal branch stars say about the Milky Way and the LMC.

python experiments/desi.py                              # 2,048 simulations, a laptop's minutes
python experiments/desi.py --simulations 128000         # the paper's campaign
python experiments/desi.py --stars MWS_BHB.fits         # your copy of the catalogue
"""

from dataclasses import dataclass, field
from pathlib import Path

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import Measurement, vectors
from mwlmc.observed.star_tables import StarSelection
from mwlmc.observed.summary_tables import summary_tables
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, without_and_with_v_tb
from mwlmc.study import comparison
from mwlmc.study.campaign import Campaign
from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.inference import posteriors
from orrery.inference.posteriors import Inference
from orrery.results import figures, reports
from orrery.storage import card

BINNED = Path("datasets/observed/desi_dr1_bhb.ecsv")
BINNINGS = without_and_with_v_tb(DESI_FOOTPRINT)


@dataclass(frozen=True)
class Desi:
    """DESI DR1 stars at 30-100 kpc, with and without tangential velocities."""

    stars: Path = BINNED
    """Stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    measurement: Measurement = field(default_factory=Measurement)
    """What is measured, and which simulated stars stand for the real ones."""
    campaign: Campaign = field(default_factory=Campaign)
    """The simulations, and where they and the reports are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are learned and sampled."""


def main(options: Desi) -> None:
    """Infers the posteriors and writes the report."""
    campaign, parameters = options.campaign, options.measurement.parameters
    stars = load_binned(options.stars, DESI_FOOTPRINT, options.selection)
    observed = vectors(stars, BINNINGS, options.measurement, options.campaign.seed)
    with (
        cluster.connect(),
        reports.open_run("desi", options, campaign.reports) as report,
    ):
        report.tables(summary_tables(stars, options.measurement))
        halos = simulation.generate(
            campaign.simulator,
            campaign.simulations,
            campaign.seed,
            campaign.datasets,
            name="mwlmc",
        )
        report.text("Simulations", f"{card.summary(halos)} {campaign.summary}")
        for label, (binning, seen) in observed.items():
            pairs = summaries.compute(
                kinematics.velocity_moments, halos, binning, parameters
            )
            prior, how = (
                pairs.train.theta,
                (options.inference, campaign.seed, binning.panels),
            )
            found = posteriors.infer(report, label, pairs, parameters, seen, *how)
            report.tables(
                comparison.compare_with_published(found.draws, f"DESI, {label}", prior)
            )
        report.tables(comparison.prior_tables(prior))
        relation = figures.relation(*comparison.relation(prior))
        report.figure(
            "Travel velocity and LMC mass", relation, "Simulations and published rows."
        )


if __name__ == "__main__":
    runs.main(main, Desi)
