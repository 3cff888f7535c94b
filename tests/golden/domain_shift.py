"""Records of domain shift: how networks fare on hosts of other universes."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from halomass.mock.mock_universe import MockUniverse
from halomass.study import domain_shift, generated_hosts, systematic_interval
from halomass.study.domain_shift import HostDomain
from halomass.systems import FloatArray
from orrery.inference.ensembles import EvaluatedEnsemble
from orrery.parameters import generator

from .quantities import Record, quantity, table_numbers

SEED = 20261128
EDGES = np.array([10.5, 12.5, 14.5])


@dataclass(frozen=True)
class _Networks:
    """Networks that predict the only feature, less what their own hosts look too heavy."""

    bias: float

    def mean(self, x: FloatArray) -> FloatArray:
        return x - self.bias


def _universe(number: int, bias: float) -> HostDomain:
    random = generator(SEED, number)
    truth = random.uniform(10.5, 14.0, 900)
    x = (truth + bias + random.normal(0.0, 0.15, len(truth)))[:, None]
    networks: Any = _Networks(bias)
    own = EvaluatedEnsemble("", networks, truth, networks.mean(x).T, EDGES, 0.2)
    return HostDomain(own, x)


def shift() -> Record:
    """Returns the tables of hosts of two universes, and how many others are generated."""
    domains = {"one": _universe(0, 0.0), "other": _universe(1, 0.08)}
    crossed = domain_shift.cross_evaluate(domains)
    found = systematic_interval.systematic_interval(12.0, "one", crossed)
    (between,) = domain_shift.shift_table({"25 neighbours": crossed}).values()
    (mass,) = systematic_interval.systematic_table(
        {"25 neighbours": found}, SEED
    ).values()
    return {
        "shift": quantity(table_numbers(between)),
        "shift.misses": quantity(len(between.meta["misses"])),
        "systematic": quantity(table_numbers(mass)),
        "systematic.ends": quantity(
            [found.lower, found.upper, found.below, found.above]
        ),
        "systematic.by_chance": quantity(found.by_chance(SEED)),
        "shift.variants": quantity(_generated()),
    }


def _generated() -> list[int]:
    asked: list[int] = []

    def generate(source: Any, count: int, seed: int, *_: Any, **__: Any) -> None:
        asked.extend((count, seed))

    variants = {"VSMDPL/UM": MockUniverse()}
    campaign: Any = SimpleNamespace(hosts=301, seed=4, datasets=None, variants=variants)
    recording: Any = None
    with (
        patch.object(generated_hosts.simulation, "generate", generate),
        patch.object(generated_hosts.lineage, "record_dataset_lineage"),
    ):
        found = generated_hosts.generate_variants(recording, campaign)
    return [*asked, len(found)]
