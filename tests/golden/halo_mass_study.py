"""Records of the halo mass study: masses and accuracies compared with published ones, the mock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from halomass.mock.mock_universe import MockUniverse
from halomass.mock.options import CATALOGUES
from halomass.observed.errors import Orbits
from halomass.observed.features import HostProperties
from halomass.observed.host_neighbours import (
    HostEnvironment,
    Neighbours,
    observation,
)
from halomass.study import (
    acceptance,
    accuracy,
    alternatives,
    ensembles,
    likeness_sections,
    literature,
    mock_statistics,
    published_masses,
    robustness,
    similar_hosts,
)
from halomass.study import masses as mass_of
from halomass.study import study as studies
from halomass.study.options import FlowComparison
from halomass.study.seen_host import SeenHost
from halomass.study.similar_hosts import TrainingHosts
from halomass.systems import FloatArray
from orrery.judging.regression import PredictionInterval
from orrery.parameters import generator
from orrery.records import Observation, Records

from . import domain_shift, survival
from .quantities import Record, quantity, table_numbers

SEED = 20251126
HOSTS = 100  # of the acceptance, which no fewer than these have


def masses() -> Record:
    """Returns a host's masses compared with published ones, and what the mock universe gives."""
    return {
        **_tables(),
        **_bounds(),
        **_accuracy(),
        **_robustness(),
        **_similar(),
        **_published(),
        **_acceptance(),
        **survival.calibration(),
        **domain_shift.shift(),
        **_study(),
    }


@dataclass(frozen=True)
class _Estimator:
    """An estimator whose errors are given, and whose prediction follows from who is left out."""

    smallest: float = 0.16
    middle: tuple[float, float] = (0.17, 0.16)
    bias: float = 0.03
    scatter: tuple[float, float] = (0.06, 0.006)
    moves: Mapping[str | None, float] = field(default_factory=dict)

    def predict(self, observation: Observation) -> float:
        return 12.0 + self.moves.get(observation.provenance["left_out"], 0.0)

    def smallest_rmse(self) -> float:
        return self.smallest

    def rmse_between(self, low: float, high: float) -> FloatArray:
        return np.array(self.middle) * [low / 11.5, high / 12.5]

    def largest_bias(self, low: float, high: float) -> float:
        return self.bias * (high - low) / 2.0


def _host() -> Neighbours:
    random = generator(SEED, 50)
    orbits = Orbits(
        random.uniform(20.0, 240.0, 40),
        random.normal(0.0, 90.0, 40),
        random.uniform(20.0, 200.0, 40),
    )
    names = tuple(f"n{i}" for i in range(40))
    stars = np.linspace(9.0, 3.0, 40)
    around = HostEnvironment(80.0, 900.0, 12_000.0)
    return Neighbours("host", names, orbits, stars, around, {"warnings": ["why"]})


def _estimate(mean: float) -> PredictionInterval:
    return PredictionInterval(mean, mean - 0.14, mean - 0.02, mean + 0.17, 0.68, 300)


# --- masses ----------------------------------------------------------------------------------


def _tables() -> Record:
    """Returns the numbers of the tables and of the figure of masses."""
    names = ("25 neighbours", "10 neighbours", "25 neighbours, noiseless")
    others = [f"{c}, {n} neighbours" for c in literature.VARIANTS for n in (25, 10)]
    estimates = {
        name: _estimate(12.0 + 0.03 * number)
        for number, name in enumerate((*names, *others))
    }
    estimates["no host alike"] = PredictionInterval(14.0, *(np.nan,) * 3, 0.68, 0)
    score = SimpleNamespace(
        rmse=0.16, bias=0.01, log_probability=0.4, standard_error=0.1
    )
    tables = {
        **mass_of.mass_tables(_host(), literature.PREFERRED, estimates),
        **mass_of.estimator_table({"flow": (score, _estimate(12.2))}),
    }
    rows = mass_of.published_intervals(estimates)
    ours = [row.ours for row in rows if row.ours]
    theirs = [row.published for row in rows if row.published]
    alone = mass_of.mass_tables(_host(), None, estimates)
    return {
        **{
            f"mass.{i}": quantity(table_numbers(t))
            for i, t in enumerate(tables.values())
        },
        "mass.ours": quantity(ours),
        "mass.theirs": quantity(theirs),
        "mass.alone": quantity(len(alone)),
    }


