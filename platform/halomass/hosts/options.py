"""Which halos are hosts and neighbours: options, known before catalogues are read."""

from dataclasses import asdict, dataclass
from typing import Literal

from halomass import systems
from halomass.mock.options import THRESHOLDS

THRESHOLD = THRESHOLDS["UM-SAGA"]  # the mock universe's default catalogue
ANDROMEDA = 761.0  # [kpc] the nearest larger halo to the Milky Way

Criterion = Literal["infall", "peak_velocity", "peak_mass", "bound_mass"]


@dataclass(frozen=True)
class HostSelection:
    """Which halos are hosts and neighbours, and where the box is divided.

    Example:
        >>> HostSelection(minimum=25).threshold
        0.7
    """

    minimum: int = 10
    """The smallest number of neighbours of a host."""
    radius: float = systems.RADIUS
    """The largest distance of a neighbour [kpc]."""
    log_m_peak: float = systems.LOG_M_PEAK
    """Neighbours have peak masses above this [dex(solMass)]."""
    threshold: float = THRESHOLD
    """V_max over that at infall, below which a halo is a remnant and no neighbour, where a
    catalogue has no galaxies; 0: none is."""
    isolation: float = systems.ISOLATION
    """Halos larger than a host are farther than this [kpc]."""
    log_m_cluster: float = 14.0
    """Clusters have virial masses above this [dex(solMass)]."""
    validation_from: float = 0.65
    """Hosts from this x on, as a fraction of the box, are for validation."""
    test_from: float = 0.75
    """Hosts from this x on, as a fraction of the box, are for tests."""

    def __post_init__(self) -> None:
        if self.minimum < 1 or not self.radius > 0:
            raise ValueError(
                f"minimum {self.minimum} and radius {self.radius} kpc: ask for at least 1 "
                "neighbour within a positive radius"
            )
        check_threshold(self.threshold)
        if not 0 <= self.isolation < ANDROMEDA:
            raise ValueError(
                f"isolation {self.isolation} kpc must be from 0 to below {ANDROMEDA:g}, the "
                "distance of Andromeda: otherwise no host resembles the Milky Way"
            )
        if not 0 < self.validation_from < self.test_from < 1:
            raise ValueError(
                f"validation_from {self.validation_from} and test_from {self.test_from} must rise "
                "between 0 and 1"
            )

    @property
    def changed(self) -> dict[str, float]:
        """What is not as usual, by name.

        Example:
            >>> HostSelection(minimum=25).changed
            {'minimum': 25}
        """
        usual = asdict(HostSelection())
        return {n: value for n, value in asdict(self).items() if value != usual[n]}


def check_threshold(threshold: float) -> None:
    """Raises ValueError if a V_max over that at infall is not from 0 to below 1."""
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold {threshold} must be from 0 to below 1, such as {THRESHOLD}"
        )
