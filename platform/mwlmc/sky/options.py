"""Which quantities and which bins are usual: known before anything is binned."""

# The line-of-sight velocity and the velocity along Galactic latitude, both in the
# Galactic rest frame. Along longitude the Sun's own motion, less well known, would
# enter.
VELOCITIES = ("v_gsr", "v_tb")

# Where proper motions are still good enough; Brooks et al. (2025b) print no edges.
V_TB_EDGES = (30.0, 50.0, 70.0, 90.0)  # [kpc]
