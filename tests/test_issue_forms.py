"""Issue forms can be filled in, ask for what is needed to help, and name commands that exist."""

import re
from pathlib import Path

import pytest
import yaml

from orrery import __main__ as program
from orrery.commands import installed_commands

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
ASKING = [path for path in FORMS if path.name != "config.yml"]
KINDS = {"checkboxes", "dropdown", "input", "markdown", "textarea"}


def form(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands():
    """Returns the words after `orrery` that are commands."""
    added = installed_commands()
    parser = program._parser(added.values())
    (choices,) = (one.choices for one in parser._actions if one.choices)
    return set(choices)


@pytest.mark.parametrize("path", ASKING, ids=lambda path: path.stem)
def test_each_form_is_one_and_asks_for_what_the_doctor_says(path):
    found = form(path)
    assert {"name", "description", "body"} <= found.keys()
    assert {part["type"] for part in found["body"]} <= KINDS
    asked = [part for part in found["body"] if part["type"] != "markdown"]
    ids = [part["id"] for part in asked]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in asked)
    needed = {
        part["id"] for part in asked if part.get("validations", {}).get("required")
    }
    assert "doctor" in needed


@pytest.mark.parametrize("path", ASKING, ids=lambda path: path.stem)
def test_commands_that_a_form_names_exist(path):
    named = re.findall(r"`orrery (\w[\w-]*)", path.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= commands()


def test_there_are_forms():
    assert len(ASKING) >= 3
