"""Studies by name: the same options as on the command line, and refusals that help."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

from orrery import runs, studies
from orrery.command_line import parse
from orrery.commands import StudyCommand, installed_commands
from orrery.results.notebook import NotebookResult
from orrery.results.result import Result
from orrery.studies import study

# What has no default must be given.
NEEDED = {"validation": {"nbody": "a.fits"}}
STUDIES = sorted(
    name for name, one in installed_commands().items() if isinstance(one, StudyCommand)
)


@pytest.mark.parametrize("name", STUDIES)
def test_without_options_a_study_has_those_of_its_command(name):
    found = study(name, **NEEDED.get(name, {}))
    words = shlex.split(found.command)
    assert words[:2] == ["orrery", name]
    assert found.options == parse(type(found.options), words[2:])
    assert set(found.changed) == set(NEEDED.get(name, {}))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desi", {"simulations": 64, "stars": "my stars.ecsv", "sagittarius": False}),
        ("desi", {"v_tb_edges": (30.0, 50.0, 80.0), "largest_motion_error": 0.5}),
        ("halo_mass", {"ensemble_members": np.int64(3), "catalogue": ["a.bin", "b"]}),
        ("halo-mass", {"catalogue": ["a.bin"], "part_of_box": True}),
        ("halo-mass", {"flows_ranked_training_max_epochs": 2}),
        ("quadrants", {"simulations": np.array(7), "hidden": np.array([20, 20])}),
    ],
)
def test_its_command_has_the_same_options(name, options):
    found = study(name, **options)
    assert set(found.changed) == {*options}
    assert found.options == parse(type(found.options), shlex.split(found.command)[2:])
    assert found.options != type(found.options)()


class WithUnit(float):
    unit = "kpc"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dessi", {}, r"no study 'dessi': did you mean 'desi'\?"),
        ("columns", {}, r"no study 'columns'"),
        ("qqqq", {}, r"'qqqq': choose from binnings, desi, "),
        ("desi", {"simulation": 3}, r"'simulation': did you mean 'simulations'\?"),
        ("desi", {"zzzz": 3}, r"'zzzz': choose from stars, "),
        ("desi", {"campaign": 3}, r"no option 'campaign'"),
        ("halo-mass", {"members": 3}, r"'members': did you mean '\w*members'\?"),
        ("desi", {"simulations": "x"}, r"simulations is 'x': give a whole number"),
        ("desi", {"simulations": True}, r"simulations is True: give a whole number"),
        ("desi", {"simulations": 2.5}, r"simulations is 2\.5: give a whole number"),
        ("desi", {"outer": float("nan")}, r"outer is 'nan': give a finite number"),
        ("desi", {"outer": WithUnit(3)}, r"outer is 3\.0: give its number alone"),
        ("desi", {"seed": -1}, r"^campaign: 2048 simulations with seed -1: give"),
        ("validation", {}, r"nbody is missing: give it"),
    ],
)
def test_what_is_wrong_is_named_with_what_helps(name, options, message):
    with pytest.raises(ValueError, match=message):
        study(name, **options)


def test_a_study_runs_as_its_command_does_and_its_result_shows_itself(
    tmp_path, monkeypatch
):
    def answered(answer, options):
        asked.append((answer, options))
        return Result(tmp_path, {"experiment": "desi", "status": "finished"})

    asked = []
    monkeypatch.setattr(runs, "run_study", answered)
    desi = study("desi", simulations=64)
    found = desi.run()
    assert type(found) is NotebookResult
    assert (found.folder, found.status) == (tmp_path, "finished")
    assert asked == [(installed_commands()["desi"].answer, desi.options)]


def test_what_a_notebook_shows_is_escaped_and_has_what_was_changed_first():
    shown = study("desi", stars="<b>&.ecsv", simulations=64)._repr_html_()
    assert "<b>&.ecsv" not in shown
    assert "&lt;b&gt;&amp;.ecsv" in shown
    first, _, rest = shown.partition("<details>")
    assert "<td>simulations</td><td>64</td>" in first
    assert "<td>seed</td><td>1</td>" in rest
    assert "simulations</td>" not in rest


@pytest.mark.slow
def test_choosing_options_loads_no_framework():
    code = (
        "import sys, orrery\n"
        "orrery.study('desi', simulations=64)._repr_html_()\n"
        "print(*{'torch', 'ray', 'lightning', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_a_wrong_name_is_noticed_by_these_tests(monkeypatch):
    """The list of studies is that of the command line, not one of this test's."""
    monkeypatch.setattr(studies, "installed_commands", dict)
    with pytest.raises(ValueError, match="no study 'desi'"):
        study("desi")


@pytest.mark.parametrize(
    "stars", ["-x.ecsv", "--v.ecsv", "-1.csv", "a b.ecsv", "=.ecsv"]
)
def test_the_command_of_any_file_is_understood(stars):
    found = study("desi", stars=stars)
    words = shlex.split(found.command)[2:]
    assert parse(type(found.options), words) == found.options
