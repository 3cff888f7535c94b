"""Versions of what decides answers, beside those that fingerprints hold.

Datasets, features and ensembles know the versions that decided them. What is done with
them afterwards burns none of them when it changes: an attempt's document says which
version of it gave its answers.
"""

from halomass.observed import neighbour_tables
from halomass.study import masses
from orrery.inference import posteriors
from orrery.judging import calibration
from orrery.learning import mixture

VERSIONS = {
    "inference": posteriors.VERSION,
    "judging": calibration.VERSION,
    "masses": masses.VERSION,
    "mixture": mixture.VERSION,
    "observed_hosts": neighbour_tables.VERSION,
}
