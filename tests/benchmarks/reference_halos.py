"""Halos that are sampled afresh against the profiles and the reflex motion of a reference set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from reference_sets import EDGE, Errors, Facts, Reference, largest_and_rms

from mwlmc import simulator
from mwlmc.model import reflex
from orrery.parameters import FloatArray, generator

STARS = 20_000  # of a whole set
# The set's names of the reflex numbers.
REFLEX = {
    name: name.replace("v_", "v") if name.startswith(("v_", "mean_")) else name
    for name in reflex.Reflex.__dataclass_fields__
}


@dataclass(frozen=True)
class Halos:
    """Freshly sampled halos of one set, 2.2 Gyr ago and today."""

    initial: simulator.StarParticles
    final: simulator.StarParticles
    reflex: dict[str, FloatArray]


def fresh_halos(reference: Reference, number: int, count: int, seed: int) -> Halos:
    """Returns halos with the parameters of a set, which is the folder's `number`-th."""
    model = simulator.Simulator(stars=STARS, inner_edge=EDGE, accuracy="survey")
    past = model.rewind(np.repeat(reference.theta, count, axis=0))
    streams = [generator(seed, number, halo) for halo in range(count)]
    initial = model.initial_stars(past, streams)
    final = model.evolved(past, initial)
    return Halos(initial, final, model.reflex_motion(final))


@dataclass(frozen=True)
class Motions:
    """Squared velocities of stars.

    Arguments:
        radius: [kpc], with shape `[N]`.
        squares: Radial, and the mean over two tangential axes [(km/s)^2], with shape
            `[2, N]`.
    """

    radius: FloatArray
    squares: FloatArray


def motions(stars: simulator.StarParticles) -> Motions:
    """Returns the squared velocities of the stars of all halos."""
    x, v = (
        part.double().flatten(1).numpy() for part in (stars.position, stars.velocity)
    )
    radius = np.sqrt((x**2).sum(0))
    radial = ((x * v).sum(0) / radius) ** 2
    return Motions(radius, np.stack([radial, 0.5 * ((v**2).sum(0) - radial)]))


def shells(rows: Sequence[Mapping[str, float]], stars: Motions) -> FloatArray:
    """Returns the deviations `[R, 2]` of radial and tangential dispersions [standard errors]."""
    return np.array([_shell(row, stars) for row in rows])


def _shell(row: Mapping[str, float], stars: Motions) -> FloatArray:
    inside = (stars.radius >= row["r_lo"]) & (stars.radius < row["r_hi"])
    squares = stars.squares[:, inside]
    dispersion = np.sqrt(squares.mean(1))
    # of one star's square, carried over to the root
    error = squares.std(1) / (2.0 * dispersion)
    wanted = np.array([row["sigma_r"], row["sigma_t_1d"]])
    return (dispersion - wanted) / (
        error * np.sqrt(1.0 / inside.sum() + 1.0 / row["n"])
    )


def profile(
    reference: Reference, when: str, stars: simulator.StarParticles
) -> tuple[Errors, Facts]:
    """Returns the errors of the dispersions, and each shell's deviations."""
    rows = reference.number(f"{when}_profile")
    rows = [row for row in rows if when == "initial" or row["r_lo"] >= EDGE]
    away = shells(rows, motions(stars))
    listed = [[row["r_lo"], *one] for row, one in zip(rows, away.tolist(), strict=True)]
    return largest_and_rms(when, away), {when: listed}


def reflex_deviations(
    reference: Reference, fits: dict[str, FloatArray]
) -> tuple[Errors, Facts]:
    """Returns the errors of the reflex motion, and each number's deviation."""
    wanted, away = reference.document["reflex_50_100"], {}
    for ours, theirs in REFLEX.items():
        scatter = fits[ours].std(ddof=1) * np.sqrt(1.0 + 1.0 / len(fits[ours]))
        away[ours] = float((fits[ours].mean() - wanted[theirs]) / scatter)
    return largest_and_rms("reflex", np.array(list(away.values()))), {"reflex": away}


def halo_errors(reference: Reference, halos: Halos) -> tuple[Errors, Facts]:
    """Returns the errors of the set's halos, and single deviations."""
    errors: Errors = {}
    facts: Facts = {"clipped": float(halos.initial.clipped[0])}
    found = [
        profile(reference, when, getattr(halos, when))
        for when in ("initial", "final")
        if reference.has((f"{when}_profile",), ())
    ]
    numbers = tuple(f"reflex_50_100.{name}" for name in REFLEX.values())
    if reference.has(("reflex_50_100",), ()) and reference.has(numbers, ()):
        found.append(reflex_deviations(reference, halos.reflex))
    for some, more in found:
        errors, facts = errors | some, facts | more
    return errors, facts
