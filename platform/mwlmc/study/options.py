"""Options of each study: frozen dataclasses, whose docstrings are the help."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mwlmc.model.constants import CIRCULAR_VELOCITY
from mwlmc.model.options import Accuracy, Device, Engine, Equilibrium
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.parameters import LMCMass, Tracer, proposal
from mwlmc.sky.options import V_TB_EDGES
from mwlmc.study.literature import TABLE2
from orrery.identity import PLACE
from orrery.inference.options import Inference
from orrery.learning.options import Training
from orrery.option_types import check_once, check_unused
from orrery.tables.options import MOST_MISSING

if TYPE_CHECKING:  # seconds, which `--help` does not wait for
    from mwlmc.simulator import Simulator

# Tables that are bundled with this package.
DESI_BINNED = Path("desi_dr1_bhb.ecsv")
SDSS_BINNED = Path("sdss_kgiants.ecsv")


def check_measurement(
    measurement: Measurement,
    campaign: "SimulationCampaign",
    stars: bool = True,
    motions: bool = True,
) -> None:
    """Raises ValueError if it holds what is not read, or what the simulations already know.

    Arguments:
        measurement: What is measured.
        campaign: The simulations.
        stars: Whether any data are of real stars.
        motions: Whether these may have tangential velocities.

    Example:
        >>> check_measurement(Measurement(survey_draws=8), SimulationCampaign())
        Traceback (most recent call last):
        ...
        ValueError: survey_draws 8 would be ignored: none are drawn to fill a patch; leave it out
    """
    _check_lmc(measurement, campaign)
    if not stars:
        read = ("distance_errors", "survey_draws", "motion_floor")
        check_unused(measurement, read, "it is about real stars, of which no data are")
    if measurement.sampling == "full-footprint":
        why = "none are drawn to fill a patch"
        check_unused(measurement, ("survey_draws",), why)
    if not motions:
        why = "no tangential velocities of real stars are used"
        check_unused(measurement, ("motion_floor",), why)


def _check_lmc(measurement: Measurement, campaign: "SimulationCampaign") -> None:
    drawn = proposal(campaign.lmc, campaign.simulations)
    # whose width is a few errors of the measurement, so that the prior would be the answer
    if measurement.lmc_today == "inferred" and drawn == "observed":
        raise ValueError(
            f"lmc_today inferred: with --lmc {campaign.lmc} these {campaign.simulations} "
            "simulations have the LMC near where it is measured, so that its place would not be "
            "inferred from the stars alone: choose --lmc table1"
        )


@dataclass(frozen=True)
class SimulationCampaign:
    """The simulations of an experiment. Experiments with equal campaigns share their dataset.

    Example:
        >>> SimulationCampaign(simulations=128_000).simulator.proposal
        'table1'
    """

    simulations: int = 2048
    """How many simulations; 128000 is the paper's number. Whole shards of 64 are made, and
    what the last one has too many is not used."""
    lmc: Literal["auto", "table1", "observed"] = "auto"
    """Prior of the LMC's position and velocity today: the paper's wide one (table1), one
    narrow around the observed values (observed), or table1 from 100,000 simulations on
    (auto)."""
    lmc_mass: LMCMass = "table1"
    """Prior of the LMC's mass: the paper's (table1), or uniform up to 5e11 Msun (wide)."""
    equilibrium: Equilibrium = "halo"
    """The potential in which stars are in equilibrium before the LMC's infall: the dark
    halo's alone, as in the paper, or the total of halo, disc and bulge."""
    tracer: Tracer = "dehnen"
    """The density of the halo stars: one that falls as r^-4 far out, as in the paper (dehnen),
    or with an outer slope that is drawn between 4 and 6 (double-power-law)."""
    circular_velocity: float = CIRCULAR_VELOCITY
    """Circular velocity at 8.3 kpc, which fixes the halo's concentration [km/s]."""
    accuracy: Accuracy = "survey"
    """Accuracy of the orbit integration: survey, whose errors move no binned mean or
    dispersion, or orbit, for single stars, which takes half as much time again."""
    engine: Engine = "torch"
    """The orbit integrator: torch, embedded, or agama, where it is installed."""
    device: Device = "cpu"
    """Where torch integrates: cpu, or cuda, a GPU."""
    seed: int = 1
    """The root seed of all random numbers."""
    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    """Where simulations are kept."""
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    """Where runs are kept."""

    # before Ray is started, not after
    def __post_init__(self) -> None:
        if self.simulations < 1 or self.seed < 0:
            raise ValueError(
                f"{self.simulations} simulations with seed {self.seed}: give at least 1 simulation "
                "and a seed from 0 on"
            )

    @property
    def simulator(self) -> "Simulator":
        """The simulator with these options."""
        from mwlmc.simulator import Simulator

        return Simulator(
            proposal=proposal(self.lmc, self.simulations),
            lmc_mass=self.lmc_mass,
            equilibrium=self.equilibrium,
            tracer=self.tracer,
            circular_velocity=self.circular_velocity,
            accuracy=self.accuracy,
            engine=self.engine,
            device=self.device,
        )

    @property
    def summary(self) -> str:
        """What a reader must know of the simulations, in one paragraph."""
        from mwlmc.model.compiled_step import can_compile
        from mwlmc.simulator import CLIPPED_SHARE

        # otherwise a user without a compiler would take the speed for the software's
        slow = (
            "" if can_compile() else " No C++ compiler was found: simulating is slower."
        )
        return (
            f"The LMC is drawn from {self.simulator.proposal!r}; stars start in equilibrium in the "
            f"{self.equilibrium!r} potential, with a {self.tracer!r} density; "
            f"{self.circular_velocity:g} km/s at the Sun. Above an "
            "anisotropy of one half no non-negative distribution function makes this halo: "
            f"df_clipped counts where more than {100 * CLIPPED_SHARE:g} % of the stars were beyond "
            "it. runaways counts parameters that were drawn anew because their rewind ran away."
            f"{slow}"
        )


