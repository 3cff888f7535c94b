"""What halo giants in the four quadrants of the sky say about the Milky Way and the LMC.

python experiments/quadrants.py                              # SDSS K giants, radial velocities
python experiments/quadrants.py --observation forecast-h3    # mock H3+SEGUE+MagE survey
python experiments/quadrants.py --stars my_giants.ecsv       # your own table of stars
python experiments/quadrants.py --simulations 128000         # the paper's campaign
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mwlmc import comparison, kinematics, observations
from mwlmc.campaign import Campaign
from mwlmc.forecast import forecast
from mwlmc.parameters import INFERRED
from mwlmc.star_tables import Selection
from mwlmc.survey import QUADRANTS
from orrery import cluster, dataset, inference, reports, runs, simulation, summaries
from orrery.inference import Inference

BINNED = Path("datasets/observed/sdss_kgiants.ecsv")
BINNINGS = {"without v_tb": QUADRANTS.select(("v_gsr",)), "with v_tb": QUADRANTS}
ROW = "H3+SEGUE+MagE quadrants, "


@dataclass(frozen=True)
class Quadrants:
    """Giants at 30-160 kpc in four quadrants of the sky."""

    observation: Literal["stars", "forecast-h3"] = "stars"
    """Real stars, or a mock of H3+SEGUE+MagE at the published medians."""
    stars: Path = BINNED
    """Stars (a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: Selection = field(default_factory=lambda: Selection(False, 30.0, 160.0))
    """Which stars are kept; Sagittarius is already gone from the default table."""
    campaign: Campaign = field(default_factory=Campaign)
    """The simulations, and where they and the reports are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are learned and sampled."""


def main(options: Quadrants) -> None:
    """Infers the posteriors and writes the report."""
    campaign, mock = options.campaign, options.observation == "forecast-h3"
    if mock:
        rows = {w: (b, forecast(ROW + w, b, campaign.seed)) for w, b in BINNINGS.items()}
    else:
        stars = observations.load(options.stars, QUADRANTS, options.selection)
        rows = observations.vectors(stars, BINNINGS)
    with cluster.connect(), reports.open_run("quadrants", options, campaign.reports) as report:
        report.tables({} if mock else observations.reports(stars))
        haloes = simulation.generate(
            campaign.simulator, campaign.simulations, campaign.seed, campaign.datasets, name="mwlmc"
        )
        report.text("Simulations", f"{dataset.account(haloes)} {campaign.account}")
        for label, (binning, observation) in rows.items():
            pairs = summaries.compute(kinematics.velocity_moments, haloes, binning, INFERRED)
            draws = inference.infer(
                report,
                label,
                pairs,
                INFERRED,
                observation,
                options.inference,
                campaign.seed,
                binning.panels,
            )
            kind: comparison.Stars = "mock" if mock else "other"
            report.tables(comparison.beside(draws, ROW + label, pairs.train.theta, kind))
        report.tables(comparison.prior_tables(pairs.train.theta))


if __name__ == "__main__":
    runs.main(main, Quadrants)
