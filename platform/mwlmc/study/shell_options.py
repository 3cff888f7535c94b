"""Options of studies of the reflex motion against distance, and of dispersions."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mwlmc.model.options import FEWEST_SHELL_STARS, SHELL_EDGES
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.study.literature import HALO_COLUMN
from mwlmc.study.options import (
    DESI_BINNED,
    SDSS_BINNED,
    SimulationCampaign,
    check_measurement,
)
from orrery.inference.options import Inference
from orrery.option_types import check_unused
from orrery.tables.options import MOST_MISSING

if TYPE_CHECKING:  # seconds, which `--help` does not wait for
    from mwlmc.model.reflex_shells import ReflexShells
    from mwlmc.study.inferred_quantities import InferredQuantities

SurveyName = Literal["quadrants", "desi", "forecast-h3"]
DataName = Literal["forecast-h3", "sdss+desi", "sdss", "desi"]
WELL_MEASURED = DESI_BINNED.with_name("desi_dr1_bhb_v_tb_30_kms.ecsv")


@dataclass(frozen=True)
class TravelProfile:
    """The travel velocity against distance, from one survey or several.

    Example:
        >>> TravelProfile().shells.labels
        ('50-60', '60-80', '80-100', '100-160')
    """

    surveys: tuple[SurveyName, ...] = ("quadrants", "desi")
    """Which data: stars in four quadrants of the sky, DESI's, or a mock data vector of
    H3+SEGUE+MagE at the published medians."""
    stars: Path = SDSS_BINNED
    """Stars in quadrants (a CSV, ECSV or FITS table), or a binned table of theirs."""
    # giants reach further than DESI's blue horizontal branch stars
    selection: StarSelection = field(
        default_factory=lambda: StarSelection(inner=30.0, outer=160.0)
    )
    """Which of the stars in quadrants are kept; DESI's at 30-100 kpc without the Sagittarius
    stream always are."""
    desi_stars: Path = DESI_BINNED
    """DESI's stars, or a binned table of theirs."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    velocities: Literal["v_gsr", "v_gsr+v_tb"] = "v_gsr"
    """Velocities along the line of sight alone, or tangential ones too."""
    shell_edges: tuple[float, ...] = SHELL_EDGES
    """Edges of the shells whose motion is inferred [kpc]."""
    fewest_shell_stars: int = FEWEST_SHELL_STARS
    """Simulations with fewer stars in a shell are left out."""
    # surveys do not fill the sky
    measurement: Measurement = field(
        default_factory=lambda: Measurement(sampling="survey-like")
    )
    """Which moments are measured, and how simulated stars are sampled; those of a mock fill
    the footprint."""
    campaign: SimulationCampaign = field(default_factory=SimulationCampaign)
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    # before anything is simulated
    def __post_init__(self) -> None:
        simulator = self.campaign.simulator
        self.shells.check_stored(simulator.inner_edge, simulator.outer_edge)
        if not self.surveys or len(set(self.surveys)) < len(self.surveys):
            raise ValueError(f"surveys {self.surveys}: give one or more, each once")
        self._check_used()

    def _check_used(self) -> None:
        stars = {"quadrants": ("stars", "selection"), "desi": ("desi_stars",)}
        absent = {
            name: read for name, read in stars.items() if name not in self.surveys
        }
        for name, read in absent.items():
            check_unused(self, read, f"it is about {name}, not among the surveys")
        if absent == stars:
            check_unused(self, ("most_missing",), "a forecast reads no stars")
        motions = self.velocities == "v_gsr+v_tb"
        check_measurement(self.measurement, self.campaign, absent != stars, motions)

    @property
    def shells(self) -> "ReflexShells":
        """The shells whose motion is inferred."""
        return _shells(self.shell_edges, self.fewest_shell_stars)


