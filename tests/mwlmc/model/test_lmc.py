"""Laws of the LMC's measured phase space."""

import numpy as np

from mwlmc.model.lmc import LMC_POSITION, LMC_VELOCITY, LMCErrors, lmc_covariance
from mwlmc.sky import frames


def test_lmcs_covariance_is_the_scatter_of_its_perturbed_coordinates():
    errors = LMCErrors()
    sky = np.array(frames.galactocentric_to_sky(LMC_POSITION, LMC_VELOCITY))
    sigma = np.array(list(vars(errors).values()))
    sigma[:2] = np.radians(sigma[:2])
    drawn = np.random.default_rng(16).normal(sky, sigma, (20_000, 6))
    scatter = np.cov(np.concatenate(frames.sky_to_galactocentric(*drawn.T), axis=1).T)
    ours = lmc_covariance(errors)
    scale = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
    np.testing.assert_allclose(scatter / scale, ours / scale, atol=0.04)
    # Vasiliev (2023), section 3.1.
    np.testing.assert_allclose(
        np.sqrt(np.diag(ours)), [0.2, 0.4, 0.3, 12, 5, 6], rtol=0.2
    )
