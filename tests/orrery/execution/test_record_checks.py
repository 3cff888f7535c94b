"""What a simulator returns is looked at by the columns' names, before anything is written."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.execution.record_checks import check_records
from orrery.execution.simulation import generate
from orrery.records import Column, Records, Schema

SCHEMA = Schema((Column("mass", "kg", ""),), (Column("x", "m", ""),))
GOOD = Records(
    {"mass": np.ones(3)}, {"x": np.arange(5.0)}, np.array([0, 2, 2, 5], np.int32)
)


def test_what_was_asked_for_is_taken():
    check_records(GOOD, SCHEMA, range(6, 9))
    counted = {"index": np.arange(6, 9), **GOOD.scalars}
    check_records(replace(GOOD, scalars=counted), SCHEMA, range(6, 9))
    with pytest.raises(ValueError, match="the simulator's column 'index' is"):
        check_records(replace(GOOD, scalars=counted), SCHEMA, range(3))


@pytest.mark.parametrize("wrong", [0.5, 3, -1, np.nan])
def test_a_parameter_with_the_name_of_the_splits_is_refused_at_once(wrong):
    schema = Schema((Column("split", "", ""),))
    check_records(Records({"split": np.array([0.0, 1.0, 2.0])}), schema, range(3))
    taken = Records({"split": np.array([0.0, wrong, 2.0])})
    with pytest.raises(ValueError, match=f"'split' has {wrong:g}, .* another one"):
        check_records(taken, schema, range(3))


@pytest.mark.parametrize("kind", ["scalars", "particles"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.tolist(), "as list: give an array of real"),
        (lambda values: values + 0j, "as complex128: give an array"),
        (lambda values: values.astype(str), "as <U"),
        (lambda values: values.astype(object), "as object"),
        (lambda values: values[:, np.newaxis], r"with shape \(., 1\): give"),
        (lambda values: None, "as NoneType"),
    ],
)
def test_a_column_that_is_none_is_named(kind, change, said):
    columns = getattr(GOOD, kind)
    (name,) = columns
    wrong = replace(GOOD, **{kind: {name: change(columns[name])}})
    with pytest.raises(ValueError, match=f"column '{name}' {said}"):
        check_records(wrong, SCHEMA, range(3))


@pytest.mark.parametrize("offsets", [[0, 5], [0, 2, 2, 9], [1, 2, 2, 5], [0, 3, 2, 5]])
def test_particles_belong_to_simulations(offsets):
    with pytest.raises(ValueError, match=r"offsets of shape|'x' with shape"):
        check_records(replace(GOOD, offsets=np.array(offsets)), SCHEMA, range(3))


def test_columns_of_several_lengths_are_refused():
    two = Schema((*SCHEMA.scalars, Column("age", "yr", "")))
    records = Records({"mass": np.ones(3), "age": np.ones(4)})
    with pytest.raises(ValueError, match=r"'age' with shape \(4,\): give 3"):
        check_records(records, two, range(3))


@pytest.mark.parametrize("kind", ["scalars", "particles"])
@pytest.mark.parametrize(
    ("dtype", "values", "lost"),
    [
        ("int64", [8.0, 3.7, 2.0], "3.7"),
        ("int64", [8.0, np.nan, 2.0], "nan"),
        ("int8", [1, 200, 3], "200"),
        ("uint8", [1, -2, 3], "-2"),
        ("int64", np.array([1, 2**63 + 1, 3], np.uint64), "9223372036854775809"),
        ("bool", [0, 1, 2], "2"),
        ("float16", [1.0, 87193.0, np.inf], "87193.0"),
        ("float16", [1e-9, 2e-9, 3e-9], "1e-09"),
        ("float32", [1.0, -1e39, np.nan], "-1e[+]39"),
    ],
)
def test_a_type_that_cannot_hold_a_number_is_refused(kind, dtype, values, lost):
    schema = Schema((Column("mass", "kg", ""),), (Column("x", "m", ""),))
    (column,) = getattr(schema, kind)
    schema = replace(schema, **{kind: (replace(column, dtype=dtype),)})
    offsets = np.arange(4, dtype=np.int32)
    good = Records({"mass": np.ones(3)}, {"x": np.ones(3)}, offsets)
    wrong = replace(good, **{kind: {column.name: np.array(values)}})
    said = f"returned {lost} in its column '{column.name}', which {dtype} cannot hold"
    check_records(good, schema, range(3))
    with pytest.raises(ValueError, match=said):
        check_records(wrong, schema, range(3))


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int32", np.array([8.0, 3.0, -2.0])),
        ("bool", np.array([0, 1, 1])),
        ("float16", np.array([np.inf, np.nan, 1 / 3])),
        ("float32", np.array([1e30, 1e-30, 0.0])),
        ("float64", np.array([2**53 + 1, -1, 0])),
    ],
)
def test_numbers_that_a_type_rounds_are_taken(dtype, values):
    schema = Schema((Column("mass", "kg", "", dtype),))
    check_records(Records({"mass": values}), schema, range(3))


class Rounded:
    """A simulator that computes with more digits than its schema keeps."""

    schema = Schema(
        (Column("a", "", "", "float32"), Column("b", "", "", "float16")),
    )

    def describe(self):
        return {"model": "rounded", "version": 1}

    def records(self, seed, indices):
        thirds = np.array(indices) / 3
        return Records({"a": thirds, "b": thirds}, offsets=np.arange(9))


def test_the_manifest_tells_of_numbers_as_they_are_kept(tmp_path, capsys):
    made = generate(Rounded(), 8, 1, tmp_path, actors=0, shard_size=8)
    assert made.damaged(full=True) == {}
    kept = made.records(0).scalars["b"].astype(float)
    assert made.rows[0].sums["b"] == kept.sum() != np.sum(np.arange(8) / 3)
    capsys.readouterr()
    generate(Rounded(), 8, 1, tmp_path, actors=0, shard_size=8)
    assert capsys.readouterr().err == ""


class Described:
    """A simulator with a description that somebody else gave it."""

    schema = Schema((Column("mass", "kg", ""),))

    def __init__(self, description):
        self.description = description

    def describe(self):
        return self.description

    def records(self, seed, indices):
        raise AssertionError("nothing is simulated")


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({"n": np.int64(3)}, "no plain JSON .*such as int"),
        ({"n": np.ones(2)}, "no plain JSON"),
        ({"n": float("inf")}, "no plain JSON"),
        ({"model": 1, "about": "a spring"}, "'about', if it is there, has sentences"),
        ({"model": 1, "about": {"a": 2}}, "has sentences by name"),
        ("a spring", "describes itself with 'a spring'"),
    ],
)
def test_a_description_is_looked_at_before_anything_is_made(
    tmp_path, description, said
):
    with pytest.raises(ValueError, match=said):
        generate(Described(description), 8, 1, tmp_path, actors=0)
    assert list(tmp_path.iterdir()) == []


def test_numpys_integers_count_and_seed_as_pythons_do(toy, tmp_path):
    plain = generate(toy, 8, 5, tmp_path, actors=0, shard_size=4)
    other = generate(
        toy,
        np.int64(8),
        np.uint8(5),
        tmp_path,
        actors=np.int32(0),
        shard_size=np.int8(4),
    )
    assert (other.folder, other.metadata) == (plain.folder, plain.metadata)


@pytest.mark.parametrize("name", ["count", "seed", "actors", "shard_size"])
@pytest.mark.parametrize("value", [2.5, 2.0, "2", np.float64(2)])
def test_counts_are_whole_numbers(toy, tmp_path, name, value):
    given = {"count": 8, "seed": 5, "actors": 0, "shard_size": 4, name: value}
    with pytest.raises(ValueError, match=f"{name} .* is no whole number: give one of"):
        generate(toy, folder=tmp_path, **given)
