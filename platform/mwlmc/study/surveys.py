"""What the surveys see: their stars on the sky, at which distance, how fast on average."""

from collections.abc import Mapping

import numpy as np

from mwlmc.observed import star_tables
from mwlmc.observed.binned_table import is_binned, load_binned
from mwlmc.observed.star_reading import read_stars
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS, SkyBinning
from mwlmc.sky.kinematics import RestFrameStars
from mwlmc.study import figure_data, forecast
from mwlmc.study.options import Surveys
from mwlmc.study.panels import shared_panels, sky_maps
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.parameters import FloatArray, generator
from orrery.records import Observation
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import Measurements
from orrery.tables.bundled import find_table
from orrery.terminal import say

MOCK = "H3+SEGUE+MagE quadrants, with v_tb"
# What figures call the stars of each key.
SURVEY_LABELS = {"h3_simulated": "H3+SEGUE+MagE, simulated", "desi": "DESI"}
DISTANCE_EDGES = np.linspace(30.0, 100.0, 8)  # [kpc]


def surveys(options: Surveys) -> Result:
    """Returns the surveys on the sky and their binned velocities.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    simulator = campaign.simulator
    binned = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = forecast.rows(binned, options.measurement, campaign.seed, simulator)
    # the mock survey's stars are those of the row that it stands for
    theta = forecast.model_at(MOCK, simulator)
    with record("surveys", options, campaign.reports, VERSIONS, SUMMARIES) as recording:
        recording.words(table_words())
        say("simulating the survey's stars; a new machine compiles the engine first")
        seen = {"h3_simulated": _simulated(options, theta), **_observed(options)}
        recording.metrics({f"stars.{key}": len(stars) for key, stars in seen.items()})
        named = {SURVEY_LABELS[key]: stars for key, stars in seen.items()}
        maps = sky_maps(named, figure_data.lmc_path(simulator, theta), DISTANCE_EDGES)
        recording.add(
            FigureSection(
                "sky",
                "Sky and distances",
                maps,
                "Stars, the LMC's path, and DESI's two fields.",
            )
        )
        recording.add(
            FigureSection(
                "velocities",
                "Binned velocities",
                _measurements(data),
                "Clipped means with their errors.",
            )
        )
    return recording.result


def _measurements(
    data: Mapping[str, tuple[SkyBinning, Observation]],
) -> Measurements:
    """Returns the binned velocities of all surveys, those with tangential ones alone."""
    binnings = {binning.name: binning for binning, _ in data.values()}
    with_v_tb = tuple(
        observation
        for row, (_, observation) in data.items()
        if row.endswith(" with v_tb")
    )
    return Measurements(shared_panels(binnings), with_v_tb)


def _simulated(options: Surveys, theta: FloatArray) -> RestFrameStars:
    """Returns as many simulated stars as the survey has."""
    seed = options.campaign.seed
    simulator = options.campaign.simulator
    # one simulation has far more giants than the survey, which draws from them
    made = simulator.simulate(theta[None], [generator(seed, 0)])
    nearest, farthest = QUADRANTS.distances
    halo = kinematics.simulated_stars(made, nearest, farthest)
    return figure_data.surveyed(halo, QUADRANTS, seed)


def _observed(options: Surveys) -> dict[str, RestFrameStars]:
    """Returns DESI's stars, by key, where their places are given: a binned table has none."""
    path = find_table(options.stars)
    if is_binned(path):
        return {}
    table = star_tables.select(
        read_stars(path, most_missing=options.most_missing), options.selection
    )
    return {"desi": table.rest_frame()}
