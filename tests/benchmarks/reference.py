"""The embedded engine against every reference solution of a folder, as one JSON object.

python tests/benchmarks/reference.py --sets tests/mwlmc/reference
python tests/benchmarks/reference.py --sets FOLDER --accuracy orbit --no-curve

A set is `setNN.json` with `setNN.npz`; what they hold is described in
`tests/mwlmc/reference`. What a set lacks is not compared, and is named on stderr and
under `absent`. The object is the last line of stdout. One thread computes everything.

`sets` has for each set, under `errors`, absolute values, of which smaller is better:

force_bulge, force_disc, force_halo, force_lmc: The largest |difference| / |reference|
    of the force vectors, at points more than 1 kpc from the component's centre.
path_mw, path_lmc: The largest distance [kpc] between the paths of a centre over 2.2
    Gyr. Ours is interpolated at the reference's times by `trajectories.hermite`, as it
    is for the stars.
motion_mw, motion_lmc: The largest difference of the velocities [km/s], at the same
    times. Ours is interpolated by the same cubics from velocities and accelerations at
    our nodes.
frame: The largest |difference| / |reference| of the acceleration of the Milky Way's
    centre, at the same times; ours is the LMC's pull at the interpolated offset, which
    is what stars feel.
a_lmc, c200, m_mw_50, m_lmc_50: |difference| / reference; masses within 50 kpc.
lmc_x, lmc_v: |difference| / |reference| of the LMC's position and velocity today.

The same stars are carried from the same start, at each accuracy (here A):

A_median, A_90, A_99: Percentiles of the error in position today [kpc] of the stars that
    are beyond 30 kpc in the reference, among them any that the engine did not think
    worth carrying.
A_count: |difference| / reference of the number of stars beyond 30 kpc. A_mean_gsr,
A_mean_gsr_rms: The largest and the root mean square difference of the clipped means of
    v_gsr, over the bins of `binning.QUADRANTS` with ten stars in both, in units of a
    mean's standard error sigma / sqrt(N). Independent stars would differ by sqrt(2).
A_mean_tb, A_mean_tb_rms: The same of v_tb. A_dispersion_gsr, A_dispersion_tb and _rms:
The same of the clipped dispersions, in units of
    sigma / sqrt(2 N).
A_mean_gsr_same, A_dispersion_gsr_same and the other _same: The largest difference if
    both count only the stars that lie in the bin, unclipped, in both. The rest is made
    by single stars close to an edge of distance or longitude or to the clip: each one
    moves a mean by its own deviation over sigma, over sqrt(N), however small its error.

Freshly sampled halos of 20,000 stars are compared with the set's 20,000 others. The
standard error is that of the difference, and contains the stars' own kurtosis:

initial, initial_rms: Dispersions 2.2 Gyr ago, radial and along one tangential axis,
    about zero, in all shells of the set: the largest difference in standard errors, and
    the root mean square.
final, final_rms: The same today, after `survey` carried them, in the shells beyond 30
kpc. reflex, reflex_rms: The nine numbers of the reflex motion at 50-100 kpc: the mean
over n halos less
    the set's, in units of s sqrt(1 + 1/n), where s is the scatter over the halos. An
    engine without fault has one of nine numbers above 3 in 3 % of the sets; with n =
    32, whose scatter is known to 12 %, in 5 %.

Under `facts`: beta0; the share of the tracer that the distribution function clips; the
numbers of stars beyond 30 kpc, in the reference and by each accuracy; how many
memberships in the bins have `changed`; and the single deviations, with their signs, in
standard errors: of the shells (inner radius, radial, tangential) and of the reflex.

`worst`: for each of the errors the largest value over the sets, and its set. `bounds`:
what an error should stay below, up to an anisotropy `beta0`. `misses`: the errors that
do not. `curve`: cost against error, for all sets' stars carried together with steps of
a `share` of the local time-scale: evaluations of the force for each star that is
carried (places in rows that no star needs any more are counted), the least seconds of
three runs for each set, and the stars' errors as above: percentiles over all sets'
stars, means over all sets' bins. The accuracies' own shares are always there.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from counting import counted_stepper

from mwlmc import parameters, simulator
from mwlmc.model import (
    disc_and_bulge,
    lmc,
    orbits,
    reflex,
    stellar_halo,
    trajectories,
)
from mwlmc.model.constants import GYR
from mwlmc.model.past import Past
from mwlmc.model.vectors import length
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.sky import kinematics
from mwlmc.sky.binning import MOMENTS, QUADRANTS, VELOCITIES
from mwlmc.sky.moment_errors import FEW_STARS
from mwlmc.sky.moments import VelocityMoments, clipped_moments, unclipped
from orrery import command_line
from orrery.parameters import BoolArray, FloatArray, IntArray, generator
from orrery.records import Records

Errors = dict[str, float]
Facts = dict[str, Any]

EDGE = 30.0  # [kpc]
STARS = 20_000  # of a whole set
CURVE = (0.8, 0.65, 0.5, 0.4, 0.35, 0.25)
REPEATS = 3  # of what is timed
WARM_UP = (
    1.0  # share of the steps that are not timed, since the compiler works meanwhile
)
PERCENTILES = {"median": 50, "90": 90, "99": 99}
# The set's names of the reflex numbers.
REFLEX = {
    name: name.replace("v_", "v") if name.startswith(("v_", "mean_")) else name
    for name in reflex.Reflex.__dataclass_fields__
}


@dataclass(frozen=True)
class Options:
    """Which sets are compared, and with how much."""

    sets: Path
    """The folder with the reference sets."""
    accuracy: tuple[Literal["survey", "orbit"], ...] = ("survey", "orbit")
    """The accuracies at which the sets' stars are carried."""
    curve: bool = True
    """Whether the stars are carried with other steps too."""
    halos: int = 128
    """How many halos are sampled afresh for each set; 0 for none."""
    seed: int = 1
    """Decides everything random."""

    def __post_init__(self) -> None:
        if self.halos < 0 or self.halos == 1 or self.seed < 0:
            raise ValueError(
                f"{self.halos} halos with seed {self.seed}: give 0, or 2 for a scatter, or more "
                "halos, and a seed from 0 on"
            )


