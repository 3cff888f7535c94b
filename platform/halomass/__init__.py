"""Infers the mass of a galaxy's halo from the orbits of its neighbours."""
