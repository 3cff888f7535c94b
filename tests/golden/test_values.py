"""What the lock says of constants is their value, however they are written."""

import enum
import math
import sys
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
import pytest
from astropy import units

from . import syntax, values


class Kind(enum.Enum):
    NEAR = "near"


@dataclass(frozen=True)
class Options:
    kind: Kind = Kind.NEAR
    edges: tuple[float, ...] = field(default_factory=lambda: (1.0, 2.5))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (2.0, "2"),
        (np.float32(0.5), "0.5"),
        (Options(), "{'kind': 'near', 'edges': (1, 2.5)}"),
        ([None, {3: {"b", "a"}}], "(None, {3: {'a', 'b'}})"),
        (8.7 * units.kpc, "8.7 [kpc]"),
        (np.array([1, 2]), "int64(2,) ~1 ~2"),
        ("give one of these names", "(text)"),
        (("one row with a long name",), "('one row with a long name')"),
        (
            {"one row with a long name": "what is said of this row"},
            "{'one row with a long name': (text)}",
        ),
        (np.dtype("float16"), "float16"),
        (np.float16, "<numpy.float16>"),
        (print, values.OPAQUE),
    ],
)
def test_a_value_has_a_text(value, text):
    assert values._told_of(value) == text


def test_places_of_a_long_table_do_not_change():
    table = np.linspace(0.0, 1.0, 500)
    other = table.copy()
    other[[7, 8]] = other[[8, 7]]
    texts = [values._told_of(t) for t in (table, other, table * (1 + 1e-15))]
    assert not values.equal(texts[0], texts[1])
    assert values.equal(texts[0], texts[2])


@pytest.fixture
def module(monkeypatch):
    """Returns a module of ours with the text of an example."""
    text = (
        "import math\nfrom dataclasses import dataclass, field\nVERSION = 3\n"
        "A = 4 / 3 * math.pi\nN, M = 5, [1, 2]\n\n"
        "@dataclass\nclass Options:\n    n: int = N + 1\n"
        "    edges: list = field(default_factory=lambda: [0.1])\n"
        "    def grow(self, by=2 * N):\n        return by * self.n / 60 / N\n\n"
        "def area(r, *, m=M):\n    N = 7\n    return 2 * A * r ** N\n"
    )
    made = ModuleType("orrery.example")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(syntax, "source", lambda name: text)
    exec(text, vars(made))
    return made.__name__


def test_constants_fields_and_defaults_are_there_by_name(module):
    assert values.constants(module) == {
        "A": repr(4 / 3 * math.pi),
        "N": "5",
        "M": "(1, 2)",
        "Options.n": "6",
        "Options.edges": "(0.1)",
        "Options.grow.by": "10",
        "area.m": "(1, 2)",
    }


def test_functions_use_what_their_names_stand_for(module):
    told = values.used(module)
    # without where they stand
    found = {name: text.partition(" @ ")[0] for name, text in told.items()}
    assert found != told
    # self.n / 60 / N: the field's default, and both numbers of the quotient
    assert found["Options.grow"] == f"={6 / 60 / 5:g} | 60 =5 =6"
    # N is a local there
    assert found["area"] == f"7 ={8 / 3 * math.pi:.14g} | 2 7 =4.1887902047864"
