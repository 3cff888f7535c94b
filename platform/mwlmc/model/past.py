"""The past of simulated galaxies: both halos, both paths, and the potential they make."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from mwlmc.model import disc_and_bulge, orbits, trajectories


@dataclass(frozen=True)
class Past:
    """The last 2.2 Gyr of B simulations' galaxies.

    Arguments:
        named: The prior's parameters by name, each with shape `[B]`.
        galaxies: Both dark halos and the friction.
        trajectories: Both centres' paths.

    Example:
        >>> from mwlmc.simulator import Simulator
        >>> _, _, past = Simulator(stars=500).past(seed=1, indices=[0])
        >>> past.trajectories.relative().shape[-1], sorted(past.named)[:3]
        (1, ['beta0', 'd_lmc', 'dec_lmc'])
    """

    named: dict[str, NDArray[Any]]
    galaxies: trajectories.Galaxies
    trajectories: trajectories.Trajectories

    def potential(self, device: str = "cpu") -> orbits.MovingPotential:
        """Returns the moving potential of the last 2.2 Gyr, on a device."""
        two = self.galaxies
        stars = disc_and_bulge.stellar_table()
        return orbits.moving_potential(
            two.milky_way, stars, two.lmc, self.trajectories, device=device
        )
