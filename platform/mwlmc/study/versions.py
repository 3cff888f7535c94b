"""Versions of what decides answers, beside those that fingerprints of datasets hold.

Datasets, summaries and posteriors know the versions that decided them. What is done
with them afterwards burns none of them when it changes: an attempt's document says
which version of it gave its answers. Other summaries are another run: posteriors see
the data by them.
"""

from mwlmc.observed import binned_table, data_vectors, planned_survey
from mwlmc.sky import kinematics, moment_errors
from mwlmc.study import forecast, quantities
from orrery.inference import posteriors
from orrery.judging import calibration
from orrery.learning import mixture

VERSIONS = {
    "answers": quantities.VERSION,
    "binned_stars": binned_table.VERSION,
    "data_vectors": data_vectors.VERSION,
    "forecast": forecast.VERSION,
    "inference": posteriors.VERSION,
    "judging": calibration.VERSION,
    "mixture": mixture.VERSION,
    "moment_errors": moment_errors.VERSION,
    "planned_survey": planned_survey.VERSION,
}

SUMMARIES = {"velocity_moments": kinematics.VERSION}
