"""Which binning of a planned survey tells most of both galaxies: a study of binnings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from mwlmc.model.lmc import LMCErrors
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import data_vector
from mwlmc.observed.options import MomentChoice, StarSelection
from mwlmc.observed.planned_survey import (
    SCALE,
    PatchChoice,
    PlannedSurvey,
    Spacing,
    Support,
    SurveyBinning,
    giants,
    survey_like,
)
from mwlmc.parameters import INFERRED
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, SkyBinning
from mwlmc.study import quantities
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.literature import QUANTITIES
from mwlmc.study.simulation_noise import simulation_error
from mwlmc.study.sweep_options import Binnings, SurveyKind, unbinned_survey
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster
from orrery.identity import JSON
from orrery.parameters import FloatArray, parameter_names
from orrery.results.binning_sections import WidthQuantity, record_binnings
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.storage.dataset import Dataset
from orrery.sweeps.binning_comparison import Kept, Question, compare_binnings
from orrery.sweeps.binnings import BinningTask, Measured
from orrery.sweeps.options import FlowArchitecture
from orrery.sweeps.space import (
    Choice,
    Domain,
    Float,
    Int,
    Point,
    SearchSpace,
    apply,
)
from orrery.sweeps.worth import Contrast

VERSION = 4  # of choices and their counts; raised whenever these numbers change
VERSIONS_OF_CHOICES = {"binning_choices": VERSION}

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


def contrasts(
    survey: PlannedSurvey, point: Point, stars: int, floor: float
) -> list[Contrast]:
    """Returns the choices of a survey that are valued, about the best binning.

    A choice of bins or patches is as many as it adds to those that the survey has stars
    for: bins of v_gsr in all patches, patches with one of them, or bins of v_tb.
    Dispersions, twice the stars and a higher floor are one each; twice the stars also keep
    bins that were left out.

    Arguments:
        survey: The survey.
        point: Of the best binning.
        stars: The survey's stars at 30-100 kpc.
        floor: The floor under its errors [km/s].

    Example:
        >>> point = {path: getattr(USUAL["h3"], path[7:]) for path in SPACE.domains}
        >>> found = contrasts(giants(), point, stars=1296, floor=0.0)
        >>> found[0].label, found[0].count
        ('5 bins of distance in each patch, not 4', 3)
    """
    base = {**point, "survey.stars": stars, "survey.error_floor": floor}

    def but(**changes: Any) -> Point:
        return {**base, **{f"survey.{name}": value for name, value in changes.items()}}

    def choice(key: str, given: Point, lacking: Point, label: str, of: str) -> Contrast:
        have, less = (getattr(_support(survey, p), of) for p in (given, lacking))
        words = label.format(have=have, less=less)
        return Contrast(key, words, given, lacking, have - less)

    bins = max(base["survey.distance_bins"], 2)
    across = base["survey.v_tb_bins"] or 1
    return [
        choice(
            "distance_bin",
            but(distance_bins=bins),
            but(distance_bins=bins - 1),
            f"{bins} bins of distance in each patch, not {bins - 1}",
            "v_gsr_bins",
        ),
        *(
            choice(
                f"patches.{patches}",
                but(patches=patches),
                but(patches="whole"),
                f"{{have}} patches, not {{less}}: {patches}",
                "patches",
            )
            for patches in get_args(PatchChoice)[1:]
        ),
        choice(
            "v_tb",
            but(v_tb_bins=across),
            but(v_tb_bins=0),
            "proper motions, bins: {have}",
            "v_tb_bins",
        ),
        *_single_choices(base, but),
    ]


def _single_choices(base: Point, but: Callable[..., Point]) -> list[Contrast]:
    """Returns the choices that add no bin and no patch of their own."""
    stars, floor = base["survey.stars"], base["survey.error_floor"]
    return [
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


def _support(survey: PlannedSurvey, point: Point) -> Support:
    """Returns what the binning of a point keeps, whatever learns from it."""
    binning = {path: value for path, value in point.items() if path != SEED}
    return survey.support(apply(LearnedBinning(), binning).survey)


def kept(survey: PlannedSurvey, point: Point, stars: int) -> Kept:
    """Returns which bins of v_gsr the binning of a point keeps, and the stars in them.

    Arguments:
        survey: The survey.
        point: Of the binning.
        stars: The survey's stars at 30-100 kpc, if the point does not say how many.

    Example:
        >>> point = {"survey.patches": "healpix", "survey.distance_bins": 9}
        >>> found = kept(giants(), point, stars=1296)
        >>> found.bins, found.left_out, round(found.stars)
        (46, 62, 1247)
    """
    point = {"survey.stars": stars, **point}
    found = _support(survey, point)
    return Kept(
        found.v_gsr_bins,
        found.v_gsr_left_out,
        found.stars,
        float(point["survey.stars"]),
        "v_gsr bins",
        f"expected stars at {SCALE[0]:g}-{SCALE[1]:g} kpc",
    )


def binnings(options: Binnings) -> Result:
    """Returns which binning of each planned survey is best, and what choices are worth.

    Raises:
        ValueError: If the stars are not what the options say, or no search can vary what
            it shall; nothing is simulated then.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    planned = _planned(options)
    _check_spaces(options, planned)
    versions = {**VERSIONS, **VERSIONS_OF_CHOICES}
    with (
        cluster.connect(),
        record("binnings", options, campaign.reports, versions, SUMMARIES) as recording,
    ):
        recording.words(table_words())
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
    stars = options.stars_of(kind)
    task = BinningTask(
        halos,
        kinematics.velocity_moments,
        options.inferred,
        PlannedExperiment(survey, options.quantity, names),
        options.campaign.seed,
        options.calibration_tests,
        options.sought,
        options.level,
        options.members,
    )
    reference = {
        path: getattr(USUAL[kind], path.removeprefix("survey."))
        for path in SPACE.domains
    }
    return Question(
        kind,
        task,
        SPACE,
        _learned(options, kind),
        reference,
        lambda point: contrasts(survey, point, stars, options.error_floor),
        _more(options, kind),
        SEED,
        options.architecture.training.workers,
        lambda point: kept(survey, point, stars),
    )


def _learned(options: Binnings, kind: SurveyKind) -> LearnedBinning:
    return LearnedBinning(unbinned_survey(options, kind), options.architecture)


def _more(options: Binnings, kind: SurveyKind) -> dict[str, Domain]:
    """Returns what choices vary that the search does not."""
    stars, floor = options.stars_of(kind), options.error_floor
    return {
        "survey.stars": Int(stars, 2 * stars),
        "survey.error_floor": Float(floor, floor + WORSE),
    }


def _check_spaces(options: Binnings, planned: Iterable[SurveyKind]) -> None:
    """Raises ValueError if a search cannot vary what it shall, before anything is simulated."""
    for kind in planned:
        space = SearchSpace({**SPACE.domains, **_more(options, kind)})
        space.check(_learned(options, kind))
