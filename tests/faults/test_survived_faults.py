"""A study that is killed, starved or crowded ends with the bytes of one that nothing disturbed.

In short: without training and Ray, in forks of this process. All of it, in programs of
their own: python tests/faults/survive_faults.py
"""

import importlib
import os
import resource
import signal
import sys
import time

import pytest

from orrery import runs

LONGEST = 60.0  # [s]
OPTIONS = ("--members", "0", "--without-ray", "--folder")


@pytest.fixture(scope="module")
def outcome(load_script):
    return load_script("faults/outcome")


@pytest.fixture(scope="module")
def start(load_script):
    """Forks a process that runs the toy, and returns a function that awaits its end."""
    toy = load_script("faults/toy_study")
    for name in (
        "page",
        "console",
        "recording",
        "dashboard.reader",
        "dashboard.trials",
    ):
        importlib.import_module(f"orrery.results.{name}")  # once, for all forks

    def begin(folder, *options, largest=None):
        # no file: a disk that takes no more takes no words either
        ours, theirs = os.pipe()
        process = os.fork()
        if process == 0:
            _become(toy, [*OPTIONS, str(folder), *options], theirs, largest)
        os.close(theirs)

        def end():
            with open(ours) as words:
                told = words.read()
            _, status = os.waitpid(process, 0)
            return os.waitstatus_to_exitcode(status), told

        return process, end

    return begin


def _become(toy, arguments, words, largest):
    """Makes this process the toy's, which never comes back."""
    status = 70
    try:
        os.dup2(words, 1)
        os.dup2(words, 2)
        os.close(words)
        sys.stdout = open(1, "w")  # noqa: SIM115
        sys.stderr = open(2, "w")  # noqa: SIM115
        os.environ["WANDB_MODE"] = "disabled"
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        runs.main(toy.study, toy.Toy, arguments)
        status = 0
    except SystemExit as end:
        status = end.code
    finally:
        sys.stderr.flush()
        os._exit(status)


@pytest.fixture(scope="module")
def undisturbed(start, outcome, tmp_path_factory):
    """The bytes of a toy that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    _, end = start(folder)
    status, told = end()
    assert status == 0, told
    found = outcome.fingerprints(folder)
    assert len(found) == 12 + 2 + 2  # shards, two documents, what was found
    return found


def shards(folder, count):
    """Waits until a toy has made so many shards."""
    deadline = time.monotonic() + LONGEST
    while len(list(folder.glob("datasets/*/shards/*.arrow"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finish(start, outcome, folder, undisturbed):
    _, end = start(folder)
    status, told = end()
    assert status == 0, told
    assert outcome.fingerprints(folder) == undisturbed
    assert outcome.leftovers(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status", "word"),
    [
        (signal.SIGKILL, -signal.SIGKILL, ""),
        (signal.SIGTERM, 143, "terminated: the same command continues"),
        (signal.SIGINT, 130, "interrupted: the same command continues"),
    ],
)
def test_a_driver_that_a_signal_ends(
    tmp_path, start, outcome, undisturbed, number, status, word
):
    process, end = start(tmp_path, "--pause", "0.03")
    shards(tmp_path, 2)
    os.kill(process, number)
    ended, told = end()
    assert ended == status, told
    assert word in told
    assert "Traceback" not in told
    finish(start, outcome, tmp_path, undisturbed)


@pytest.mark.slow
def test_of_two_drivers_of_a_run_the_second_is_refused(
    tmp_path, start, outcome, undisturbed
):
    ends = [start(tmp_path, "--pause", "0.03")[1] for _ in range(2)]
    (done, _), (refused, told) = sorted(end() for end in ends)
    assert (done, refused) == (0, 1)
    assert "is being written by process" in told
    assert "wait until it has finished" in told
    finish(start, outcome, tmp_path, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("largest", [0, 1000, 6000])
def test_a_disk_that_takes_no_more(tmp_path, start, outcome, undisturbed, largest):
    _, end = start(tmp_path, largest=largest)
    status, told = end()
    assert outcome.unclear(status, told) == ""
    assert "cannot write" in told
    finish(start, outcome, tmp_path, undisturbed)


@pytest.mark.slow
def test_a_folder_of_another_name(tmp_path, start, outcome, undisturbed):
    place = tmp_path / "Träume \N{MILKY WAY} und 'Maße'" / ("lang" * 40)
    place.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(place)
    finish(start, outcome, link, undisturbed)
    finish(start, outcome, place, undisturbed)
