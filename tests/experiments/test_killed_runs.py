"""A run that is killed in its training says so, harms nothing, and is finished by the next."""

import json
import shutil
import time

import pyarrow.parquet as pq
import pytest

from orrery import __main__ as commands
from orrery.results.result import KILLED, Result
from orrery.storage.run import attempts

LONGEST = 240.0  # [s] until the training must have begun


def kill_in_training(process, shared, attempt):
    """Kills a run when some epochs of its training are on the disk."""
    epochs = shared / f"attempt-{attempt:03d}" / "epochs.jsonl"
    deadline = time.monotonic() + LONGEST
    while not epochs.exists() or len(epochs.read_text().splitlines()) < 12:
        assert process.is_alive(), "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the training has not begun"
        time.sleep(0.05)
    process.kill()
    process.join()


@pytest.mark.slow
def test_a_killed_run_is_told_and_finished_by_the_next(
    experiments, toy, place, run, page, forked, capsys
):
    options = (*toy, "--max-epochs", "60", "--patience", "60")
    first = page(run(experiments["desi"], *options, place=place, sketched=True)).parent
    whole = {path.name: path.read_bytes() for path in first.iterdir()}
    draws = pq.read_table(first / "draws.desi.v_gsr.parquet")
    shared = first.parent
    shutil.rmtree(shared / "posteriors")  # as for other code: it must be trained anew

    process = forked(run, experiments["desi"], *options, place=place, sketched=True)
    kill_in_training(process, shared, 2)
    second = shared / "attempt-002"
    assert json.loads((second / "run.json").read_text())["status"] == "running"
    assert commands.main(["runs", str(place / "runs")]) == 0
    capsys.readouterr()
    document = json.loads((second / "run.json").read_text())
    assert (document["status"], document["reason"]) == ("failed", KILLED)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == whole
    assert Result.open(shared).folder == first

    # the folder's answer is the finished attempt's, and so are its options
    given = ("--options", shared)
    result = run(experiments["desi"], *given, place=place, sketched=True)
    third = page(result).parent
    assert [path.name for path in attempts(shared)][-1] == third.name == "attempt-003"
    assert pq.read_table(third / "draws.desi.v_gsr.parquet").equals(draws)
    first_line = (third / "epochs.jsonl").read_text().splitlines()[0]
    assert json.loads(first_line)["epoch"] > 0, (
        "the training went on from its last checkpoint"
    )
    assert Result.open(shared).folder == third
