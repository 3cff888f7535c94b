"""A wandb that never answers, or would end Python, costs a run a moment and its copy."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import pytest
from wandb.sdk.lib.service.service_connection import ServiceConnection

from orrery.results.dashboard import calls as module
from orrery.results.dashboard import mirror
from orrery.results.dashboard.calls import Calls
from orrery.results.dashboard.connection import loaded
from orrery.results.dashboard.mirror import Heading, Mirror

# a process of its own: what waits at the exit of Python is seen there only
SCRIPT = """
import os, signal, sys
from pathlib import Path
from orrery.results.dashboard import calls, mirror
from orrery.results.dashboard.mirror import Heading, Mirror
where, folder = sys.argv[1], Path(sys.argv[2])
def begin(name):
    return Mirror.begin(Heading(folder, name, "a", "a", "trial", {}))
def freeze():
    import wandb
    mirror.START = 1.0  # nothing comes back; what does come back has its time
    calls._LEAVING = 1.0
    service = wandb.setup().ensure_service()._proc._process
    os.kill(service.pid, signal.SIGSTOP)
    print("frozen", service.pid, flush=True)
def kill():
    import wandb
    service = wandb.setup().ensure_service()._proc._process
    service.kill()
    service.wait()
def killed(load=mirror.connection.loaded):
    wandb = load()
    kill()
    return wandb
if where == "killed before it begins":
    mirror.connection.loaded = killed
    try:
        begin("one")
    except Exception as problem:
        sys.exit(print("lost", type(problem)))
one = begin("one")
if where == "never closed":
    freeze()
    import wandb
    sent = wandb.setup().ensure_service()._client._writer.transport
    # as few as nobody waits for before the end
    while not sent.get_write_buffer_size():
        one.row({"word" * 500: 1.0})
    sys.exit()
if where == "init":
    freeze()
    try:
        begin("two")
    except Exception as problem:
        print("lost", problem)
elif where == "log":
    freeze()
    for place in range(400):
        one.row({"word" * 500: place})
one.row({"a": 1.0})
if where == "finish":
    freeze()
if where == "kill":
    kill()
one.close(failed=False)
if where == "exit":
    freeze()
if where in ("kill", "exit"):
    sys.exit()
print("lost", *dict.fromkeys(one.lost))
mirror.START = 30.0
three = begin("three")
three.close(failed=False)
print("after", three.lost)
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["init", "log", "finish"])
def test_a_frozen_wandb_keeps_no_process_from_ending(offline, tmp_path, where):
    command = [sys.executable, "-c", SCRIPT, where, str(tmp_path)]
    try:
        done = subprocess.run(command, timeout=40, capture_output=True, check=True)
    except subprocess.TimeoutExpired as late:
        os.kill(int(late.output.split()[1]), signal.SIGKILL)  # it would stay for ever
        raise
    told = done.stderr.decode().splitlines()
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("frozen")
    assert "end" in lines[-2].split()
    assert lines[-1] == "after []"  # the next copy has another process
    assert len([line for line in told if "Biases took no" in line]) == 1
    assert not [line for line in told if "Traceback" in line]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["exit", "never closed"])
