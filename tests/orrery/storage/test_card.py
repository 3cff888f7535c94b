import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from orrery.execution.simulation import generate
from orrery.records import Column, Schema
from orrery.storage import card, manifest, work_log
from orrery.storage.dataset import counters


@dataclass(frozen=True)
class Named:
    """The toy, whose simulations have a name elsewhere and a split, and count nothing."""

    toy: Any

    @property
    def schema(self):
        labels = (
            Column("id", "", "its name", "int64"),
            Column("split", "", "its split", "int8"),
        )
        kept = tuple(
            column for column in self.toy.schema.scalars if column.name != "tries"
        )
        return Schema((*kept, *labels), self.toy.schema.particles)

    def describe(self):
        return self.toy.describe()

    def records(self, seed, indices):
        found, number = self.toy.records(seed, indices), np.array(indices)
        scalars = {name: found.scalars[name] for name in ("index", "a")}
        return replace(
            found, scalars={**scalars, "id": number + 7000, "split": number % 3}
        )


def test_the_card_tells_what_the_folder_holds(stars):
    text = (stars.folder / "README.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## What", "## Columns", "## How it was made", "## Counts", "## Work", "## Splits",
        "## How to read",
    ]  # fmt: skip
    assert "Totals of the 3 shards: tries " in card.summary(stars)
    assert "24 simulations in 3 Arrow files" in text
    assert f"| `tries`, all together | {sum(i % 3 for i in range(24))} |" in text
    assert "| `x` | kpc | list of float16 |  | positions |" in text
    assert stars.fingerprint in text


def test_names_and_splits_are_not_added_up(toy, tmp_path):
    named = generate(Named(toy), 20, seed=3, folder=tmp_path, actors=0, shard_size=8)
    assert counters(named.metadata) == ()
    assert "Totals" not in card.summary(named)
    text = (named.folder / "README.md").read_text()
    assert "all together" not in text
    assert "| `id` |  | int64 |  | its name |" in text
    assert "| `split` |  | int8 |  | its split |" in text
    assert (
        f"| `a` | kpc | float64 | {manifest.mean('a', named.rows):.6g} | the centre |"
        in text
    )


def test_the_card_tells_what_decides_the_splits(stars, toy, tmp_path):
    named = generate(Named(toy), 8, seed=3, folder=tmp_path, actors=0, shard_size=8)
    by_number = (
        "\n## Splits\nSimulation i belongs to `test` if i mod 10 is 0, to `validation` if it is 1, "
        "and to `train`\notherwise. More simulations never move one from a split to another.\n\n"
        "## How to read\n"
    )
    assert by_number in (stars.folder / "README.md").read_text()
    text = (named.folder / "README.md").read_text()
    assert "i mod 10" not in text
    assert (
        "The column `split` decides: 0 is `train`, 1 is `validation`, 2 is `test`."
        in text
    )


def session(**took):
    return work_log.Session("2025-03-01T12:00:00+00:00", **took)


def test_the_card_is_the_same_once_its_document_was_read_again(stars):
    words = {"model": "a rigid galaxy", "frame": "galactocentric"}
    about = {**stars.metadata["about"], "simulator": words}
    metadata = {**stars.metadata, "about": about}
    kept = json.loads(json.dumps(metadata, sort_keys=True))
    made, again = (card.card("stars", m, stars.rows, []) for m in (metadata, kept))
    assert made == again
    assert "Galactocentric. A rigid galaxy. " in made


def test_the_card_adds_up_the_work(stars):
    work = (
        session(simulations=1000, seconds=3000.0, actors=2, deaths=1, cpus=4),
        session(simulations=200, seconds=800.0, actors=8, cpus=16, nodes=2),
    )
    lines = card.card("stars", stars.metadata, stars.rows, work).splitlines()
    assert (
        "| 2025-03-01T12:00:00+00:00 | 1000 | 0:50:00 | 0.333 | 2 | 1 | 4 | 1 |"
        in lines
    )
    assert (
        "| 2025-03-01T12:00:00+00:00 | 200 | 0:13:20 | 0.25 | 8 | 0 | 16 | 2 |" in lines
    )
    assert "| all | 1200 | 1:03:20 | 0.316 | | 1 | | |" in lines


def test_the_card_tells_which_processors_made_it(stars):
    def told(*work):
        return card.card("stars", stars.metadata, stars.rows, work)

    one = session(simulations=8, processors={"EPYC, torch 2.13": 8})
    both = session(simulations=12, processors={"EPYC, torch 2.13": 8, "Xeon": 4})
    assert "\n- EPYC, torch 2.13: 16 simulations\n" in told(one, one)
    assert "**Mixed:**" not in told(one, one)
    assert "\n- EPYC, torch 2.13: 16 simulations\n- Xeon: 4 simulations\n" in told(
        one, both
    )
    assert "**Mixed:** processors of another kind" in told(one, both)
    assert "Made by:" not in told(session(simulations=8))


@pytest.mark.parametrize(
    ("actors", "where"),
    [((2, 2), "on 2 actors"), ((1, 1), "on 1 actor"), ((0, 3), "on up to 3 actors"),
     ((0, 0), "in one process")],
)  # fmt: skip
def test_the_summary_tells_the_work(stars, actors, where):
    work = [
        session(simulations=8200, seconds=seconds, actors=number)
        for seconds, number in zip((422.0, 423.0), actors, strict=True)
    ]
    lines = [json.dumps(vars(part)) for part in work]
    (stars.folder / "work.jsonl").write_text(
        "\n".join(["half a li", *lines, '{"hours": 3}'])
    )
    assert work_log.sessions(stars.folder) == tuple(work)
    assert card.summary(stars).endswith(
        f" Made in 0:14:05 of work {where}, 19.4 a second."
    )


def test_a_dataset_of_unknown_work_is_described_without(stars):
    (stars.folder / "work.jsonl").unlink()
    assert "work" not in card.summary(stars)
    assert card.card("stars", stars.metadata, stars.rows, ()).count("| all |") == 0


def test_values_that_are_not_finite_are_counted(toy, tmp_path):
    stars = generate(replace(toy, missing=5), 16, 0, tmp_path, actors=0, shard_size=8)
    assert [row.missing for row in stars.rows] == [{"a": 1}, {}]
    assert np.isfinite(manifest.mean("a", stars.rows))
    assert "| `a`, not finite | 1 |" in (stars.folder / "README.md").read_text()
