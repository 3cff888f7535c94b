"""Cost against error of the embedded engine, on simulations drawn from the prior.

    python tests/benchmarks/accuracy.py --simulations 64

The same stars are carried with several step shares and with a tenth of the `survey`
share. For each share the last line, one JSON object, tells:

- `evaluations`: of the force, for each carried star; `seconds`: for each simulation, on one thread;
- `position`: 50, 90 and 99 % of the position errors today beyond 30 kpc [kpc], of all stars and of
  those with beta0 up to 0.6;
- `shift`: of clipped means and dispersions, in units of one simulation's sampling error
  (sigma / sqrt(N), sigma / sqrt(2 N)), averaged over the simulations: the largest of all bins of
  both surveys, their root mean square, and `noise`, the standard error of such an average.
  Scrambled phases average out; a bias does not.
- `beyond`: stars beyond 30 kpc, in excess of the fine ones, relative.
"""

import json
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
from counting import counted_stepper
from numpy.typing import NDArray

from mwlmc.model import stellar_halo
from mwlmc.model.past import Past
from mwlmc.model.vectors import length
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.simulator import Simulator, StarParticles
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from orrery import runs
from orrery.parameters import generator
from orrery.records import Records

_BINNINGS = (QUADRANTS, DESI_FOOTPRINT)
FARTHER = 30.0  # [kpc], than which stars count
PERCENTILES = (50, 90, 99)  # of their position errors
_BATCH = 8  # simulations at a time
_CALM = 0.6  # beta0 up to which single orbits are promised


@dataclass(frozen=True)
class Options:
    """Measures cost against error of the embedded engine."""

    simulations: int = 64
    """How many simulations are drawn."""
    shares: tuple[float, ...] = (0.8, 0.65, 0.4, 0.22)
    """Step shares of the curve; those of the named accuracies are always measured."""
    seed: int = 5
    """Root seed of the simulations."""


@dataclass
class Measured:
    """One share's results, simulation after simulation."""

    offsets: list[NDArray[np.floating]]
    moments: list[NDArray[np.floating]]
    beyond: list[NDArray[np.integer]]
    seconds: float = 0.0
    evaluations: float = 0.0


def main(options: Options) -> None:
    torch.set_num_threads(1)
    named = stellar_halo.STEP_SHARES
    shares = sorted({*options.shares, *named.values()}, reverse=True)
    finest = named["survey"] / 10.0
    found = {share: Measured([], [], []) for share in (*shares, finest)}
    betas: list[NDArray[np.floating]] = []
    _warm_up(options.seed)
    for first in range(0, options.simulations, _BATCH):
        indices = range(first, min(first + _BATCH, options.simulations))
        beta = _measure(options.seed, indices, found, finest)
        betas.append(beta)
        print(
            f"{indices[-1] + 1} of {options.simulations} simulations", file=sys.stderr
        )
    exact = found.pop(finest)
    curve = [_summary(s, found[s], exact, np.concatenate(betas)) for s in shares]
    names = {share: name for name, share in named.items()}
    print(
        json.dumps(
            {
                "simulations": options.simulations,
                "finest_share": finest,
                "curve": [
                    {"accuracy": names.get(row["share"]), **row} for row in curve
                ],
            }
        )
    )


def _warm_up(seed: int) -> None:
    simulator = Simulator(stars=500)
    simulator.records(seed, [0, 1])


def _measure(
    seed: int, indices: range, found: dict[float, Measured], finest: float
) -> NDArray[np.floating]:
    simulator = Simulator()
    _, _, past = simulator.past(seed, indices)
    stars = simulator.initial_stars(
        past, [generator(seed, index, 1) for index in indices]
    )
    exact = _carried(past, stars, finest, found[finest])
    _note(exact, exact, found[finest])
    for share in (share for share in found if share != finest):
        _note(_carried(past, stars, share, found[share]), exact, found[share])
    return past.named["beta0"]


def _carried(
    past: Past, stars: StarParticles, share: float, note: Measured
) -> torch.Tensor:
    potential = past.potential()
    steps, counted = counted_stepper()
    began = time.perf_counter()
    x, v, carried = stellar_halo.evolve(
        stars.position, stars.velocity, potential, FARTHER, share, steps
    )
    note.seconds += time.perf_counter() - began
    note.evaluations += counted.evaluations / float(carried.sum()) * len(carried)
    return torch.cat([x, v])


def _note(today: torch.Tensor, exact: torch.Tensor, note: Measured) -> None:
    off = length(today[:3] - exact[:3]).numpy()
    far = length(exact[:3]).numpy() > FARTHER
    note.offsets.extend(off[b][far[b]] for b in range(len(off)))
    note.beyond.append((length(today[:3]).numpy() > FARTHER).sum(1))
    note.moments.extend(_moments(today[:, b].numpy()) for b in range(today.shape[1]))


def _moments(state: NDArray[np.floating]) -> NDArray[np.floating]:
    """Returns clipped means, dispersions and their sampling errors, `[4, K]`, NaN where few."""
    rows = []
    for binning in _BINNINGS:
        columns = dict(zip(PHASE_SPACE, state.astype(np.float64), strict=True))
        records = Records(
            {"index": np.zeros(1)}, columns, np.array([0, state.shape[1]], np.int32)
        )
        stars = kinematics.simulated_stars(records, *binning.distances)
        found = kinematics.binned_moments(stars, binning)
        error = found.dispersion / np.sqrt(found.kept)
        rows.append(
            np.stack([found.mean, found.dispersion, error, error / np.sqrt(2.0)])
        )
    return np.concatenate([row.reshape(4, -1) for row in rows], axis=1)


def _summary(
    share: float, row: Measured, exact: Measured, beta: NDArray[np.floating]
) -> dict[str, object]:
    everyone = np.concatenate(row.offsets)
    calm = np.concatenate(
        [off for off, b in zip(row.offsets, beta, strict=True) if b <= _CALM]
    )
    medians = [float(np.median(off)) for off in row.offsets]
    fine, rough = np.stack(exact.moments), np.stack(row.moments)  # [B, 4, K]
    shift = (rough[:, :2] - fine[:, :2]) / fine[:, 2:]
    average = np.nanmean(shift, axis=0)
    noise = np.nanstd(shift, axis=0) / np.sqrt(len(shift))
    beyond, wanted = np.concatenate(row.beyond), np.concatenate(exact.beyond)
    return {
        "share": share,
        "evaluations": round(row.evaluations / len(beta), 1),
        "seconds": round(row.seconds / len(beta), 4),
        "position": _percentiles(everyone),
        "position_beta0_below_0.6": _percentiles(calm),
        "largest_median_of_a_simulation": round(max(medians), 4),
        "shift": {
            "mean": _extremes(average[0], noise[0]),
            "dispersion": _extremes(average[1], noise[1]),
        },
        "beyond": round(float(beyond.sum() / wanted.sum() - 1.0), 6),
    }


def _extremes(
    average: NDArray[np.floating], noise: NDArray[np.floating]
) -> dict[str, object]:
    worst = int(np.abs(average).argmax())
    return {
        "largest": round(float(average[worst]), 4),
        "its_noise": round(float(noise[worst]), 4),
        "its_bin": worst,
        "rms": round(float(np.sqrt(np.mean(average**2))), 4),
        "noise": round(float(noise.mean()), 4),
    }


def _percentiles(off: NDArray[np.floating]) -> list[float]:
    return [round(float(q), 4) for q in np.percentile(off, PERCENTILES)]


if __name__ == "__main__":
    runs.main(main, Options)