@dataclass(frozen=True)
class Dispersions:
    """Both galaxies' masses, the anisotropy and the travel velocity, from means and dispersions.

    Example:
        >>> Dispersions(infer=("beta0", "r_dehnen"), without_lmc=0).inferred.names[:2]
        ('beta0', 'r_dehnen')
    """

    data: tuple[DataName, ...] = ("forecast-h3", "sdss+desi")
    """Which data: a mock data vector of H3+SEGUE+MagE at the follow-up's medians, real stars
    of SDSS and DESI as one data vector, or either of them alone."""
    infer: tuple[str, ...] = (
        *(HALO_COLUMN, "log10_m_lmc_50", "log10_lambda_df"),
        *("beta0", "r_dehnen"),
    )
    """What is inferred beside the travel velocity, by the names of the records' columns."""
    travel_edges: tuple[float, ...] = (80.0, 120.0)
    """Nearest and furthest stars that the travel velocity is about [kpc]."""
    fewest_shell_stars: int = FEWEST_SHELL_STARS
    """Simulations with fewer stars there are left out."""
    stars: tuple[Path, ...] = (SDSS_BINNED, WELL_MEASURED)
    """Stars of SDSS in quadrants, and DESI's (CSV, ECSV or FITS tables), or binned tables of
    theirs."""
    largest_motion_error: float = 30.0
    """DESI's proper motions with this error or a larger one are not used [km/s]: where
    errors are as large as the dispersion, it says more of them than of the stars."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    fewest_stars: int = 10
    """Bins of real stars with fewer are left out."""
    # surveys do not fill the sky
    measurement: Measurement = field(
        default_factory=lambda: Measurement("mean+dispersion", "survey-like")
    )
    """Which moments are measured, and how simulated stars are sampled; those of a mock fill
    the footprint."""
    without_lmc: int = 4096
    """Simulations without an LMC, whose answers are compared; 0 makes none."""
    campaign: SimulationCampaign = field(default_factory=SimulationCampaign)
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    # before anything is simulated
    def __post_init__(self) -> None:
        simulator = self.campaign.simulator
        self.shell.check_stored(simulator.inner_edge, simulator.outer_edge)
        _ = self.inferred
        columns = {column.name for column in simulator.schema.scalars}
        constant = [name for name in self.infer if name not in columns]
        if constant:
            raise ValueError(
                f"infer {' '.join(constant)}: it does not vary with the tracer "
                f"{simulator.tracer!r}; leave it out, or choose another tracer"
            )
        if not self.data or len(set(self.data)) < len(self.data):
            raise ValueError(f"data {self.data}: give one or more, each once")
        self._check_used()
        if len(self.stars) != 2:
            raise ValueError(
                f"{len(self.stars)} tables of stars: give those of SDSS, then DESI's"
            )
        if self.without_lmc and not self._weighs:
            raise ValueError(
                f"without_lmc {self.without_lmc}: a model without an LMC is compared by the "
                f"mass that it learns from dispersions: infer {HALO_COLUMN} from "
                "mean+dispersion, or let it be 0"
            )

    def _check_used(self) -> None:
        if set(self.data) == {"forecast-h3"}:
            read = ("stars", "most_missing", "fewest_stars")
            check_unused(self, read, "a forecast reads no stars")
        desi = any(name.endswith("desi") for name in self.data)
        if not desi:
            why = "it is about DESI's stars, not among the data"
            check_unused(self, ("largest_motion_error",), why)
        stars = set(self.data) != {"forecast-h3"}
        # of SDSS's giants only radial velocities are used
        check_measurement(self.measurement, self.campaign, stars, motions=desi)

    @property
    def _weighs(self) -> bool:
        return HALO_COLUMN in self.infer and "dispersion" in self.measurement.kinds

    @property
    def shell(self) -> "ReflexShells":
        """The one shell that the travel velocity is about."""
        return _shells(self.travel_edges, self.fewest_shell_stars)

    @property
    def inferred(self) -> "InferredQuantities":
        """What is inferred."""
        from mwlmc.study.inferred_quantities import InferredQuantities

        return InferredQuantities(self.infer, self.shell)


def _shells(edges: tuple[float, ...], fewest_stars: int) -> "ReflexShells":
    from mwlmc.model.reflex_shells import ReflexShells

    return ReflexShells(edges, fewest_stars)
