import socket
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from orrery.execution import nodes, record_checks, summaries
from orrery.execution.simulation import generate
from orrery.execution.summaries import compute
from orrery.identity import fingerprint
from orrery.parameters import Parameter
from orrery.records import Column

VERSION = 1  # of `moments`


@dataclass(frozen=True)
class Moments:
    names: tuple[str, ...] = ("a_seen", "count")
    units: tuple[str, ...] = ("kpc", "")
    fewest: int = 0

    @property
    def fingerprint(self):
        return fingerprint(self.describe())

    def describe(self):
        return {"names": self.names, "units": self.units, "fewest": self.fewest}


calls = []


def moments(records, binning):
    """Returns a twice, and the number of stars, NaN where there are too few."""
    calls.append(len(records))
    count = np.diff(records.offsets).astype(float)
    x = np.stack([2 * records.scalars["a"], count], axis=1)
    x[count < binning.fewest, 1] = np.nan
    return x


@pytest.fixture
def stars(toy, tmp_path):
    calls.clear()
    return generate(toy, 100, 5, tmp_path, actors=0, shard_size=8)


def everything(splits):
    return np.concatenate([splits.train.x, splits.validation.x, splits.test.x])


def test_pairs_belong_together(stars, centre):
    splits = compute(moments, stars, Moments(), centre)
    for pairs in (splits.train, splits.validation, splits.test):
        assert np.array_equal(pairs.x[:, 0], 2 * pairs.theta[:, 0])
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [
        80,
        10,
        10,
    ]
    assert (splits.parameters, splits.names, splits.units) == (
        ("a",),
        ("a_seen", "count"),
        ("kpc", ""),
    )
    assert (splits.dataset, splits.definition) == (
        stars.fingerprint,
        Moments().fingerprint,
    )
    assert splits.dropped == 0


def test_growing_moves_nothing_between_splits(toy, stars, centre, tmp_path):
    small = compute(moments, stars, Moments(), centre)
    grown = generate(toy, 150, 5, tmp_path, actors=0, shard_size=8)
    large = compute(moments, grown, Moments(), centre)
    for name in ("train", "validation", "test"):
        before, after = getattr(small, name), getattr(large, name)
        assert np.array_equal(after.theta[: len(before)], before.theta)


@dataclass(frozen=True)
class Placed:
    """The toy, whose simulations also say which split they belong to."""

    toy: Any
    lowest: int = 0

    @property
    def schema(self):
        inner = self.toy.schema
        column = Column("split", "", "the split", "int8")
        return replace(inner, scalars=(*inner.scalars, column))

    def describe(self):
        return {"toy": self.toy.describe(), "lowest": self.lowest}

    def records(self, seed, indices):
        records = self.toy.records(seed, indices)
        split = np.digitize(indices, [50, 60]) + self.lowest
        return replace(records, scalars={**records.scalars, "split": split})


def test_a_dataset_may_say_itself_where_its_simulations_belong(toy, centre, tmp_path):
    placed = generate(Placed(toy), 100, 5, tmp_path, actors=0, shard_size=8)
    splits = compute(moments, placed, Moments(), centre)
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [
        50,
        10,
        40,
    ]
    plain = compute(
        moments, generate(toy, 100, 5, tmp_path, actors=0), Moments(), centre
    )
    assert np.array_equal(
        np.sort(everything(splits), axis=0), np.sort(everything(plain), axis=0)
    )
    again = compute(moments, placed, Moments(), centre)
    assert np.array_equal(again.test.x, splits.test.x)


def test_an_unknown_split_is_named(toy, centre, tmp_path, monkeypatch):
    # as those had who wrote it before simulators were asked
    monkeypatch.setattr(record_checks, "_check_split", lambda places: None)
    placed = generate(Placed(toy, lowest=1), 100, 5, tmp_path, actors=0, shard_size=8)
    with pytest.raises(
        ValueError, match="simulation 60 has split 3: make it 0 for training"
    ):
        compute(moments, placed, Moments(), centre)


