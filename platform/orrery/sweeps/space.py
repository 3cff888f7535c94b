"""The space of a sweep: which fields of a study's options are varied, and between what.

A field is named by its dotted path, `inference.flow.transforms`. Whatever cannot be an
option is refused before the first trial: a misspelt path, a wrong type, bounds the wrong
way round, or an end that the options' own checks refuse.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from orrery.identity import JSON, describe
from orrery.option_types import check_value

Chosen = TypeVar("Chosen")
Point = Mapping[str, Any]  # a value for each dotted path


@dataclass(frozen=True)
class Int:
    """A whole number between two bounds, both included.

    Arguments:
        low: The smallest.
        high: The largest.
        log: Whether ratios, not differences, are drawn uniformly.

    Raises:
        ValueError: If the bounds are no whole numbers or the wrong way round.

    Example:
        >>> Int(2, 8).ends
        (2, 8)
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        check_value(f"low of {self}", self.low, int)
        check_value(f"high of {self}", self.high, int)
        _check_bounds(self, self.low, self.high, self.log)

    @property
    def ends(self) -> tuple[int, ...]:
        """The values that options must accept."""
        return (self.low, self.high)

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    def holds(self, value: Any) -> bool:
        """Returns whether it is one of them."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Float:
    """A number between two bounds.

    Arguments:
        low: The smallest.
        high: The largest.

    Raises:
        ValueError: If the bounds are not finite or the wrong way round.

    Example:
        >>> Float(0.0, 0.5).ends
        (0.0, 0.5)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        check_value(f"low of {self}", self.low, float)
        check_value(f"high of {self}", self.high, float)
        _check_bounds(self, self.low, self.high)

    @property
    def ends(self) -> tuple[float, ...]:
        """The values that options must accept."""
        return (self.low, self.high)

    @property
    def size(self) -> float:
        """How many values there are: more than can be tried."""
        return math.inf

    def holds(self, value: Any) -> bool:
        """Returns whether it is one of them."""
        return type(value) in (int, float) and bool(self.low <= value <= self.high)