def test_a_wandb_that_does_not_end_keeps_no_process_from_ending(
    offline, tmp_path, where
):
    """Such as one that has not heard that it shall end, or takes nothing any more."""
    command = [sys.executable, "-c", SCRIPT, where, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        _, service = process.stdout.readline().split()
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
            with suppress(ProcessLookupError):
                os.kill(int(service), signal.SIGKILL)  # it would stay for ever


def test_wandbs_own_process_is_killed_once_it_does_not_end(monkeypatch):
    monkeypatch.setattr(module, "_LEAVING", 0.05)
    teardown = module._Limited(lambda connection, code: connection._proc.join())
    with subprocess.Popen(["sleep", "3600"]) as process:
        assert teardown(connected(process), 0) == -signal.SIGKILL
    with subprocess.Popen(["false"]) as process:
        assert teardown(connected(process), 0) == 1
    assert teardown(SimpleNamespace(_proc=SimpleNamespace(join=lambda: 2)), 0) == 2


def test_a_lost_connection_counts_only_where_its_process_lives(monkeypatch):
    monkeypatch.setattr(module, "_LEAVING", 0.05)

    def broken(connection, code):
        if code:
            connection._proc.join()
        raise ConnectionResetError("the other end is gone")

    teardown = module._Limited(broken)
    with subprocess.Popen(["false"]) as process:
        assert teardown(connected(process), 1) == 1
    with (
        subprocess.Popen(["sleep", "3600"]) as process,
        pytest.raises(ConnectionResetError),
    ):
        teardown(connected(process), 0)


def connected(process):
    """Returns what a connection of wandb's knows of its process."""
    own = SimpleNamespace(_process=process, join=process.wait)
    return SimpleNamespace(_proc=own)


@pytest.mark.slow
def test_wandb_has_the_teardown_that_is_limited():
    """Once only, however often a copy begins."""
    loaded()
    limited = ServiceConnection.__dict__["teardown"]
    assert isinstance(limited, module._Limited)
    loaded()
    assert ServiceConnection.__dict__["teardown"] is limited


@pytest.mark.slow
def test_a_killed_wandb_leaves_no_traceback_at_the_end(offline, tmp_path):
    command = [sys.executable, "-c", SCRIPT, "kill", str(tmp_path)]
    done = subprocess.run(command, timeout=40, capture_output=True, check=True)
    (told,) = done.stderr.decode().splitlines()
    assert "Biases took no end" in told


@pytest.mark.slow
def test_one_that_is_killed_before_a_copy_begins_leaves_none_either(offline, tmp_path):
    command = [sys.executable, "-c", SCRIPT, "killed before it begins", str(tmp_path)]
    done = subprocess.run(command, timeout=40, capture_output=True, check=True)
    assert done.stdout.startswith(b"lost")
    assert done.stderr == b""


def test_nothing_is_asked_after_what_did_not_come_back():
    """It is refused at once: one that waited would go on until the test's own limit."""
    calls, over, asked = Calls(), threading.Event(), []
    with pytest.raises(TimeoutError, match="has not answered"):
        calls.ask(over.wait, 0.01)
    with pytest.raises(TimeoutError, match="has not answered"):
        calls.ask(lambda: asked.append(True), 3600.0)
    over.set()
    assert not asked


def test_after_two_beginnings_without_an_answer_none_is_waited_for():
    beginnings, begun = module.Beginnings(), []

    def begin(problem=None):
        with beginnings.one():
            begun.append(problem)
            if problem:
                raise problem

    late, wrong = TimeoutError("late"), ValueError("wrong")
    for problem in (late, None, late, wrong, late):
        with pytest.raises(type(problem)) if problem else nullcontext():
            begin(problem)
    with pytest.raises(TimeoutError, match="late"):
        begin()
    assert begun == [late, None, late, wrong, late]


@pytest.mark.slow
def test_a_copy_is_not_waited_for_once_two_had_no_answer(
    offline, tmp_path, monkeypatch
):
    asked = []

    def frozen():
        asked.append(True)
        raise TimeoutError("wandb has not answered within 60 s")

    monkeypatch.setattr(mirror.connection, "loaded", frozen)
    monkeypatch.setattr(mirror, "_BEGINNINGS", module.Beginnings())
    for name in ("one", "two", "three"):
        with pytest.raises(TimeoutError, match="within 60 s"):
            Mirror.begin(Heading(tmp_path, name, "a", "a", "trial", {}))
    assert len(asked) == 2


@pytest.fixture
def ctrl_c_interrupts():
    """Sees to it that Ctrl-C is no other's, such as a library's that a test has used."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_wait_leaves_no_service_behind(monkeypatch, ctrl_c_interrupts):
    ended = []
    monkeypatch.setattr(module, "end_service", lambda: ended.append(True))
    calls, over = Calls(), threading.Event()
    here = threading.get_ident()

    def call():
        # once this is at work the other thread has nothing left but to wait
        ctrl_c = threading.Timer(0.2, signal.pthread_kill, [here, signal.SIGINT])
        ctrl_c.start()
        over.wait(60.0)

    with pytest.raises(KeyboardInterrupt):
        calls.ask(call, 60.0)
    assert ended
    with pytest.raises(TimeoutError, match="nobody waits"):
        calls.ask(lambda: None, 60.0)
    over.set()
    calls.end()


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (SystemExit, RuntimeError),
        (GeneratorExit, RuntimeError),
        (KeyboardInterrupt, KeyboardInterrupt),
        (ConnectionError, ConnectionError),
    ],
)
def test_only_ctrl_c_ends_the_run(raised, seen):
    def call():
        raise raised("wandb ends the process")

    calls = Calls()
    with pytest.raises(seen, match="wandb ends the process"):
        calls.ask(call, 1.0)
    assert calls.ask(lambda: 3, 1.0) == 3
    calls.end()