def test_a_second_time_nothing_is_summarised(stars, centre, contents):
    first = compute(moments, stars, Moments(), centre)
    done, before = len(calls), contents(stars.folder)
    again = compute(moments, stars, Moments(), centre)
    assert len(calls) == done == len(stars.shards)
    assert np.array_equal(everything(first), everything(again))
    assert contents(stars.folder) == before


@pytest.mark.slow
def test_summaries_of_a_bucket_are_kept_there_and_are_those_of_a_folder(
    stars, toy, centre, bucket
):
    there = generate(toy, 100, 5, bucket, actors=0, shard_size=8)
    found = compute(moments, there, Moments(), centre)
    expected = compute(moments, stars, Moments(), centre)
    assert np.array_equal(everything(found), everything(expected))
    (name,) = (there.folder / "summaries").sizes()
    kept = (there.folder / "summaries" / name).read_bytes()
    assert kept == (stars.folder / "summaries" / name).read_bytes()
    calls.clear()
    again = compute(moments, there, Moments(), centre)
    assert np.array_equal(everything(again), everything(expected))
    assert calls == []


def test_results_are_kept_for_each_definition(stars, centre, toy, tmp_path):
    kept = stars.folder / "summaries"
    compute(moments, stars, Moments(), centre)
    compute(moments, stars, Moments(fewest=1), centre)
    compute(moments, stars, Moments(), (*centre, Parameter("tries", "", "$n$")))
    compute(
        moments,
        generate(toy, 50, 5, tmp_path, actors=0, shard_size=8),
        Moments(),
        centre,
    )
    assert len(list(kept.iterdir())) == 4
    compute(moments, stars, Moments(), centre, folder=tmp_path / "mine")
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_results_are_kept_with_units_and_definition(stars, centre):
    compute(moments, stars, Moments(), centre)
    (path,) = (stars.folder / "summaries").iterdir()
    schema = pq.read_schema(path)
    assert schema.names == ["index", "theta.a", "x.a_seen", "x.count"]
    assert schema.field("x.a_seen").metadata[b"unit"] == b"kpc"
    assert stars.fingerprint.encode() in schema.metadata[b"orrery"]


def written(version, factor):
    """Returns a function as a notebook defines it: its source is in no file."""
    scope = {}
    source = (
        f"def f(records, binning):\n    return records.scalars['a'][:, None] * {factor}"
    )
    exec(f"VERSION = {version}\n{source}", scope)
    return scope["f"]


def test_a_raised_version_is_summarised_again_and_the_same_is_not(stars, centre):
    one = compute(written(1, "[1.0, 1.0]"), stars, Moments(), centre)
    kept = compute(written(1, "[9.0, 9.0]"), stars, Moments(), centre)
    ten = compute(written(2, "[10.0, 10.0]"), stars, Moments(), centre)
    assert np.array_equal(everything(one), everything(kept))
    assert np.array_equal(10 * everything(one), everything(ten))
    assert len(list((stars.folder / "summaries").iterdir())) == 2


@pytest.mark.parametrize("version", [None, 0, -1, 1.0, True, "1"])
def test_a_function_needs_a_version_in_its_file(stars, centre, version):
    wrong = (
        "f has VERSION .* not a positive integer.*write VERSION = 1 .*raise it whenever"
    )
    with pytest.raises(ValueError, match=wrong):
        compute(written(repr(version), "[1.0, 1.0]"), stars, Moments(), centre)


def test_pairs_know_the_kept_summaries_that_they_are(stars, centre):
    for splits in (compute(moments, stars, Moments(), centre) for _ in range(2)):
        (path,) = (stars.folder / "summaries").iterdir()
        (origin,) = splits.origins
        assert origin.fingerprint == path.stem
        assert origin.function == f"{__name__}.moments"
        assert origin.version == VERSION
        assert (origin.definition, origin.dataset) == (
            splits.definition,
            splits.dataset,
        )


