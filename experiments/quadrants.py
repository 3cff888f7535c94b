"""What halo giants in the four quadrants of the sky say about the Milky Way and the LMC.

python experiments/quadrants.py                              # SDSS K giants, radial velocities
python experiments/quadrants.py --observation forecast-h3    # mock H3+SEGUE+MagE survey
python experiments/quadrants.py --stars my_giants.ecsv       # your own table of stars
python experiments/quadrants.py --sampling full-footprint    # stars fill the quadrants
python experiments/quadrants.py --simulations 128000         # the paper's campaign
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import Measurement, vectors
from mwlmc.observed.star_tables import StarSelection
from mwlmc.observed.summary_tables import summary_tables
from mwlmc.sky import kinematics
from mwlmc.sky.binning import quadrants, without_and_with_v_tb
from mwlmc.study import comparison
from mwlmc.study.campaign import Campaign
from mwlmc.study.forecast import forecast, forecast_binning
from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.inference import posteriors
from orrery.inference.posteriors import Inference
from orrery.results import reports
from orrery.storage import card

BINNED = Path("datasets/observed/sdss_kgiants.ecsv")
ROW = "H3+SEGUE+MagE quadrants, "


@dataclass(frozen=True)
class Quadrants:
    """Giants at 30-160 kpc in four quadrants of the sky."""

    observation: Literal["stars", "forecast-h3"] = "stars"
    """Real stars, or a mock of H3+SEGUE+MagE at the published medians."""
    stars: Path = BINNED
    """Stars (a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(
        default_factory=lambda: StarSelection(False, 30.0, 160.0)
    )
    """Which stars are kept; Sagittarius is already gone from the default table."""
    bins: int = 5
    """Distance bins of each quadrant; the default table of stars has five."""
    measurement: Measurement = field(
        default_factory=lambda: Measurement(sampling="survey-like")
    )
    """What is measured, and which simulated stars stand for real ones; a mock's fill the sky."""
    campaign: Campaign = field(default_factory=Campaign)
    """The simulations, and where they and the reports are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are learned and sampled."""


def main(options: Quadrants) -> None:
    """Infers the posteriors and writes the report."""
    campaign, mock = options.campaign, options.observation == "forecast-h3"
    whole, measured = quadrants(options.bins), options.measurement
    parameters = measured.parameters
    binnings = without_and_with_v_tb(whole)
    if mock:
        mocks = {label: forecast_binning(b, measured) for label, b in binnings.items()}
        asked = (campaign.seed, campaign.simulator)
        rows = {w: (b, forecast(ROW + w, b, *asked)) for w, b in mocks.items()}
    else:
        stars = load_binned(options.stars, whole, options.selection)
        rows = vectors(stars, binnings, measured, campaign.seed)
    with (
        cluster.connect(),
        reports.open_run("quadrants", options, campaign.reports) as report,
    ):
        report.tables({} if mock else summary_tables(stars, measured))
        halos = simulation.generate(
            campaign.simulator,
            campaign.simulations,
            campaign.seed,
            campaign.datasets,
            name="mwlmc",
        )
        report.text("Simulations", f"{card.summary(halos)} {campaign.summary}")
        for label, (binning, seen) in rows.items():
            how = (options.inference, campaign.seed, binning.panels)
            pairs = summaries.compute(
                kinematics.velocity_moments, halos, binning, parameters
            )
            found = posteriors.infer(report, label, pairs, parameters, seen, *how)
            kind: comparison.StellarSample = "mock" if mock else "other"
            report.tables(
                comparison.compare_with_published(
                    found.draws, ROW + label, pairs.train.theta, kind
                )
            )
        report.tables(comparison.prior_tables(pairs.train.theta))


if __name__ == "__main__":
    runs.main(main, Quadrants)
