"""What the surveys see: their stars on the sky, how many at which distance, how fast on average.

python experiments/surveys.py                              # binned velocities, and a mock survey
python experiments/surveys.py --stars MWS_BHB.fits         # with DESI's stars on the map

No star's place is kept with this software, so the map of DESI needs your copy of the
catalogue. The stars of H3, SEGUE and MagE are not public: theirs are simulated, and say
so.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mwlmc.observed import star_tables
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import Measurement
from mwlmc.observed.star_tables import StarSelection
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.sky.kinematics import RestFrameStars
from mwlmc.sky.patches import DESI_NORTH, DESI_SOUTH
from mwlmc.study import figure_data
from mwlmc.study.campaign import Campaign
from mwlmc.study.forecast import model_at, rows
from orrery import runs
from orrery.parameters import generator
from orrery.results import figures, reports
from orrery.results.figures import Panel, RadialCounts, SkyPanel, SkyRegion, Track

BINNED = Path("datasets/observed/desi_dr1_bhb.ecsv")
MOCK = "H3+SEGUE+MagE quadrants, with v_tb"
FIELDS = {"North": DESI_NORTH, "South": DESI_SOUTH}
EDGES = np.linspace(30.0, 100.0, 8)  # [kpc]


@dataclass(frozen=True)
class Surveys:
    """Figures 1 and 2 of Brooks et al. (2025b)."""

    stars: Path = BINNED
    """DESI's stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    measurement: Measurement = field(default_factory=Measurement)
    """What is measured of stars."""
    campaign: Campaign = field(default_factory=Campaign)
    """What is simulated for the mock, and where reports are kept."""


def main(options: Surveys) -> None:
    """Draws the surveys and writes the report."""
    campaign, simulator = options.campaign, options.campaign.simulator
    binned = load_binned(options.stars, DESI_FOOTPRINT, options.selection)
    data = rows(binned, options.measurement, campaign.seed, simulator)
    theta = model_at(MOCK, simulator)
    with reports.open_run("surveys", options, campaign.reports) as report:
        made = simulator.simulate(theta[None], [generator(campaign.seed, 0)])
        halo = kinematics.simulated_stars(made, *QUADRANTS.distances)
        seen = {
            "H3+SEGUE+MagE, simulated": figure_data.surveyed(
                halo, QUADRANTS, campaign.seed
            ),
            **({} if options.stars.suffix == ".ecsv" else observed(options)),
        }
        path = figure_data.lmc_path(simulator, theta)
        lmc = Track("LMC", path.longitude, path.latitude)
        counts = [
            RadialCounts(
                name, label, EDGES, figure_data.radial_counts(stars, patch, EDGES)
            )
            for name, stars in seen.items()
            for label, patch in FIELDS.items()
        ]
        maps = [panel(name, stars, lmc) for name, stars in seen.items()]
        figure = figures.sky(maps, r"$v_{\rm GSR}$ [km/s]", counts)
        report.figure(
            "Sky and distances", figure, "Stars, the LMC's path, and DESI's two fields."
        )
        binnings = {binning.name: binning for binning, _ in data.values()}
        panels = {
            p[3]: Panel(*p) for binning in binnings.values() for p in binning.panels
        }
        both = [
            observation
            for row, (_, observation) in data.items()
            if row.endswith(" with v_tb")
        ]
        figure = figures.measurements([*panels.values()], both)
        report.figure("Binned velocities", figure, "Clipped means with their errors.")


def observed(options: Surveys) -> dict[str, RestFrameStars]:
    """Returns DESI's stars."""
    table = star_tables.select(star_tables.read_stars(options.stars), options.selection)
    return {"DESI": table.rest_frame()}


def panel(name: str, stars: RestFrameStars, lmc: Track) -> SkyPanel:
    """Returns one map."""
    regions = tuple(
        SkyRegion(label, figure_data.inside(p)) for label, p in FIELDS.items()
    )
    title = f"{name}, {len(stars)} stars"
    return SkyPanel(title, *figure_data.on_sky(stars), regions=regions, tracks=(lmc,))


if __name__ == "__main__":
    runs.main(main, Surveys)
