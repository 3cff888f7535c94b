"""What N-body hosts say that the mock universe and the cuts of tables must agree with.

48 hosts of the Milky Way's mass, simulated again at high resolution by others, and
measured for this project; their tables are no part of it. Radii are in units of the
virial radius, of subhalos within it.
"""

ZOOM_HOSTS = "48 N-body zoom hosts"

# r / R_vir below which 16, 50 and 84 % of satellites are, by the velocity of which 0.7 is
# left: that at infall, as in the catalogues, or the peak.
PERCENTILES = (16, 50, 84)
RADII_BY_INFALL = (0.286, 0.556, 0.844)
RADII_BY_PEAK = (0.305, 0.578, 0.855)
# By how much the second cut makes hosts heavier than the first: biases of 0.104 +- 0.016
# and 0.008 +- 0.017 dex.
MASS_SHIFT_BY_PEAK = 0.096  # [dex]
MASS_SHIFT_ERROR = 0.017  # [dex] of either bias: most of it is common to both

# Neighbours within 250 kpc whose peak mass is above 1e8 Msun, by the cut at infall.
SATELLITE_COUNT = 314.0
# How fast survivors lose mass, in units of (m / t_dyn) (m/M)^0.07: 0.31 to 0.91 are 68 %.
# Orphans, which halo finders have lost, lose it twice as fast, with 1.18.
SURVIVORS_LOSS_RATE = 0.56
# 1 - <v_t^2> / (2 <v_r^2>) from 0.8 to 1 R_vir. It rises towards there: five bins outward
# have -0.08, 0.01, 0.09, 0.13 and 0.16. Their edges were not noted; fifths are taken. Nor
# was whether velocities are peculiar or have the expansion of space, which is worth 0.05.
ANISOTROPY = 0.17
ANISOTROPY_ERROR = 0.06
INNER_ANISOTROPY = -0.08
# Mean log10 <v^2 r> / M [km^2/s^2 kpc / Msun] of the 25 satellites with the most stars.
DYNAMICAL_MASS = -5.489
DYNAMICAL_MASS_SCATTER = 0.057  # between hosts
