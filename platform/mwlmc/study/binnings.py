"""Which binning of a planned survey tells most of both galaxies: a study of binnings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from mwlmc.model.lmc import LMCErrors
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import data_vector
from mwlmc.observed.mock_survey import GIANTS
from mwlmc.observed.options import MomentChoice, StarSelection
from mwlmc.observed.planned_survey import (
    PatchChoice,
    PlannedSurvey,
    Spacing,
    SurveyBinning,
    giants,
    pieces,
    survey_like,
)
from mwlmc.parameters import INFERRED
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, SkyBinning
from mwlmc.study import quantities
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.literature import QUANTITIES
from mwlmc.study.options import DESI_BINNED, SimulationCampaign
from mwlmc.study.simulation_noise import simulation_error
from mwlmc.study.versions import SUMMARIES, VERSIONS
from orrery.execution import cluster
from orrery.identity import JSON
from orrery.judging.calibration import LEVEL
from orrery.learning.options import Training
from orrery.option_types import check_once
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.results.binning_sections import WidthQuantity, record_binnings
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.storage.dataset import Dataset
from orrery.sweeps.architectures import Effort, FlowArchitecture
from orrery.sweeps.binning_comparison import Question, compare_binnings
from orrery.sweeps.binnings import BinningTask, Measured, Sought
from orrery.sweeps.space import Choice, Float, Int, Point, SearchSpace
from orrery.sweeps.worth import Contrast
from orrery.tables.options import MOST_MISSING

SurveyKind = Literal["desi", "h3"]
TITLES: dict[SurveyKind, str] = {"desi": "DESI-like", "h3": "H3-like"}
# As Brooks et al. (2025b) bin the stars of each.
USUAL: dict[SurveyKind, SurveyBinning] = {
    "desi": SurveyBinning("footprints", 7, "equal", 3),
    "h3": SurveyBinning("quadrants", 5, "equal", 6),
}
SEED = "architecture.training_seed"
WORSE = 5.0  # [km/s], the floor under errors whose cost is told

SPACE = SearchSpace(
    {
        "survey.patches": Choice(get_args(PatchChoice)),
        "survey.distance_bins": Int(1, 10),
        "survey.spacing": Choice(get_args(Spacing)),
        "survey.v_tb_bins": Int(0, 6),
        "survey.moments": Choice(get_args(MomentChoice)),
    }
)


@dataclass(frozen=True)
class LearnedBinning:
    """A binning, and the flow that learns from it: what a trial is given.

    Example:
        >>> SPACE.check(LearnedBinning())
    """

    survey: SurveyBinning = field(default_factory=SurveyBinning)
    architecture: FlowArchitecture = field(default_factory=FlowArchitecture)


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
    """Flows, from as many seeds, whose mixture learns each binning. Many simulations have
    many tests, which see that a single flow is a few per cent too narrow: take some."""
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
        if self.members < 1:
            raise ValueError(f"members {self.members}: give 1 or more")
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


def _check_planned(options: Binnings) -> None:
    """Raises ValueError where a survey cannot be, before anything is simulated."""
    check_once("surveys", options.surveys)
    check_once("parameters", options.parameters)
    for kind in get_args(SurveyKind):
        _unbinned(options, kind)


def _unbinned(options: Binnings, kind: SurveyKind) -> SurveyBinning:
    """Returns a survey's stars and errors, before anything else is chosen."""
    return SurveyBinning(stars=options.stars_of(kind), error_floor=options.error_floor)


def _needed(quantity: str) -> tuple[str, ...]:
    """Returns the parameters that make a quantity of Table 2."""
    if quantity not in QUANTITIES:
        raise ValueError(
            f"quantity {quantity!r}: choose from {', '.join(map(repr, QUANTITIES))}"
        )
    own = QUANTITIES[quantity].parameter
    return (own,) if own else ("v_x", "v_y", "v_z")


