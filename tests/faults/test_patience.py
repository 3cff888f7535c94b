"""A process that waits for a processor is slow, and one that only waits for itself hangs."""

import re
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places(load_script):
    return load_script("faults/places")


def started(places, text):
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env=places.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


HANGS = """
import sys, threading
def forgotten():
    threading.Event().wait()
print("the end is near", file=sys.stderr, flush=True)
forgotten()
"""


def test_who_hangs_is_ended_and_it_is_told_where(places, monkeypatch):
    monkeypatch.setattr(places, "LOOK", 0.3)
    process = started(places, HANGS)
    status, told = places.finish(process, longest=3.0)
    assert status == places.HUNG
    assert told.startswith("the end is near")
    last = told.splitlines()[-1]
    assert re.match(r"hung: \d of \d+ s without an end, in File .* in forgotten", last)
    assert process.returncode is not None


def test_who_waits_for_a_processor_is_given_the_time(places, monkeypatch):
    monkeypatch.setattr(places, "LOOK", 0.1)
    # all the time, as far as the system tells
    monkeypatch.setattr(places, "waited", lambda process: time.monotonic())
    process = started(places, "import time; time.sleep(2)")
    assert places.finish(process, longest=0.5) == (0, "")


def test_but_not_for_ever(places, monkeypatch):
    monkeypatch.setattr(places, "LOOK", 0.1)
    monkeypatch.setattr(places, "waited", lambda process: time.monotonic())
    process = started(places, "import time; time.sleep(60)")
    assert places.finish(process, longest=0.1)[0] == places.HUNG


def test_time_in_which_nobody_looked_is_not_counted(places, monkeypatch):
    monkeypatch.setattr(places, "LOOK", 0.1)
    process = started(places, "import time; time.sleep(60)")
    patience = places.Patience(process, longest=0.5)
    time.sleep(1.0)  # both were stopped
    assert not patience.is_over
    assert patience.spent < 0.3
    process.kill()
    process.communicate()


def test_a_moment_is_awaited_until_it_comes_or_cannot(places, monkeypatch, tmp_path):
    monkeypatch.setattr(places, "LOOK", 0.1)
    text = f"import time; time.sleep(0.3); open({str(tmp_path / 'come')!r}, 'w'); time.sleep(60)"
    process = started(places, text)
    places.await_moment(process, (tmp_path / "come").exists)
    assert (tmp_path / "come").exists()
    assert process.poll() is None
    places.await_moment(process, lambda: False, longest=0.5)  # it hangs
    assert process.poll() is None
    process.kill()
    places.await_moment(process, lambda: False)
    assert process.poll() is not None
    process.communicate()


def test_waiting_is_that_of_all_that_was_started(places):
    busy = "all(iter(lambda: True, False))"
    child = f"subprocess.Popen([sys.executable, '-c', {busy!r}])"
    one = "os.sched_setaffinity(0, [*os.sched_getaffinity(0)][:1])"
    text = f"import os, subprocess, sys; {one}; {child}; {child}; os.wait()"
    parent = started(places, text)  # which itself needs no processor
    before = time.monotonic()
    while places.waited(parent.pid) < 0.05:
        assert time.monotonic() < before + 60.0
        time.sleep(0.05)
    places.os.killpg(parent.pid, places.signal.SIGKILL)
    parent.communicate()


def test_toys_end_with_whoever_started_them(places, monkeypatch, tmp_path):
    toy = tmp_path / "toy.py"
    toy.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(places, "TOY", toy)
    monkeypatch.setattr(places, "TOYS", places.Toys())
    started = []

    def interrupted():
        with places.toys_that_end():
            started.append(places.start(tmp_path))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    started.append(places.start(tmp_path))  # too late
    for process in started:
        process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL


def test_what_ends_while_it_is_looked_at_is_no_error(places, tmp_path):
    assert places.listed(tmp_path / "gone") == []
    assert places.listed(tmp_path) == []
