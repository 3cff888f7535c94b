"""Constants of the model: gravity, time, cosmology, and the fixed parts of both galaxies.

Units: kpc, km/s, Msun; time in kpc/(km/s).
"""

import numpy as np

G = 4.30091727e-6  # [kpc (km/s)^2 / Msun], CODATA 2018 and the IAU's nominal solar mass
GYR = 1.0 / 0.9777922216807893  # [kpc / (km/s)]
HUBBLE = 67.66e-3  # [km/s / kpc], Planck 2018
CRITICAL_DENSITY = 3.0 * HUBBLE**2 / (8.0 * np.pi * G)  # [Msun / kpc^3]

SUN_RADIUS = 8.3  # [kpc]
CIRCULAR_VELOCITY = 235.0  # [km/s], total, at the Sun

BULGE_MASS = 1.2e10  # [Msun], McMillan (2017), rounded as in Brooks et al. (2025b)
BULGE_SCALE = 0.2  # [kpc]
BULGE_CUTOFF = 1.8  # [kpc]
BULGE_SLOPE = 1.8
DISC_MASS = 5e10  # [Msun]
DISC_SCALE = 3.0  # [kpc]
DISC_HEIGHT = 0.4  # [kpc]; the vertical profile is sech^2(z / 2 DISC_HEIGHT)

LMC_RADIUS = 8.7  # [kpc], van der Marel & Kallivayalil (2014)
LMC_MASS_WITHIN = 1.7e10  # [Msun] inside LMC_RADIUS
