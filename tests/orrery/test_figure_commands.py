"""`orrery figures` draws those of a run, all or the ones asked for, or says what it lacks."""

from dataclasses import dataclass

import pytest

from orrery.__main__ import main
from orrery.figure_commands import draw_figures
from orrery.results.panels import Constraint
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import FigureSection, Text
from orrery.results.views import Intervals


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture
def run(tmp_path):
    """A run with two figures, and a part that is none."""
    view = Intervals((Constraint("DESI", (15.0, 22.5, 29.5)),), "v [km/s]")
    with record("toy", Choices(), tmp_path / "runs") as recording:
        recording.add(
            Text("what", "What this is", "A toy."),
            FigureSection("speed", "Speed", view, "Ours."),
            FigureSection("other", "Other", view, "Ours."),
        )
    return recording.result


@pytest.mark.slow
def test_every_figure_is_written_in_every_kind(run, tmp_path, capsys):
    folder = tmp_path / "paper"
    assert (
        main(["figures", str(run.folder), "--style", "mnras", "--into", str(folder)])
        == 0
    )
    names = [
        f"{key}.{kind}" for key in ("speed", "other") for kind in ("pdf", "png", "svg")
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert capsys.readouterr().out.split() == [str(folder / name) for name in names]
    # 504 of TeX's points in those that an SVG has
    assert 'width="502.1' in (folder / "speed.svg").read_text()


@pytest.mark.slow
def test_the_figures_asked_for_are_written_alone(run, tmp_path):
    written = draw_figures(run, tmp_path / "talk", "talk", ["other"])
    assert {path.stem for path in written} == {"other"}
    assert {*(tmp_path / "talk").iterdir()} == {*written}


@pytest.mark.parametrize("key", ["what", "sped"])
def test_what_is_no_figure_is_refused_with_those_there_are(run, tmp_path, key):
    with pytest.raises(ValueError, match=rf"no figure '{key}'.*'speed', 'other'"):
        draw_figures(run, tmp_path / "figures", only=[key])
    assert not (tmp_path / "figures").exists()


def test_a_file_is_no_folder_for_figures_and_stays(run, tmp_path, capsys):
    file = tmp_path / "paper.pdf"
    file.write_text("mine")
    assert main(["figures", str(run.folder), "--into", str(file)]) != 0
    assert f"--into {file} is a file" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_key_does_not_leave_the_folder(run, tmp_path):
    section = {**run.section("speed"), "key": "../outside"}
    hostile = Result(run.folder, {**run.document, "sections": [section]})
    with pytest.raises(ValueError, match="outside"):
        draw_figures(hostile, tmp_path / "figures")
    assert not list(tmp_path.glob("outside*"))


def test_a_run_without_figures_says_so(tmp_path, capsys):
    with record("toy", Choices(), tmp_path / "runs") as recording:
        recording.add(Text("what", "What this is", "A toy."))
    folder = str(recording.result.folder)
    assert main(["figures", folder, "--into", str(tmp_path / "figures")]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "has no figures" in shown.err
