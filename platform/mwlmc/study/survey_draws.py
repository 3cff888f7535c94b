"""Pairs of simulations whose stars a survey draws, several times each."""

from collections.abc import Sequence
from dataclasses import replace

from mwlmc.sky import kinematics
from mwlmc.sky.binning import SkyBinning
from orrery.inference import ensembles
from orrery.pairs import Splits
from orrery.parameters import Parameter, generator
from orrery.storage.dataset import INDEX, Dataset

# Pairs are computed with the simulation's number where labels of others join them.
SIMULATION_NUMBER = Parameter(INDEX, "", "$i$")
_LARGEST_SEED = 2**31


def survey_pairs(
    halos: Dataset,
    binning: SkyBinning,
    parameters: Sequence[Parameter],
    draws: int,
) -> Splits:
    """Returns pairs of simulations; where a survey draws stars, training sees several draws.

    A draw has the survey's noise in it. With one of each simulation a flow would learn
    the noise of that draw; where simulated stars fill their patches, training draws noise
    anew in each epoch instead.

    Arguments:
        halos: The simulations.
        binning: How stars become summaries; its own draw is that of the tests.
        parameters: What is inferred.
        draws: How many draws of each simulation.

    Raises:
        ValueError: If no simulation has finite summaries.
        OSError: If summaries cannot be read or written.
    """
    return ensembles.pooled_pairs(
        halos, kinematics.velocity_moments, survey_drawn(binning, draws), parameters
    )


def survey_drawn(binning: SkyBinning, draws: int) -> list[SkyBinning]:
    """Returns a binning with the seeds of several draws, its own first.

    A binning that draws nothing is returned alone.

    Example:
        >>> from mwlmc.sky.binning import DESI_FOOTPRINT
        >>> len(survey_drawn(DESI_FOOTPRINT, draws=4))
        1
    """
    sample = binning.sample
    if sample is None:
        return [binning]
    seeds = [
        int(generator(sample.seed, number).integers(_LARGEST_SEED))
        for number in range(1, draws)
    ]
    others = [replace(binning, sample=replace(sample, seed=seed)) for seed in seeds]
    return [binning, *others]
