"""Words decide nothing: no fingerprint changes with a sentence, each with a unit, bound or name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.snapshots import Snapshot
from halomass.mock.mock_universe import MockUniverse
from halomass.observed.features import Features, NeighbourSet
from halomass.systems import LOG_M_VIR
from mwlmc.observed.planned_survey import giants
from mwlmc.parameters import INFERRED
from mwlmc.replay import Replay
from mwlmc.simulator import Simulator
from mwlmc.sky.binning import QUADRANTS
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.learning.ensemble import EnsemblePlan
from orrery.learning.flow_training import FlowPlan
from orrery.learning.options import Flow, Learning, Networks, Training
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter, generator
from orrery.records import Column, Records, Schema
from orrery.storage.dataset import identify
from orrery.sweeps.architectures import EnsembleTask, FlowTask
from orrery.sweeps.search import Sweep
from orrery.sweeps.space import Log, SearchSpace
from orrery.sweeps.trial import Goal

VERSION = 1  # of `seen`

MASS = Parameter("mass", "dex(solMass)", "$m$", lower=-4.0, upper=4.0)
REWORDED = replace(MASS, label=r"$\log M$")
OTHERS = (
    replace(MASS, unit="solMass"),
    replace(MASS, lower=-5.0),
    replace(MASS, upper=np.inf),
)
UNITS = ("unit", "units")
TOKEN = re.compile(r"[\w.+/()-]*")  # a name, not a sentence and no mathtext


@dataclass(frozen=True)
class Scale:
    """Masses, seen without error."""

    model: str = "a scale"
    meaning: str = "of the thing"
    name: str = "mass"
    unit: str = "dex(solMass)"

    @property
    def schema(self) -> Schema:
        number = Column("index", "", f"number {self.meaning}", "int64")
        return Schema((number, Column(self.name, self.unit, self.meaning)))

    def describe(self) -> dict[str, Any]:
        return {"width": 1.0, "about": {"model": self.model}}

    def records(self, seed, indices) -> Records:
        masses = [generator(seed, i).normal() for i in indices]
        return Records({"index": np.array(indices), self.name: np.array(masses)})


def seen(records, binning):
    return records.scalars["mass"][:, np.newaxis]


def splits(parameter=MASS) -> Splits:
    some = Pairs(np.linspace(-1, 1, 8).reshape(8, 1), np.ones((8, 2)))
    return Splits(
        train=some,
        validation=some,
        test=some,
        parameters=(parameter.name,),
        names=("count", "spread"),
        units=("", "km / s"),
        definition="0f0f",
        dataset="toy",
        dropped=0,
    )


def flow_plan(parameter):
    pairs = splits(parameter)
    return FlowPlan(pairs, (parameter,), np.eye(2), Flow(), Training(), seed=1)


def ensemble_plan(parameter):
    pairs = splits(parameter)
    return EnsemblePlan(
        pairs, (parameter,), Networks(), Learning(), 1, groups=("count", "spread")
    )


def flow_sweep(parameter):
    task = FlowTask(splits(parameter), (parameter,), np.eye(2), seed=1)
    return sweep(task)


def ensemble_sweep(parameter):
    return sweep(EnsembleTask(splits(parameter), parameter, ("count", "spread")))


def sweep(task):
    space = SearchSpace({"learning_rate": Log(1e-4, 1e-1)})
    goals = (Goal("loss"),)
    return Sweep("toy", space, Training(), task, goals, identity=task.identity)


FINGERPRINTS = {
    "posterior": lambda parameter: flow_plan(parameter).fingerprint,
    "ensemble": lambda parameter: ensemble_plan(parameter).fingerprint,
    "sweep of flows": lambda p: flow_sweep(p).folder(Path()).name,
    "sweep of ensembles": lambda p: ensemble_sweep(p).folder(Path()).name,
}


@pytest.mark.parametrize("made", FINGERPRINTS.values(), ids=FINGERPRINTS)
def test_a_label_changes_no_fingerprint_and_a_unit_bound_or_name_each(made):
    assert made(REWORDED) == made(MASS)
    found = {made(other) for other in (MASS, *OTHERS, replace(MASS, name="m"))}
    assert len(found) == 5


def test_reworded_columns_are_the_same_dataset_with_the_same_bytes(tmp_path):
    reworded = Scale(model="another word", meaning="of what is weighed")
    one = generate(Scale(), 20, 1, tmp_path / "one", actors=0, shard_size=8)
    two = generate(reworded, 20, 1, tmp_path / "two", actors=0, shard_size=8)
    assert two.fingerprint == one.fingerprint
    assert two.rows == one.rows  # checksums among them
    assert generate(reworded, 20, 1, tmp_path / "one", actors=0, shard_size=8) == one
    # which its readers are told
    assert "Another word." in (two.folder / "README.md").read_text()
    assert "of what is weighed" in (two.folder / "README.md").read_text()
    for other in (Scale(name="m"), Scale(unit="solMass")):
        found = identify(other.describe(), other.schema, 1, 8)
        assert found["fingerprint"] != one.fingerprint


def test_reworded_datasets_and_labels_have_the_same_summaries(tmp_path):
    entries = Entries(("mass",), ("dex(solMass)",))
    for simulator, parameter in ((Scale(), MASS), (Scale(model="other"), REWORDED)):
        halos = generate(simulator, 20, 1, tmp_path, actors=0, shard_size=8)
        compute(seen, halos, entries, (parameter,))
    assert len(list((halos.folder / "summaries").iterdir())) == 1
    with pytest.raises(ValueError, match="give the parameter the column's unit"):
        compute(seen, halos, entries, (OTHERS[0],))
    assert len(list((halos.folder / "summaries").iterdir())) == 1


def sentences(document: Any, path: str = "") -> Iterator[str]:
    """Returns the texts of a document that are no names, by place; units may have blanks."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key not in UNITS:
                yield from sentences(value, f"{path}.{key}")
    elif isinstance(document, list | tuple):
        for value in document:
            yield from sentences(value, path)
    elif isinstance(document, str) and not TOKEN.fullmatch(document):
        yield f"{path}: {document}"


def identified(simulator):
    found = identify(simulator.describe(), simulator.schema, seed=1, shard_size=8)
    assert found["about"]["simulator"]
    return {key: value for key, value in found.items() if key != "about"}


def replayed(simulator):
    return Replay(simulator, simulator.prior.draw(generator(1)))


DOCUMENTS = {
    "engine": lambda: identified(Simulator()),
    "replay": lambda: identified(replayed(Simulator())),
    "mock": lambda: identified(MockUniverse()),
    "hosts": lambda: identified(CatalogueSystems((Snapshot((), "0f", 64.0, 1.0),))),
    "sky": QUADRANTS.describe,
    "planned survey": lambda: giants().description,
    "features": lambda: Features().describe(),
    "set": lambda: NeighbourSet().describe(),
    "posterior": lambda: flow_plan(INFERRED[0]).description,
    "ensemble": lambda: ensemble_plan(LOG_M_VIR).description,
    "sweep of flows": lambda: flow_sweep(INFERRED[0]).document,
    "sweep of ensembles": lambda: ensemble_sweep(LOG_M_VIR).document,
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_a_fingerprint_is_of_holds_no_sentence(document):
    assert not [*sentences(document())]


def test_a_sentence_is_found():
    told = {"model": "a rigid galaxy", "unit": "km / s", "name": "v_travel"}
    assert [*sentences([told])] == [".model: a rigid galaxy"]
    assert [*sentences({"label": "$m$"})]
