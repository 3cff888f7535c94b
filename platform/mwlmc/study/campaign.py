"""The simulations of a study: made as far as they are missing, and recorded."""

from mwlmc.simulator import CLIPPED_SHARE
from mwlmc.study.options import SimulationCampaign
from orrery.execution import simulation
from orrery.results.dataset_sections import record_dataset
from orrery.results.recording import Recording
from orrery.storage.dataset import Dataset


def campaign_simulations(campaign: SimulationCampaign) -> Dataset:
    """Returns the campaign's simulations, made as far as they are not there yet.

    Raises:
        OSError: If a file cannot be read or written.
    """
    return simulation.generate(
        campaign.simulator,
        campaign.simulations,
        campaign.seed,
        campaign.datasets,
        name="mwlmc",
    )


def simulate_campaign(recording: Recording, campaign: SimulationCampaign) -> Dataset:
    """Returns the campaign's simulations, after recording them.

    Arguments:
        recording: Where they are recorded.
        campaign: Which simulations.

    Raises:
        OSError: If a file cannot be read or written.
    """
    halos = campaign_simulations(campaign)
    clipped = "simulations.clipped_share"
    recording.metrics({clipped: CLIPPED_SHARE})
    shows = ("options.campaign.circular_velocity", clipped)
    record_dataset(
        recording, "simulations", "Simulations", halos, campaign.summary, shows
    )
    return halos
