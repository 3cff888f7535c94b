"""A host as networks see it: observed, as those of the training were.

Networks that learned errors take every value for an uncertain one. A table of a simulation
holds true values, so that its host must be observed first, or the mass comes out too low.
"""

from dataclasses import dataclass

import numpy as np

from halomass.observed.features import Features, HostProperties, features
from halomass.observed.host_neighbours import Neighbours, as_records, observation
from halomass.systems import FloatArray

COPIES = 200  # of a simulated host, each observed with errors of its own


@dataclass(frozen=True)
class SeenHost:
    """A host as networks see it: as it was observed or, if its true values are known, observed.

    Arguments:
        host: Its neighbours.
        true_values: Whether the table holds true values, which surveys would observe
            with errors.

    Example:
        >>> from halomass.observed.errors import Orbits
        >>> from halomass.observed.host_neighbours import HostEnvironment
        >>> orbits = Orbits(np.array([50.0, 90.0]), np.zeros(2), np.array([200.0, 150.0]))
        >>> around = HostEnvironment(91.7, 761.0, 17_000.0)
        >>> host = Neighbours("A host", ("a", "b"), orbits, np.array([8.0, 6.0]), around)
        >>> SeenHost(host, true_values=False).rows(Features(1)).round(2)
        array([[ 1.7 ,  2.3 , -1.  ,  1.96,  2.88,  4.23]])
    """

    host: Neighbours
    true_values: bool

    def rows(
        self, binning: Features | HostProperties, without: str | None = None
    ) -> FloatArray:
        """Returns its features `[C, S]`: one row or, of true values, one for each mock survey.

        Surveys that find too few neighbours are left out, if need be all.

        Arguments:
            binning: Which features.
            without: The name of a neighbour that is left out: the next one comes in, and
                the environment stays.

        Raises:
            ValueError: If there is no such neighbour, or an observed host has too few.
        """
        if not self.true_values:
            return observation(self.host, binning, without).value[None]
        left = self.host if without is None else self.host.without(without)
        x = features(as_records(left, COPIES), binning)
        return x[np.isfinite(x).all(axis=1)]
