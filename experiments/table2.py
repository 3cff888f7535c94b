"""All six posteriors of the paper: Table 2, its joint figures, and whether they can be trusted.

python experiments/table2.py --simulations 128000     # the paper's campaign; 32,768 by default

The stars of H3, SEGUE and MagE are not public: their rows are forecasts at the
published masses.
"""

from dataclasses import dataclass, field
from pathlib import Path

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import Measurement
from mwlmc.observed.star_tables import StarSelection
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study import comparison
from mwlmc.study.campaign import Campaign
from mwlmc.study.forecast import rows
from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.inference import posteriors
from orrery.inference.posteriors import Inference, Inferred
from orrery.judging import calibration
from orrery.parameters import FloatArray
from orrery.results import figures, reports
from orrery.results.reports import Report
from orrery.storage import card

BINNED = Path("datasets/observed/desi_dr1_bhb.ecsv")
SURVEYS = ("DESI", "H3+SEGUE+MagE on DESI's sky", "H3+SEGUE+MagE quadrants")
WITHOUT, WITH = "without v_tb", "with v_tb"
MASSES, REFLEX = ("M_LMC(<50 kpc)", "M_MW(<50 kpc)"), ("v_x", "v_y", "v_z")


@dataclass(frozen=True)
class Table2:
    """The six rows of Table 2 of Brooks et al. (2025b)."""

    stars: Path = BINNED
    """DESI's stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    measurement: Measurement = field(default_factory=Measurement)
    """What is measured of stars; dispersions are the follow-up paper's."""
    campaign: Campaign = field(default_factory=lambda: Campaign(simulations=32_768))
    """The simulations, and where they and the reports are kept."""
    inference: Inference = field(default_factory=lambda: Inference(members=3))
    """How the posteriors are learned and sampled."""


def main(options: Table2) -> None:
    """Infers the six posteriors and writes the report."""
    campaign, parameters = options.campaign, options.measurement.parameters
    stars = load_binned(options.stars, DESI_FOOTPRINT, options.selection)
    data = rows(stars, options.measurement, campaign.seed, campaign.simulator)
    with (
        cluster.connect(),
        reports.open_run("table2", options, campaign.reports) as report,
    ):
        halos = simulation.generate(
            campaign.simulator,
            campaign.simulations,
            campaign.seed,
            campaign.datasets,
            name="mwlmc",
        )
        report.text("Simulations", f"{card.summary(halos)} {campaign.summary}")
        found: dict[str, Inferred] = {}
        for row, (binning, observation) in data.items():
            pairs = summaries.compute(
                kinematics.velocity_moments, halos, binning, parameters
            )
            found[row] = posteriors.infer(
                report,
                row,
                pairs,
                parameters,
                observation,
                options.inference,
                campaign.seed,
            )
        prior, draws = pairs.train.theta, {row: one.draws for row, one in found.items()}
        report.tables(comparison.whole_table2(draws, prior))
        judged = {row: one.calibration for row, one in found.items()}
        report.tables({"Calibration of all": calibration.table(judged)})
        curves = {row: one.coverage for row, one in judged.items()}
        report.figure(
            "Coverage of all", figures.coverage(curves), "Six expected coverages."
        )
        draw(report, options, draws, prior)


def draw(
    report: Report, options: Table2, draws: dict[str, FloatArray], prior: FloatArray
) -> None:
    """Draws the joint posteriors, beside each other and beside what others measured."""
    shown = {
        comparison.labelled(survey): draws[f"{survey}, {WITH}"] for survey in SURVEYS
    }
    for title, wanted in {"Masses": MASSES, "Reflex motion": REFLEX}.items():
        joint = {
            survey: comparison.selected(some, wanted) for survey, some in shown.items()
        }
        axes, before = comparison.shown(wanted), comparison.selected(prior, wanted)
        figure = figures.corner(joint, axes, before, comparison.points(wanted))
        report.figure(
            title,
            figure,
            "Posteriors with v_tb, the prior in grey, and others' values.",
        )
    lines = [
        figures.Constraint(*row) for row in comparison.constraints(draws, "v_travel")
    ]
    bands = [figures.Band(*band) for band in comparison.bands("v_travel")]
    span = comparison.prior_interval(prior, "v_travel")
    figure = figures.intervals(lines, "travel velocity [km/s]", bands, span)
    report.figure(
        "Travel velocity", figure, "Ours, published, the prior (dashed), and others'."
    )
    for survey in SURVEYS:
        both = {w: draws[f"{survey}, {w}"] for w in (WITHOUT, WITH)}
        figure = figures.corner(both, options.measurement.parameters, prior)
        report.figure(
            f"Full posterior, {survey}",
            figure,
            "All parameters, with and without v_tb.",
        )


if __name__ == "__main__":
    runs.main(main, Table2)
