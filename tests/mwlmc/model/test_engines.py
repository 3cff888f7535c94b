"""What integrates the orbits says what it has still to do, and what decides last bits."""

import pytest

from mwlmc.model import compiled_step, engines
from mwlmc.simulator import Simulator


@pytest.mark.parametrize("must", [True, False])
def test_a_compilation_is_told_where_it_is_to_come(monkeypatch, must):
    monkeypatch.setattr(compiled_step, "must_compile", lambda: must)
    monkeypatch.setattr(engines.agama_engine, "agama_version", lambda: "1.0.159")
    assert ("compiling the step of the orbits" in Simulator().first_use) is must
    assert not Simulator(device="cuda").first_use
    assert not Simulator(engine="agama").first_use


def test_no_compiler_has_nothing_to_do_and_rounds_otherwise(monkeypatch):
    monkeypatch.setattr(compiled_step, "can_compile", lambda: False)
    assert not Simulator().first_use
    assert Simulator().rounding == "not compiled"
