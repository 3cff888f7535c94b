"""A signal ends a program as an interruption, whatever was made of it on its way."""

import io
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import Thread

import pytest

from orrery.termination import (
    Terminated,
    kept_handler,
    kept_interrupt,
    orderly_end,
    readers_may_leave,
    terminable,
)

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


def test_a_termination_of_which_ray_makes_a_plain_interruption_is_one(capsys):
    def get():
        # ray.get of 2.60 looks for signals while it waits, and raises an error of its own
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended, orderly_end():
        get()
    assert ended.value.code == 143
    assert capsys.readouterr().err.startswith("terminated")


class Finalized:
    """Meets a signal where Python can raise nothing."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interruption_that_is_lost_in_a_finalizer_comes_again(number):
    def work():
        Finalized(number)
        time.sleep(30)  # it would have gone on to its end

    hook = sys.unraisablehook
    with pytest.raises(SIGNALS[number]), terminable():
        work()
    assert sys.unraisablehook is hook


def test_errors_that_cannot_be_raised_are_told_as_before(monkeypatch):
    class Careless:
        def __del__(self):
            raise ValueError("mass")

    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: told.append(one.exc_type))
    with terminable():
        Careless()
    assert told == [ValueError]


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


def train_like_ray(is_interrupted):
    """Trains, as far as signals know, in the way of Ray Train 2.60."""
    with kept_interrupt():
        signal.signal(signal.SIGINT, lambda number, frame: sys.exit(0))
        if is_interrupted:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_training_is_an_interrupt_and_afterwards_as_before():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train_like_ray(is_interrupted=True)
    assert signal.getsignal(signal.SIGINT) is before
    train_like_ray(is_interrupted=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_training_in_another_thread_leaves_signals_alone():
    def train():
        with kept_interrupt():
            trained.append(True)

    trained = []
    thread = Thread(target=train)
    thread.start()
    thread.join()
    assert trained


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)])
def test_an_interruption_ends_in_a_line_once(number, status, capsys):
    with pytest.raises(SystemExit) as ended, orderly_end(), orderly_end():
        signal.raise_signal(number)
    assert ended.value.code == status
    assert capsys.readouterr().err.count("the same command continues") == 1


@pytest.mark.slow
@pytest.mark.parametrize("words", ["columns {stars}", "--help", "runs {folder}"])
def test_who_reads_no_more_sees_no_traceback(words, tmp_path):
    stars = tmp_path / "stars.csv"
    stars.write_text("ra_deg,dec_deg\n1.0,2.0\n")
    command = words.format(stars=stars, folder=tmp_path)
    # what is read is closed long before anything is written
    ended = subprocess.run(
        f"(sleep 1; {sys.executable} -m orrery {command}; echo status $? >&2) | true",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in ended.stderr
    assert "Broken" not in ended.stderr
    assert "status" in ended.stderr


def test_another_end_stays_what_it_is(capsys):
    with pytest.raises(SystemExit) as ended, orderly_end():
        sys.exit(7)
    assert ended.value.code == 7
    with pytest.raises(ValueError, match="mass"), orderly_end():
        raise ValueError("mass")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("errors", "written"), [("strict", b"h\\xe4rte"), ("replace", b"h?rte")]
)
def test_what_an_encoding_has_not_is_escaped(monkeypatch, errors, written):
    content = io.BytesIO()
    out = io.TextIOWrapper(content, encoding="ascii", errors=errors)
    monkeypatch.setattr(sys, "stdout", out)
    with readers_may_leave():
        sys.stdout.write("härte")
    assert content.getvalue() == written
