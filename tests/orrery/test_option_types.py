"""What an annotation promises is kept, and values that mean the same are the same."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from halomass.study import options as halomass_options
from mwlmc.study import options as mwlmc_options
from orrery.identity import describe, fingerprint
from orrery.option_types import check_types, check_value

STUDIES = (
    mwlmc_options.Desi,
    mwlmc_options.Quadrants,
    mwlmc_options.Table2,
    mwlmc_options.PredictiveChecks,
    mwlmc_options.Surveys,
    halomass_options.HaloMass,
)


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    kind: Literal["maf", "nsf", 2] = "maf"


@dataclass(frozen=True)
class Outer:
    count: int = 3
    window: float | None = None
    edges: tuple[float, ...] = (1.0, 2.5)
    pair: tuple[str, int] = ("a", 1)
    verbose: bool = False
    label: str = "it"
    folder: Path = Path("here")
    inner: Inner = field(default_factory=Inner)


@pytest.mark.parametrize(
    "options", [kind() for kind in STUDIES], ids=lambda o: str(type(o))
)
def test_the_defaults_of_all_studies_keep_their_promise(options):
    check_types(options)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 1 - 10**18},
        {"window": 2},
        {"window": -0.0},
        {"edges": ()},
        {"edges": (1, 2.5)},
        {"edges": [7.0]},
        {"inner": Inner(rate=1)},
        {"inner": Inner(kind=2)},
        {"folder": "there"},
    ],
    ids=str,
)
def test_what_means_the_same_may_be_given(changes):
    check_types(Outer(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"count": 10**18},
            "count is 1000000000000000000: give .* of at most 18 digits",
        ),
        ({"count": -(10**400)}, "count is -1000.*: give a whole number"),
        ({"window": 10**400}, "window is 1000.*: give a finite number"),
        ({"count": True}, "count is True: give a whole number, such as 3"),
        ({"count": 3.5}, "count is 3.5: give a whole number"),
        ({"count": 3.0}, "count is 3.0: give a whole number"),
        ({"count": "3"}, "count is '3': give a whole number"),
        ({"count": None}, "count is None: give a whole number"),
        ({"window": False}, "window is False: give a finite number, .* or nothing"),
        ({"window": "0.5"}, "window is '0.5': give a finite number"),
        ({"window": float("nan")}, "window is nan: give a finite number"),
        (
            {"edges": (1.0, float("inf"))},
            r"edges is \(1.0, inf\): give a list, each entry a finite number",
        ),
        ({"edges": (1.0, True)}, r"edges is \(1.0, True\)"),
        ({"edges": 1.0}, r"edges is 1.0: give a list"),
        ({"edges": "12"}, r"edges is '12': give a list"),
        ({"pair": ("a", 1, 2)}, "pair is .*: give a list of 2: a text, a whole number"),
        ({"pair": (1, "a")}, "pair is .*: give a list of 2: a text, a whole number"),
        ({"verbose": 1}, "verbose is 1: give true or false"),
        ({"verbose": "no"}, "verbose is 'no': give true or false"),
        ({"label": 7}, "label is 7: give a text"),
        ({"folder": 7}, "folder is 7: give a path"),
        ({"inner": Inner(rate=True)}, "inner.rate is True: give a finite number"),
        ({"inner": Inner(rate=-float("inf"))}, "inner.rate is -inf"),
        (
            {"inner": Inner(kind="cnf")},
            "inner.kind is 'cnf': give one of 'maf', 'nsf', 2",
        ),
        ({"inner": Inner(kind=2.0)}, "inner.kind is 2.0: give one of"),
        ({"inner": Inner(kind=True)}, "inner.kind is True: give one of"),
    ],
    ids=str,
)
def test_what_means_another_thing_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_types(Outer(**changes))


def numbers(options, above=()):
    """Returns the place and the value of each number in options."""
    for entry in dataclasses.fields(options):
        value = getattr(options, entry.name)
        if dataclasses.is_dataclass(value):
            yield from numbers(value, (*above, entry.name))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*above, entry.name), value


def changed(options, place, value):
    """Returns options with another value at a place, whatever they say of it."""
    if not place:
        return value
    copy = object.__new__(type(options))
    copy.__dict__.update(vars(options))
    copy.__dict__[place[0]] = changed(getattr(options, place[0]), place[1:], value)
    return copy


@pytest.mark.parametrize("kind", STUDIES, ids=lambda kind: kind.__name__)
def test_no_number_of_a_study_may_be_something_else(kind):
    options = kind()
    places = list(numbers(options))
    assert places
    for place, value in places:
        for wrong in (True, str(value), float("nan"), float("inf"), [value]):
            with pytest.raises(ValueError, match=f"^{'.'.join(place)} is "):
                check_types(changed(options, place, wrong))
        if isinstance(value, float):
            whole = changed(options, place, float(round(value)))
            equal = changed(options, place, round(value))
            assert fingerprint(describe(whole)) == fingerprint(describe(equal))
        else:
            with pytest.raises(ValueError, match="give a whole number"):
                check_types(changed(options, place, value + 0.5))


def test_kinds_that_are_not_known_are_let_through():
    check_value("it", object(), dict)