@dataclass(frozen=True, eq=False)
class PlannedExperiment:
    """A planned survey as trials measure it.

    Arguments:
        survey: The survey.
        chosen: The quantity of Table 2 whose width counts.
        names: The P parameters.

    Example:
        >>> experiment = PlannedExperiment(giants(), "v_x", ("v_x",))
        >>> measured = experiment.measure(LearnedBinning(SurveyBinning("whole", 1)))
        >>> len(measured.binning.names), measured.covariance.shape
        (10, (10, 10))
    """

    survey: PlannedSurvey
    chosen: str
    names: tuple[str, ...]

    @property
    def identity(self) -> JSON:
        """What decides binnings and errors besides the options."""
        key = quantities.quantity_key(self.chosen)
        return {"survey": self.survey.description, "quantity": key}

    @property
    def unit(self) -> str:
        """The unit of the quantity whose width counts."""
        return QUANTITIES[self.chosen].unit

    def architecture(self, options: LearnedBinning) -> FlowArchitecture:
        """Returns what learns."""
        return options.architecture

    def measure(self, options: LearnedBinning) -> Measured:
        """Returns how the stars are binned, and with what errors."""
        binning = self.survey.binning(options.survey)
        errors = self.survey.errors(binning, options.survey)
        stellar = errors[-sum(len(p.names) for p in binning.profiles) :]
        vector = data_vector(
            self.survey.name, binning, np.zeros_like(stellar), stellar, LMCErrors(), {}
        )
        return Measured(binning, vector.covariance)

    def simulation_error(
        self, binning: SkyBinning, dataset: Dataset
    ) -> FloatArray | None:
        """Returns the errors `[S]` that simulated stars' moments have of themselves."""
        return simulation_error(binning, dataset)

    def quantity(self, draws: FloatArray) -> FloatArray:
        """Returns the quantity `[M, N]` of draws `[M, N, P]`."""
        # parameters that are not inferred do not enter it
        full = np.zeros((draws[..., 0].size, len(INFERRED)))
        for column, parameter in enumerate(INFERRED):
            if parameter.name in self.names:
                given = draws[..., self.names.index(parameter.name)]
                full[:, column] = given.ravel()
        values = quantities.quantities(full)[self.chosen]
        return values.reshape(draws.shape[:-1])


def contrasts(point: Point, stars: int, floor: float) -> list[Contrast]:
    """Returns the choices of a survey that are valued, about the best binning.

    Arguments:
        point: Of the best binning.
        stars: The survey's stars at 30-100 kpc.
        floor: The floor under its errors [km/s].
    """
    base = {**point, "survey.stars": stars, "survey.error_floor": floor}

    def but(**changes: Any) -> Mapping[str, Any]:
        return {**base, **{f"survey.{name}": value for name, value in changes.items()}}

    bins = max(base["survey.distance_bins"], 2)
    across = base["survey.v_tb_bins"] or 1
    return [
        Contrast(
            "distance_bin",
            f"bin {bins} of distance",
            but(distance_bins=bins),
            but(distance_bins=bins - 1),
        ),
        *(_patch_contrast(choice, but) for choice in get_args(PatchChoice)[1:]),
        Contrast(
            "v_tb",
            f"proper motions, bins: {across}",
            but(v_tb_bins=across),
            but(v_tb_bins=0),
            across,
        ),
        Contrast(
            "dispersions",
            "dispersions",
            but(moments="mean+dispersion"),
            but(moments="mean"),
        ),
        Contrast("stars", "twice the stars", but(stars=2 * stars), base),
        Contrast(
            "error_floor",
            f"{WORSE:g} km/s more floor",
            but(error_floor=floor + WORSE),
            base,
        ),
    ]


def _patch_contrast(choice: PatchChoice, but: Any) -> Contrast:
    count = len(pieces(choice))
    return Contrast(
        f"patches.{choice}",
        f"{count} patches, not 1: {choice}",
        but(patches=choice),
        but(patches="whole"),
        count - 1,
    )


def binnings(options: Binnings) -> Result:
    """Returns which binning of each planned survey is best, and what choices are worth.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    planned = _planned(options)
    with (
        cluster.connect(),
        record("binnings", options, campaign.reports, VERSIONS, SUMMARIES) as recording,
    ):
        halos = simulate_campaign(recording, campaign)
        for kind, survey in planned.items():
            question = _question(options, kind, survey, halos)
            found = compare_binnings(
                question, options.effort, campaign.reports / "sweeps", campaign.seed
            )
            quantity = WidthQuantity(
                options.quantity, QUANTITIES[options.quantity].unit
            )
            record_binnings(
                recording,
                f"binnings.{kind}",
                TITLES[kind],
                found,
                quantity,
                options.inferred,
            )
    return recording.result


def _planned(options: Binnings) -> dict[SurveyKind, PlannedSurvey]:
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        StarSelection(),
        most_missing=options.most_missing,
    )
    known: dict[SurveyKind, PlannedSurvey] = {
        "desi": survey_like(stars),
        "h3": giants(),
    }
    return {kind: known[kind] for kind in known if kind in options.surveys}


def _question(
    options: Binnings, kind: SurveyKind, survey: PlannedSurvey, halos: Dataset
) -> Question:
    names = parameter_names(options.inferred)
    task = BinningTask(
        halos,
        kinematics.velocity_moments,
        options.inferred,
        PlannedExperiment(survey, options.quantity, names),
        options.campaign.seed,
        options.sought,
        options.level,
        options.members,
    )
    stars = options.stars_of(kind)
    floor = options.error_floor
    reference = {
        path: getattr(USUAL[kind], path.removeprefix("survey."))
        for path in SPACE.domains
    }
    return Question(
        kind,
        task,
        SPACE,
        LearnedBinning(_unbinned(options, kind), options.architecture),
        reference,
        lambda point: contrasts(point, stars, floor),
        {
            "survey.stars": Int(stars, 2 * stars),
            "survey.error_floor": Float(floor, floor + WORSE),
        },
        SEED,
        options.architecture.training.workers,
    )
