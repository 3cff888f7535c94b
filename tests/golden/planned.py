"""Record of planned surveys: their stars, their bins, and the errors of these."""

from typing import get_args

import numpy as np

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.planned_survey import (
    PatchChoice,
    PlannedSurvey,
    Spacing,
    SurveyBinning,
    giants,
    pieces,
    survey_like,
)

from .quantities import Record, quantity

TABLE = "desi_dr1_bhb.ecsv"  # bundled with the package


def planned_survey() -> Record:
    """Returns what planners get of a survey like DESI's and of one of giants."""
    record: Record = {}
    for name, survey in (("desi", survey_like(read_binned(TABLE))), ("h3", giants())):
        record |= _spread(name, survey)
        for patches in get_args(PatchChoice):
            record |= _binned(f"{name}.{patches}", survey, patches)
    return record


def _spread(name: str, survey: PlannedSurvey) -> Record:
    bins = [survey.bins(4, spacing) for spacing in get_args(Spacing)]
    return {
        f"{name}.density": quantity(survey.density),
        f"{name}.below": quantity(np.stack([survey.distances, survey.below])),
        f"{name}.motion_error": quantity([survey.motion_error]),
        f"{name}.bins": quantity(bins),
    }


def _binned(name: str, survey: PlannedSurvey, patches: PatchChoice) -> Record:
    chosen = SurveyBinning(
        patches, 6, "ratio", 2, "mean+dispersion", stars=900, error_floor=1.5
    )
    binning = survey.binning(chosen)
    counts = [
        survey.count(piece, 40.0, 75.0, chosen.stars) for piece in pieces(patches)
    ]
    limits = [(b.lower, b.upper) for b in binning.bins]
    return {
        f"{name}.counts": quantity(counts),
        f"{name}.limits": quantity(limits),
        f"{name}.errors": quantity(survey.errors(binning, chosen)),
    }
