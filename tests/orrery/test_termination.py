"""A signal ends a program as an interruption, whatever was made of it on its way."""

import signal
from contextlib import suppress
from threading import Thread

import pytest

from orrery.termination import Terminated, kept_handler, terminable

SIGNALS = {signal.SIGTERM: Terminated, signal.SIGINT: KeyboardInterrupt}


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.fixture(autouse=True)
def same_handlers():
    before = handlers()
    yield
    assert handlers() == before


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("error", [ImportError, RuntimeError, SystemExit, ValueError])
def test_an_interruption_of_which_a_library_makes_another_error_is_one(number, error):
    def library():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        raise error("multiarray failed to import")

    with pytest.raises(KeyboardInterrupt) as ended, terminable():
        library()
    assert ended.type is SIGNALS[number]
    assert isinstance(ended.value.__cause__, error)


def test_an_error_before_any_signal_stays_what_it_is():
    for number in SIGNALS:
        with suppress(KeyboardInterrupt), terminable():
            signal.raise_signal(number)
    with pytest.raises(ValueError, match="mass"), terminable():
        raise ValueError("mass")


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with terminable():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_library_that_takes_the_signal_gives_it_back():
    def library():
        with kept_handler():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Terminated), terminable():
        library()


def test_in_another_thread_nothing_changes():
    before, inside = handlers(), []

    def work():
        with terminable():
            inside.append(handlers())

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [before]
