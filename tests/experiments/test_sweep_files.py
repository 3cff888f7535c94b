"""Every file for `wandb sweep` runs an experiment with options that the experiment has."""

import runpy
import sys
from itertools import product
from pathlib import Path

import pytest
import yaml

from orrery import runs
from orrery.command_line import parse

ROOT = Path(__file__).parents[2]
SWEEPS = sorted((ROOT / "experiments" / "sweeps").glob("*.yaml"))


def ends(parameter):
    """Returns the values of a parameter that the experiment must take."""
    if "value" in parameter:
        return [parameter["value"]]
    return parameter.get("values") or [parameter["min"], parameter["max"]]


def parsed(program, arguments):
    """Returns the options that an experiment makes of its command line."""
    found = []

    def main(study, choices, rest=None, program=None):
        found.append(parse(choices, arguments if rest is None else rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "main", main)
        patch.setattr(sys, "argv", [str(program), *arguments])
        runpy.run_path(str(program), run_name="__main__")
    return found[0]


def test_there_are_sweeps_of_both_sciences():
    assert {path.stem for path in SWEEPS} >= {"desi", "halo_mass", "architectures"}


@pytest.mark.slow
@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_an_experiment_takes_what_its_sweep_proposes(path):
    sweep = yaml.safe_load(path.read_text())
    assert sweep["command"] == ["${env}", "python", "${program}", "${args}"]
    names = list(sweep["parameters"])
    values = [ends(parameter) for parameter in sweep["parameters"].values()]
    corners = list(product(*([each[0], each[-1]] for each in values)))
    every = [
        [*corners[0][:i], one, *corners[0][i + 1 :]]
        for i, each in enumerate(values)
        for one in each
    ]
    found = {
        # as `${args}` writes them
        str(
            parsed(
                ROOT / sweep["program"],
                [f"--{n}={v}" for n, v in zip(names, chosen, strict=True)],
            )
        )
        for chosen in (*every, corners[-1])
    }
    wanted = {tuple(map(str, chosen)) for chosen in (*every, corners[-1])}
    assert len(found) == len(wanted)  # no value is lost on the way


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_the_experiment_says_no_to_an_option_it_lacks(path, capsys):
    program = ROOT / yaml.safe_load(path.read_text())["program"]
    with pytest.raises(SystemExit):
        parsed(program, ["--transfroms=3"])
    assert "transfroms" in "".join(capsys.readouterr())
