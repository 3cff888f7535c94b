"""Versions of what decides answers of this science: see `orrery.inference.versions`.

Other summaries are another run: posteriors see the data by them.
"""

from mwlmc.observed import binned_table, data_vectors, planned_survey
from mwlmc.sky import kinematics, moment_errors, sampling_noise
from mwlmc.study import forecast, quantities
from orrery.inference import versions

VERSIONS = {
    **versions.VERSIONS,
    "answers": quantities.VERSION,
    "binned_stars": binned_table.VERSION,
    "data_vectors": data_vectors.VERSION,
    "forecast": forecast.VERSION,
    "moment_errors": moment_errors.VERSION,
    "planned_survey": planned_survey.VERSION,
    "sampling_noise": sampling_noise.VERSION,
}

SUMMARIES = {"velocity_moments": kinematics.VERSION}
