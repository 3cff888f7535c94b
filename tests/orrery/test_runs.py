"""A study from the command line: what is told, and how it ends."""

import signal
from dataclasses import dataclass

import pytest

from orrery import runs
from orrery.results.recording import record
from orrery.sweeps.search import AllTrialsFailedError


@dataclass(frozen=True)
class Choices:
    """An experiment."""

    simulations: int = 10
    """How many simulations to make."""


def ended(error):
    def function(choices):
        raise error

    with pytest.raises(SystemExit) as exit_:
        runs.main(function, Choices, [])
    return exit_.value.code


@pytest.mark.parametrize(
    "error",
    [
        ValueError("mass -1 must be positive"),
        OSError(28, "mass -1 must be positive"),
        FloatingPointError("mass -1 must be positive"),
        AllTrialsFailedError("mass -1 must be positive"),
    ],
)
def test_what_the_user_can_mend_is_one_line(error, capsys, monkeypatch):
    monkeypatch.delenv("ORRERY_DEBUG", raising=False)
    error.add_note("in shard 3")
    assert ended(error) == 1
    assert capsys.readouterr().err == "error: mass -1 must be positive (in shard 3)\n"


def test_other_errors_keep_their_traceback(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        runs.main(lambda choices: 1 / 0, Choices, [])
    monkeypatch.setenv("ORRERY_DEBUG", "1")
    with pytest.raises(ValueError, match="abc"):
        runs.main(lambda choices: int("abc"), Choices, [])


@dataclass(frozen=True)
class Learning:
    workers: int = 0


@dataclass(frozen=True)
class Trained:
    """An experiment that trains."""

    learning: Learning = Learning()


def test_workers_are_refused_before_the_study_where_there_is_no_ray(monkeypatch):
    monkeypatch.setenv("ORRERY_RAY", "off")
    asked = []
    with pytest.raises(
        ValueError, match=r"^2 workers .*ORRERY_RAY=off: with .--workers 0"
    ):
        runs.run_study(asked.append, Trained(Learning(workers=2)))
    assert asked == []
    runs.run_study(asked.append, Trained())
    assert asked == [Trained()]


def test_an_interruption_says_how_to_go_on(capsys):
    assert ended(KeyboardInterrupt()) == 130
    assert "the same command continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interruption_that_a_library_hides_is_told_all_the_same(
    number, status, capsys
):
    def study(choices):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise ImportError("numpy failed to import") from None

    with pytest.raises(SystemExit) as exit_:
        runs.main(study, Choices, [])
    assert exit_.value.code == status
    assert "the same command continues" in capsys.readouterr().err


def test_sigterm_is_told_as_an_interruption_is_and_its_handler_goes(capsys):
    before = signal.getsignal(signal.SIGTERM)
    kept = []

    def study(choices):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)  # a second one must not break the end
            kept.append("the end")

    with pytest.raises(SystemExit) as exit_:
        runs.main(study, Choices, [])
    assert (exit_.value.code, kept) == (143, ["the end"])
    assert "terminated: the same command continues" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_experiments_receive_their_options():
    seen = []
    runs.main(seen.append, Choices, ["--simulations", "7"])
    assert seen == [Choices(7)]


def test_a_finished_run_without_a_page_is_shown_and_not_computed(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    computed = []

    def study(choices):
        with record("toy", choices, tmp_path) as recording:
            computed.append(recording.run.attempt)

    study(Choices())  # nobody reads
    runs.main(study, Choices, [])
    (page,) = tmp_path.rglob("report.html")
    said = capsys.readouterr()
    assert said.out == f"{page}\n"
    assert f"{page.parent} had finished" in said.err
    assert "nothing was computed" in said.err
    runs.main(study, Choices, [])  # who has its page computes again
    assert computed == [1, 2]
