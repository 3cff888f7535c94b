"""The table has a row for every entry, and each number that any of them has."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orrery.results.collation.entries import Entry, all_entries
from orrery.results.collation.run_table import parquet


def table(entries):
    return pq.read_table(pa.BufferReader(parquet(entries)))


@pytest.mark.slow
def test_every_row_has_the_numbers_of_its_document(all_runs, entries):
    rows = table(entries).to_pylist()
    assert len(rows) == 30
    for row in rows:
        document = json.loads((all_runs / row["place"] / "run.json").read_text())
        for name, number in document["metrics"].items():
            assert row[f"metric.{name}"] == number
        kept = [*row["answers"][0]]
        assert {"quantity", "data", "median", "lower", "upper", "prior"} <= {*kept}
        answers = [{name: one[name] for name in kept} for one in document["answers"]]
        assert row["answers"] == answers
        (dataset,) = (one for one in row["lineage"] if one["kind"] == "datasets")
        assert (
            dataset["fingerprint"] == document["lineage"]["datasets"][0]["fingerprint"]
        )
        (learned, *_) = (one for one in row["lineage"] if one["kind"] == "posteriors")
        assert learned["parents"] == document["lineage"]["posteriors"][0]["summaries"]
        assert row["verdict.calibration.toy.alone.tarp"] in ("passed", "failed")


def test_columns_have_one_type():
    values = [
        {"a": 1, "b": 1, "c": True, "d": True, "e": 2**70, "f": None},
        {"a": 2, "b": 1.5, "c": False, "d": 1, "e": 1, "f": None},
    ]
    entries = [
        Entry(str(i), "run", "finished", {f"option.{k}": v for k, v in one.items()})
        for i, one in enumerate(values)
    ]
    found = table(entries)
    kinds = [found.schema.field(f"option.{name}").type for name in "abcdef"]
    assert kinds == [
        *(pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.string(), pa.string())
    ]
    assert found["option.e"].to_pylist() == [str(2**70), "1"]


def test_what_is_not_known_is_not_what_is_not_finite():
    entries = [
        Entry("a", "run", "finished", {"metric.x": math.nan}),
        Entry("b", "run", "damaged", {}),
    ]
    known, unknown = table(entries)["metric.x"].to_pylist()
    assert math.isnan(known)
    assert unknown is None


@pytest.mark.slow
def test_text_that_is_none_is_written_all_the_same(runs, change):
    folder = min(path.parent for path in runs.rglob("run.json"))
    change(folder, host="\ud800", options={"\udfff": "\ud800"})
    row = next(
        row
        for row in table(list(all_entries(runs))).to_pylist()
        if row["place"] == folder.relative_to(runs).as_posix()
    )
    assert row["host"] == "\\ud800"
    assert row["option.\\udfff"] == "\\ud800"
