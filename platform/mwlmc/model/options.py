"""Choices of the model: which potential, how exact, by which engine, and where."""

from typing import Literal

Equilibrium = Literal["halo", "total"]
Accuracy = Literal["survey", "orbit"]
Engine = Literal["torch", "agama"]
Device = Literal["cpu", "cuda"]

# Shells of Galactocentric distance [kpc], each with a reflex motion of its own, and the
# fewest stars that tell it: of a hundred that scatter by 100 km/s it is known to 10 km/s.
SHELL_EDGES = (50.0, 60.0, 80.0, 100.0, 160.0)
FEWEST_SHELL_STARS = 100
