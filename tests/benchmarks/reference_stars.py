"""A reference set's stars, carried from the same start, against where they are today."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from counting import counted_stepper
from reference_sets import EDGE, Errors, Reference, largest_and_rms, size, tell

from mwlmc import simulator
from mwlmc.model import orbits, stellar_halo
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.sky import kinematics
from mwlmc.sky.binning import MOMENTS, QUADRANTS
from mwlmc.sky.moment_errors import FEW_STARS
from mwlmc.sky.moments import VelocityMoments, clipped_moments, unclipped
from mwlmc.sky.options import VELOCITIES
from orrery.parameters import BoolArray, FloatArray, IntArray
from orrery.records import Records

REPEATS = 3  # of what is timed
# A share of the steps that are not timed, since the compiler works meanwhile.
WARM_UP = 1.0
PERCENTILES = {"median": 50, "90": 90, "99": 99}


@dataclass(frozen=True)
class Today:
    """The sets' stars today, carried together with steps of one share.

    Arguments:
        states: For each set by name, positions [kpc] and velocities [km/s], `[6, N]`.
        evaluations: Of the force, for each star carried.
        seconds: For each set, the least of three runs.
    """

    states: dict[str, FloatArray]
    evaluations: float
    seconds: float


def carry(references: Sequence[Reference], share: float) -> Today:
    """Returns the sets' stars today."""
    state, potential = _start(references), _moving(references)
    seconds = []
    for _ in range(REPEATS):
        steps, counted = counted_stepper()
        began = time.perf_counter()
        x, v, carried = stellar_halo.evolve(
            state[:3], state[3:], potential, EDGE, share, steps
        )
        seconds.append((time.perf_counter() - began) / len(references))
    today = torch.cat([x, v]).numpy()
    states = {
        r.name: today[:, b, : len(r.arrays["initial"])]
        for b, r in enumerate(references)
    }
    return Today(states, counted.evaluations / int(carried.sum()), min(seconds))


def _start(references: Sequence[Reference]) -> torch.Tensor:
    """Returns the stars 2.2 Gyr ago, `[6, B, N]`."""
    stars = [reference.arrays["initial"] for reference in references]
    start = torch.zeros(6, len(stars), max(map(len, stars)))
    # where a set has fewer stars than others: at rest near the centre, they are not
    # carried
    start[0] = 1.0
    for b, one in enumerate(stars):
        start[:, b, : len(one)] = torch.as_tensor(one.T.copy())
    return start


def _moving(references: Sequence[Reference]) -> orbits.MovingPotential:
    theta = np.concatenate([reference.theta for reference in references])
    return simulator.Simulator().rewind(theta).potential()


def carry_each(
    references: Sequence[Reference], shares: Iterable[float]
) -> dict[float, Today]:
    """Returns the sets' stars today for each share of the steps."""
    if not references:
        return {}
    tell("compiling, if this machine has not done it before")
    carry(references, WARM_UP)
    today = {}
    for share in shares:
        tell(f"carrying the stars of {len(references)} sets with steps of {share}")
        today[share] = carry(references, share)
    return today


def position_errors(reference: Reference, state: FloatArray) -> FloatArray:
    """Returns the errors [kpc] of the stars beyond 30 kpc."""
    wanted = reference.arrays["final"][:, :3]
    return size(state[:3].T - wanted)[size(wanted) > EDGE]


def percentiles(errors: FloatArray) -> Errors:
    """Returns the median, 90 % and 99 %."""
    if not len(errors):
        return {}
    return {
        name: float(np.percentile(errors, part)) for name, part in PERCENTILES.items()
    }


@dataclass(frozen=True)
class Bins:
    """Differences in the bins that have ten stars in both [standard errors].

    Arguments:
        quantity: Of each bin, with shape `[K]`.
        moments: Differences of means and dispersions by name, each `[K]`; with `_same`,
            of the stars that are members in both.
        changed: How many stars are members in one only.
    """

    quantity: FloatArray
    moments: dict[str, FloatArray]
    changed: int


