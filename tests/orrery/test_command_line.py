"""Options on the command line: short names, longer ones where they clash, and back from files."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orrery import command_line
from orrery.identity import PLACE, describe, fingerprint
from orrery.storage.inputs import input_files


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
    edges: tuple[float, ...] = (30.0, 80.0)
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
class Several:
    """Some of a kind, and a needed one."""

    needed: tuple[int, ...]
    chosen: tuple[str, ...] = ()
    edges: tuple[float, ...] = (30.0, 60.0)


def test_a_default_of_no_values_is_called_none(capsys):
    with pytest.raises(SystemExit):
        command_line.parse(Several, ["--help"])
    text = capsys.readouterr().out
    assert "(default: none)" in text
    assert "(default: 30.0 60.0)" in text
    assert "(required)" in text
    assert command_line.parse(Several, ["--needed", "1"]).chosen == ()


@dataclass(frozen=True)
class Both:
    """Two of a kind."""

    first: Choices = field(default_factory=Choices)
    """One."""
    second: Choices = field(default_factory=lambda: Choices(simulations=99))
    """Another."""
    seed: int = 1
    """Decides everything random."""


@pytest.mark.slow
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


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_only_finite_numbers_are_options(value):
    with pytest.raises(ValueError, match=r"edges is .*: give .* finite number"):
        command_line.parse(Choices, ["--edges", "30", value])


def test_a_whole_number_in_a_file_means_the_same_as_in_python(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(WHOLE | {"edges": [30, 80]}))
    found = command_line.parse(Choices, ["--options", str(path)])
    for equal in (found, Choices(edges=(30, 80)), Choices(edges=(30, 80.0))):
        assert equal == Choices()
        assert fingerprint(describe(equal)) == fingerprint(describe(Choices()))


def test_a_run_is_repeated_and_changed(tmp_path):
    chosen = Choices(7, training=Training(4))
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"options": describe(chosen)}))
    for place in (path, tmp_path):
        assert command_line.parse(Choices, ["--options", str(place)]) == chosen
    again = command_line.parse(Choices, [f"--options={path}", "--simulations", "8"])
    assert again == Choices(8, training=Training(4))


@dataclass(frozen=True)
class Kept:
    """Where things are kept, and by how many processes."""

    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    workers: int = field(default=0, metadata=PLACE)


@dataclass(frozen=True)
class Repeated:
    """An experiment that keeps what it makes."""

    stars: Path = Path("stars.ecsv")
    kept: Kept = Kept()


def test_a_run_that_is_looked_for_elsewhere_is_told_and_never_moved(
    tmp_path, monkeypatch, capsys
):
    there = tmp_path / "there"
    attempt = there / "my" / "runs" / "desi" / "0123" / "attempt-001"
    attempt.mkdir(parents=True)
    (there / "linked").symlink_to(there / "my")
    chosen = Repeated(kept=Kept(reports=Path("linked/runs")))
    (attempt / "run.json").write_text(json.dumps({"options": describe(chosen)}))
    (tmp_path / "run.json").write_bytes((attempt / "run.json").read_bytes())

    def told(folder, place, *more):
        monkeypatch.chdir(folder)
        found = command_line.parse(Repeated, ["--options", str(place), *more])
        assert found.kept.workers == 0
        return " ".join(capsys.readouterr().err.split())

    assert not told(there, "my/runs/desi/0123")
    assert "lies in none of datasets and linked/runs" in told(tmp_path, attempt)
    assert not told(tmp_path, attempt, "--reports", "there/my/runs")
    assert not told(tmp_path, "run.json")  # a copy of it says nothing of where


def test_a_repeated_run_whose_table_was_edited_is_told_with_both_checksums(
    tmp_path, capsys
):
    table = tmp_path / "stars.ecsv"
    table.write_text("then")
    chosen = Choices(stars=table)
    then, *_ = input_files(chosen)
    document = {"options": describe(chosen), "lineage": {"inputs": [then.entry]}}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))

    def told(*more):
        command_line.parse(Choices, ["--options", str(path), *more])
        return " ".join(capsys.readouterr().err.split())

    assert told() == ""
    table.write_text("now")
    now, *_ = input_files(chosen)
    assert told() == (
        f"warning: {table}, the option stars, is not what that run has read: sha256 "
        f"{then.sha256[:16]} then, {now.sha256[:16]} now; this begins another run"
    )
    others = tmp_path / "others.ecsv"
    others.write_text("others")
    assert told("--stars", str(others)) == ""  # chosen, not changed
    table.unlink()
    assert told() == ""  # whoever reads it says that it is gone


WHOLE = describe(Choices())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"options": WHOLE | {"simulatons": 3}}, "simulatons"),
        ({"options": WHOLE | {"training": {"epochs": 0}}}, "epochs 0 must be 1"),
        ({"options": WHOLE | {"training": {}}}, "training.epochs is missing"),
        ({"options": {"simulations": 3}}, "edges is missing"),
        ({"options": WHOLE | {"simulations": "many"}}, "simulations is 'many': give a"),
        ({"options": WHOLE | {"simulations": "7"}}, "simulations is '7': give a whole"),
        (
            {"options": WHOLE | {"simulations": True}},
            "simulations is True: give a whole",
        ),
        ({"options": WHOLE | {"simulations": 7.5}}, "simulations is 7.5: give a whole"),
        (
            {"options": WHOLE | {"simulations": None}},
            "simulations is None: give a whole",
        ),
        ({"options": WHOLE | {"edges": [1.0, "2"]}}, "edges is .* finite number"),
        ({"options": WHOLE | {"edges": [1.0, "inf"]}}, "edges is .* finite number"),
        ({"options": WHOLE | {"edges": 3.0}}, "edges is 3.0: give a list"),
        ({"options": WHOLE | {"stars": 1}}, "stars is 1: give a path"),
        (
            {"options": WHOLE | {"training": {"epochs": True}}},
            "training.epochs is True: give a whole",
        ),
        ({"options": describe(Both())}, "of 'Both', not Choices"),
        (
            {"options": WHOLE | {"training": 7}},
            "training is 7: give an object with its",
        ),
        (
            {"options": WHOLE | {"training": [{}]}},
            "training is .*with its options epochs",
        ),
        (
            {"options": WHOLE | {"simulations": 10**300}},
            "simulations is 1000.*0: give a",
        ),
        ({"options": WHOLE | {"edges": [10**300]}}, "edges is .1000.*finite number"),
        (
            {"options": WHOLE | {"simulatons": 3}},
            "simulatons is no option: choose from",
        ),
        (
            {"options": WHOLE | {"training": {"type": 3}}},
            "training are of 3, not Train",
        ),
    ],
)
def test_a_file_of_other_options_is_refused_by_name(tmp_path, document, message):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message) as refused:
        command_line.parse(Choices, ["--options", str(path)])
    assert str(path) in str(refused.value)
    assert len(str(refused.value)) < len(str(path)) + 400


@pytest.mark.parametrize("digits", [401, 10_000])
@pytest.mark.parametrize("name", ["simulations", "edges", "training", "stars"])
def test_numbers_of_any_length_are_refused_by_the_option(tmp_path, digits, name):
    path = tmp_path / "run.json"
    text = json.dumps(WHOLE | {name: None}).replace("null", "9" * digits)
    path.write_text(text)
    with pytest.raises(
        ValueError, match=rf"{path}.* {name} is .*999.*: give"
    ) as refused:
        command_line.parse(Choices, ["--options", str(path)])
    assert len(str(refused.value)) < len(str(path)) + 400


@pytest.mark.parametrize("depth", [900, 990, 998])
@pytest.mark.parametrize("name", ["edges", "training", "stars", "unknown"])
def test_options_that_are_nested_deeply_are_refused_by_name(tmp_path, depth, name):
    path = tmp_path / "run.json"
    text = json.dumps(WHOLE | {name: None}).replace("null", "[" * depth + "]" * depth)
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{name}|deeper than options are") as refused:
        command_line.parse(Choices, ["--options", str(path)])
    assert len(str(refused.value)) < len(str(path)) + 400


@pytest.mark.parametrize(
    "arguments", [["--options"], ["--options="], ["--options", "a", "--options", "b"]]
)
def test_one_file_of_options_is_asked_for(arguments):
    with pytest.raises(ValueError, match="--options needs one file"):
        command_line.parse(Choices, arguments)
