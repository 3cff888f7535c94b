"""A constant is what its module says, everywhere: nothing binds its name anew.

`tests/golden` compares constants where they are defined. Who binds one anew elsewhere, in a
function, by an import or from another module, would change numbers past it.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"orrery", "mwlmc", "halomass"}
# Names of the facade are bound when they are asked for; none of them is a constant.
FACADE = ROOT / "platform/orrery/__init__.py"
FILES = sorted(
    path
    for place in ("platform", "experiments")
    for path in (ROOT / place).rglob("*.py")
)


def rebound(text):
    """Returns what a module's functions and statements bind anew, line by line."""
    tree = ast.parse(text)
    modules = {name for node in ast.walk(tree) for name in _modules_of_ours(node)}
    constants = {
        node.id
        for statement in tree.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node.id.isupper()
    } | {
        name
        for statement in tree.body
        for name in _imported(statement)
        if name.isupper()
    }
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Global(names):
                found += [f"{node.lineno}: global {name}" for name in names]
            case ast.Call(ast.Name("globals" | "setattr")):
                found.append(f"{node.lineno}: {node.func.id}")
            case ast.Attribute(ast.Name(name), attribute, ast.Store()) if (
                name in modules
            ):
                found.append(f"{node.lineno}: {name}.{attribute}")
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found += [
                    f"{node.lineno}: {name}" for name in _bound_in(node) & constants
                ]
    return found


def _imported(node):
    """Returns the names that an import binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (one.asname or one.name.partition(".")[0] for one in node.names)


def _modules_of_ours(node):
    """Returns the names by which an import binds what may be a module of ours."""
    match node:
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in OURS:
            yield from _imported(node)
        case ast.Import():
            yield from OURS.intersection(_imported(node))
            yield from (
                n.asname for n in node.names if n.asname and n.name[:6] in "orrery"
            )


def _bound_in(function):
    """Returns the names that a function binds: parameters, imports, variables."""
    names = {
        argument.arg
        for argument in ast.walk(function.args)
        if isinstance(argument, ast.arg)
    }
    for node in (inner for statement in function.body for inner in ast.walk(statement)):
        names.update(_imported(node))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def test_no_constant_is_bound_anew():
    every = {path: rebound(path.read_text(encoding="utf-8")) for path in FILES}
    every[FACADE] = [one for one in every[FACADE] if not one.endswith(": globals")]
    assert len(every) > 300
    assert {str(path): found for path, found in every.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ROUNDS = 9\ndef fit():\n    global ROUNDS\n", "3: global ROUNDS"),
        ("def fit():\n    globals()['ROUNDS'] = 9\n", "2: globals"),
        (
            "from orrery.learning import mixture\nmixture.ROUNDS = 9\n",
            "2: mixture.ROUNDS",
        ),
        ("import orrery.learning.mixture as m\nm.ROUNDS = 9\n", "2: m.ROUNDS"),
        ("X = 1\ndef fit():\n    from orrery.sentences import X\n", "2: X"),
        ("from a import X\ndef fit(X=2):\n    return X\n", "2: X"),
        ("X = 1\ndef fit():\n    X = 2\n", "2: X"),
    ],
)
def test_what_binds_one_anew_is_found(text, line):
    assert line in rebound(text)