@dataclass(frozen=True)
class Desi:
    """DESI DR1 stars at 30-100 kpc, with and without tangential velocities.

    Example:
        >>> Desi().selection.outer
        100.0
    """

    stars: Path = DESI_BINNED
    """Stars (MWS_BHB.fits, or a CSV, ECSV or FITS table), or a binned table of theirs."""
    selection: StarSelection = field(default_factory=StarSelection)
    """Which stars are kept."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    v_tb_edges: tuple[float, ...] = V_TB_EDGES
    """Edges of the distance bins of tangential velocities, which both fields share [kpc]."""
    # its stars do not fill its fields
    measurement: Measurement = field(
        default_factory=lambda: Measurement(sampling="survey-like")
    )
    """Which moments are measured, and how simulated stars are sampled; the paper's fill the
    fields (--sampling full-footprint)."""
    campaign: SimulationCampaign = field(default_factory=SimulationCampaign)
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    def __post_init__(self) -> None:
        from mwlmc.sky.binning import desi_footprint

        desi_footprint(self.v_tb_edges)
        check_measurement(self.measurement, self.campaign)


@dataclass(frozen=True)
class Quadrants:
    """Giants at 30-160 kpc in four quadrants of the sky.

    Example:
        >>> Quadrants().measurement.sampling
        'survey-like'
    """

    observation: Literal["stars", "forecast-h3"] = "stars"
    """Observed stars, or a mock data vector of H3+SEGUE+MagE at the published medians."""
    stars: Path = SDSS_BINNED
    """Stars (a CSV, ECSV or FITS table), or a binned table of theirs; one that was binned
    without proper motions, as the default was, gives no posterior with v_tb."""
    # the paper's giants reach 160 kpc
    selection: StarSelection = field(
        default_factory=lambda: StarSelection(inner=30.0, outer=160.0)
    )
    """Which stars are kept."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    bins: int = 5
    """Distance bins of each quadrant; the default table of stars has five."""
    measurement: Measurement = field(
        default_factory=lambda: Measurement(sampling="survey-like")
    )
    """Which moments are measured, and how simulated stars are sampled; those of a mock fill
    the footprint."""
    campaign: SimulationCampaign = field(default_factory=SimulationCampaign)
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    def __post_init__(self) -> None:
        if self.observation == "forecast-h3":
            read = ("stars", "selection", "most_missing")
            check_unused(self, read, "a forecast reads no stars")
        stars = self.observation == "stars"
        check_measurement(self.measurement, self.campaign, stars)