def _bounds() -> Record:
    """Returns how many masses are called misses, just below and above what is allowed."""
    said = []
    for mean in (11.899, 11.901, 11.92, 12.049, 12.051, 12.349, 12.351, 12.399, 12.401):
        estimates = {"25 neighbours": _estimate(mean), "10 neighbours": _estimate(12.1)}
        tables = mass_of.mass_tables(_host(), literature.PREFERRED, estimates)
        said.append([len(t.meta.get("misses", ())) for t in tables.values()])
    return {"mass.misses": quantity(said)}


def _published() -> Record:
    """Returns published masses and errors, as all tables take them."""
    found = published_masses.PUBLISHED_MASSES
    labels = [one.label_with_interval.endswith(")") for one in found]
    fixed = (literature.LARGEST_MEDIAN_BIAS, literature.SCATTER_OF_SEEDS)
    ratios = literature.VARIANCE_RATIOS.values()
    return {
        "published": quantity([one.log_m_vir() for one in found]),
        "published.years": quantity([one.year for one in found]),
        "published.marked": quantity(labels),
        "published.fixed": quantity([*fixed, literature.SCATTER_OF_ENSEMBLES, *ratios]),
        "published.errors": quantity([*accuracy.published_rmse().values()]),
    }


# --- accuracy --------------------------------------------------------------------------------


_PUBLISHED_ERRORS = (0.160, 0.199, 0.118, 0.165)


def _estimators(**changes: Any) -> dict[str, _Estimator]:
    """Returns the ensembles that are judged, with published errors but for some changes."""
    names = [*accuracy.published_rmse()]
    found = {
        name: _Estimator(smallest=error)
        for name, error in zip(names, _PUBLISHED_ERRORS, strict=True)
    }
    first = names[0]
    chosen = {"smallest": found[first].smallest, **changes}
    return {**found, first: _Estimator(**chosen)}


def _accuracy() -> Record:
    """Returns tables of errors, and how many are called misses about what is allowed."""
    ratios = dict.fromkeys(map(ensembles.label_without, _LEFT_OUT), (2.5, 0.1))
    tables = accuracy.accuracy_tables(_estimators(), ratios)
    changes: list[dict[str, Any]] = [
        *({"middle": (m, m)} for m in (0.1299, 0.1301, 0.1999, 0.2001, np.nan)),
        *({"smallest": s} for s in (0.1279, 0.1281, 0.1919, 0.1921, 0.2, np.nan)),
        *({"bias": b} for b in (0.0499, 0.0501)),
    ]
    said = [_said(_estimators(**change), ratios) for change in changes]
    factors = [
        _said(_estimators(), dict.fromkeys(ratios, (ratio, 0.1)))
        for ratio in (1.32, 1.34, 1.99, 2.01, 2.99, 3.01, 4.49, 4.51)
    ]
    return {
        **{
            f"rmse.{i}": quantity(table_numbers(t))
            for i, t in enumerate(tables.values())
        },
        "rmse.misses": quantity(said),
        "variance.misses": quantity(factors),
        "rmse.edges": quantity(accuracy.MASS_EDGES),
    }


_LEFT_OUT = ("no satellites", "no r", "no v_t", "no v_r")


def _said(found: Mapping[str, _Estimator], ratios: Mapping[str, Any]) -> list[int]:
    tables = accuracy.accuracy_tables(found, ratios)
    return [len(table.meta["misses"]) for table in tables.values()]


