"""What the pages say of pieces of the sky, bins and the Sagittarius stream, by the code."""

import inspect
import math

from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.sky.sagittarius import OFF_PLANE
from orrery.execution.simulation import generate

from .files import NUMBER


def of_the_sky():
    nearest, furthest = (f"{edge:g}" for edge in QUADRANTS.distances)
    radial = [one for one in DESI_FOOTPRINT.bins if one.quantity == "v_gsr"]
    (width,) = {f"{one.upper - one.lower:g}" for one in radial}
    shard = inspect.signature(generate).parameters["shard_size"].default
    asked = 100
    return {
        rf"in five bins from {NUMBER} to {NUMBER} kpc each": [nearest, furthest],
        rf"in bins of {NUMBER} kpc from {NUMBER} to {NUMBER} kpc, and v_t,b": [
            width,
            f"{min(one.lower for one in radial):g}",
            f"{max(one.upper for one in radial):g}",
        ],
        rf"is within {NUMBER}° of the stream's plane": [f"{OFF_PLANE:g}"],
        rf"whole shards of {NUMBER}: `--simulations {NUMBER}` makes {NUMBER} and uses the "
        rf"first {NUMBER}\.": [
            *(f"{shard}", f"{asked}"),
            *(f"{math.ceil(asked / shard) * shard}", f"{asked}"),
        ],
    }
