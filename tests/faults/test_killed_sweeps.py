"""A sweep whose driver is killed ends with all its trials, and computes none of them twice.

The same at ten moments, for which there is no time here:
python tests/faults/kill_sweeps.py --kills 10 --concurrent 2
"""

import signal
import sys
import time
from pathlib import Path

import pytest
import ray

from orrery.sweeps.trial import read_trials

HERE = ("--without-ray", "--pause", 0.005)


@pytest.fixture(scope="module")
def kill_sweeps(load_script):
    """The module that starts and kills drivers."""
    return load_script("faults/kill_sweeps")


def check(found):
    assert found["code"] == 0, found["errors"]
    assert all(found["alive"]), "it ended before it was killed"
    assert found["states"] == ["finished"]
    assert (found["trials"], found["distinct"]) == (24, 24)
    assert (found["changed"], found["repeated"]) == ([], 0)


@pytest.mark.slow
def test_a_driver_killed_twice_and_its_newest_file_torn(tmp_path, kill_sweeps):
    found = kill_sweeps.survive(tmp_path, 1, [(4, 0.05), (12, 0.0)], True, HERE)
    check(found)
    assert len(found["torn"]) == 1
    # what a kill or a torn file cost is one trial
    assert found["computed"] <= 24 + 3


@pytest.mark.slow
def test_a_driver_killed_between_the_last_report_and_the_end(tmp_path, kill_sweeps):
    process = kill_sweeps.start(tmp_path, 1, *HERE, "--hold", 6)
    while len(kill_sweeps.ended(tmp_path)) < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)  # it sleeps before it returns
    process.communicate()
    *before, last = read_trials(kill_sweeps.sweep_folder(tmp_path))
    assert (last.number, last.state) == (5, "interrupted")
    assert {trial.state for trial in before} == {"finished"}
    check(kill_sweeps.survive(tmp_path, 1, [], False, HERE))
    # exactly that one was computed again
    assert len(kill_sweeps.ended(tmp_path)) == 25
    assert kill_sweeps.ended(tmp_path).count(repr(last.point["rate"])) == 2


@pytest.mark.slow
def test_an_interrupted_driver_ends_in_order(tmp_path, kill_sweeps):
    process = kill_sweeps.start(tmp_path, 1, *HERE, "--hold", 3)
    while len(kill_sweeps.ended(tmp_path)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = " ".join(process.communicate(timeout=60)[1].decode().split())
    trials = read_trials(kill_sweeps.sweep_folder(tmp_path))
    assert [trial.state for trial in trials] == ["finished"] * 2 + ["interrupted"]
    assert trials[-1].reason == "the user interrupted the sweep"
    assert "2 of 24 trials are kept" in told
    assert f"this goes on: {sys.executable}" in told


@pytest.fixture
def joining(connected, monkeypatch):
    """Lets processes that a test starts join the shared Ray session, as a cluster.

    A session of their own would take each of them seconds.
    """
    # its sockets lie in a folder of the session's, in Ray's, beside the token
    (node,) = ray.nodes()
    token = Path(node["ObjectStoreSocketName"]).parents[3] / "auth_token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    monkeypatch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)


@pytest.fixture
def finish_here(load_script, connected, joining):
    """Ends a sweep in this process, with the Ray that tests share, as drivers do."""
    toy = load_script("faults/toy_sweep")
    ray.cloudpickle.register_pickle_by_value(toy)

    def finish(folder, concurrent):
        words = (folder, "--trials", 24, "--concurrent", concurrent)
        toy.main(list(map(str, words)))
        return 0, ""

    yield finish
    ray.cloudpickle.unregister_pickle_by_value(toy)


@pytest.mark.slow  # the driver that is killed starts processes of Ray
def test_a_driver_of_two_at_a_time_killed_and_its_newest_file_torn(
    tmp_path, kill_sweeps, finish_here
):
    kills = [(9, 0.05)]
    check(kill_sweeps.survive(tmp_path, 2, kills, torn=True, finish=finish_here))