@dataclass(frozen=True)
class Bound:
    """What an error should stay below, up to an anisotropy."""

    value: float
    beta0: float = 1.0


BOUNDS = {
    **dict.fromkeys(("force_bulge", "force_halo", "force_lmc", "frame"), Bound(1e-3)),
    "force_disc": Bound(5e-3),
    **dict.fromkeys(("path_mw", "path_lmc"), Bound(0.02)),
    **dict.fromkeys(("motion_mw", "motion_lmc"), Bound(0.1)),
    **dict.fromkeys(
        ("a_lmc", "c200", "m_mw_50", "m_lmc_50", "lmc_x", "lmc_v"), Bound(1e-3)
    ),
    "survey_median": Bound(0.05),
    "orbit_median": Bound(0.02),
    "orbit_99": Bound(1.0, beta0=0.6),
    **dict.fromkeys(("orbit_mean_gsr", "orbit_mean_tb"), Bound(0.1)),
    **dict.fromkeys(("initial", "final"), Bound(3.0, beta0=0.5)),
    "reflex": Bound(3.0),
}


# --- reference sets --------------------------------------------------------------------------


@dataclass(frozen=True)
class Reference:
    """One set: its numbers from the JSON file and its arrays; what it lacks is noted."""

    name: str
    document: Mapping[str, Any]
    arrays: Mapping[str, FloatArray]
    absent: list[str] = field(default_factory=list)

    def number(self, key: str) -> Any:
        """Returns what the JSON file has under a key, or key.key; None where there is nothing."""
        value: Any = self.document
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def has(self, numbers: Sequence[str], arrays: Sequence[str]) -> bool:
        """Returns whether the set has these, and tells which ones it lacks."""
        lacks = [
            f"{self.name}.json: {key}" for key in numbers if self.number(key) is None
        ]
        lacks += [f"{self.name}.npz: {key}" for key in arrays if key not in self.arrays]
        for lack in sorted(set(lacks) - set(self.absent)):
            tell(f"{lack} is absent, and so is what is compared with it")
            self.absent.append(lack)
        return not lacks

    @property
    def theta(self) -> FloatArray:
        """The parameters `[1, P]` in the prior's order.

        Raises:
            ValueError: If one is missing.
        """
        names = parameters.prior("observed").names
        lacks = [name for name in names if self.number(f"parameters.{name}") is None]
        if lacks:
            raise ValueError(
                f"{self.name}.json has no {lacks} under 'parameters': add them"
            )
        return np.array([[self.document["parameters"][name] for name in names]])

    @property
    def beta0(self) -> float:
        """The anisotropy."""
        return float(self.document["parameters"]["beta0"])


