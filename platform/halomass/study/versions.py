"""Versions of what decides answers of this science: see `orrery.inference.versions`.

Other features are another run: networks see the host by them.
"""

from halomass.observed import features, neighbour_tables
from halomass.study import masses
from orrery.inference import versions

VERSIONS = {
    **versions.VERSIONS,
    "masses": masses.VERSION,
    "observed_hosts": neighbour_tables.VERSION,
}

SUMMARIES = {"features": features.VERSION}
