"""Versions of what decides answers, beside those that fingerprints of datasets hold.

Datasets, features and ensembles know the versions that decided them. What is done with
them afterwards burns none of them when it changes: an attempt's document says which
version of it gave its answers. Other features are another run: networks see the host by
them.
"""

from halomass.observed import features, neighbour_tables
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

SUMMARIES = {"features": features.VERSION}
