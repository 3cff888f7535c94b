"""Halo catalogues of any size, read in pieces."""
