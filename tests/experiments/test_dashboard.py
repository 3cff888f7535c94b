"""A real experiment ends with whole results whatever W&B does, and is delivered later."""

import contextlib
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from orrery.__main__ import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(load_script):
    """The module of a server that stands in for W&B's."""
    return load_script("faults/dashboard_server")


@contextlib.contextmanager
def session(server, **behaviour):
    """Yields the variables with which a server is found, and what arrives there."""
    with server.serving(**behaviour) as (address, arrived):
        variables = {
            "WANDB_MODE": "online",
            "WANDB_API_KEY": server.KEY,
            "WANDB_BASE_URL": address,
            "WANDB_FINISH_TIMEOUT": "1",
            "WANDB_ERROR_REPORTING": "false",
        }
        yield variables, arrived
    import wandb
    from wandb.sdk.lib import wbauth

    wandb.teardown()
    wbauth.unauthenticate_session(update_settings=False)


def test_an_experiment_ends_whole_whatever_wandb_does(
    experiments, toy, place, run, page, metrics, server, monkeypatch, capsys
):
    def desi(variables):
        return page(
            run(
                *(experiments["desi"], *toy),
                place=place,
                sketched=True,
                variables=variables,
            )
        ).parent

    with session(server, hangs_after=0) as (variables, _):
        dying = desi(variables)
    with session(server) as (variables, _), monkeypatch.context() as patch:
        patch.setitem(sys.modules, "wandb", ModuleType("wandb"))  # raises in every call
        raising = desi(variables)
    # the same answers, and nothing of W&B's in the working folder
    assert metrics(dying) == metrics(raising)
    assert not Path("wandb").exists()

    with session(server) as (variables, arrived), monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        assert main(["sync", str(dying.parent)]) == 0
        assert capsys.readouterr().out.count("sent: ") == 2
        check_lineage(arrived, dying)
        for identity in arrived.runs:
            numbers = summary(arrived, identity)
            for key, value in metrics(dying).items():
                found = numbers[key.replace(".", "/")]
                assert found == pytest.approx(value, nan_ok=True), key


def check_lineage(arrived, folder):
    """Follows the checksums from the document to the simulations."""
    content = (folder / "run.json").read_bytes()
    document = json.loads(content)
    found = arrived.artifacts[f"result-{document['run']}-{document['attempt']:03d}"]
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    way = []
    while found["parents"]:
        parent = found["parents"][-1]
        found = arrived.artifacts[f"{parent['kind']}-{parent['fingerprint']}"]
        assert found["sha256"] == parent["sha256"]
        way.append(found["kind"])
    assert way == ["posterior", "summaries", "dataset"]
    assert arrived.files[f"dataset-{found['fingerprint']}", "README.md"]


SWEEP = (
    *("--question", "halomass", "--hosts", "400", "--members", "2"),
    *("--max-epochs", "3", "--trials", "4", "--repeats", "2", "--concurrent", "1"),
)


def test_a_sweep_whose_copies_are_hollow_is_delivered_whole(
    experiments, run, page, tmp_path, server, monkeypatch, capsys
):
    import wandb
    from wandb.sdk.wandb_run import Run

    def refuse(*arguments, **named):
        raise ConnectionError("it is down")

    with monkeypatch.context() as patch:
        patch.setattr(Run, "log", refuse)
        patch.setattr(Run, "finish", refuse)
        result = run(
            *(experiments["architectures"], *SWEEP),
            place=tmp_path,
            sketched=True,
            variables={"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"},
        )
        wandb.teardown()  # as the end of its process does
    assert page(result).exists()
    assert "6 of 6 trials have no whole copy" in result.stderr
    # once of the run, and once of all trials
    assert result.stderr.count("Weights & Biases took no") == 2
    with session(server) as (variables, arrived), monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        assert main(["sync", str(tmp_path / "runs")]) == 0
    assert capsys.readouterr().out.count("sent: ") == 1 + 6
    kinds = Counter(run["jobType"] for run in arrived.runs.values())
    assert kinds == {"run": 1, "trial": 6}
    trials = [name for name, run in arrived.runs.items() if run["jobType"] == "trial"]
    assert all("rmse" in summary(arrived, name) for name in trials)
    assert all(arrived.history[name] for name in trials)


def summary(arrived, name):
    """The numbers that sum a run up where it has arrived."""
    return json.loads(arrived.files[name, "wandb-summary.json"])