def _robustness() -> Record:
    """Returns mock observations of a host, and how far its neighbours move its mass."""
    host = _host()
    wanted = ensembles.ensemble_features(3, len(host))
    rows = robustness.mock_observations(host, wanted)
    moves = {"n3": 0.1, "n5": 0.149, "n6": -0.151, "n8": 0.151}
    found = dict.fromkeys(wanted, _Estimator(moves=moves))

    def predict(name: str, without: str | None) -> float:
        return found[name].predict(observation(host, wanted[name], without))

    tables = robustness.leave_one_out(host, wanted, predict)
    (table,) = tables.values()
    _, largest = robustness.largest_shifts(wanted, tables)
    record: Record = {}
    for name, x in rows.items():
        record[f"{name}.found"] = quantity(len(x))
        record[f"{name}.first"] = quantity(x[0])
    other = ensembles.ensemble_features(3, 12, "variant")
    every = [*wanted.values(), *other.values()]
    return record | {
        "left_out": quantity(table_numbers(table)),
        "left_out.misses": quantity(len(table.meta["misses"])),
        "left_out.largest": quantity([*largest.values()][1::2]),
        "features": quantity([(b.neighbours, b.errors, len(b.kinds)) for b in every]),
        "features.signed": quantity([b.radial == "asinh" for b in every]),
    }


class _Networks:
    """Networks whose prediction is a sum of features."""

    def mean(self, x: FloatArray) -> FloatArray:
        return 12.0 + 0.01 * x.sum(axis=1, keepdims=True)


def _similar() -> Record:
    """Returns where a host is among others of similar mass, and its mass without what is odd."""
    host = _host()
    wanted = ensembles.ensemble_features(3, len(host))
    name = ensembles.label_noisy(10)
    properties = HostProperties.behind(wanted[name])
    record: Record = {"similar.kinds": quantity(len({*properties.kinds}))}
    for true_values in (False, True):
        seen = SeenHost(host, true_values)
        own = seen.rows(properties)
        random = generator(SEED, 51)
        x = own[0] + random.normal(size=(700, own.shape[1])) * np.abs(own[0]) / 5
        x[:, properties.names.index("v_r_3")] -= 900.0
        x[:, properties.names.index("log_vmax")] += 9.0
        mass = _Networks().mean(seen.rows(wanted[name]))[0, 0]
        spread = mass + random.uniform(-0.2, 0.2, len(x))
        hosts = TrainingHosts(properties, x, spread, 0.15)
        found = similar_hosts.judge_host(seen, name, wanted[name], _Networks(), hosts)
        assert found.found is not None
        others = alternatives.alternatives(
            found, wanted, lambda _, x: float(_Networks().mean(x).mean())
        )
        told = "true" if true_values else "observed"
        record |= {
            f"similar.{told}.rows": quantity(len(own)),
            f"similar.{told}.first": quantity(own[0]),
            f"similar.{told}.scores": quantity(found.found.scores),
            f"similar.{told}.entries": quantity(found.found.entry_pvalues),
            f"similar.{told}.counts": quantity([found.similar, found.surveys]),
            f"similar.{told}.named": quantity(
                [len(found.outlying), len(found.outlying_kinds), len(found.named)]
            ),
            f"similar.{told}.without": quantity([one.predicted for one in others]),
            f"similar.{told}.words": quantity(
                len(likeness_sections.likeness_verdict(found).shows)
            ),
        }
    return record


# --- the mock universe -----------------------------------------------------------------------


