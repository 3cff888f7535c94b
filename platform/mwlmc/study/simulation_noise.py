"""What simulated stars' own scatter adds to the errors of an observation."""

from dataclasses import replace

import numpy as np

from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.sampling_noise import sampling_errors
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.storage.dataset import Dataset

SAMPLED_SHARDS = (
    4  # of 64 simulations each, whose mean variance is known to a few per cent
)


def with_simulation_error(
    observation: Observation, binning: SkyBinning, halos: Dataset
) -> Observation:
    """Returns an observation that knows the errors which its simulations have of themselves.

    Arguments and errors are those of `simulation_error`.
    """
    return replace(observation, simulation_error=simulation_error(binning, halos))


def simulation_error(binning: SkyBinning, halos: Dataset) -> FloatArray | None:
    """Returns the errors `[S]` that the summaries of simulations have of themselves.

    Simulated stars that fill a patch are of some number, as the survey's are; what
    training adds to their moments is what the survey's errors are larger. Stars that
    are drawn as the survey has them bring its noise, and none is added: there are none.

    Arguments:
        binning: How stars became summaries.
        halos: The simulations; their first 256 are looked at.

    Raises:
        ValueError: If a shard cannot be read, or none has stars in a bin.
    """
    if binning.sample is not None:
        return None
    each = [
        sampling_errors(halos.records(shard), binning)
        for shard in halos.in_turn(halos.shards[:SAMPLED_SHARDS])
    ]
    return np.asarray(np.sqrt(np.mean(np.square(each), axis=0)))