def test_a_damaged_result_is_computed_again(stars, centre, capsys):
    first = compute(moments, stars, Moments(), centre)
    (path,) = (stars.folder / "summaries").iterdir()
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    again = compute(moments, stars, Moments(), centre)
    assert np.array_equal(everything(first), everything(again))
    assert path.read_bytes() == good
    assert "computed again" in capsys.readouterr().err


def test_a_damaged_shard_is_not_summarised(stars, centre):
    path = stars.folder / stars.rows[3].file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"shard-00003.arrow was altered"):
        compute(moments, stars, Moments(), centre)


def test_simulations_without_finite_summaries_are_dropped_and_counted(
    stars, centre, capsys
):
    splits = compute(moments, stars, Moments(fewest=1), centre)
    assert splits.dropped == 25
    assert len(everything(splits)) == 75
    assert np.isfinite(everything(splits)).all()
    said = " ".join(capsys.readouterr().err.split())
    assert "25 of 100 simulations are dropped, because a network can leave no" in said
    assert "too few neighbours: 'count' is not finite in 25 of 100" in said


def test_parameters_that_are_not_finite_are_dropped_too(toy, centre, tmp_path):
    stars = generate(replace(toy, missing=7), 40, 5, tmp_path, actors=0, shard_size=8)
    assert compute(moments, stars, Moments(), centre).dropped == 1


def test_without_any_finite_summary_the_emptiest_is_named(stars, centre):
    wrong = "no simulation has finite summaries: 'count' is not.*too few neighbours.*leave it out"
    with pytest.raises(ValueError, match=wrong):
        compute(moments, stars, Moments(fewest=9), centre)


def test_each_split_needs_a_simulation(toy, centre, tmp_path):
    stars = generate(toy, 1, 5, tmp_path, actors=0, shard_size=8)
    wrong = "the train split is empty: none of 1 simulations.*simulate more, or, where a column"
    with pytest.raises(ValueError, match=wrong):
        compute(moments, stars, Moments(), centre)


def test_wrong_arguments_are_named(stars, centre):
    with pytest.raises(ValueError, match=r"parameter 'b' is no column of the dataset"):
        compute(moments, stars, Moments(), (Parameter("b", "", "$b$"),))
    with pytest.raises(ValueError, match=r"shape .8, 2., but the binning has 1 names"):
        compute(moments, stars, Moments(names=("a",), units=("",)), centre)
    with pytest.raises(ValueError, match="max has no name that is its own"):
        compute(max, stars, Moments(), centre)


def test_a_node_that_misses_shards_is_named_and_not_the_dataset_blamed(
    stars, centre, monkeypatch
):
    monkeypatch.setattr(nodes, "VISIBILITY", -1.0)
    monkeypatch.setattr(summaries.cluster, "connected", lambda: True)
    (stars.folder / stars.rows[2].file).unlink()
    names = tuple(parameter.name for parameter in centre)
    summaries._summarise_batch(range(2), moments, stars, Moments(), names)
    expected = f"{socket.gethostname()} does not see all files in {stars.folder}"
    with pytest.raises(FileNotFoundError, match=expected):
        summaries._summarise_batch(range(4), moments, stars, Moments(), names)


@pytest.mark.parametrize("unit", ["pc", "km", ""])
def test_a_parameter_in_another_unit_than_the_column_is_refused(stars, unit):
    wrong = f"parameter 'a' is in '{unit}', but the dataset's column in 'kpc'"
    with pytest.raises(ValueError, match=wrong):
        compute(moments, stars, Moments(), (Parameter("a", unit, "$a$"),))


def test_pairs_know_the_units_of_their_parameters(stars, centre):
    found = compute(moments, stars, Moments(), (*centre, Parameter("tries", "", "$n$")))
    assert found.parameter_units == ("kpc", "")


def test_entries_have_names_of_their_own_and_units_that_can_be_read():
    for names, units, wrong in (
        (("u", "u"), ("m", "m"), "the binning has two columns 'u'"),
        (("u", "v"), ("m", "ells"), "'v' has the unit 'ells'"),
        (("u", "v"), ("m",), "2 names and 1 units"),
    ):
        with pytest.raises(ValueError, match=wrong):
            summaries.Entries(names, units)
