import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from orrery import runs, terminal
from orrery.storage import run


@dataclass(frozen=True)
class Training:
    """How to train.

    Arguments:
        epochs: The number of passes over the data.
    """

    epochs: int = 3

    def __post_init__(self):
        if self.epochs < 1:
            raise ValueError(f"epochs {self.epochs} must be 1 or larger")


@dataclass(frozen=True)
class Choices:
    """An experiment.

    Arguments:
        simulations: How many simulations to make.
        edges: Distance edges [kpc].
        stars: The table of stars.
        training: How to train.
    """

    simulations: int = 10
    edges: tuple[float, ...] = (30.0, float("inf"))
    stars: Path = Path("stars.ecsv")
    training: Training = field(default_factory=Training)


def test_options_come_from_the_command_line():
    arguments = ["--simulations", "20", "--epochs", "5", "--edges", "1", "2"]
    assert runs.options(Choices, arguments) == Choices(
        20, (1.0, 2.0), training=Training(5)
    )
    assert runs.options(Choices, []) == Choices()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--simulatons", "20"], "--simulatons"),
        (["--simulations", "many"], "many"),
        (["--epochs", "0"], "epochs 0 must be 1 or larger"),
    ],
)
def test_a_wrong_option_ends_with_a_message(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        runs.options(Choices, arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_docstrings_are_the_help_text(capsys):
    with pytest.raises(SystemExit) as ended:
        runs.options(Choices, ["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "How many simulations to make." in text
    assert "The number of passes" in text


def test_the_same_options_find_the_same_folder(tmp_path):
    first = run.start("sky", Choices(), tmp_path)
    assert run.start("sky", Choices(), tmp_path) == first
    others = [
        run.start("sky", Choices(training=Training(4)), tmp_path),
        run.start("ground", Choices(), tmp_path),
    ]
    assert len({run.folder for run in [first, *others]}) == 3
    assert first.folder == tmp_path / "sky" / first.fingerprint


def test_a_run_writes_what_it_is(tmp_path):
    folder = run.start("sky", Choices(), tmp_path).folder
    options = json.loads((folder / "options.json").read_text())["options"]
    assert options["training"] == {"type": "Training", "epochs": 3}
    assert options["edges"] == [30.0, "inf"]
    versions = json.loads((folder / "versions.json").read_text())
    assert {
        "python",
        "numpy",
        "torch",
        "ray",
        "sbi",
        "zuko",
        "lightning",
        "commit",
    } <= set(versions)
    assert re.match(r"\d+\.\d+", versions["numpy"])


def test_options_without_json_form_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has no plain JSON form"):
        run.start("sky", {"random": object()}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"cannot write .*file/sky.*choose a folder"
    ) as raised:
        run.start("sky", Choices(), tmp_path / "file")
    assert raised.value.errno


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


def test_progress_without_a_terminal_is_told_every_minute(monkeypatch, capsys):
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
    monkeypatch.setattr(terminal.console, "_force_terminal", True)
    with terminal.progress("training", 3, "epochs") as advance:
        for _ in range(3):
            advance(note="loss 0.5")
    text = capsys.readouterr().err
    assert "3/3" in text
    assert "loss 0.5" in text
    assert re.search(r"\d epochs/s +0:00:00 left", text)


def test_progress_on_a_terminal_tells_the_remaining_time_however_rare_the_steps(
    monkeypatch, capsys
):
    monkeypatch.setattr(terminal.console, "_force_terminal", True)
    clock = iter(range(0, 10**6, 100))  # [s]
    monkeypatch.setattr(
        terminal, "time", SimpleNamespace(monotonic=lambda: next(clock))
    )
    with terminal.progress("training", 1000, "epochs") as advance:
        advance()
    assert re.search(
        r"1/1000 0\.0\d+ epochs/s \d+:\d\d:\d\d left", capsys.readouterr().err
    )


@dataclass(frozen=True)
class Placed:
    """Options with a folder."""

    edge: float = 1.0
    folder: Path = field(default=Path("here"), metadata={"place": True})


def test_where_things_are_kept_does_not_decide_the_run(tmp_path):
    first = run.start("sky", Placed(), tmp_path)
    second = run.start("sky", Placed(folder=Path("there")), tmp_path)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != run.start("sky", Placed(edge=2.0), tmp_path).fingerprint
    assert second.options["folder"] == "there"
