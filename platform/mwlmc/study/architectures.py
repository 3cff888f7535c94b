"""Which flow learns best what stars say about both galaxies: a study of architectures."""

from dataclasses import dataclass, field
from pathlib import Path

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.options import DESI_BINNED, SimulationCampaign
from mwlmc.study.simulation_noise import with_simulation_error
from mwlmc.study.survey_draws import survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from orrery.execution import cluster
from orrery.results.lineage import record_summary_lineage
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sweep_sections import record_comparison
from orrery.sweeps.architectures import (
    FLOW_SHAPE,
    FLOW_SPACE,
    Effort,
    FlowArchitecture,
    FlowTask,
)
from orrery.sweeps.comparison import compare
from orrery.tables.options import MOST_MISSING

DATA = "with v_tb"


@dataclass(frozen=True)
class FlowArchitectures:
    """Which flow learns best what DESI's stars say, and how much that matters.

    --question halomass asks the same of networks that learn a halo's mass.

    Example:
        >>> FlowArchitectures().effort.trials
        24
    """

    stars: Path = DESI_BINNED
    """DESI's stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of
    theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    measurement: Measurement = field(default_factory=Measurement)
    """Which moments are measured, and how simulated stars are sampled."""
    campaign: SimulationCampaign = field(
        default_factory=lambda: SimulationCampaign(simulations=4096)
    )
    """The simulations, and where they and the runs are kept."""
    architecture: FlowArchitecture = field(default_factory=FlowArchitecture)
    """The flow and training of which trials vary some options, and seeds are compared."""
    effort: Effort = field(default_factory=Effort)
    """How much is tried."""


def flow_architectures(options: FlowArchitectures) -> Result:
    """Returns which flow learns best what DESI's stars say, and how much it matters.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = vectors(stars, {DATA: DESI_FOOTPRINT}, options.measurement, campaign.seed)
    binning, observation = data[DATA]
    parameters = options.measurement.parameters
    with (
        cluster.connect(),
        record(
            "architectures", options, campaign.reports, VERSIONS, SUMMARIES
        ) as recording,
    ):
        halos = simulate_campaign(recording, campaign)
        pairs = survey_pairs(
            halos, binning, parameters, options.measurement.survey_draws
        )
        record_summary_lineage(recording, "architectures", pairs)
        observation = with_simulation_error(observation, binning, halos)
        task = FlowTask(pairs, parameters, observation.added_covariance, campaign.seed)
        found = compare(
            "mwlmc",
            task,
            FLOW_SPACE,
            options.architecture,
            pairs.test,
            options.effort,
            campaign.reports / "sweeps",
            campaign.seed,
            FLOW_SHAPE,
            options.architecture.training.workers,
        )
        record_comparison(recording, "architectures", found)
    return recording.result
