"""A space is one of its options, or it is refused before anything runs."""

import json
import math
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from orrery.inference.options import Inference
from orrery.sweeps.space import (
    Choice,
    Float,
    Int,
    Log,
    SearchSpace,
    apply,
    read_point,
    read_space,
)


@dataclass(frozen=True)
class Layers:
    depth: int = 2
    kind: Literal["maf", "nsf"] = "maf"
    hidden: tuple[int, ...] = (50, 50)
    dropout: float = 0.0
    bias: bool = True

    def __post_init__(self):
        if self.depth > 8:
            raise ValueError(f"depth {self.depth} is above 8")
        if self.kind == "nsf" and self.depth > 6:
            raise ValueError("splines have 6 layers at most")


@dataclass(frozen=True)
class Study:
    layers: Layers = field(default_factory=Layers)
    seed: int = 1


WHOLE = SearchSpace(
    {
        "layers.depth": Int(1, 6),
        "layers.kind": Choice(("maf", "nsf")),
        "layers.hidden": Choice(((32,), (64, 64))),
        "layers.dropout": Float(0, 0.5),
        "layers.bias": Choice((True, False)),
        "seed": Int(1, 9, log=True),
    }
)


def test_a_space_of_the_options_is_accepted():
    WHOLE.check(Study())


def test_real_options_are_a_space():
    SearchSpace(
        {
            "flow.transforms": Int(2, 8),
            "flow.kind": Choice(("maf", "nsf")),
            "training.learning_rate": Log(1e-4, 3e-2),
        }
    ).check(Inference())


@pytest.mark.parametrize(
    ("path", "domain", "words"),
    [
        ("layers.dept", Int(1, 6), "Layers has no field 'dept': choose from depth"),
        ("layer.depth", Int(1, 6), "Study has no field 'layer': choose from layers"),
        ("seed.root", Int(1, 6), "no group of options"),
        ("layers", Int(1, 6), "layers is a group of options: add one of depth"),
        ("layers.depth", Float(1, 6.5), "layers.depth is 6.5: give a whole number"),
        ("layers.depth", Float(1, 6), r"layers.depth is 2.5\d+: give a whole number"),
        ("layers.depth", Log(1, 6), r"layers.depth is 2.5\d+: give a whole number"),
        ("layers.depth", Choice((1, "two")), "layers.depth is 'two'"),
        ("layers.kind", Choice(("maf", "nfs")), "one of 'maf', 'nsf'"),
        ("layers.bias", Int(0, 1), "true or false"),
        ("layers.hidden", Choice((1, 2)), "a list, each entry"),
        ("layers.depth", Int(1, 9), "layers.depth = 9.*above 8.*change the space"),
    ],
)
def test_what_cannot_be_an_option_is_refused_with_its_path(path, domain, words):
    with pytest.raises(ValueError, match=words):
        SearchSpace({path: domain}).check(Study())


def test_ends_that_are_fine_alone_are_tried_together():
    space = SearchSpace(
        {"layers.depth": Int(1, 8), "layers.kind": Choice(("maf", "nsf"))}
    )
    with pytest.raises(ValueError, match="splines have 6 layers"):
        space.check(Study())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Int(8, 2), "low bound must be below"),
        (lambda: Int(2, 2), "low bound must be below"),
        (lambda: Int(1, 2.5), "whole number"),
        (lambda: Int(0, 4, log=True), "above 0"),
        (lambda: Float(0.5, 0.1), "low bound must be below"),
        (lambda: Float(0.0, float("inf")), "finite"),
        (lambda: Log(0.0, 1.0), "above 0"),
        (lambda: Choice(("maf",)), "two values or more"),
        (lambda: Choice(("maf", "nsf", "maf")), "each of them once"),
        (lambda: SearchSpace({}), "name one"),
    ],
)
def test_a_domain_that_holds_nothing_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_applying_changes_what_is_named_and_nothing_else():
    before = Study(seed=4)
    after = apply(before, {"layers.depth": 5, "layers.hidden": (8,)})
    assert after == replace(before, layers=Layers(depth=5, hidden=(8,)))
    assert before == Study(seed=4)


def test_values_that_the_options_refuse_together_are_named():
    with pytest.raises(ValueError, match=r"depth = 7, layers\.kind = 'nsf'"):
        apply(Study(), {"layers.depth": 7, "layers.kind": "nsf"})


def test_a_space_and_a_point_come_back_from_json():
    assert read_space(json.loads(json.dumps(WHOLE.document))) == WHOLE
    point = {"layers.hidden": (64, 64), "layers.dropout": 0.1 + 0.2, "layers.depth": 3}
    assert read_point(json.loads(json.dumps(point))) == point


def test_an_unknown_domain_is_refused():
    with pytest.raises(ValueError, match=r"depth is of type 'Normal'.*'Choice'"):
        read_space({"depth": {"type": "Normal"}})


@pytest.mark.parametrize(
    ("domain", "size", "inside", "outside"),
    [
        (Int(2, 8), 7, 8, 9),
        (Choice(("a", "b")), 2, "a", "c"),
        (Float(0.0, 0.5), math.inf, 0.5, 0.6),
        (Log(1e-4, 1e-1), math.inf, 1e-4, 0.0),
    ],
)
def test_a_space_knows_its_size_and_its_points(domain, size, inside, outside):
    space = SearchSpace({"one": domain, "two": Choice((1, 2, 3))})
    assert domain.size == size
    assert space.size == 3 * size
    assert space.holds({"one": inside, "two": 3})
    assert not space.holds({"one": outside, "two": 3})
    assert not space.holds({"one": inside, "two": 4})
