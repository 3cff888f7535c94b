"""A study from the command line: what is told, and how it ends."""

from dataclasses import dataclass

import pytest

from orrery import runs


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


def test_an_interruption_says_how_to_go_on(capsys):
    assert ended(KeyboardInterrupt()) == 130
    assert "the same command continues" in capsys.readouterr().err


def test_experiments_receive_their_options():
    seen = []
    runs.main(seen.append, Choices, ["--simulations", "7"])
    assert seen == [Choices(7)]
