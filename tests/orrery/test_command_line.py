"""Options on the command line: short names, longer ones where they clash, and back from files."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orrery import command_line
from orrery.identity import describe


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
    assert command_line.parse(Choices, arguments) == Choices(
        20, (1.0, 2.0), training=Training(5)
    )
    assert command_line.parse(Choices, []) == Choices()


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
        command_line.parse(Choices, arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_docstrings_are_the_help_text(capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.parse(Choices, ["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "How many simulations to make." in text
    assert "The number of passes" in text


@dataclass(frozen=True)
class Both:
    """Two of a kind."""

    first: Choices = field(default_factory=Choices)
    """One."""
    second: Choices = field(default_factory=lambda: Choices(simulations=99))
    """Another."""
    seed: int = 1
    """Decides everything random."""


def test_names_that_clash_are_called_by_what_holds_them(capsys):
    arguments = ["--first.simulations", "5", "--second.epochs", "7", "--seed", "2"]
    expected = Both(Choices(5), Choices(99, training=Training(7)), 2)
    assert command_line.parse(Both, arguments) == expected
    with pytest.raises(SystemExit):
        command_line.parse(Both, ["--simulations", "5"])
    assert "--second.simulations" in capsys.readouterr().err


@pytest.mark.parametrize("value", [Choices(), Both(seed=3), Choices(edges=(1.0, 2.5))])
def test_options_come_back_from_their_document(value):
    document = json.loads(json.dumps(describe(value)))
    assert command_line.restore(type(value), document) == value


def test_a_run_is_repeated_and_changed(tmp_path):
    chosen = Choices(7, training=Training(4))
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"options": describe(chosen)}))
    for place in (path, tmp_path):
        assert command_line.parse(Choices, ["--options", str(place)]) == chosen
    again = command_line.parse(Choices, [f"--options={path}", "--simulations", "8"])
    assert again == Choices(8, training=Training(4))


WHOLE = describe(Choices())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"options": WHOLE | {"simulatons": 3}}, "simulatons"),
        ({"options": WHOLE | {"training": {"epochs": 0}}}, "epochs 0 must be 1"),
        ({"options": WHOLE | {"training": {}}}, "training.epochs is missing"),
        ({"options": {"simulations": 3}}, "edges is missing"),
        ({"options": WHOLE | {"simulations": "many"}}, "simulations"),
        ({"options": describe(Both())}, "of Both, not Choices"),
        ([], "Choices"),
    ],
)
def test_a_file_of_other_options_is_refused_by_name(tmp_path, document, message):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message) as refused:
        command_line.parse(Choices, ["--options", str(path)])
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    "arguments", [["--options"], ["--options="], ["--options", "a", "--options", "b"]]
)
def test_one_file_of_options_is_asked_for(arguments):
    with pytest.raises(ValueError, match="--options needs one file"):
        command_line.parse(Choices, arguments)
