"""What a module does, as a hash, and which modules a component builds on."""

import ast
import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGES = ("orrery", "mwlmc", "halomass")

# Documents, files, processes and words around numbers: no number is decided here.
NO_NUMBERS = (
    "orrery.data_vector",
    "orrery.execution",
    "orrery.exports",
    "orrery.identity",
    "orrery.learning.artefacts",
    "orrery.option_types",
    "orrery.results",
    "orrery.storage",
    "orrery.terminal",
    "orrery.versions",
)


@cache
def platform() -> Path:
    """Returns the folder of the packages that Python finds."""
    spec = find_spec("orrery")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


def path(module: str) -> Path | None:
    """Returns the file of one of our modules; None if there is none of this name."""
    # by text, since it is asked some ten thousand times
    place = f"{platform()}/{module.replace('.', '/')}"
    for found in (f"{place}.py", f"{place}/__init__.py"):
        if os.path.isfile(found):
            return Path(found)
    return None


def source(module: str) -> str:
    """Returns a module's text.

    Raises:
        FileNotFoundError: If there is no such module.
    """
    found = path(module)
    if found is None:
        raise FileNotFoundError(
            f"no module {module} in {platform()}: correct its name in tests/golden/components.py"
        )
    return found.read_text()


def hash_of(module: str) -> str:
    """Returns the syntax hash of a module."""
    return _hash_and_imports(source(module))[0]


# by text, not by name: a test changes modules, and most of them stay as they are
@cache
def _hash_and_imports(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Returns a text's syntax hash and what it imports of ours: both need its syntax."""
    found = ast.parse(text)
    return syntax_hash(found), _imports(found)


def syntax_hash(module: ast.Module) -> str:
    """Returns 16 hexadecimal digits of what a module does: no comment, docstring or layout."""
    text = json.dumps(_plain(module), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """Returns syntax as JSON; what is empty goes, because Pythons differ in what they list."""
    if isinstance(node, ast.AST):
        fields = {}
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name != "kind":
                fields[name] = _plain(_body(value) if name == "body" else value)
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return repr(node)


def _body(statements: Any) -> Any:
    if not isinstance(statements, list):  # a lambda's
        return statements
    first = statements[0]
    return statements[1:] if _is_docstring(first) else statements


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def version(module: str) -> int:
    """Returns the VERSION that a module declares.

    Raises:
        ValueError: If there is none, or it is no positive integer.
    """
    for node in ast.parse(source(module)).body:
        match node:
            case ast.Assign([ast.Name("VERSION")], ast.Constant(int(found))) if (
                found > 0
            ):
                return found
    raise ValueError(f"{module} declares no version: write VERSION = 1 in it")


def modules(root: str, others: frozenset[str]) -> tuple[str, ...]:
    """Returns the modules that decide a component's numbers, sorted by name.

    Arguments:
        root: The module that declares its version.
        others: Modules of other versions, where the search ends: a component's
            fingerprint holds the versions of those that it builds on.
    """
    found, waiting = {root}, [root]
    while waiting:
        for name in _imported(waiting.pop()):
            if name not in found and name not in others and not _is_silent(name):
                found.add(name)
                waiting.append(name)
    return tuple(sorted(found))


def _is_silent(module: str) -> bool:
    return any(module == s or module.startswith(f"{s}.") for s in NO_NUMBERS)


def _imported(module: str) -> Iterator[str]:
    for name, inside in _hash_and_imports(source(module))[1]:
        # what stands after `import` may be a module, or something that one declares
        yield f"{name}.{inside}" if inside and path(f"{name}.{inside}") else name


def _imports(module: ast.Module) -> tuple[tuple[str, str], ...]:
    """Returns our modules that one imports, each with what is imported from it, if anything."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found += [(a.name, "") for a in node.names if _is_ours(a.name)]
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            found += [(node.module, alias.name) for alias in node.names]
    return tuple(found)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES
