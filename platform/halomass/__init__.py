"""Weighs a galaxy's halo by the orbits of its neighbours."""