def _acceptance() -> Record:
    """Returns the mock's numbers and aims, and its hosts in all catalogues."""
    with patch.object(MockUniverse, "records", _records_of_all):
        orbits = acceptance.acceptance_table(hosts=HOSTS, seed=SEED)
        jeans = acceptance.acceptance_table("VSMDPL/UM", HOSTS, SEED, "jeans")
        hosts = acceptance._table1(SEED, HOSTS)
    met = [
        acceptance.AcceptanceCheck("", 1.0, 0.1, value).verdict == "met"
        for value in (0.899, 0.901, 1.099, 1.101, np.nan)
    ]
    return {
        "orbits": quantity(table_numbers(orbits)),
        "jeans": quantity(table_numbers(jeans)),
        "jeans.met": quantity(jeans["verdict"] == "met"),
        "orbits.met": quantity(orbits["verdict"] == "met"),
        "hosts": quantity(table_numbers(hosts)),
        "met": quantity(met),
        **_statistics(),
    }


_DRAWN: dict[Any, Records] = {}
_draw = MockUniverse.records


def _records_of_all(universe: MockUniverse, seed: int, indices: range) -> Records:
    """Returns the same hosts for all catalogues: drawing them is the mock's own record."""
    masses_of = (universe.lightest, universe.heaviest)
    key = (universe.velocities, *masses_of, seed, indices)
    if key not in _DRAWN:
        _DRAWN[key] = _draw(universe, seed, indices)
    return _DRAWN[key]


def _statistics() -> Record:
    """Returns hosts of one mass, and weights of hosts of the mock."""
    universe = MockUniverse(catalogue=CATALOGUES[0])
    around = mock_statistics.hosts_of_mass(12.0, 6, SEED)
    records = universe.records(SEED, range(12))
    box = replace(universe, catalogue="VSMDPL/UM")
    weight = mock_statistics.mass_function_weights(universe, records)
    values = records.scalars["log_m_vir"]
    return {
        "concentration": quantity(around.concentration),
        "weights": quantity(weight),
        "weights.larger": quantity(mock_statistics.mass_function_weights(box, records)),
        "median": quantity(mock_statistics.weighted_median(values, weight)),
        "nothing": quantity(mock_statistics.weighted_median(values[:0], weight[:0])),
        "detected": quantity(mock_statistics.detected_counts(records, SEED)),
    }


# --- the study -------------------------------------------------------------------------------


def _study() -> Record:
    """Returns how many ensembles learn from a variant, and with what flows are compared."""
    campaign = SimpleNamespace(seed=4)
    hosts = {"VSMDPL/UM": None}
    with patch.object(studies, "_train_ensembles", lambda *words: words[-1]):
        options = SimpleNamespace(campaign=campaign)
        others = studies._train_on_variants(None, options, hosts, 30)
    return {
        "variants": quantity(len(others)),
        "flows": quantity(_flows(campaign)),
        "answers": quantity(_answers()),
    }


def _flows(campaign: Any) -> list[tuple[int, int, bool]]:
    """Returns how many neighbours each flow sees, and with which errors, in training."""
    seen: list[tuple[int, int, bool]] = []
    score = SimpleNamespace(rmse=0.1, bias=0.0, log_probability=0.4, standard_error=0.1)

    def flow_score(
        recording: Any, name: str, hosts: Any, binnings: Any, *_: Any
    ) -> Any:
        seen.extend((b.places, b.seed, b.errors) for b in binnings)
        return score, _estimate(12.0)

    one = SimpleNamespace(score=score, predict_observation=lambda seen: _estimate(12.0))
    recording = SimpleNamespace(tables=lambda tables: None)
    options = FlowComparison(realisations=3, max_neighbours=30, min_neighbours=5)
    with patch.object(studies, "_flow_score", flow_score):
        studies._compare_with_flows(recording, options, campaign, None, _host(), one)
    return seen


def _answers() -> list[tuple[float, float, float]]:
    estimates = {"25 neighbours": _estimate(12.1), "other": _estimate(13.0)}
    found = {"25 neighbours": SimpleNamespace(truth=np.linspace(11.0, 13.0, 5))}
    return [(a.median, a.lower, a.upper) for a in studies._answers(estimates, found)]
