"""The examples in docstrings run, and print what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

PLATFORM = Path(__file__).parents[1] / "platform"
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PLATFORM).with_suffix("").parts)
    for path in PLATFORM.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_there_are_examples():
    assert len(WITH_EXAMPLES) > 50


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_print_what_they_say(name, tmp_path, monkeypatch):
    # an example that writes a file must not write it into the repository
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    found = doctest.testmod(module, report=False)
    assert found.attempted > 0
    assert found.failed == 0
