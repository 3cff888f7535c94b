"""Which flow learns best what stars say about both galaxies: a study of architectures."""

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.sky.binning import DESI_FOOTPRINT, SkyBinning
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.simulation_noise import with_simulation_error
from mwlmc.study.survey_draws import survey_pairs
from mwlmc.study.sweep_options import FlowArchitectures
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster
from orrery.records import Observation
from orrery.results.lineage import record_summary_lineage
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sweep_sections import record_comparison
from orrery.sweeps.architectures import FlowTask
from orrery.sweeps.comparison import compare
from orrery.sweeps.effects import VERSIONS_OF_EFFECTS
from orrery.sweeps.options import FLOW_SHAPE, FLOW_SPACE

_VERSIONS = {**VERSIONS, **VERSIONS_OF_EFFECTS}
DATA = "with v_tb"


def flow_architectures(options: FlowArchitectures) -> Result:
    """Returns which flow learns best what DESI's stars say, and how much it matters.

    Raises:
        ValueError: If the stars are not what the options say, or no search can vary the
            architecture; nothing is simulated then.
        OSError: If a file cannot be read or written.
    """
    FLOW_SPACE.check(options.architecture)
    campaign = options.campaign
    binning, observation = _data(options)
    parameters = options.measurement.parameters
    with (
        cluster.connect(),
        record(
            "architectures", options, campaign.reports, _VERSIONS, SUMMARIES
        ) as recording,
    ):
        recording.words(table_words())
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


def _data(options: FlowArchitectures) -> tuple[SkyBinning, Observation]:
    """Returns what DESI's stars say, and by which binning.

    Raises:
        ValueError: If the stars are not what the options say, or have no proper motions.
    """
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = vectors(
        stars, {DATA: DESI_FOOTPRINT}, options.measurement, options.campaign.seed
    )
    if DATA not in data:
        raise ValueError(
            f"{stars.name!r} has no bin of some velocity: give DESI's stars with proper motions"
        )
    return data[DATA]
