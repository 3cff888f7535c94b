"""Records of what means and dispersions say, of labels, and of models without an LMC."""

from types import SimpleNamespace

import numpy as np

from mwlmc.model.reflex_shells import ReflexShells
from mwlmc.sky import kinematics
from mwlmc.study import dispersions, follow_up, inferred_quantities, lmc_less
from mwlmc.study.inferred_quantities import InferredQuantities
from mwlmc.study.shell_options import Dispersions
from orrery.parameters import FloatArray, generator

from .milky_way import SEED, _halos
from .quantities import Record, quantity

SHELL = ReflexShells((80.0, 120.0), fewest_stars=40)
WANTED = InferredQuantities(("log10_m_mw_halo_50", "log10_m_lmc_50", "beta0"), SHELL)
REAL = Dispersions(data=("sdss+desi",))


def inferred_labels() -> Record:
    """Returns labels of synthetic simulations, and what may be inferred with and without an LMC."""
    records = kinematics._block(_halos(), 0, 3)
    records.scalars.update(
        {name: np.arange(3.0) + i for i, name in enumerate(WANTED.columns)}
    )
    every = InferredQuantities(tuple(inferred_quantities.INFERABLE), SHELL)
    return {
        "labels": quantity(inferred_quantities.inferred_labels(records, WANTED)),
        "number": quantity([len(every.names), len(every.without_lmc.names)]),
    }


def follow_ups() -> Record:
    """Returns what draws say beside the published values, and the shifts of masses."""
    draws = _draws(51, 500)
    values = follow_up.follow_up_quantities(draws, WANTED, 235.0)
    answers = follow_up.follow_up_answers("a", "A", values, values)
    table = follow_up.follow_up_table({"a": values}, (80.0, 120.0))[
        "Means and dispersions"
    ]
    row = dispersions._row("sdss+desi", dispersions._surveys(REAL), REAL)
    alone = lmc_less.dispersions_alone(row)
    return {
        "answers": quantity([(a.median, a.lower, a.upper) for a in answers]),
        "table": quantity([table[name] for name in table.colnames[6:]]),
        "published": quantity([*follow_up.PUBLISHED.values()][1:]),
        "values": quantity(row.observation.value[::3]),
        "alone": quantity(alone.observation.value[::3]),
        "truth": quantity(dispersions.truth(REAL.campaign.simulator)),
        "shifts": quantity([(s.mean, s.error, s.number) for s in _shifts(draws)]),
    }


def _draws(stream: int, count: int) -> FloatArray:
    """Returns draws of a mass, another, the anisotropy and the travel velocity."""
    middle = np.array([11.53, 10.94, 0.6, 5.0, 1.0, -36.0])
    width = np.array([0.02, 0.09, 0.04, 2.0, 3.0, 7.0])
    return middle + width * generator(SEED, stream).normal(size=(count, len(middle)))


def _shifts(draws: FloatArray) -> list[lmc_less.MassShift]:
    both = SimpleNamespace(draws=draws), SimpleNamespace(draws=draws + 0.02)
    (observed,) = lmc_less.observed_shift(both, (0, 0)).values()
    return [lmc_less.mass_shift(draws[:60, 0], np.full(60, 11.5)), observed]
