"""What constants, fields and defaults are worth, however they are written."""

import ast
import dataclasses
import enum
import functools
import hashlib
import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from astropy import units
from astropy.units.function import FunctionUnitBase

from . import numbers, places, syntax

PRECISION = 1e-15  # relative; what is computed in another order differs by less
ARRAY_PRECISION = (
    1e-9  # processors and libraries differ in what functions of arrays give
)
LARGEST_TABLE = 64  # numbers of an array that are kept one by one
OPAQUE = "<object>"  # code, files, locks: nothing that can be compared as a value
LONGEST = 4000  # characters of a value, from which on a hash is kept
# Versions, which the lock has by themselves; and lists of names.
NOT_COMPARED = ("VERSION", "VERSIONS", "SUMMARIES", "__all__", "__file__", "__name__")
_MISSING = object()
_AROUND, _WIDE = 30, 100  # characters that are shown
_SENTENCE = 4  # words, from which on a text is for readers


def constants(module: str) -> dict[str, str]:
    """Returns the values of a module's constants, fields and defaults, as text by name."""
    return _constants(import_module(module), syntax.tree(module))


@cache
def _constants(module: ModuleType, tree: ast.Module) -> dict[str, str]:
    found = {}
    state = _state(tree)
    for name, _ in numbers.bindings(tree.body):
        text = _told_of(_value_of(module, name))
        if text != OPAQUE and name not in NOT_COMPARED and name not in state:
            found[name] = _whole_or_hash(text)
    return found


@cache
def _state(tree: ast.Module) -> frozenset[str]:
    """Returns what a module binds to empty containers: what it keeps there is no constant."""
    return frozenset(n for n, e in numbers.bindings(tree.body) if _is_empty(e))


def _is_empty(expression: ast.expr) -> bool:
    match expression:
        case ast.List([]) | ast.Dict([], []):
            return True
        case ast.Call(ast.Name("dict" | "list" | "set"), [], []):
            return True
    return False


def _whole_or_hash(text: str) -> str:
    if len(text) < LONGEST:
        return text
    return f"{text[:60]}... of {len(text)} characters, {_digits(text)}"


def lookup(constant: str) -> str | None:
    """Returns what `module:name` stands for today, wherever it was defined.

    Returns:
        None if there is no such module or name.
    """
    module, _, name = constant.partition(":")
    if syntax.path(module) is None:
        return None
    value = _value_of(import_module(module), name)
    return None if value is _MISSING else _whole_or_hash(_told_of(value))


def _value_of(module: ModuleType, name: str) -> Any:
    """Returns what a name stands for: a constant, a class's field, a function's default."""
    owner: Any = module
    *above, last = name.split(".")
    for part in above:
        owner = inspect.getattr_static(owner, part, None)
    if owner is None:
        return _MISSING
    if isinstance(owner, type | ModuleType):
        field = getattr(owner, "__dataclass_fields__", {}).get(last)
        return getattr(owner, last, _MISSING) if field is None else _default(field)
    return _parameter(owner, last)


def _default(field: Any) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _MISSING if field.default is dataclasses.MISSING else field.default


def _parameter(function: Any, name: str) -> Any:
    for inside in ("__func__", "fget", "func"):
        function = getattr(function, inside, function)
    try:
        default = inspect.signature(function).parameters[name].default
    except (KeyError, TypeError, ValueError):
        return _MISSING
    return _MISSING if default is inspect.Parameter.empty else default


def _told_of(value: Any) -> str:
    """Returns a value as text, which differs where a number may depend on it."""
    match value:
        case None | bool() | np.bool_():
            return str(value)
        case enum.Enum():
            return _told_of(value.value)
        case str() | bytes():
            return "(text)" if len(value.split()) > _SENTENCE else repr(value)
        case units.Quantity():
            return f"{_told_of(value.value)} [{value.unit}]"
        case units.UnitBase() | FunctionUnitBase():
            return f"[{value}]"
        case int() | float() | complex() | np.number():
            return _number(value)
        case np.ndarray() | torch.Tensor():
            return _array(np.asarray(value))
        case Mapping():
            items = (f"{_told_of_item(k)}: {_told_of(v)}" for k, v in value.items())
            return f"{{{', '.join(items)}}}"
        case tuple() | list() | range():
            return f"({', '.join(map(_told_of_item, value))})"
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(_told_of_item, value)))}}}"
        case re.Pattern():
            return repr(value.pattern)
        case np.dtype() | torch.dtype():
            return str(value)
        case functools.partial():
            return f"<code>{_told_of((value.args, value.keywords))}"
    return _told_of_object(value)


def _told_of_item(value: Any) -> str:
    """Returns an item or a key as text: there a whole sentence may be a name, too."""
    return repr(value) if isinstance(value, str | bytes) else _told_of(value)


def _told_of_object(value: Any) -> str:
    if isinstance(value, type):
        ours = syntax.is_ours(value.__module__)
        return OPAQUE if ours else f"<{value.__module__}.{value.__qualname__}>"
    if dataclasses.is_dataclass(value):
        parts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return _told_of(parts)
    return OPAQUE


def _number(value: Any) -> str:
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, complex | np.complexfloating):
        return repr(complex(value))
    number = float(value)
    is_whole = number.is_integer() and abs(number) < 1 / PRECISION
    return str(int(number)) if is_whole else repr(number)