@dataclass(frozen=True)
class Table2:
    """The six rows of Table 2 of Brooks et al. (2025b).

    Example:
        >>> Table2().inference.members
        6
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
    """Which moments are measured; dispersions are the follow-up paper's."""
    campaign: SimulationCampaign = field(
        default_factory=lambda: SimulationCampaign(simulations=65_536)
    )
    """The simulations, and where they and the runs are kept."""
    # single flows differ by their seeds, which a table of results should not show; of so many
    # simulations they follow the data too little where weights decay as fast as elsewhere
    inference: Inference = field(
        default_factory=lambda: Inference(
            members=6,
            training=Training(weight_decay=0.1, max_epochs=60, patience=60, workers=1),
        )
    )
    """How the posteriors are trained and sampled."""
    errors_twice: bool = True
    """Whether DESI's rows are learned once more with errors counted as in the paper: all of
    the survey's, beside those that means of simulated stars have of themselves."""

    def __post_init__(self) -> None:
        check_measurement(self.measurement, self.campaign)


@dataclass(frozen=True)
class PredictiveChecks:
    """Posterior predictive checks of the six rows of Table 2 of Brooks et al. (2025b).

    Example:
        >>> PredictiveChecks(rows=("DESI, with v_tb",)).replicates
        256
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
    rows: tuple[str, ...] = tuple(TABLE2)
    """The rows of Table 2 that are checked."""
    replicates: int = 256
    """Draws of each posterior that are simulated for the check."""
    campaign: SimulationCampaign = field(
        default_factory=lambda: SimulationCampaign(simulations=32_768)
    )
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    # a misspelt row would be found only after all simulations
    def __post_init__(self) -> None:
        if not self.rows or not set(self.rows) <= set(TABLE2):
            raise ValueError(
                f"rows {self.rows}: choose from {', '.join(map(repr, TABLE2))}"
            )
        check_once("rows", self.rows)
        stars = any(row.startswith("DESI,") for row in self.rows)
        if not stars:
            why = "it is about DESI's stars, of which no row is"
            check_unused(self, ("stars", "selection", "most_missing"), why)
        motions = "DESI, with v_tb" in self.rows
        check_measurement(self.measurement, self.campaign, stars, motions)


@dataclass(frozen=True)
class Surveys:
    """Figures 1 and 2 of Brooks et al. (2025b).

    Example:
        >>> Surveys().stars.name
        'desi_dr1_bhb.ecsv'
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
    campaign: SimulationCampaign = field(default_factory=SimulationCampaign)
    """What is simulated for the mock survey, and where runs are kept."""

    def __post_init__(self) -> None:
        read = ("distance_errors", "survey_draws")
        check_unused(
            self.measurement, read, "no simulated stars are compared with these"
        )


@dataclass(frozen=True)
class DesiChoices:
    """DESI's posterior under each choice of sampling and of tangential velocities.

    Example:
        >>> len(DesiChoices().stars)
        3
    """

    stars: tuple[Path, ...] = (
        DESI_BINNED,
        DESI_BINNED.with_name("desi_dr1_bhb_v_tb_40_100.ecsv"),
        DESI_BINNED.with_name("desi_dr1_bhb_v_tb_30_kms.ecsv"),
    )
    """A star table, or three binned ones: with v_tb at 30-50-70-90 kpc, at 40-60-80-100
    kpc, and of proper motions better than 30 km/s."""
    most_missing: float = MOST_MISSING
    """The largest share of a star table's rows that may lack a position, distance or
    velocity, or a proper motion where these are used."""
    measurement: Measurement = field(default_factory=Measurement)
    """What is measured; sampling and the floor of proper motions are those of the choices."""
    campaign: SimulationCampaign = field(
        default_factory=lambda: SimulationCampaign(simulations=32_768)
    )
    """The simulations, and where they and the runs are kept."""
    inference: Inference = field(default_factory=Inference)
    """How the posteriors are trained and sampled."""

    def __post_init__(self) -> None:
        if len(self.stars) not in (1, 3):
            raise ValueError(
                f"{len(self.stars)} tables of stars: give one of stars, or three binned ones"
            )
        _check_lmc(self.measurement, self.campaign)
        why = "each choice has its own"
        check_unused(self.measurement, ("sampling", "motion_floor"), why)


@dataclass(frozen=True)
class Validation:
    """The rigid model beside live N-body simulations.

    Example:
        >>> Validation(nbody=Path("gc21")).circular_velocity
        235.0
    """

    nbody: Path
    """The folder of live simulations: NAME_orbit_mw.txt and NAME_orbit_lmc.txt of each,
    and galaxies.csv where their masses are not those of Garavito-Camargo et al. (2021)."""
    circular_velocity: float = CIRCULAR_VELOCITY
    """Circular velocity at 8.3 kpc, which fixes the rigid halo's concentration [km/s]."""
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    """Where runs are kept."""
