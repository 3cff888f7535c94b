"""A report leads back to its posterior, this to its summaries, and these to their dataset."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from orrery.pairs import Pairs, Splits, SummaryOrigin, pooled
from orrery.results.lineage import record_learned_lineage, record_summary_lineage
from orrery.results.recording import record

LEARNED = {"fingerprint": "8d", "dataset": "4e", "definition": "2c", "seed": 1}


@dataclass(frozen=True)
class Choices:
    stars: Path


def pairs(summaries):
    some = Pairs(np.zeros((4, 1)), np.ones((4, 1)))
    return Splits(
        train=some,
        validation=some,
        test=some,
        parameters=("mass",),
        names=("count",),
        units=("",),
        definition="2c",
        dataset="4e",
        dropped=0,
        origins=(SummaryOrigin(summaries, "moments", 3, "2c", "4e"),),
    )


@pytest.fixture
def lineage(tmp_path):
    """Returns the lineage that something records, of a run that reads a file."""

    def recorded(body):
        stars = tmp_path / "stars.csv"
        stars.write_text("ra,dec")
        with record("toy", Choices(stars), tmp_path / "runs") as recording:
            body(recording)
        return recording.result.document["lineage"]

    return recorded


def test_a_run_begins_with_the_files_that_it_reads(lineage):
    (stars,) = lineage(lambda recording: None)["inputs"]
    assert (stars["key"], stars["file"], stars["bytes"]) == ("stars", "stars.csv", 6)
    assert stars["sha256"].startswith(stars["fingerprint"])


def test_summaries_say_which_version_of_which_function_made_them(lineage):
    found = lineage(
        lambda recording: record_summary_lineage(recording, "a", pairs("1b"))
    )
    (entry,) = found["summaries"]
    assert entry == {
        "key": "a",
        "fingerprint": "1b",
        "function": "moments",
        "version": 3,
        "definition": "2c",
        "dataset": "4e",
    }


def test_what_was_learned_names_all_summaries_that_it_was_learned_from(lineage):
    both = pooled([pairs("1b"), replace(pairs("1b"), origins=pairs("7f").origins)])

    def body(recording):
        record_summary_lineage(recording, "a", both)
        record_learned_lineage(recording, "posteriors", "a", LEARNED, both)

    found = lineage(body)
    assert [one["fingerprint"] for one in found["summaries"]] == ["1b", "7f"]
    (learned,) = found["posteriors"]
    assert learned == {"key": "a", **LEARNED, "summaries": ["1b", "7f"]}
