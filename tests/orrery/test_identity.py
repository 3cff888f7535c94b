from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from orrery import identity


@dataclass(frozen=True)
class Inner:
    width: float = float("inf")


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    edges: tuple[float, ...] = (1.0, 2.0)
    folder: Path = field(default=Path("here"), metadata={"place": True})


def test_equal_documents_have_one_text():
    assert identity.canonical({"b": 1, "a": [2]}) == '{"a":[2],"b":1}'
    assert identity.fingerprint({"b": 1, "a": 2}) == identity.fingerprint(
        {"a": 2, "b": 1}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.0, -0.0),
        ([30, 50.5], (30.0, 50.5)),
        ({"b": {"c": [2.0]}}, {"b": {"c": [2]}}),
        (1e16, 10**16),
        (1e300, int(1e300)),
        (np.float64(3.0), 3),
    ],
)
def test_equal_numbers_have_one_fingerprint(one, other):
    assert one == other or list(one) == list(other)
    assert identity.fingerprint({"a": one}) == identity.fingerprint({"a": other})


@pytest.mark.parametrize("value", [True, 1.0000000000000002, "1.0", None, [1]])
def test_what_is_not_that_number_has_another_fingerprint(value):
    assert identity.fingerprint({"a": value}) != identity.fingerprint({"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_text_holds_what_is_not_finite(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        identity.canonical({"a": [value]})


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.5}, {"b": 1}, {"a": "1"}])
def test_other_documents_have_other_fingerprints(other):
    digits = identity.fingerprint({"a": 1})
    assert len(digits) == 16
    assert identity.fingerprint(other) != digits


def test_options_become_plain_json():
    inner = {"type": "Inner", "width": "inf"}
    placed = {"type": "Outer", "inner": inner, "edges": [1.0, 2.0], "folder": "here"}
    assert identity.describe(Outer()) == placed
    del placed["folder"]
    assert identity.describe(Outer(), places=False) == placed


def test_what_has_no_plain_form_is_refused():
    with pytest.raises(ValueError, match="has no plain JSON form: use numbers"):
        identity.describe({"random": object()})