@dataclass(frozen=True)
class Log(Float):
    """A positive number between two bounds, of which ratios are drawn uniformly.

    Raises:
        ValueError: If a bound is not above 0, or they are the wrong way round.

    Example:
        >>> Log(1e-4, 3e-2).high
        0.03
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_bounds(self, self.low, self.high, log=True)


@dataclass(frozen=True)
class Choice:
    """One of several values, which have no order.

    Arguments:
        values: The values: numbers, texts, truth values, or tuples of them.

    Raises:
        ValueError: If there are fewer than two, or one is there twice.

    Example:
        >>> Choice(("maf", "nsf")).ends
        ('maf', 'nsf')
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        # a tuple again where a document had a list
        object.__setattr__(self, "values", _as_tuples(self.values))
        texts = {repr(value) for value in self.values}
        if len(self.values) < 2 or len(texts) < len(self.values):
            raise ValueError(f"{self} must have two values or more, each of them once")

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that options must accept."""
        return self.values

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def holds(self, value: Any) -> bool:
        """Returns whether it is one of them."""
        return value in self.values


Domain = Int | Float | Log | Choice
_DOMAINS: dict[str, type[Int | Float | Choice]] = {
    kind.__name__: kind for kind in (Int, Float, Log, Choice)
}


def _check_bounds(domain: Domain, low: float, high: float, log: bool = False) -> None:
    if not low < high:
        raise ValueError(f"{domain}: the low bound must be below the high one")
    if log and not low > 0:
        raise ValueError(
            f"{domain}: ratios need bounds above 0; give a small one, such as 1e-6"
        )


def _as_tuples(value: Any) -> Any:
    """Returns a value with tuples where JSON has lists."""
    if isinstance(value, list | tuple):
        return tuple(map(_as_tuples, value))
    return value


@dataclass(frozen=True)
class SearchSpace:
    """Which options a sweep varies.

    Arguments:
        domains: What each may be, by dotted path.

    Raises:
        ValueError: If there is none.

    Example:
        >>> @dataclass(frozen=True)
        ... class Training:
        ...     learning_rate: float = 1e-2
        >>> @dataclass(frozen=True)
        ... class Study:
        ...     training: Training = Training()
        >>> space = SearchSpace({"training.learning_rate": Log(1e-4, 3e-2)})
        >>> space.check(Study())
        >>> apply(Study(), {"training.learning_rate": 1e-3})
        Study(training=Training(learning_rate=0.001))
        >>> SearchSpace({"training.rate": Log(1e-4, 3e-2)}).check(Study())
        Traceback (most recent call last):
        ...
        ValueError: training.rate: Training has no field 'rate': choose from learning_rate
    """

    domains: Mapping[str, Domain]

    def __post_init__(self) -> None:
        if not self.domains:
            raise ValueError("a space without options cannot be searched: name one")

    def check(self, options: Any) -> None:
        """Raises ValueError if it cannot be a space of these options.

        Arguments:
            options: The study's options, a frozen dataclass.
        """
        for path, domain in self.domains.items():
            kind = _kind(options, path)
            for value in domain.ends:
                _check_kind(path, domain, value, kind)
                apply(options, {path: value})
            if isinstance(domain, Float):
                # a whole number's ends may be whole, what is drawn between them is not
                between = domain.low + (domain.high - domain.low) / math.pi
                _check_kind(path, domain, between, kind)
        # what is fine alone may not be fine together
        for end in (0, -1):
            apply(options, {path: d.ends[end] for path, d in self.domains.items()})

    @property
    def size(self) -> float:
        """How many points it has; infinite where an option is no choice or whole number."""
        return math.prod(domain.size for domain in self.domains.values())

    def holds(self, point: Point) -> bool:
        """Returns whether a point is one of them."""
        return point.keys() == self.domains.keys() and all(
            domain.holds(point[path]) for path, domain in self.domains.items()
        )

    @property
    def document(self) -> JSON:
        """The space as plain JSON."""
        return {path: describe(domain) for path, domain in self.domains.items()}


def read_space(document: JSON) -> SearchSpace:
    """Returns the space in a document that `SearchSpace.document` made.

    Raises:
        ValueError: If a domain is of no known type.

    Example:
        >>> space = SearchSpace({"hidden": Choice(((32,), (64, 64)))})
        >>> read_space(space.document) == space
        True
    """
    return SearchSpace(
        {path: _read_domain(path, found) for path, found in document.items()}
    )


def _read_domain(path: str, document: JSON) -> Domain:
    kind = document.get("type")
    if kind not in _DOMAINS:
        raise ValueError(f"{path} is of type {kind!r}: choose from {list(_DOMAINS)}")
    fields = {name: value for name, value in document.items() if name != "type"}
    return _DOMAINS[kind](**fields)


def read_point(document: JSON) -> dict[str, Any]:
    """Returns a point as it was before JSON made lists of its tuples."""
    return {path: _as_tuples(value) for path, value in document.items()}


def in_order(space: SearchSpace, point: Point) -> dict[str, Any]:
    """Returns a point with its options in the order of their space.

    Example:
        >>> space = SearchSpace({"width": Int(1, 9), "depth": Int(1, 3)})
        >>> in_order(space, {"depth": 2, "width": 5})
        {'width': 5, 'depth': 2}
    """
    return {path: point[path] for path in space.domains}


def apply(options: Chosen, point: Point) -> Chosen:
    """Returns options with the values of a point, as new frozen dataclasses.

    Arguments:
        options: The options; they stay as they are.
        point: The values, by dotted path.

    Raises:
        ValueError: If a path is unknown, or the options refuse a value; it names both.
    """
    for path in point:
        _kind(options, path)
    try:
        return _replaced(options, point)
    except ValueError as error:
        given = ", ".join(f"{path} = {value!r}" for path, value in point.items())
        raise ValueError(
            f"{given}: the options refuse that ({error}): change the space"
        ) from error


def _replaced(options: Any, point: Point) -> Any:
    groups: dict[str, dict[str, Any]] = {}
    for path, value in point.items():
        head, _, rest = path.partition(".")
        groups.setdefault(head, {})[rest] = value
    changes = {
        head: below[""] if "" in below else _replaced(getattr(options, head), below)
        for head, below in groups.items()
    }
    return dataclasses.replace(options, **changes)


def _kind(options: Any, path: str) -> Any:
    """Returns the annotation of the field at a path."""
    group = options
    kind: Any = type(options)
    for name in path.split("."):
        names = _field_names(group)
        if name not in names:
            known = ", ".join(names) or "none: it is no group of options"
            raise ValueError(
                f"{path}: {type(group).__name__} has no field {name!r}: "
                f"choose from {known}"
            )
        kind = get_type_hints(type(group))[name]
        group = getattr(group, name)
    if dataclasses.is_dataclass(group):
        raise ValueError(
            f"{path} is a group of options: add one of {', '.join(_field_names(group))}"
        )
    return kind


def _field_names(group: Any) -> list[str]:
    if not dataclasses.is_dataclass(group):
        return []
    return [field.name for field in dataclasses.fields(group)]


def _check_kind(path: str, domain: Domain, value: Any, kind: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path}: {value} is not finite: choose a number that is")
    try:
        check_value(path, value, kind)
    except ValueError as error:
        raise ValueError(f"{error}; {domain} does not fit it") from error
