"""Both galaxies against a reference set: forces, paths, masses, and the LMC today."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from reference_sets import Errors, Reference, apart, size

from mwlmc import simulator
from mwlmc.model import disc_and_bulge, lmc, trajectories
from mwlmc.model.centres import equations_of_motion
from mwlmc.model.constants import GYR
from mwlmc.model.past import Past
from mwlmc.model.vectors import length
from orrery.parameters import FloatArray


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
    two, stars = past.galaxies, disc_and_bulge.stellar_table()
    slope_of = equations_of_motion(
        two.milky_way, two.lmc, two.friction[:, 0].numpy(), stars
    )
    slope = torch.as_tensor(np.stack([slope_of(one) for one in state.numpy()]))
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
    for name in MASSES:
        ours[name] = 10.0 ** ours[f"log10_{name}"]
    wanted = reference.document["derived"]
    return {
        name: abs(float(ours[name][0]) / wanted[theirs] - 1.0)
        for name, theirs in DERIVED.items()
    }


MASSES = ("m_mw_halo_50", "m_mw_total_50", "m_lmc_50")
# our names, and the references'
DERIVED = {
    **{name: name for name in ("a_lmc", "c200", *MASSES)},
    "m_mw_total_50": "m_mw_50",
}


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
    Comparison(derived, numbers=tuple(f"derived.{name}" for name in DERIVED.values())),
    Comparison(lmc_today, numbers=("lmc_x", "lmc_v")),
)


def galaxies(reference: Reference, past: Past) -> Errors:
    """Returns the errors of both galaxies, of all that the set allows to compare."""
    errors: Errors = {}
    for comparison in GALAXIES:
        if reference.has(comparison.numbers, comparison.arrays):
            errors |= comparison.errors(reference, past)
    return errors
