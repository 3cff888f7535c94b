"""Records of what figures and pages show of draws and predictions, and of what tests conclude."""

from dataclasses import replace

import numpy as np

from orrery.judging import contours, distributions, prior_density
from orrery.judging.calibration import Calibration
from orrery.parameters import generator

from .quantities import Record, quantity

SEED = 20251127


def drawn() -> Record:
    """Returns quantiles in bins, densities and bands, of few values too."""
    random = generator(SEED, 1)
    x = random.normal(size=(90, 3)) * (1.0, 2.0, 0.0)
    truth = np.repeat([0.2, 1.7, 2.2, 2.9], (20, 19, 30, 21))
    gaps = np.where(x < -1.0, np.nan, x)
    gaps[:, 2] = np.nan
    bounded = np.stack([np.abs(x[:, 0]), x[:, 1], x[:, 2] + 4.0], axis=1)
    # of the draws 12 in 158 are at the smallest, and 13 in 159: so many are a bound's
    rest = 5.0 + random.normal(size=146)
    free, piled = (np.append(np.zeros(n), rest)[:, np.newaxis] for n in (12, 13))
    mostly = np.where(np.arange(90) % 3, 0.0, 0.3 * x[:, 0])[:, np.newaxis]
    draws = {"bounded": bounded, "open": free, "ended": piled, "mostly": mostly}
    shapes = [distributions.outline(column) for column in (x[:, 1], x[:20, 0])]
    record: Record = {
        "bands": quantity(distributions.quantile_bands(gaps)),
        "running": quantity(distributions.running_quantiles(x[:, 0], x[:, 1], 7)),
        "binned": quantity(
            distributions.binned_quantiles(truth, x[:, 0], np.array([0.0, 1.5, 2, 3]))
        ),
        "outline": quantity(
            [[*s.levels, *s.places[::10], *s.density[::5]] for s in shapes]
        ),
        "outline.same": quantity(distributions.outline(x[:, 2]).levels),
        "chance": quantity(distributions.coverage_band(40, distributions.ONE_SIGMA)),
        "chance.most": quantity(
            np.array(distributions.coverage_band(10**5, distributions.TWO_SIGMA))[
                :, ::9
            ]
        ),
    }
    for name, values in draws.items():
        places, heights = distributions.densities(values)
        record[f"density.places.{name}"] = quantity(places[[0, -1]])
        record[f"density.{name}"] = quantity(heights[::7])
    edges = tuple(contours.bin_edges(x[:, i], (-1.0, 9.0)) for i in range(2))
    density, levels = contours.contour_levels(x[:, :2], edges, (0.39, 0.86))
    record["contours.bins"] = quantity([[*one[:2], *one[-2:]] for one in edges])
    record["contours.levels"] = quantity([*levels, density.max()])
    return record


def concluded(found: Calibration) -> Record:
    """Returns what tests of calibration conclude where they reject, accept, or have no power.

    Arguments:
        found: A judgement, of which p-values and gain are replaced.
    """
    rows = []
    for tarp, rank, band, control, gain in (
        (0.5, 0.5, 0.5, 0.001, 1.0),
        (0.5, 0.5, 0.5, 0.5, 1.0),
        (0.001, 0.001, 0.5, 0.5, 0.0),
        (0.5, 0.5, 0.001, 0.001, 1.0),
        (0.5, 0.5, 0.00501, 0.001, 1.0),
    ):
        one = replace(
            found,
            coverage=replace(found.coverage, ks_pvalue=tarp),
            ranks=_ranks(found, rank, band),
            log_probability=replace(found.log_probability, gain=gain),
            negative_control=replace(
                found.negative_control,
                coverage=replace(found.coverage, ks_pvalue=control),
                ranks=_ranks(found, control, 0.5),
            ),
        )
        passed = [{None: -1, False: 0, True: 1}[p] for p in one.passed.values()]
        rows.append([*passed, len(one.powerless), sum(i + 1 for i in one.rejected)])
    return {"concluded": quantity(rows)}


def _ranks(found: Calibration, rank: float, band: float):
    return replace(
        found.ranks,
        ks_pvalue=np.array([0.6, rank]),
        band_pvalue=np.array([0.7, band]),
    )


def priors(seed: int) -> Record:
    """Returns densities of correlated and skewed parameters, also beyond their sample."""
    random = generator(seed, 61)
    normal = random.normal(size=(340, 3))
    normal[:, 1] += 2 * normal[:, 0]
    sample = np.exp(normal / [1.0, 2.0, 4.0])
    asked = np.concatenate([sample[:40], [[0.0, 1.0, 1.0], [90.0, 60.0, 2.0]]])
    found = prior_density.log_prior_density(sample[40:], asked)
    one = prior_density.log_prior_density(sample[40:, :1], asked[:, :1])
    mixed = prior_density.most_probable_mixture(found, -3.0 + 0 * found)
    return {
        "prior_density": quantity(found),
        "prior_density.one": quantity(one),
        "prior_density.mixed": quantity(mixed),
    }
