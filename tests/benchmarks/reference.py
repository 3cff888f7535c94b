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
a_lmc, c200, m_mw_halo_50, m_mw_total_50, m_lmc_50: |difference| / reference; masses
    within 50 kpc.
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
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from reference_galaxies import MASSES, galaxies
from reference_halos import fresh_halos, halo_errors
from reference_sets import Facts, Reference, load, tell
from reference_stars import beyond, bins, carry_each, curve_point, star_errors

from mwlmc import simulator
from mwlmc.model import stellar_halo
from orrery import command_line
from orrery.parameters import FloatArray

CURVE = (0.8, 0.65, 0.5, 0.4, 0.35, 0.25)


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
    **dict.fromkeys(("a_lmc", "c200", *MASSES, "lmc_x", "lmc_v"), Bound(1e-3)),
    "survey_median": Bound(0.05),
    "orbit_median": Bound(0.02),
    "orbit_99": Bound(1.0, beta0=0.6),
    **dict.fromkeys(("orbit_mean_gsr", "orbit_mean_tb"), Bound(0.1)),
    **dict.fromkeys(("initial", "final"), Bound(3.0, beta0=0.5)),
    "reflex": Bound(3.0),
}


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
        halos = fresh_halos(reference, number, options.halos, options.seed)
        some, more = halo_errors(reference, halos)
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
