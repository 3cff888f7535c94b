"""Laws of a survey's sample: the stars of each bin, where they are."""

import numpy as np
import pytest
from astropy_healpix import HEALPix


def test_the_sample_has_the_tables_stars_where_they_are(desi, giants):
    for table in (desi, giants):
        counts = [sum(stars.counts) for stars in table.sample.stars]
        np.testing.assert_array_equal(counts, table.moments.count)
        centres = HEALPix(table.sample.nside, order="nested").healpix_to_lonlat
        sine = [
            np.average(np.sin(centres(np.array(s.cells))[1].value), weights=s.counts)
            for s in table.sample.stars
        ]
        np.testing.assert_allclose(sine, table.mean_sin_b, atol=0.04)
    assert desi.sample.distance_error == pytest.approx(0.1)
