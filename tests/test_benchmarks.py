"""What benchmarks import from the packages is there: nobody starts them but by hand."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

OURS = ("orrery", "mwlmc", "halomass")
FILES = sorted((Path(__file__).parent / "benchmarks").glob("*.py"))


def imported(file):
    """Returns modules and names that a file imports from the packages."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
            yield from ((node.module, one.name) for one in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file):
    for module, name in imported(file):
        found = import_module(module)
        # a module of a package is no attribute of it before it is imported
        assert hasattr(found, name) or import_module(f"{module}.{name}"), (module, name)
