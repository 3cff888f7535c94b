"""Choices of the model: which potential, how exact, by which engine, and where."""

from typing import Literal

Equilibrium = Literal["halo", "total"]
Accuracy = Literal["survey", "orbit"]
Engine = Literal["torch", "agama"]
Device = Literal["cpu", "cuda"]
