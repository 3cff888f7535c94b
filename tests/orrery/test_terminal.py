import re
from types import SimpleNamespace

import pytest

from orrery import terminal


def test_progress_without_a_terminal_is_at_most_ten_plain_lines(capsys):
    with terminal.progress("simulating", 1000, done=500) as advance:
        for step in range(500):
            advance(1, note=f"tries {step}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("simulating: 600 of 1000 simulations (60 %), ")
    assert "left" in lines[0]
    assert "simulations/s" in lines[0]
    assert lines[-1].endswith("tries 499")
    assert "\x1b" not in "".join(lines)


def test_progress_without_a_terminal_prints_every_minute(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "MINUTE", 0.01)
    lines = ""
    with terminal.progress("simulating", 16384, done=64) as advance:
        while (
            "64 of 16384 simulations (0 %), 0 simulations/s, time left unknown"
            not in lines
        ):
            lines += capsys.readouterr().err
        advance(64, note="tries 3")
        while not re.search(
            r"128 of 16384 .* simulations/s, \d+:\d\d:\d\d left, tries 3\n", lines
        ):
            lines += capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00:00"), (845.0, "0:14:05"), (359999.6, "100:00:00")]
)
def test_durations_are_hours_minutes_and_seconds(seconds, text):
    assert terminal.duration(seconds) == text


def test_progress_on_a_terminal_counts_to_the_end(monkeypatch, capsys):
    monkeypatch.setattr(terminal.console(), "_force_terminal", True)
    with terminal.progress("training", 3, "epochs") as advance:
        for _ in range(3):
            advance(note="loss 0.5")
    text = capsys.readouterr().err
    assert "3/3" in text
    assert "loss 0.5" in text
    assert re.search(r"\d epochs/s +0:00:00 left", text)


def test_progress_on_a_terminal_shows_the_remaining_time_however_rare_the_steps(
    monkeypatch, capsys
):
    monkeypatch.setattr(terminal.console(), "_force_terminal", True)
    clock = iter(range(0, 10**6, 100))  # [s]
    monkeypatch.setattr(
        terminal, "time", SimpleNamespace(monotonic=lambda: next(clock))
    )
    with terminal.progress("training", 1000, "epochs") as advance:
        advance()
    assert re.search(
        r"1/1000 0\.0\d+ epochs/s \d+:\d\d:\d\d left", capsys.readouterr().err
    )