def tell(line: str) -> None:
    """Prints a line on the progress."""
    print(line, file=sys.stderr, flush=True)


def load(folder: Path) -> list[Reference]:
    """Returns the sets of a folder.

    Raises:
        ValueError: If there are none.
    """
    files = sorted(folder.glob("set*.json"))
    if not files:
        raise ValueError(
            f"{folder} has no set*.json: give the folder of the reference sets"
        )
    return [Reference(f.stem, json.loads(f.read_text()), _arrays(f)) for f in files]


def _arrays(file: Path) -> dict[str, FloatArray]:
    beside = file.with_suffix(".npz")
    if not beside.exists():
        return {}
    with np.load(beside) as arrays:
        return dict(arrays)


def size(vectors: FloatArray) -> FloatArray:
    """Returns the lengths `[N]` of vectors `[N, 3]`."""
    return np.linalg.norm(vectors, axis=-1)


def apart(ours: FloatArray, theirs: FloatArray) -> float:
    """Returns the largest |difference| / |reference| of vectors `[N, 3]`."""
    return float((size(ours - theirs) / size(theirs)).max())


# --- the galaxies ----------------------------------------------------------------------------


def forces(name: str, reference: Reference, past: Past) -> Errors:
    """Returns the error of one component's force."""
    points, wanted = reference.arrays["force_points"], reference.arrays[f"force_{name}"]
    far = size(points) > 1.0
    return {
        f"force_{name}": apart(_force(name, points[far], past.galaxies), wanted[far])
    }


def _force(
    name: str, points: FloatArray, galaxies: trajectories.Galaxies
) -> FloatArray:
    """Returns the force `[N, 3]` of a component whose centre is the origin."""
    position = torch.as_tensor(points.T.copy())[:, None]
    if name == "halo":
        plane = across = galaxies.milky_way.pull(length(position))
    elif name == "lmc":
        plane = across = galaxies.lmc.pull(length(position))
    else:
        plane, across = disc_and_bulge.stellar_table(name).pulls(position)
    pulls = -(torch.stack([plane, plane, across]) * position)[:, 0]
    return pulls.T.numpy()


def paths(reference: Reference, past: Past) -> Errors:
    """Returns the errors of both centres' paths and velocities."""
    wanted = reference.arrays["trajectory"]
    ours = _along(past, wanted[:, 0])
    off = np.linalg.norm((ours - wanted[:, 1:]).reshape(-1, 4, 3), axis=2).max(0)
    return dict(
        zip(
            ("path_mw", "motion_mw", "path_lmc", "motion_lmc"),
            off.tolist(),
            strict=True,
        )
    )


def _along(past: Past, times: FloatArray) -> FloatArray:
    """Returns the state of both centres `[T, 12]` at times [Gyr]."""
    path = past.trajectories
    wanted = torch.as_tensor(times * GYR).clamp(path.times[0], path.times[-1])
    state = torch.cat([path.milky_way, path.lmc], dim=1)
    # the rewind's own equations: the velocities' slopes at the nodes
    slope = torch.stack([trajectories._derivative(one, past.galaxies) for one in state])
    parts = [
        trajectories.hermite(
            path.times, state[:, i : i + 3], slope[:, i : i + 3], wanted
        )
        for i in range(0, 12, 3)
    ]
    return torch.cat(parts, dim=1)[..., 0].numpy()


