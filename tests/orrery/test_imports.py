"""Imports that last: no garbage is looked for while they go on, and none among them later."""

import gc
import subprocess
import sys

import pytest

from orrery.imports import lasting_imports

IMPORTING = """
import gc, sys
from orrery.imports import lasting_imports

looked = []
gc.callbacks.append(lambda phase, info: looked.append(phase))
with lasting_imports():
    many = [[] for _ in range(100_000)]
    import json.decoder
assert not looked, "it looked for garbage meanwhile"
assert gc.isenabled()
assert gc.get_freeze_count() > 100_000
assert not any(one is many for one in gc.get_objects())
more = [[] for _ in range(100_000)]
assert looked, "it does not look for garbage afterwards"
"""


def test_no_garbage_is_looked_for_among_what_lasts():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@lasting_imports()
def failing_import():
    assert not gc.isenabled()
    raise ImportError


@pytest.mark.parametrize("collects", [True, False])
def test_what_was_set_holds_afterwards_though_the_import_fails(monkeypatch, collects):
    monkeypatch.setattr(gc, "freeze", lambda: None)  # this process's objects may go
    before = gc.isenabled()
    try:
        gc.enable() if collects else gc.disable()
        with pytest.raises(ImportError):
            failing_import()
        assert gc.isenabled() == collects
    finally:
        gc.enable() if before else gc.disable()
