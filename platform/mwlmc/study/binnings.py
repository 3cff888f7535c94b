"""Which binning of a planned survey tells most of both galaxies: a study of binnings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from mwlmc.model.lmc import LMCErrors
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import data_vector
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
from orrery.sweeps.binning_comparison import Question, compare_binnings
from orrery.sweeps.binnings import BinningTask, Measured
from orrery.sweeps.options import FlowArchitecture
from orrery.sweeps.space import Choice, Float, Int, Point, SearchSpace
from orrery.sweeps.worth import Contrast

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
        LearnedBinning(unbinned_survey(options, kind), options.architecture),
        reference,
        lambda point: contrasts(point, stars, floor),
        {
            "survey.stars": Int(stars, 2 * stars),
            "survey.error_floor": Float(floor, floor + WORSE),
        },
        SEED,
        options.architecture.training.workers,
    )