def _array(values: Any) -> str:
    if values.dtype.kind not in "biuf":
        return f"{values.dtype}{_told_of(values.tolist())}"
    flat = values.astype(np.float64).ravel()
    if flat.size > LARGEST_TABLE:
        # a few sums, in which no place may change with another
        weights = np.cos(np.outer([0.0, 0.1, 1.0], np.arange(flat.size)))
        flat = np.array([*(weights @ flat), flat.min(), flat.max()])
    numbers_ = " ".join(f"~{number:.12g}" for number in flat)
    return f"{values.dtype}{values.shape} {numbers_}"


_NUMBER = re.compile(r"(?<![\w.])~?-?(?:\d[\w.]*(?:e[-+]\d+)?|inf|nan)")


def equal(one: str, other: str) -> bool:
    """Returns whether two texts mean the same value, up to rounding.

    Example:
        >>> equal("(0.1, 'kpc')", "(0.1, 'pc')"), equal("0.1", "0.10000000000000001")
        (False, True)
    """
    if one == other:
        return True
    if _NUMBER.sub("", one) != _NUMBER.sub("", other):
        return False
    first, second = _NUMBER.findall(one), _NUMBER.findall(other)
    if len(first) != len(second):  # '' and '5' are alike but for the number
        return False
    pairs = zip(first, second, strict=True)
    return all(a == b or _are_close(a, b) for a, b in pairs)


def _are_close(one: str, other: str) -> bool:
    try:
        int(one), int(other)
    except ValueError:
        precision = ARRAY_PRECISION if one.startswith("~") else PRECISION
    else:
        return False
    try:
        values = float(one.strip("~")), float(other.strip("~"))
    except ValueError:
        return False
    return math.isclose(*values, rel_tol=precision, abs_tol=0)


def used(module: str) -> dict[str, str]:
    """Returns the numbers that each function of a module computes with, by its name."""
    return _used(import_module(module), syntax.tree(module))


@cache
def _used(module: ModuleType, tree: ast.Module) -> dict[str, str]:
    found: dict[str, numbers.Used] = {}
    for name, code in _code(module, tree):
        own = _own_names(code) | _state(tree)
        names = functools.partial(_constant, module, name, own)
        used = numbers.Used.by(code, names)
        where = places.told(code, own, names) if name else ""
        used = dataclasses.replace(used, places=where)
        found[name] = found[name] + used if name in found else used
    return {name: used.told for name, used in found.items() if used.single}


def _code(module: ModuleType, tree: ast.Module) -> Iterator[tuple[str, list[ast.AST]]]:
    """Returns functions, and with all other code what cannot be compared as a value."""
    yield from numbers.functions(tree.body)
    for name, expression in numbers.bindings(tree.body):
        if "<" in _constants(module, tree).get(name, OPAQUE):
            yield "", [expression]


def _own_names(code: list[ast.AST]) -> set[str]:
    inside = [node for part in code for node in ast.walk(part)]
    stored = {
        n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    given = {n.arg for n in inside if isinstance(n, ast.arg)}
    return stored | given - {"self", "cls"}  # whose class has constants


def _constant(
    module: ModuleType, function: str, own: set[str], node: ast.expr
) -> complex | str | None:
    """Returns what a name in a function's code stands for: a number, or a hash of its text."""
    if getattr(node, "id", getattr(node, "attr", "")) in NOT_COMPARED:
        return None
    match node:
        case ast.Name(name) if name not in own:
            value = vars(module).get(name)
        case ast.Attribute(ast.Name(name), attribute) if name not in own:
            value = _attribute(module, function, name, attribute)
        case _:
            return None
    if isinstance(value, bool | type | ModuleType) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = _told_of(value)
    if "~" in text or text.startswith(("<", "(text)")):
        return None
    return _digits(text)[:6]


def _attribute(module: ModuleType, function: str, name: str, attribute: str) -> Any:
    above = function.rpartition(".")[0]
    place = above if name in ("self", "cls") else name
    owner: Any = module
    for part in place.split("."):
        owner = getattr(owner, part, None)
    is_ours = isinstance(owner, type | ModuleType) and syntax.is_ours(
        getattr(owner, "__module__", None) or owner.__name__
    )
    return inspect.getattr_static(owner, attribute, None) if is_ours else None


def _digits(text: str) -> str:
    return hashlib.sha256(rounded(text).encode()).hexdigest()[:16]


def rounded(text: str) -> str:
    """Returns a value's text with the numbers as formulas have them.

    Example:
        >>> rounded("(0.016666666666666666, 2)")
        '(0.016666666666667, 2)'
    """

    def shorter(found: re.Match[str]) -> str:
        try:
            return numbers.short(float(found[0]))
        except ValueError:
            return found[0]

    return _NUMBER.sub(shorter, text)


def without(text: str, fields: Iterable[tuple[str, str]]) -> str:
    """Returns the text of a value without the fields that have these names and values.

    Example:
        >>> without("{'draws': 4, 'floor': 0}", [("floor", "0"), ("draws", "5")])
        "{'draws': 4}"
    """
    for name, value in fields:
        item = re.escape(f"'{name}': {value}")
        text = re.sub(rf", {item}(?=[,}}])|(?<={{){item}(, |(?=}}))", "", text)
    return text


def change(old: str, new: str) -> str:
    """Returns how a value became another; of long ones the part that did.

    Example:
        >>> change("1.3", "1.32")
        '1.3 has become 1.32'
    """
    pairs = enumerate(zip(old, new, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), 0)
    start = max(0, same - _AROUND) if len(old) > _WIDE else 0
    return f"{_part(old, start)} has become {_part(new, start)}"


def _part(text: str, start: int) -> str:
    before, after = "..." * (start > 0), "..." * (len(text) > start + _WIDE)
    return f"{before}{text[start : start + _WIDE]}{after}"
