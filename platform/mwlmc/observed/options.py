"""Which stars are kept and what is measured of them: options, known before astropy is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mwlmc.parameters import INFERRED, LMC_TODAY
from mwlmc.sky.options import VELOCITIES
from orrery.parameters import Parameter

if TYPE_CHECKING:  # astropy takes a second
    from mwlmc.sky.binning import SkyBinning
    from mwlmc.sky.selection_function import Sample

Sampling = Literal["full-footprint", "survey-like"]
MomentChoice = Literal["mean", "mean+dispersion"]
LMCToday = Literal["data", "inferred"]
GIANTS = 1296  # stars at 30-100 kpc in Brooks et al. (2025b)
NOT_SAGITTARIUS = "not in the Sagittarius stream"


@dataclass(frozen=True)
class StarSelection:
    """Which stars of a table belong to the smooth outer halo.

    Arguments:
        sagittarius: Whether to leave out the Sagittarius stream.
        inner: The smallest Galactocentric distance [kpc].
        outer: The largest, exclusive [kpc].
        largest_motion_error: Proper motions with this error or a larger one are not used
            [km/s at the star's distance]; all are when None.

    Example:
        >>> StarSelection(inner=30.0, outer=160.0).steps
        ('not in the Sagittarius stream', '30-160 kpc')
    """

    sagittarius: bool = True
    inner: float = 30.0
    outer: float = 100.0
    largest_motion_error: float | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What its steps are called in a table's `steps`."""
        cut = (NOT_SAGITTARIUS,) if self.sagittarius else ()
        within = f"{self.inner:g}-{self.outer:g} kpc"
        if self.largest_motion_error is None:
            return (*cut, within)
        measured = f"proper motions better than {self.largest_motion_error:g} km/s"
        return (*cut, within, measured)

    def __post_init__(self) -> None:
        if not 0 <= self.inner < self.outer:
            raise ValueError(
                f"selection from {self.inner} to {self.outer} kpc: let inner < outer"
            )
        largest = self.largest_motion_error
        if largest is not None and not 0 < largest < math.inf:
            raise ValueError(
                f"largest_motion_error {largest} km/s: give one above zero, or none"
            )


@dataclass(frozen=True)
class Measurement:
    """What is measured of stars, and which simulated stars represent them.

    Example:
        >>> measurement = Measurement(moments="mean+dispersion", lmc_today="inferred")
        >>> measurement.kinds, len(measurement.parameters)
        (('mean', 'dispersion'), 12)
    """

    moments: MomentChoice = "mean"
    """Of velocities: their means, or also their dispersions (of v_tb only survey-like)."""
    sampling: Sampling = "full-footprint"
    """Simulated stars: all of a patch, training adding what the survey's errors are larger
    than those of so many stars (full-footprint), or as many as the survey has, where it
    has them, with its errors (survey-like)."""
    distance_errors: bool = False
    """Whether simulated stars drawn survey-like also get the survey's errors of distance."""
    survey_draws: int = 4
    """How many times the survey's stars are drawn of each simulation, survey-like; training
    sees all of them, the tests are of the first."""
    motion_floor: float = 0.0
    """Systematic error of proper motions that observed stars share [mas/yr]; Gaia's is about
    0.02 (Lindegren et al. 2021). Forecasts have none."""
    lmc_today: LMCToday = "data"
    """The LMC's place and motion: measured, as in the paper (data), or parameters like
    the masses, inferred from the stars alone (inferred), which needs the wide prior of the
    LMC (--lmc table1)."""

    def __post_init__(self) -> None:
        if self.distance_errors and self.sampling == "full-footprint":
            raise ValueError(
                "only stars drawn survey-like get distance errors: choose this sampling"
            )
        if self.survey_draws < 1 or not 0.0 <= self.motion_floor < math.inf:
            raise ValueError(
                f"survey_draws {self.survey_draws} and motion_floor {self.motion_floor} mas/yr: "
                "draw once or more, with an error from 0 on"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The moments, one by one."""
        return tuple(self.moments.split("+"))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What is inferred, Table 2's quantities first."""
        return INFERRED + (LMC_TODAY if self.lmc_today == "inferred" else ())

    def entries(
        self, binning: "SkyBinning", quantities: Sequence[str] = VELOCITIES
    ) -> "SkyBinning":
        """Returns a binning with the moments of some quantities, and the LMC if it is data."""
        measured = binning.with_moments(self.kinds, quantities)
        return replace(measured, lmc=self.lmc_today == "data")

    def binning(self, binning: "SkyBinning") -> "SkyBinning":
        """Returns a binning with what is measured.

        Simulated stars that fill their patch have no errors, and those of proper
        motions are as large as the dispersion: there it stays with the mean of v_tb.
        """
        # at 60 kpc an error of 0.3 mas/yr is 85 km/s, as large as the dispersion
        with_errors = VELOCITIES if self.sampling == "survey-like" else ("v_gsr",)
        return self.entries(binning, with_errors)

    def drawn(self, binning: "SkyBinning", sample: "Sample", seed: int) -> "SkyBinning":
        """Returns the binning with the survey's sample, or as it is where patches are filled.

        Arguments:
            binning: Of stars that the survey has.
            sample: Where and how good they are.
            seed: Of the draw, together with the number of the simulation.
        """
        if self.sampling == "full-footprint":
            return binning
        # distances are left exact by default, as in the paper's simulations
        error = sample.distance_error if self.distance_errors else 0.0
        return binning.survey_like(replace(sample, distance_error=error, seed=seed))
