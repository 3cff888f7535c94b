"""Where the numbers of a function stand: two that change places are as many as before."""

import ast
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from . import syntax
from .numbers import WORD, Lookup, short, value_of

_DIGITS = 6


def told(code: Iterable[ast.AST], own: Iterable[str], constant: Lookup) -> str:
    """Returns what a function is but for its numbers, and their order, each as a hash.

    Arguments:
        code: Of the function.
        own: Its own names: they may be called otherwise.
        constant: What other names stand for.

    Returns:
        Two hashes, of which the second differs where numbers have changed places, and an
        empty text where there are not two different ones.

    Example:
        >>> def of(code):
        ...     return told([ast.parse(code)], "xyz", lambda node: None).split()
        >>> one, other = of("x = 2 * y + 3"), of("z = 3 * y + 2")
        >>> one[0] == other[0], one[1] == other[1]
        (True, False)
        >>> of("z = 2 * x + 3") == one, of("x = 2")
        (True, [])
    """
    reader = _Reader(frozenset(own), constant)
    shape = [reader.shape(node) for node in code if not syntax.is_docstring(node)]
    if len({*reader.found}) < 2:
        return ""
    # the numbers are the same ones where only their order differs
    return f"{_hash([shape, sorted(reader.found)])} {_hash(reader.found)}"


def changed(before: str, now: str) -> bool:
    """Returns whether the numbers of a function have changed places and nothing else has."""
    if not before or not now:
        return False
    (shape, order), (shape_now, order_now) = before.split(), now.split()
    return shape == shape_now and order != order_now


class _Reader:
    """Reads code and takes its numbers, words and texts out."""

    def __init__(self, own: frozenset[str], constant: Lookup) -> None:
        self.own = own
        self.constant = constant
        self.names: dict[str, int] = {}
        self.found: list[str] = []

    def shape(self, node: Any) -> Any:
        """Returns code as JSON, without what has been taken out of it."""
        if isinstance(node, list):
            return [self.shape(one) for one in node if not syntax.is_docstring(one)]
        if not isinstance(node, ast.AST):
            return self.name(node) if isinstance(node, str) else repr(node)
        if self.takes(node):
            return "value"
        fields = {name: getattr(node, name, None) for name in node._fields}
        kept = {n: self.shape(v) for n, v in fields.items() if v not in (None, [])}
        return [type(node).__name__, kept]

    def takes(self, node: ast.AST) -> bool:
        """Returns whether code is a value, which is kept apart."""
        value = value_of(node, self.constant)
        if value is not None:
            self.found.append(short(value))
            return True
        if isinstance(node, ast.Name | ast.Attribute) and (text := self.constant(node)):
            self.found.append(f"#{text}")
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if WORD.fullmatch(node.value):
                self.found.append(f"'{node.value}")
            return True
        return False

    def name(self, name: str) -> str:
        """Returns the number of a name of the function's own, and others as they are."""
        if name not in self.own:
            return name
        return f"{self.names.setdefault(name, len(self.names))}"


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
