"""The numbers in a module's code: what its names stand for, and all that are written in it."""

import ast
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_Binding = tuple[
    str, str, bool
]  # a name, what it is bound to, and whether a number is in it


def bound(module: ast.Module) -> dict[str, str]:
    """Returns what each name of a module stands for, as text.

    However it is bound: alone, with others, time and again, under a condition. Fields of
    classes and parameters with defaults are called by what they belong to, `Flow.width`.
    """
    found: dict[str, list[str]] = {}
    for name, value, _ in _bindings(module.body):
        found.setdefault(name, []).append(value)
    return {name: "; ".join(values) for name, values in found.items()}


def named(module: ast.Module) -> dict[str, str]:
    """Returns the same of those names alone that stand for something with a number in it."""
    wanted = {name for name, _, has in _bindings(module.body) if has}
    return {name: text for name, text in bound(module).items() if name in wanted}


def _bindings(statements: Iterable[ast.stmt], above: str = "") -> Iterator[_Binding]:
    for node in statements:
        for name, value, has in _bound_by(node):
            yield above + name, value, has
        match node:
            case ast.ClassDef(name):
                yield from _bindings(node.body, f"{above}{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                for parameter, value, has in _defaults(node.args):
                    yield f"{above}{name}.{parameter}", value, has
            case _:
                for part in ("body", "orelse", "finalbody", "handlers"):
                    yield from _bindings(getattr(node, part, []), above)


def _bound_by(node: ast.stmt) -> Iterator[_Binding]:
    match node:
        case ast.Assign(targets, value):
            for target in targets:
                yield from _bound_together(target, value)
        case ast.AnnAssign(ast.Name(name), _, value) if value is not None:
            yield from _binding(name, value)
        case ast.AugAssign(ast.Name(name), _, value):
            yield name, ast.unparse(node), has_number(value)


def _defaults(arguments: ast.arguments) -> Iterator[_Binding]:
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    for one, value in zip(last, arguments.defaults, strict=True):
        yield from _binding(one.arg, value)
    for one, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            yield from _binding(one.arg, given)


def _bound_together(target: ast.expr, value: ast.expr) -> Iterator[_Binding]:
    match target, value:
        case ast.Name(name), _:
            yield from _binding(name, value)
        case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
            for one, its in zip(targets, values, strict=True):
                yield from _bound_together(one, its)
        case ast.Tuple(targets) | ast.List(targets), _:
            for one in targets:
                yield from _bound_together(one, value)


def _binding(name: str, value: ast.expr) -> Iterator[_Binding]:
    if name != "VERSION":
        yield name, _text(value), has_number(value)


def _text(value: ast.expr) -> str:
    """Returns what a value is, however it is written; of what is computed the numbers in it."""
    try:
        return _number(value) or repr(ast.literal_eval(value))
    except ValueError:
        return " ".join(_in_order(value)) or ast.unparse(value)


def has_number(value: ast.AST) -> bool:
    """Returns whether a number is written in an expression."""
    return any(_in_order(value))


def written(code: ast.AST) -> Counter[str]:
    """Returns all numbers that are written in code, each as often as it stands there.

    Named or not, in a default or in the middle of a formula. Those that give another one
    by arithmetic alone are that one: `2 * 100` is 200.
    """
    return Counter(_in_order(code))


def _in_order(code: ast.AST) -> Iterator[str]:
    waiting = [code]
    while waiting:
        node = waiting.pop()
        if text := _number(node):
            yield text
        elif isinstance(node, ast.Subscript):
            # which of two, or the last: rows and columns that refactors choose otherwise
            inside = _in_order(node.slice)
            yield from (number for number in inside if number not in _INDICES)
            waiting.append(node.value)
        elif not _is_left_out(node):
            waiting.extend(reversed([*ast.iter_child_nodes(node)]))


_INDICES = ("0", "1", "-1")


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Assign([ast.Name("VERSION")]) | ast.keyword("axis" | "dim"):
            return True
    return False


def _number(node: ast.AST) -> str:
    """Returns a number as text, the same for 2 and 2.0; nothing of another node."""
    match node:
        case ast.Constant() | ast.UnaryOp() | ast.BinOp():
            value = _value(node)
        case ast.Call(ast.Name("float" | "int" | "Decimal"), [ast.Constant(str(text))]):
            value = _value_in(text)
        case _:
            return ""
    if value is None:
        return ""
    is_whole = isinstance(value, float) and value.is_integer()
    return repr(int(value.real) if is_whole else value)


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


def _value(node: ast.AST) -> complex | None:
    """Returns what numbers give by arithmetic alone, or None."""
    match node:
        case ast.Constant(bool()):
            return None
        case ast.Constant(int() | float() | complex() as value):
            return value
        case ast.UnaryOp(sign, operand):
            return _calculated(sign, _value(operand))
        case ast.BinOp(left, sign, right):
            return _calculated(sign, _value(left), _value(right))
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


def _value_in(text: str) -> complex | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def told(counts: Counter[str]) -> str:
    """Returns numbers as text, sorted, with how often each is there.

    Example:
        >>> told(Counter(["2", "0.5", "2"]))
        '0.5 2*2'
    """
    ordered = sorted(counts.items(), key=lambda item: (_size(item[0]), item[0]))
    return " ".join(text if n == 1 else f"{text}*{n}" for text, n in ordered)


def _size(text: str) -> float:
    return abs(complex(text))


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
