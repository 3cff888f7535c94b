"""What a cut by the peak velocity amounts to at infall: computed in the mock universe.

    python -m halomass.study.survival_calibration

N-body hosts that are cut at V_max / V_peak > 0.7 instead of V_max / V_infall > 0.7 are
too heavy, and their satellites too far out. The mock knows the velocity at infall alone:
the threshold on it that moves mock hosts as far is what the cut by the peak amounts to,
and their quotient the V_peak / V_infall by which thresholds are divided
(`halomass.mock.populations.PEAK_OVER_INFALL`). The masses decide: they are what is
inferred. Of radii alone it would be smaller, which is printed too: one number cannot
stand for all that differs between both cuts.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table

from halomass.hosts.options import THRESHOLD
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.populations import PEAK_OVER_INFALL, CatalogueLimits
from halomass.observed.features import Features, features
from halomass.study import zoom_hosts
from halomass.study.mock_statistics import hosts_of_mass, satellites_of
from halomass.systems import FloatArray
from orrery.records import Records

_THRESHOLDS = np.arange(THRESHOLD, 0.89, 0.02)  # at infall
_LOG_MASS = 12.2  # of hosts that are weighed
_HALF_WIDTH = 0.1  # [dex] of their masses
_LEARNED = (11.5, 12.9)  # log10 of masses from which the weights are learned
_MORE = 3  # times as many hosts as are weighed
_RIDGE = 10.0  # how far weights are kept small: features of neighbours are alike
_FEWEST = 50


@dataclass(frozen=True)
class CutUniverse(MockUniverse):
    """A mock universe whose satellites survive by another threshold.

    Example:
        >>> CutUniverse(threshold=0.8).limits.threshold
        0.8
    """

    threshold: float = THRESHOLD
    """V_max over that at infall, below which satellites are lost."""

    @property
    def limits(self) -> CatalogueLimits:
        """What the catalogue keeps."""
        return replace(super().limits, threshold=self.threshold)


@dataclass(frozen=True)
class LinearMass:
    """log10 of a host's mass, linear in its features: a network in small.

    Arguments:
        mean: Of the features, with shape `[S]`.
        scatter: Of the features, with shape `[S]`.
        weights: Of a constant and of scaled features, with shape `[S + 1]`.

    Example:
        >>> x = np.arange(20.0)[:, None]
        >>> LinearMass.of(x, 12 + 0.1 * x[:, 0], ridge=0.0).predict(np.array([[5.0]])).round(6)
        array([12.5])
    """

    mean: FloatArray
    scatter: FloatArray
    weights: FloatArray

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray, ridge: float = _RIDGE) -> "LinearMass":
        """Returns the fit of masses `[B]` by features `[B, S]`."""
        one = cls(x.mean(axis=0), x.std(axis=0), np.zeros(0))
        matrix = one._matrix(x)
        # the constant costs nothing
        penalty = ridge * np.diag([0.0, *np.ones(x.shape[1])])
        normal = matrix.T @ matrix + penalty
        return replace(one, weights=np.linalg.solve(normal, matrix.T @ y))

    def predict(self, x: FloatArray) -> FloatArray:
        """Returns the masses `[B]` of hosts with features `[B, S]`."""
        return self._matrix(x) @ self.weights

    def _matrix(self, x: FloatArray) -> FloatArray:
        return np.column_stack([np.ones(len(x)), (x - self.mean) / self.scatter])


def threshold_calibration(hosts: int = 500, seed: int = 0) -> Table:
    """Returns radii and masses of mock hosts by the threshold of their satellites.

    Columns: threshold at infall; r/R_vir of 16, 50 and 84 % of satellites; by how much
    the mass is moved [dex]. The metadata hold what the measured moves amount to:
    `by_mass`, `by_mass_lower`, `by_mass_upper`, `by_radii`, values of V_peak / V_infall.

    Arguments:
        hosts: How many are weighed at each threshold.
        seed: The root seed.

    Raises:
        ValueError: If there are fewer than 50 hosts.
    """
    if hosts < _FEWEST:
        raise ValueError(
            f"hosts = {hosts}: give {_FEWEST} or more, or medians mean nothing"
        )
    radii = np.array([_radii(t, hosts, seed) for t in _THRESHOLDS])
    mass = _masses(hosts, seed)
    moved = mass - mass[0]
    names = [f"r{percentile}" for percentile in zoom_hosts.PERCENTILES]
    table = Table([_THRESHOLDS, *radii.T, moved], names=["threshold", *names, "moved"])
    for name in table.colnames:
        table[name].info.format = ".2f" if name == "threshold" else ".3f"
    table.meta = _quotients(radii, moved)
    return table


def _quotients(radii: FloatArray, moved: FloatArray) -> dict[str, float]:
    shift = zoom_hosts.MASS_SHIFT_BY_PEAK
    error = zoom_hosts.MASS_SHIFT_ERROR
    pairs = zip(zoom_hosts.RADII_BY_PEAK, zoom_hosts.RADII_BY_INFALL, strict=True)
    outward = [by_peak - by_infall for by_peak, by_infall in pairs]
    by_radii = [
        np.interp(more, column - column[0], _THRESHOLDS)
        for more, column in zip(outward, radii.T, strict=True)
    ]
    by_mass = np.interp([shift, shift - error, shift + error], moved, _THRESHOLDS)
    found = [*by_mass, np.mean(by_radii)]
    names = ("by_mass", "by_mass_lower", "by_mass_upper", "by_radii")
    return {
        name: float(threshold / THRESHOLD)
        for name, threshold in zip(names, found, strict=True)
    }


def _radii(threshold: float, hosts: int, seed: int) -> FloatArray:
    around = hosts_of_mass(_LOG_MASS, hosts, seed)
    found = satellites_of(CutUniverse(threshold=threshold), around, seed)
    x = found.r / around.radius[found.host]
    return np.percentile(x[x < 1], zoom_hosts.PERCENTILES)


def _masses(hosts: int, seed: int) -> FloatArray:
    """Returns the median predicted minus true log mass of hosts, at each threshold."""
    light, heavy = _LEARNED
    learned = CutUniverse(lightest=light, heaviest=heavy)
    x, y = _seen(learned.records(seed, range(_MORE * hosts)))
    estimator = LinearMass.of(x, y)
    low = _LOG_MASS - _HALF_WIDTH
    moves = []
    for threshold in _THRESHOLDS:
        universe = CutUniverse(
            lightest=low, heaviest=low + 2 * _HALF_WIDTH, threshold=threshold
        )
        x, y = _seen(universe.records(seed + 1, range(hosts)))
        moves.append(np.median(estimator.predict(x) - y))
    return np.array(moves)


def _seen(records: Records) -> tuple[FloatArray, FloatArray]:
    x = features(records, Features())
    seen = np.isfinite(x).all(axis=1)
    return x[seen], np.asarray(records.scalars["log_m_vir"], np.float64)[seen]


def calibration_text(table: Table) -> str:
    """Returns a calibration as text."""
    meta = table.meta
    lines = table.pformat(max_lines=-1, max_width=-1, align=">")
    return "\n".join(
        [
            "MOCK hosts by the threshold on V_max / V_infall of their satellites",
            *lines,
            f"{zoom_hosts.ZOOM_HOSTS} cut at V_max / V_peak > {THRESHOLD:g} are "
            f"{zoom_hosts.MASS_SHIFT_BY_PEAK:+.3f} +- {zoom_hosts.MASS_SHIFT_ERROR:.3f} dex off "
            f"those cut at V_max / V_infall > {THRESHOLD:g}.",
            f"V_peak / V_infall by that: {meta['by_mass']:.3f}, from {meta['by_mass_lower']:.3f} "
            f"to {meta['by_mass_upper']:.3f}; by radii {meta['by_radii']:.3f}.",
            f"Used: {PEAK_OVER_INFALL:g}: V_max / V_peak > {THRESHOLD / PEAK_OVER_INFALL:.3f} "
            f"stands for V_max / V_infall > {THRESHOLD:g}.",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what a cut by the peak velocity amounts to at infall; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m halomass.study.survival_calibration", description=main.__doc__
    )
    parser.add_argument(
        "--hosts", type=int, default=500, help="how many hosts are weighed"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(calibration_text(threshold_calibration(options.hosts, options.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