def frame(reference: Reference, past: Past) -> Errors:
    """Returns the error of the acceleration of the Milky Way's centre."""
    state = _along(past, reference.arrays["trajectory"][:, 0])
    offset = torch.as_tensor(state[:, 6:9] - state[:, :3])
    ours = offset * past.galaxies.lmc.pull(length(offset.T)[None]).T
    return {"frame": apart(ours.numpy(), reference.arrays["mw_acceleration"])}


def derived(reference: Reference, past: Past) -> Errors:
    """Returns the errors of concentration, scale and masses."""
    ours = simulator.Simulator()._derived(past)
    for name in ("m_mw_50", "m_lmc_50"):
        ours[name] = 10.0 ** ours[f"log10_{name}"]
    wanted = reference.document["derived"]
    return {name: abs(float(ours[name][0]) / wanted[name] - 1.0) for name in DERIVED}


DERIVED = ("a_lmc", "c200", "m_mw_50", "m_lmc_50")


def lmc_today(reference: Reference, past: Past) -> Errors:
    """Returns the errors of the LMC's position and velocity today."""
    ours = lmc.lmc_today(past.named)
    wanted = (np.array([reference.document[name]]) for name in ("lmc_x", "lmc_v"))
    off = (apart(x, y) for x, y in zip(ours, wanted, strict=True))
    return dict(zip(("lmc_x", "lmc_v"), off, strict=True))


@dataclass(frozen=True)
class Comparison:
    """A comparison of both galaxies, and what it needs of the set."""

    errors: Callable[[Reference, Past], Errors]
    numbers: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()


GALAXIES = (
    *(
        Comparison(partial(forces, name), arrays=("force_points", f"force_{name}"))
        for name in ("bulge", "disc", "halo", "lmc")
    ),
    Comparison(paths, arrays=("trajectory",)),
    Comparison(frame, arrays=("trajectory", "mw_acceleration")),
    Comparison(derived, numbers=tuple(f"derived.{name}" for name in DERIVED)),
    Comparison(lmc_today, numbers=("lmc_x", "lmc_v")),
)


def galaxies(reference: Reference, past: Past) -> Errors:
    """Returns the errors of both galaxies, of all that the set allows to compare."""
    errors: Errors = {}
    for comparison in GALAXIES:
        if reference.has(comparison.numbers, comparison.arrays):
            errors |= comparison.errors(reference, past)
    return errors


# --- the sets' stars -------------------------------------------------------------------------


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
            errors |= _largest_and_rms(name, _chosen(differences, quantity, moment))
            same = _largest_and_rms(
                "same", _chosen(differences, quantity, f"{moment}_same")
            )
            errors |= {f"{name}_same": same["same"]} if same else {}
    return errors


def _chosen(differences: Sequence[Bins], quantity: str, moment: str) -> FloatArray:
    return np.concatenate(
        [one.moments[moment][one.quantity == quantity] for one in differences]
    )


def _largest_and_rms(name: str, values: FloatArray) -> Errors:
    if not len(values):
        return {}
    return {
        name: float(np.abs(values).max()),
        f"{name}_rms": float(np.sqrt(np.mean(values**2))),
    }


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


# --- fresh halos -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Halos:
    """Freshly sampled halos of one set, 2.2 Gyr ago and today."""

    initial: simulator.StarParticles
    final: simulator.StarParticles
    reflex: dict[str, FloatArray]


def fresh_halos(reference: Reference, number: int, options: Options) -> Halos:
    """Returns halos with the parameters of a set, which is the folder's `number`-th."""
    model = simulator.Simulator(stars=STARS, inner_edge=EDGE, accuracy="survey")
    past = model.rewind(np.repeat(reference.theta, options.halos, axis=0))
    streams = [generator(options.seed, number, halo) for halo in range(options.halos)]
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
    return _largest_and_rms(when, away), {when: listed}