@dataclass(frozen=True)
class Members:
    """The stars in the bins, unclipped.

    Arguments:
        key: The number of the star, plus that of its bin times the number of stars,
            `[M]`.
        bins: `[M]`.
        velocity: [km/s], with shape `[M]`.
    """

    key: IntArray
    bins: IntArray
    velocity: FloatArray

    def moments(self, chosen: Any = slice(None)) -> VelocityMoments:
        """Returns the moments of the chosen members, which are clipped already."""
        count = len(QUADRANTS.bins)
        return clipped_moments(
            self.velocity[chosen], self.bins[chosen], count, clip=np.inf
        )


def members(state: FloatArray) -> Members:
    """Returns the members of the bins among stars `[6, N]`."""
    columns = dict(zip(PHASE_SPACE, state.astype(np.float64), strict=True))
    records = Records(
        {"index": np.zeros(1)}, columns, np.array([0, state.shape[1]], np.int32)
    )
    stars = kinematics.simulated_stars(records, 0.0, np.inf)
    velocity, inside = kinematics.binned_velocities(stars, QUADRANTS)
    # the same stars once more, with their numbers in place of their velocities
    # (a star that is not a number anywhere is left out of both)
    numbers = np.flatnonzero(np.isfinite(state[:3]).all(0)).astype(float)
    number, _ = kinematics.binned_velocities(
        replace(stars, v_gsr=numbers, v_tb=numbers), QUADRANTS
    )
    kept = unclipped(velocity, inside, len(QUADRANTS.bins))
    key = number.astype(int) + inside * state.shape[1]
    return Members(key[kept], inside[kept], velocity[kept])


def bins(reference: Reference, state: FloatArray) -> Bins:
    """Returns the differences of one set's stars."""
    theirs, ours = members(reference.arrays["final"].T), members(state)
    _, first, second = np.intersect1d(theirs.key, ours.key, return_indices=True)
    wanted, got = theirs.moments(), ours.moments()
    full = np.minimum(wanted.kept, got.kept) >= FEW_STARS
    error = wanted.dispersion[full] / np.sqrt(wanted.kept[full])
    moments = _differences(wanted, got, full, error)
    same = _differences(theirs.moments(first), ours.moments(second), full, error)
    quantity = np.array([one.quantity for one in QUADRANTS.bins])[full]
    changed = len(theirs.key) + len(ours.key) - 2 * len(first)
    return Bins(quantity, moments | {f"{k}_same": v for k, v in same.items()}, changed)


def _differences(
    wanted: VelocityMoments,
    got: VelocityMoments,
    full: BoolArray,
    error: FloatArray,
) -> dict[str, FloatArray]:
    mean, dispersion = got.mean - wanted.mean, got.dispersion - wanted.dispersion
    return {
        "mean": mean[full] / error,
        "dispersion": dispersion[full] / error * np.sqrt(2.0),
    }


def bin_errors(differences: Sequence[Bins]) -> Errors:
    """Returns the largest and the root mean square differences, of each quantity and moment."""
    errors: Errors = {}
    for quantity in VELOCITIES:
        for moment in MOMENTS:
            name = f"{moment}_{quantity.removeprefix('v_')}"
            errors |= largest_and_rms(name, _chosen(differences, quantity, moment))
            same = largest_and_rms(
                "same", _chosen(differences, quantity, f"{moment}_same")
            )
            errors |= {f"{name}_same": same["same"]} if same else {}
    return errors


def _chosen(differences: Sequence[Bins], quantity: str, moment: str) -> FloatArray:
    return np.concatenate(
        [one.moments[moment][one.quantity == quantity] for one in differences]
    )


def beyond(state: FloatArray) -> int:
    """Returns how many stars `[6, N]` are beyond 30 kpc."""
    return int((size(state[:3].T) > EDGE).sum())


def star_errors(reference: Reference, state: FloatArray) -> Errors:
    """Returns the errors of one set's stars, carried with one accuracy."""
    counts = beyond(state), beyond(reference.arrays["final"].T)
    return {
        **percentiles(position_errors(reference, state)),
        "count": abs(counts[0] - counts[1]) / max(counts[1], 1),
        **bin_errors([bins(reference, state)]),
    }


def curve_point(references: Sequence[Reference], share: float, today: Today) -> Errors:
    """Returns cost and errors of all sets' stars."""
    off = [position_errors(r, today.states[r.name]) for r in references]
    each = [bins(r, today.states[r.name]) for r in references]
    cost = {"share": share, "evaluations": today.evaluations, "seconds": today.seconds}
    return {**cost, **percentiles(np.concatenate(off)), **bin_errors(each)}
