"""A bucket's folder has one writer at a time, and a dead one keeps nobody away for long."""

import threading
import time
from contextlib import contextmanager

import pytest

from orrery.storage import lease
from orrery.storage.files import locked
from orrery.storage.lease import Lease


@contextmanager
def died(folder):
    """Holds a lease as a process does that died: it is not renewed and not released."""
    lease._acquired(folder / ".lock", "", print)
    yield


def wait_until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_a_held_folder_is_refused_until_it_is_released(bucket, monkeypatch):
    refused = (
        r"is being written by process \d+ on .* since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        r"\+00:00: wait until it has finished, or stop it, .* or choose a palace"
    )
    with locked(bucket):
        for _ in range(2):  # a refusal does not release what another holds
            with (
                pytest.raises(BlockingIOError, match=refused),
                locked(bucket, "a palace"),
            ):
                pass
    with pytest.raises(KeyError), locked(bucket):
        raise KeyError
    monkeypatch.delattr(lease, "_await_end")  # nobody is waited for
    with locked(bucket) as check:
        check()


@pytest.mark.slow
def test_a_lease_that_is_not_renewed_is_taken_over(bucket):
    said = []
    with died(bucket), locked(bucket, tell=said.append) as check:
        check()
    (sentence,) = said
    assert f"{bucket} was being written by process" in sentence


def test_two_who_wait_for_the_same_dead_one_are_not_both_let_in(bucket, monkeypatch):
    wait, others = lease._await_end, []

    def taken_in_the_last_moment(place, found, instead, tell):
        if others:
            return wait(place, found, instead, tell)
        version = place.put_if(b"another", found.version)
        others.append(Lease(place, b"another", version))
        return others[0].start()

    monkeypatch.setattr(lease, "_await_end", taken_in_the_last_moment)
    with died(bucket):
        with (
            pytest.raises(BlockingIOError, match="is being written by"),
            locked(bucket),
        ):
            pass
        others[0].release()


def test_who_was_away_too_long_is_told(bucket, monkeypatch):
    with locked(bucket) as check:
        check()
        place = bucket / ".lock"
        # as if this process had been stopped, and another had waited long enough
        place.put(b"another")
        wait_until(lambda: raises(check))
        with pytest.raises(BlockingIOError, match=r"was taken over by another process"):
            check()
    assert place.read_bytes() == b"another"  # and is not thrown out


@pytest.mark.slow
def test_a_renewal_that_is_never_answered_costs_the_lease(bucket, monkeypatch):
    put, answered = Lease._renew, threading.Event()

    def renew(held):
        answered.wait(60)
        put(held)

    monkeypatch.setattr(Lease, "_renew", renew)
    monkeypatch.setenv("ORRERY_STORE_PATIENCE", "0.1")
    with locked(bucket) as check:
        check()
        wait_until(lambda: raises(check))
        answered.set()


def test_who_was_stopped_for_long_keeps_a_lease_that_nobody_took(bucket):
    with locked(bucket) as check:
        held = check.__self__
        held.renewed -= 2 * lease.LEASE  # as if this process had not run meanwhile
        check()


def raises(check):
    try:
        check()
    except BlockingIOError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("problem", [ConnectionError, RuntimeError])
def test_a_network_that_comes_back_in_time_costs_no_lease(bucket, monkeypatch, problem):
    put, failures = Lease._renew, []

    def unreachable(address, content, version, patient):
        raise problem("no network")

    def renew(held):
        if len(failures) < 2:
            failures.append(held)
            with monkeypatch.context() as cut:
                cut.setattr(type(held.place), "put_if", unreachable)
                put(held)
        else:
            put(held)

    monkeypatch.setattr(Lease, "_renew", renew)
    with locked(bucket) as check:
        first = (bucket / ".lock").read_bytes()
        wait_until(lambda: (bucket / ".lock").read_bytes() != first)
        check()
    assert len(failures) == 2