def reflex_deviations(
    reference: Reference, fits: dict[str, FloatArray]
) -> tuple[Errors, Facts]:
    """Returns the errors of the reflex motion, and each number's deviation."""
    wanted, away = reference.document["reflex_50_100"], {}
    for ours, theirs in REFLEX.items():
        scatter = fits[ours].std(ddof=1) * np.sqrt(1.0 + 1.0 / len(fits[ours]))
        away[ours] = float((fits[ours].mean() - wanted[theirs]) / scatter)
    return _largest_and_rms("reflex", np.array(list(away.values()))), {"reflex": away}


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


# --- all of it -------------------------------------------------------------------------------


def report(options: Options) -> dict[str, Any]:
    """Returns the comparison of all sets, as plain JSON."""
    torch.set_num_threads(1)
    references = load(options.sets)
    starry = [r for r in references if r.has((), ("initial", "final"))]
    shares: dict[str, float] = {
        name: stellar_halo.STEP_SHARES[name] for name in options.accuracy
    }
    wanted = {*shares.values(), *(CURVE if options.curve else ())}
    today = carry_each(starry, sorted(wanted, reverse=True))
    sets: dict[str, Facts] = {}
    for number, one in enumerate(references):
        tell(f"comparing {one.name}")
        states = {
            name: today[s].states[one.name]
            for name, s in shares.items()
            if one in starry
        }
        sets[one.name] = one_set(one, number, states, options)
    return {
        "sets": sets,
        "worst": worst(sets),
        "bounds": {name: asdict(bound) for name, bound in BOUNDS.items()},
        "misses": misses(sets),
        "absent": [lack for reference in references for lack in reference.absent],
        "shares": shares,
        "curve": [curve_point(starry, share, one) for share, one in today.items()],
    }


def one_set(
    reference: Reference,
    number: int,
    states: Mapping[str, FloatArray],
    options: Options,
) -> Facts:
    """Returns errors and facts of one set.

    Arguments:
        reference: The set.
        number: Its number in the folder.
        states: Its stars today by each accuracy, `[6, N]`; none if the set has no
            stars.
        options: How many halos are sampled.
    """
    errors = galaxies(reference, simulator.Simulator().rewind(reference.theta))
    facts: Facts = {"beta0": reference.beta0}
    if states:
        facts["beyond"] = {"reference": beyond(reference.arrays["final"].T)}
        facts["changed"] = {
            name: bins(reference, state).changed for name, state in states.items()
        }
    for name, state in states.items():
        facts["beyond"][name] = beyond(state)
        errors |= {f"{name}_{k}": v for k, v in star_errors(reference, state).items()}
    if options.halos:
        some, more = halo_errors(reference, fresh_halos(reference, number, options))
        errors, facts = errors | some, facts | more
    return {"errors": errors, "facts": facts}


def worst(sets: Mapping[str, Facts]) -> dict[str, Facts]:
    """Returns each error's largest value, and its set."""
    names = {name: None for one in sets.values() for name in one["errors"]}
    return {name: _worst(name, sets) for name in names}


def _worst(name: str, sets: Mapping[str, Facts]) -> Facts:
    values = {
        s: one["errors"][name] for s, one in sets.items() if name in one["errors"]
    }
    # not a number is worse than any
    where = max(values, key=lambda one: (np.isnan(values[one]), values[one]))
    return {"value": values[where], "set": where}


def misses(sets: Mapping[str, Facts]) -> list[str]:
    """Returns the errors that are not below their bounds."""
    return [
        f"{name}: {error} {one['errors'][error]:.3g}, bound {bound.value:g}"
        for name, one in sets.items()
        for error, bound in BOUNDS.items()
        if error in one["errors"]
        and one["facts"]["beta0"] <= bound.beta0
        and not one["errors"][error] < bound.value
    ]


def main(options: Options) -> None:
    """Prints the comparison."""
    print(json.dumps(_plain(report(options))), flush=True)


def _plain(value: Any) -> Any:
    """Returns the value with four digits, and null for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    main(command_line.parse(Options, sys.argv[1:]))
