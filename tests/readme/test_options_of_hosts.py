"""Options that the page on one's own host names, and those that refusals name, are understood."""

import ast
import re
from pathlib import Path

import pytest

from halomass.observed import milky_way
from halomass.study.options import HaloMass
from orrery.command_line import names, parse
from orrery.commands import installed_commands

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-host.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--([a-z][\w.-]*\w)")
# An example of each option that pages and messages name; `None` takes no value.
EXAMPLES = {
    "acceptance-hosts": "300",
    "box": "64",
    "campaign.kind": "hlist",
    "catalogue": "hlist_1.00000.list",
    "cosmology": "0.7 0.3",
    "host.threshold": "0.6",
    "hosts": "4000",
    "most-missing": "0.3",
    "neighbours": "my_host.ecsv",
    "part-of-box": None,
    "peculiar": None,
    "scale": "0.9",
    "values": "observed",
}
OF_COLUMNS = {"as"}
COMMAND_LINES = (
    "ArgumentParser",
    "add_argument",
)  # of modules with options of their own


def messages(path):
    """Returns the words of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = [
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    ]
    return " ".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node not in documented
    )


def named_in_messages():
    """Returns the options that words of the science's modules name, by module."""
    for path in sorted((ROOT / "platform" / "halomass").rglob("*.py")):
        if not any(word in path.read_text(encoding="utf-8") for word in COMMAND_LINES):
            for option in OPTION.findall(messages(path)):
                yield path.name, option


def is_understood(option):
    value = EXAMPLES[option]
    words = [f"--{option}", *([] if value is None else value.split())]
    # what is said of catalogues is said of one
    beside = [] if option == "catalogue" else ["--catalogue", EXAMPLES["catalogue"]]
    parse(HaloMass, [*words, *beside])


@pytest.mark.slow
def test_the_page_names_options_that_are_understood():
    found = set(OPTION.findall(PAGE))
    assert found - OF_COLUMNS <= {*EXAMPLES}
    assert {"box", "campaign.kind", "values", "most-missing", "as"} <= found
    for option in found - OF_COLUMNS:
        is_understood(option)


@pytest.mark.slow
def test_messages_name_options_that_are_understood():
    found = sorted(set(named_in_messages()))
    modules = {module for module, _ in found}
    assert {"identification.py", "left_out.py", "survival.py"} <= modules
    for module, option in found:
        assert option in EXAMPLES, f"{module} names --{option}"
        is_understood(option)


@pytest.mark.parametrize("option", ["kind", "threshold"])
def test_what_two_options_are_called_is_none_of_them(option):
    assert option not in names(HaloMass).values()
    with pytest.raises(SystemExit):
        parse(HaloMass, [f"--{option}", "0.5"])


def test_columns_and_the_milky_ways_command_know_what_the_page_says(tmp_path, capsys):
    assert "columns" in installed_commands()
    assert {*re.findall(r"`--as (\w+)`", PAGE)} == {"satellites", "neighbours", "stars"}
    out = str(tmp_path / "out.ecsv")
    assert milky_way.main([f"{tmp_path}/no.csv", out, "--most-missing", "0.4"]) == 1
    assert "no.csv" in capsys.readouterr().err
