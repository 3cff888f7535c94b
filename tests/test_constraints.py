"""What is imported is declared, and what is declared has its exact version in the constraints."""

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
FOLDERS = ("platform", "experiments", "tests", "docs")
# A build of torch for GPUs brings its own, in versions that it fixes itself.
OF_A_GPU = ("cuda-", "nvidia-", "triton")


def declared():
    lines = [
        *PROJECT["dependencies"],
        *(one for some in EXTRAS.values() for one in some),
    ]
    return [Requirement(line) for line in lines]


def constrained():
    """Returns the constraints' versions by their packages' canonical names."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def imported():
    """Returns the top-level names that files of this repository import."""
    names = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module)
    return {name.split(".")[0] for name in names}


def ours():
    """Returns what a file of this repository may call its own modules."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {name for path in paths for name in (*path.parent.parts, path.stem)}


def test_every_library_that_is_imported_is_declared():
    distributions = packages_distributions()
    foreign = imported() - ours() - {*sys.stdlib_module_names}
    known = {canonicalize_name(requirement.name) for requirement in declared()}
    # several bring a name that they share, such as `google`: one of them is meant
    missing = {
        name
        for name in foreign
        if known.isdisjoint(map(canonicalize_name, distributions.get(name, [name])))
    }
    # `packaging` belongs to pytest, which is declared
    assert missing <= {"packaging"}


def test_everything_that_would_be_installed_has_its_version():
    pending, seen = declared(), set()
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if (name, *requirement.extras) in seen or name.startswith(OF_A_GPU):
            continue
        seen.add((name, *requirement.extras))
        pending += needed(requirement)
    missing = {name for name, *_ in seen} - constrained().keys()
    # agama is compiled where it is wanted, from whatever version is found there
    assert missing <= {"agama"}


def needed(requirement):
    """Returns what an installed distribution requires on this machine."""
    try:
        lines = requires(requirement.name) or []
    except PackageNotFoundError:
        return []
    wanted = [Requirement(line) for line in lines]
    extras = requirement.extras or {""}
    return [
        one
        for one in wanted
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)
    ]


def test_constraints_are_exact_and_sorted_out():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in listed)
    assert len(constrained()) == len(listed)


def test_the_search_of_sweeps_is_constrained_with_what_it_needs():
    assert {"optuna", "alembic", "colorlog", "sqlalchemy"} <= constrained().keys()
