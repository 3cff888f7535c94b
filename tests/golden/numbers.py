"""The numbers in a module's code: what it names, and what its functions compute with."""

import ast
import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_PLACES = " @ "  # stands before the places in the text of a function's numbers
# What a name in a formula stands for: a number, or the text of another constant.
Lookup = Callable[[ast.expr], complex | str | None]


def bindings(
    statements: Iterable[ast.stmt], above: str = ""
) -> Iterator[tuple[str, ast.expr]]:
    """Returns what a module binds to names, with the expressions.

    However it is bound: alone, with others, time and again, under a condition. Fields of
    classes and parameters with defaults are called by what they belong to, `Flow.width`.
    """
    for node in statements:
        for name, value in _bound_by(node):
            yield above + name, value
        match node:
            case ast.ClassDef(name):
                yield from bindings(node.body, f"{above}{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                for parameter, value in _defaults(node.args):
                    yield f"{above}{name}.{parameter}", value
            case _:
                for part in ("body", "orelse", "finalbody", "handlers"):
                    yield from bindings(getattr(node, part, []), above)


def _bound_by(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets, value):
            for name in (n for target in targets for n in ast.walk(target)):
                if isinstance(name, ast.Name):
                    yield name.id, value
        case ast.AnnAssign(ast.Name(name), _, value) if value is not None:
            yield name, value
        case ast.AugAssign(ast.Name(name), _, value):
            yield name, value


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    for one, value in zip(last, arguments.defaults, strict=True):
        yield one.arg, value
    for one, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            yield one.arg, given


def functions(
    statements: Iterable[ast.stmt], above: str = ""
) -> Iterator[tuple[str, list[ast.AST]]]:
    """Returns the code of each function by name, and all other code without a name.

    Without what `bindings` returns: values of constants and defaults.
    """
    for node in statements:
        match node:
            case ast.ClassDef(name):
                yield "", [*node.decorator_list, *node.bases, *node.keywords]
                yield from functions(node.body, f"{above}{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                parameters = [n for n in ast.walk(node.args) if isinstance(n, ast.arg)]
                yield above + name, [*node.decorator_list, *parameters, *node.body]
            case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
                inside = list(ast.iter_child_nodes(node))
                statements = [n for n in inside if isinstance(n, ast.stmt)]
                yield "", [n for n in inside if n not in statements]
                yield from functions(statements, above)
            case _ if not [*_bound_by(node)]:
                yield "", [node]


def nothing(node: ast.expr) -> None:
    """Knows no name."""


@dataclass(frozen=True)
class Used:
    """The numbers that code computes with, each as often as it stands there.

    Written or named: a constant is the number that it stands for, marked by `=`. One that is
    no number is known by a hash. With them are what else chooses: True, False, and words,
    marked by `'`, that a keyword is given or that something is compared with.

    Arguments:
        results: Those that give another by arithmetic alone are that one: `2 * 100` is 200,
            and `x / 60 / 60` has the number of `x / 3600`.
        single: The same, one by one.
        places: Where they stand, if they are one function's: see `places.told`.
    """

    results: Counter[str]
    single: Counter[str]
    places: str = ""

    @classmethod
    def by(cls, code: Iterable[ast.AST], constant: Lookup = nothing) -> "Used":
        """Returns those of code, in which names stand for what `constant` says."""
        results: Counter[str] = Counter()
        single: Counter[str] = Counter()
        for part in code:
            found = [*_in_order(part, constant, is_single=False)]
            results.update(found)
            # both are the same where there is no arithmetic
            if any(isinstance(node, ast.BinOp) for node in ast.walk(part)):
                found = [*_in_order(part, constant, is_single=True)]
            single.update(found)
        return cls(results, single)

    @classmethod
    def read(cls, text: str) -> "Used":
        """Returns those of a text that `told` made."""
        text, _, where = text.partition(_PLACES)
        results, _, single = text.partition(" | ")
        return cls(read(results), read(single or results), where)

    @property
    def told(self) -> str:
        """The numbers as text; those that stand alone only where they are others."""
        results, single = told(self.results), told(self.single)
        text = results if results == single else f"{results} | {single}"
        return f"{text}{_PLACES}{self.places}" if self.places else text

    def __add__(self, other: "Used") -> "Used":
        return Used(self.results + other.results, self.single + other.single)

    def exchanged(self, now: "Used") -> str | None:
        """Returns which numbers have gone for others; None where they only come or only go.

        Nor are they others where arithmetic is distributed otherwise: nothing is new then
        among single ones.
        """
        before, today = unmarked(self.results), unmarked(now.results)
        gone, new = before - today, today - before
        if gone and new and unmarked(now.single) - unmarked(self.single):
            return f"{told(gone)} gone, {told(new)} new"
        return None

    def unused(self, now: "Used") -> set[str]:
        """Returns the constants that are used no more, neither named nor as numbers."""
        if not unmarked(self.results) - unmarked(now.results):
            return set()
        named = {number for number in self.single if number[0] in "=#"}
        return unmarked(Counter(named)).keys() - unmarked(now.single).keys()

    def with_all_of(self, before: "Used") -> set[str]:
        """Returns the single numbers that are used as often as before, or more."""
        today = unmarked(self.single)
        return today.keys() - (unmarked(before.single) - today).keys()


def unmarked(counts: Counter[str]) -> Counter[str]:
    """Returns the same numbers, whether they are named or not."""
    found: Counter[str] = Counter()
    for number, count in counts.items():
        found[number.lstrip("=")] += count
    return found


def _in_order(code: ast.AST, constant: Lookup, is_single: bool) -> Iterator[str]:
    waiting = [code]
    while waiting:
        node = waiting.pop()
        yield from _choices(node)
        is_arithmetic = isinstance(node, ast.BinOp)
        if is_single and is_arithmetic:
            waiting.extend(_parts(node))
        elif (value := value_of(node, constant)) is not None:
            yield _text(node, value)
        elif is_arithmetic and isinstance(node.op, ast.Mult | ast.Div):
            known, rest = _product(node, constant)
            yield from known
            waiting.extend(rest)
        elif isinstance(node, ast.Name | ast.Attribute) and (name := constant(node)):
            yield f"#{name}"
        elif isinstance(node, ast.Subscript):
            # which of two, or the last: rows and columns that refactors choose otherwise
            ignored = () if _is_condition(node.slice) else _INDICES
            inside = _in_order(node.slice, constant, is_single)
            yield from (number for number in inside if number not in ignored)
            waiting.append(node.value)
        elif not _is_axis(node):
            waiting.extend(_parts(node))


WORD = re.compile(r"[A-Za-z_][\w.+-]{0,29}")  # no sentence, and no number
_AMOUNT = re.compile(r"\d[\d.e+-]* [A-Za-z][\w.^*/-]{0,29}")  # `1e10 solMass`, a unit


def _choices(node: ast.AST) -> Iterator[str]:
    """Returns what code is told beside numbers: whether, and which of several."""
    match node:
        case ast.Constant(bool() as value):
            yield str(value)
        case ast.Constant(str() as text) if _AMOUNT.fullmatch(text):
            yield f"'{text.replace(' ', '_')}"
        case ast.keyword(str(), ast.Constant(str() as text)):
            yield from _words(text)
        case ast.Compare(left, _, others):
            for part in (n for one in (left, *others) for n in ast.walk(one)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from _words(part.value)


def _words(text: str) -> Iterator[str]:
    if WORD.fullmatch(text) and _value_in(text) is None:
        yield f"'{text}"


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Returns what syntax consists of; operators, and whether a name is read, hold no number."""
    return (part for part in ast.iter_child_nodes(node) if part._fields)


_INDICES = ("0", "1", "-1")


def _is_condition(index: ast.expr) -> bool:
    """Returns whether rows are chosen by what they hold, as in `x[x < 1]`."""
    return any(isinstance(node, ast.Compare) for node in ast.walk(index))


def _is_axis(node: ast.AST) -> bool:
    match node:
        case ast.keyword("axis" | "dim", value):
            return value_of(value, nothing) in range(-3, 4)
    return False


def _product(node: ast.AST, constant: Lookup) -> tuple[list[str], list[ast.AST]]:
    """Returns the number in a product or quotient, if any, and its other factors."""
    number: complex = 1.0
    known, rest = [], []
    for factor, is_above in _factors(node, True):
        value = value_of(factor, constant)
        if not value:
            rest.append(factor)
            continue
        known.append(factor)
        number = number * value if is_above else number / value
    return [_text(ast.Tuple(known), number)] if known else [], rest


def _factors(node: ast.AST, is_above: bool) -> Iterator[tuple[ast.AST, bool]]:
    match node:
        case ast.BinOp(left, ast.Mult() | ast.Div() as sign, right):
            yield from _factors(left, is_above)
            is_below = isinstance(sign, ast.Div)
            yield from _factors(right, is_above != is_below)
        case _:
            yield node, is_above


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LARGEST_POWER = 1000


def value_of(node: ast.AST, constant: Lookup) -> complex | None:
    """Returns what numbers give by arithmetic alone, or None."""
    match node:
        case ast.Constant(bool()):
            return None
        case ast.Constant(int() | float() | complex() as value):
            return value
        case ast.Constant(str() | bytes() as text):
            return _value_in(text)
        case ast.Name() | ast.Attribute():
            named = constant(node)
            return None if isinstance(named, str) else named
        case ast.UnaryOp(sign, operand):
            return _calculated(sign, value_of(operand, constant))
        case ast.BinOp(left, sign, right):
            return _calculated(
                sign, value_of(left, constant), value_of(right, constant)
            )
    return None


def _calculated(sign: ast.AST, *values: complex | None) -> complex | None:
    calculate = _OPERATORS.get(type(sign))
    if calculate is None or None in values:
        return None
    if isinstance(sign, ast.Pow) and abs(values[1] or 0) > _LARGEST_POWER:
        return None
    try:
        found: complex = calculate(*values)
    except ArithmeticError:
        return None
    return found


def _value_in(text: str | bytes) -> complex | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(node: ast.AST, value: complex) -> str:
    """Returns a number as text, the same for 2 and 2.0, and for 1 / 3 however computed."""
    is_named = any(isinstance(n, ast.Name) for n in ast.walk(node))
    return ("=" if is_named else "") + short(value)


def short(value: complex) -> str:
    """Returns a number to 14 digits; a whole one has all.

    Example:
        >>> short(2.0), short(4 / 3)
        ('2', '1.3333333333333')
    """
    if isinstance(value, int):
        return str(value)
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return str(int(value.real)) if whole else f"{value:.14g}"


def told(counts: Counter[str]) -> str:
    """Returns numbers as text, sorted, with how often each is there.

    Example:
        >>> told(Counter(["2", "0.5", "2"]))
        '0.5 2*2'
    """
    return " ".join(
        text if n == 1 else f"{text}*{n}" for text, n in sorted(counts.items())
    )


def read(text: str) -> Counter[str]:
    """Returns the numbers of a text that `told` made.

    Example:
        >>> read("0.5 2*2")["2"]
        2
    """
    found: Counter[str] = Counter()
    for part in text.split():
        number, _, count = part.partition("*")
        found[number] = int(count or 1)
    return found
