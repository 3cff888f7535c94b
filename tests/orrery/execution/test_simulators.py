"""The sciences' simulators are known again by what a shard says of them."""

import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from halomass.mock.mock_universe import MockUniverse
from mwlmc.simulator import Simulator
from orrery.execution import simulators
from orrery.execution.simulators import GROUP, known_simulator
from orrery.identity import canonical, without_words

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
ENTRIES = [
    EntryPoint(name, value, GROUP)
    for name, value in PROJECT["project"]["entry-points"][GROUP].items()
]


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(simulators, "entry_points", lambda group: ENTRIES)


@pytest.mark.parametrize(
    "simulator",
    [
        Simulator(),
        Simulator(stars=500, reflex_shell=(40.0, 90.0)),
        Simulator(tracer="double-power-law"),
        MockUniverse(),
        MockUniverse(steeper_tides=0.15),
    ],
    ids=["mwlmc", "changed", "steeper", "mock", "steeper tides"],
)
def test_a_simulator_is_known_by_its_description(simulator):
    written = json.loads(canonical(without_words(simulator.describe())))
    assert known_simulator(written) == simulator
    assert repr(known_simulator(written)) == repr(simulator)  # 1.0, not 1


def test_no_other_simulator_is_taken():
    description = Simulator().describe()
    assert known_simulator({}) is None
    assert known_simulator({"options": 7}) is None
    assert known_simulator({**description, "versions": {"engine": -1}}) is None
    assert known_simulator({**description, "options": {"stars": 3}}) is None
    options = {**description["options"], "stars": -1}
    assert known_simulator({**description, "options": options}) is None
