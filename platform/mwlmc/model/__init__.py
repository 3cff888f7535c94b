"""The physics: both galaxies, their orbits, and the stars of the halo."""
