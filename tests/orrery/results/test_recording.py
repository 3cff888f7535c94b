"""A run's document is whole whenever it is read, and says how the run ended."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import QTable

from orrery.results import recording as recording_module
from orrery.results import result
from orrery.results.recording import read_by, record
from orrery.results.result import KILLED, Result
from orrery.results.sections import Answer, DrawsSection, Text
from orrery.storage.documents import parsed
from orrery.storage.files import LOCK
from orrery.storage.run import attempts
from orrery.termination import Terminated, terminable


def test_a_document_holds_every_part_under_its_key(tmp_path, write):
    found = write(tmp_path)
    document = json.loads((found.folder / "run.json").read_text())
    assert document["status"] == "finished"
    assert document["metrics"] == {
        "v_travel": 20.5,
        "simulations": 100,
        "posterior.toy.v_x.median": 3.25,
        "posterior.toy.v_x.lower": 1.0,
        "posterior.toy.v_x.upper": 6.0,
        "posterior.toy.v_x.lower_error": 2.25,
        "posterior.toy.v_x.upper_error": 2.75,
        "posterior.toy.v_x.prior_lower": -9.5,
        "posterior.toy.v_x.prior_upper": 12.25,
    }
    kinds = [section["kind"] for section in document["sections"]]
    assert kinds == ["text", "warning", "table", "figure", "draws"]
    assert found.section("profile")["rows"] == [["north", 1.5, 3], ["south", -2.0, 4]]
    files = [name for section in found.sections for name in section["files"]]
    drawn = {".png", ".pdf"}  # these are the page's
    assert all(
        (found.folder / name).is_file() for name in files if name[-4:] not in drawn
    )
    assert document["ended"] >= document["began"]


def test_tables_and_draws_keep_their_units(tmp_path, write):
    found = write(tmp_path)
    table = QTable.read(found.folder / "profile.ecsv", format="ascii.ecsv")
    assert table["v"].unit == "km / s"
    draws = pq.read_table(found.folder / "draws.toy.parquet")
    assert draws.schema.field("v_x").metadata[b"unit"] == b"km / s"
    np.testing.assert_array_equal(draws["mass"], [1.0, 3.0, 5.0])
    run = json.loads(draws.schema.metadata[b"orrery"])["run"]
    assert run == found.document["run"] == found.folder.parent.name


def test_the_same_options_find_the_same_run_and_never_its_old_attempts(
    tmp_path, write, choices
):
    first = write(tmp_path)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    second = write(tmp_path)
    assert second.folder != first.folder
    assert second.folder.parent == first.folder.parent
    assert {p.name: p.read_bytes() for p in first.folder.iterdir()} == before
    assert write(tmp_path, choices(seed=2)).folder.parent != first.folder.parent


def test_versions_of_components_are_told_and_make_no_other_run(tmp_path, choices):
    for version in (1, 2):
        with record("toy", choices(), tmp_path, {"judging": version}) as recording:
            pass
        versions = recording.result.document["versions"]
        assert versions["judging"] == version
        assert versions["python"]
    assert recording.run.attempt == 2


def test_versions_of_summaries_are_told_and_make_another_run(tmp_path, choices):
    for version in (1, 2):
        summaries = {"moments": version}
        with record("toy", choices(), tmp_path, summaries=summaries) as recording:
            pass
        assert recording.result.document["versions"]["moments"] == version
    assert recording.run.attempt == 1


def test_the_answer_is_the_newest_finished_attempt(tmp_path, write):
    def fail(recording):
        raise RuntimeError("too early")

    first = write(tmp_path)
    second = write(tmp_path)
    with pytest.raises(RuntimeError, match="too early"):
        write(tmp_path, body=fail)
    shared = first.folder.parent
    assert len(attempts(shared)) == 3
    assert Result.open(shared).folder == second.folder
    assert [one.status for one in result.all_results(tmp_path)] == [
        "finished",
        "finished",
        "failed",
    ]


def test_a_run_that_fails_says_why_and_keeps_what_there_was(tmp_path, write):
    def body(recording):
        recording.metrics({"a": 1})
        raise RuntimeError("the disc is <full>")

    with pytest.raises(RuntimeError, match="the disc is"):
        write(tmp_path, body=body)
    (found,) = result.all_results(tmp_path)
    assert found.status == "failed"
    assert "RuntimeError: the disc is <full>" in found.document["reason"]
    assert found.metrics == {"a": 1}
    assert not [p for p in found.folder.iterdir() if p.name.endswith(".tmp")]


def test_an_interrupted_run_has_failed(tmp_path, write):
    def body(recording):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, body=body)
    assert result.all_results(tmp_path)[0].status == "failed"


def test_a_terminated_run_says_so_whatever_a_library_made_of_the_signal(
    tmp_path, write
):
    def body(recording):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt  # as Ray does while it waits

    with pytest.raises(Terminated), terminable():
        write(tmp_path, body=body)
    (found,) = result.all_results(tmp_path)
    assert found.document["reason"].rstrip().endswith("Terminated: by SIGTERM")


KILLED_PROGRAM = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
from orrery.results.recording import record

@dataclass(frozen=True)
class Choices:
    seed: int = 1

with record("toy", Choices(), Path(sys.argv[1])) as recording:
    recording.metrics({"a": 1})
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_killed_run_is_failed_when_it_is_next_looked_at(tmp_path):
    command = [sys.executable, "-c", KILLED_PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "ready\n"
        (running,) = result.all_results(tmp_path)
        assert running.status == "running"
        program.send_signal(signal.SIGKILL)
        program.wait()
    (found,) = result.all_results(tmp_path)
    assert found.status == "failed"
    assert found.document["reason"] == KILLED
    assert found.metrics == {"a": 1}
    on_disk = parsed((found.folder / "run.json").read_bytes())
    assert on_disk == found.document


def test_readers_are_told_in_order_what_is_on_the_disk(tmp_path, write):
    told = []

    class Listener:
        def opened(self, run):
            self.folder = run.folder
            told.append("opened")

        def section(self, section):
            document = json.loads((self.folder / "run.json").read_text())
            assert document["sections"][-1]["key"] == section.key
            told.append(section.key)

        def metrics(self, numbers):
            told.append(tuple(numbers))

        def epoch(self, estimator, epoch, losses):
            told.append((estimator, epoch))

        def closed(self, found):
            told.append(found.status)

    with read_by(Listener()):
        write(tmp_path)
    assert told[0] == "opened"
    assert told[1] == ("flow", 0)
    assert told[-1] == "finished"
    assert told[-2] == "draws.toy"
    before = len(told)
    write(tmp_path)  # nobody reads any more
    assert len(told) == before


def test_numbers_that_are_not_finite_are_kept_as_text(tmp_path, write):
    found = write(tmp_path, body=lambda r: r.metrics({"p": np.nan, "atc": -np.inf}))
    assert found.metrics == {"p": "nan", "atc": "-inf"}


@pytest.mark.parametrize("first", [1.5, float("nan"), "halo"])
def test_a_metric_is_never_overwritten_by_another_value(tmp_path, write, first):
    def body(recording):
        recording.metrics({"rmse.25.all": first, "a": 1})
        recording.metrics({"b": 2, "rmse.25.all": first})  # the same says nothing new
        recording.metrics({"c": 3, "rmse.25.all": 2.5})

    with pytest.raises(ValueError, match=r"'rmse\.25\.all'.*different keys"):
        write(tmp_path, body=body)
    (found,) = result.all_results(tmp_path)
    kept = first if first == first else "nan"
    assert found.metrics == {"rmse.25.all": kept, "a": 1, "b": 2}


def test_two_answers_with_one_key_are_refused(tmp_path, write):
    one = Answer("posterior.toy.v_x", "toy", "v_x", "km / s", 3.25, 1.0, 6.0)
    other = replace(one, data="others", median=4.0)
    with pytest.raises(ValueError, match=r"'posterior\.toy\.v_x' among its answers"):
        write(tmp_path, body=lambda recording: recording.answers([one, other]))
    (found,) = result.all_results(tmp_path)
    assert [answer["data"] for answer in found.document["answers"]] == ["toy"]
    assert found.metrics == one.metrics


def test_an_answer_and_its_numbers_are_written_at_once(tmp_path, choices, monkeypatch):
    written = []
    write = recording_module.write_document

    def spy(path, document):
        written.append(document)
        write(path, document)

    class Listener:
        def metrics(self, numbers):
            assert written[-1]["metrics"].items() >= numbers.items()
            told.append(numbers)

        def __getattr__(self, name):
            return lambda *anything: None

    told = []
    answers = [Answer(f"posterior.{q}", "toy", q, "", 2.0, 1.0, 3.0) for q in "ab"]
    with read_by(Listener()), record("toy", choices(), tmp_path) as recording:
        monkeypatch.setattr(recording_module, "write_document", spy)
        recording.answers(answers)
        assert len(written) == len(answers)
    assert told == [answer.metrics for answer in answers]
    for count, document in enumerate(written[:2], start=1):
        assert len(document["answers"]) == count
        assert len(document["metrics"]) == len(answers[0].metrics) * count


def test_two_parts_cannot_share_a_key(tmp_path, write):
    def body(recording):
        draws = np.zeros((1, 1))
        recording.add(DrawsSection("draws", "Draws", ("a",), ("",), draws))
        recording.add(DrawsSection("draws", "Others", ("a",), ("",), draws + 1))

    with pytest.raises(ValueError, match="two parts with the key 'draws'"):
        write(tmp_path, body=body)
    (path,) = tmp_path.rglob("draws.parquet")
    assert pq.read_table(path)["a"].to_pylist() == [0.0]


@pytest.mark.parametrize(("names", "units"), [(("a",), ("", "")), (("a", "b"), ("",))])
def test_draws_need_names_and_units(names, units):
    with pytest.raises(ValueError, match="one of each for every column"):
        DrawsSection("draws", "Draws", names, units, np.zeros((3, 2)))


def test_epochs_are_on_the_disk_as_they_come(tmp_path, choices):
    with record("toy", choices(), tmp_path) as recording:
        recording.epoch("flow", 0, {"train": 2.0})
        path = recording.run.folder / "epochs.jsonl"
        (line,) = path.read_text().splitlines()
    assert parsed(line.encode()) == {"estimator": "flow", "epoch": 0, "train": 2.0}


def test_the_second_of_two_drivers_of_a_run_is_refused_and_leaves_no_attempt(
    tmp_path, choices
):
    with record("toy", choices(), tmp_path) as one:
        one.add(Text("a", "A", "one"))
        with (
            pytest.raises(BlockingIOError, match="wait until it has finished, or stop"),
            record("toy", choices(), tmp_path),
        ):
            raise AssertionError("both are at it")
        with record("other", choices(), tmp_path) as other:
            other.add(Text("a", "A", "other"))
    with record("toy", choices(), tmp_path) as next_one:
        next_one.add(Text("a", "A", "later"))
    texts = [found.section("a")["text"] for found in result.all_results(tmp_path)]
    assert texts == ["other", "one", "later"]


@pytest.mark.parametrize("content", ["", "[]", '{"status": "finished"}'])
def test_a_damaged_document_is_refused_by_name(tmp_path, write, content):
    found = write(tmp_path)
    (found.folder / "run.json").write_text(content)
    with pytest.raises(
        ValueError, match=r"run\.json is (damaged|no document of a run)"
    ):
        Result.open(found.folder)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run in"):
        Result.open(tmp_path)
    assert result.all_results(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", '{"status": "finished", "options": {}, "sections": []}'],
)
def test_a_damaged_attempt_hides_no_whole_one(tmp_path, write, content):
    whole = write(tmp_path)
    damaged = write(tmp_path)
    (damaged.folder / "run.json").write_text(content)
    assert Result.open(whole.folder.parent).folder == whole.folder
    listed = result.all_results(tmp_path)
    assert [one.status for one in listed] == ["finished", "damaged"]
    assert "damaged" in listed[1].document["reason"]


def test_a_copy_put_aside_is_no_attempt(tmp_path, write):
    first = write(tmp_path)
    shutil.copytree(first.folder, first.folder.with_name("attempt-001.bak"))
    assert write(tmp_path).folder.name == "attempt-002"
    assert len(result.all_results(tmp_path)) == 2


def lose(recording):
    raise ValueError("file caf\udce9.csv is bad")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda r: r.lineage("datasets", {"seed": object()}), "no plain JSON form"),
        (lambda r: r.add(Text("a/b", "A", "text")), "names files"),
        (lose, r"caf\udce9.csv"),
    ],
    ids=["no JSON", "no file name", "no text"],
)
def test_what_cannot_be_written_is_the_reason_that_is_kept(
    tmp_path, write, body, reason
):
    def both(recording):
        recording.metrics({"a": 1})
        body(recording)

    with pytest.raises(ValueError):  # noqa: PT011
        write(tmp_path, body=both)
    (found,) = result.all_results(tmp_path)
    assert found.status == "failed"
    assert reason in found.document["reason"]
    assert found.metrics == {"a": 1}


def test_a_run_elsewhere_is_not_judged_from_here(tmp_path, write):
    found = write(tmp_path)
    path = found.folder / "run.json"
    (found.folder / LOCK).unlink()  # a copy of the folder may lack it
    for host, process, status in (
        ("another", 1, "running"),
        (socket.gethostname(), os.getppid(), "running"),
        (socket.gethostname(), 2**22 + 1, "failed"),  # no process has such a number
        (socket.gethostname(), 10**30, "failed"),
        (socket.gethostname(), 0, "failed"),
        (socket.gethostname(), -1, "failed"),
    ):
        said = {"status": "running", "host": host, "process": process}
        path.write_text(json.dumps(found.document | said))
        assert Result.open(found.folder).status == status
