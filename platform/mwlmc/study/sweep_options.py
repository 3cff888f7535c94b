"""Options of the studies that are sweeps: of flows, and of binnings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from mwlmc.observed.options import GIANTS, Measurement, StarSelection
from mwlmc.parameters import INFERRED
from mwlmc.study.literature import QUANTITIES
from mwlmc.study.options import DESI_BINNED, SimulationCampaign, check_measurement
from orrery.judging.options import LEVEL
from orrery.learning.options import Training
from orrery.option_types import check_once, check_unused
from orrery.parameters import Parameter, parameter_names
from orrery.sweeps.options import (
    Effort,
    FlowArchitecture,
    Sought,
    check_batches_shared,
)
from orrery.tables.options import MOST_MISSING

if TYPE_CHECKING:  # astropy takes a second
    from mwlmc.observed.planned_survey import SurveyBinning

SurveyKind = Literal["desi", "h3"]


@dataclass(frozen=True)
class FlowArchitectures:
    """Which flow learns best what DESI's stars say, and how much that matters.

    `orrery ensemble-architectures` asks the same of networks that learn a halo's mass.

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

    def __post_init__(self) -> None:
        check_batches_shared(self.architecture.training)
        check_measurement(self.measurement, self.campaign)


@dataclass(frozen=True)
class Binnings:
    """Which binning of a planned survey tells most of both galaxies, and what choices are worth.

    Example:
        >>> Binnings(surveys=("h3",)).stars_of("h3")
        1296
    """

    surveys: tuple[str, ...] = ("desi", "h3")
    """Surveys that are planned: of stars as DESI's first ones, or of giants as H3's."""
    desi_stars: int = 856
    """Stars at 30-100 kpc of the survey like DESI; its first data release has 856."""
    h3_stars: int = GIANTS
    """Likewise of the one like H3, SEGUE and MagE, which have 1,296."""
    error_floor: float = 0.0
    """What no number of stars makes the error of a mean or a dispersion smaller than
    [km/s]."""
    sought: Sought = "information_gain"
    """What the best binning has most of: information about the parameters, or the least
    expected width of the quantity."""
    level: float = LEVEL
    """How often each test of calibration may reject a right posterior; a binning that is
    rejected is never the best."""
    calibration_tests: int = 400
    """Validation pairs at most by which that is judged. So many find a posterior 0.9 times as
    wide; all of a large campaign's would find one that is a few per cent too narrow, and what
    is calibrated must not depend on how much was simulated."""
    quantity: str = "v_travel"
    """The quantity of Table 2 whose expected width is told."""
    parameters: tuple[str, ...] = parameter_names(INFERRED)
    """The parameters that the survey is planned for, those of the quantity included."""
    stars: Path = DESI_BINNED
    """DESI's stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of
    theirs: the survey like it has their places and errors."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    campaign: SimulationCampaign = field(
        default_factory=lambda: SimulationCampaign(simulations=4096)
    )
    """The simulations, and where they and the runs are kept."""
    architecture: FlowArchitecture = field(
        # larger ones learned no more from so few simulations, and were rejected more often
        default_factory=lambda: FlowArchitecture(
            transforms=3,
            width=32,
            training=Training(batch_size=256, max_epochs=30, patience=30),
        )
    )
    """The flow that learns from each binning, and its training."""
    members: int = 1
    """Flows, from as many seeds, whose mixture learns each binning."""
    effort: Effort = field(
        default_factory=lambda: Effort(trials=12, concurrent=2, repeats=4)
    )
    """How much is tried for each survey."""

    def __post_init__(self) -> None:
        if not self.surveys or not set(self.surveys) <= set(get_args(SurveyKind)):
            raise ValueError(
                f"surveys {self.surveys}: choose from {', '.join(get_args(SurveyKind))}"
            )
        known = parameter_names(INFERRED)
        if not self.parameters or not set(self.parameters) <= set(known):
            raise ValueError(
                f"parameters {self.parameters}: choose from {', '.join(known)}"
            )
        _check_planned(self)
        if not 0 < self.level < 1:
            raise ValueError(f"level {self.level}: give one between 0 and 1")
        for name in ("members", "calibration_tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)}: give 1 or more")
        lacking = [n for n in _needed(self.quantity) if n not in self.parameters]
        if lacking:
            raise ValueError(
                f"the width of {self.quantity} needs {', '.join(lacking)} among the "
                "parameters: add them, or choose another quantity"
            )

    @property
    def inferred(self) -> tuple[Parameter, ...]:
        """The parameters, in the order of Table 2."""
        return tuple(one for one in INFERRED if one.name in self.parameters)

    def stars_of(self, kind: SurveyKind) -> int:
        """Returns how many stars a survey has."""
        return self.desi_stars if kind == "desi" else self.h3_stars


def unbinned_survey(options: Binnings, kind: SurveyKind) -> "SurveyBinning":
    """Returns a survey's stars and errors, before anything else is chosen."""
    from mwlmc.observed.planned_survey import SurveyBinning

    return SurveyBinning(stars=options.stars_of(kind), error_floor=options.error_floor)


def _check_planned(options: Binnings) -> None:
    """Raises ValueError where a survey cannot be, before anything is simulated."""
    check_once("surveys", options.surveys)
    check_once("parameters", options.parameters)
    for kind in get_args(SurveyKind):
        unbinned_survey(options, kind)
    read = {"desi": ("desi_stars", "stars", "most_missing"), "h3": ("h3_stars",)}
    for name, some in read.items():
        if name not in options.surveys:
            check_unused(options, some, f"it is about {name}, not among the surveys")


def _needed(quantity: str) -> tuple[str, ...]:
    """Returns the parameters that make a quantity of Table 2."""
    if quantity not in QUANTITIES:
        raise ValueError(
            f"quantity {quantity!r}: choose from {', '.join(map(repr, QUANTITIES))}"
        )
    own = QUANTITIES[quantity].parameter
    return (own,) if own else ("v_x", "v_y", "v_z")
