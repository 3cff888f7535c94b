"""Versions of the machinery that decides answers, beside those that fingerprints hold.

Datasets, summaries, posteriors and ensembles know the versions that decided them. What
is done with them afterwards burns none of them when it changes: an attempt's document
says which version of it gave its answers. A study adds those of its science.
"""

from orrery import data_vector
from orrery.inference import posteriors
from orrery.judging import calibration
from orrery.learning import mixture

VERSIONS = {
    "inference": posteriors.VERSION,
    "judging": calibration.VERSION,
    "mixture": mixture.VERSION,
    "observations": data_vector.VERSION,
}
