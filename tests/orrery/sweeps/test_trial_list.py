"""A sweep that has ended knows its trials: what is lost or exchanged is named."""

import shutil
import sys
from dataclasses import dataclass

import pytest

from orrery import __main__ as commands
from orrery.storage.documents import read_document, write_document
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Float, SearchSpace
from orrery.sweeps.trial import Goal, trial_path
from orrery.verification import verify


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1


def evaluate(options, report):
    report({"loss": options.rate})
    return {"loss": options.rate}


@pytest.fixture
def wanted(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    space = SearchSpace({"rate": Float(0.0, 1.0)})
    return Sweep("toy", space, Toy(), evaluate, (Goal("loss"),))


@pytest.fixture
def folder(wanted, tmp_path):
    search(wanted, 4, tmp_path)
    return wanted.folder(tmp_path)


def files(folder):
    return [finding.file for finding in verify(folder) if finding.is_damage]


NAMES = ("sweep.json", "trials/trial-00001.json", "trials/trial-00003.json")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_lost_or_empty_is_named_alone_and_made_again(
    folder, name, wanted, tmp_path
):
    assert verify(folder) == verify(tmp_path) == []
    for damage in ("empty", "lost"):
        if damage == "empty":
            (folder / name).write_bytes(b"")
        else:
            (folder / name).unlink()
        assert files(folder) == [name]
        assert commands.main(["verify", str(folder)]) == 1
        search(wanted, 4, tmp_path)
        assert verify(folder) == []


def test_a_trial_that_is_a_copy_or_another_is_named(folder):
    one, other = (trial_path(folder, number) for number in (1, 2))
    content = one.read_bytes()
    shutil.copy(other, one)
    assert files(folder) == ["trials/trial-00001.json"]
    one.write_bytes(content)
    write_document(one, {**read_document(one, ""), "objectives": {"loss": 0.0}})
    assert files(folder) == ["trials/trial-00001.json"]
    write_document(one, {**read_document(one, ""), "seconds": 7.0, "number": 2})
    assert files(folder) == ["trials/trial-00001.json"]


def test_a_sweep_of_another_search_is_named(folder):
    path = folder / "sweep.json"
    write_document(path, {**read_document(path, ""), "seed": 99})
    assert files(folder) == ["sweep.json"]


def test_all_trials_lost_are_named(folder):
    shutil.rmtree(folder / "trials")
    assert files(folder) == [f"trials/trial-0000{number}.json" for number in range(4)]


def test_a_sweep_of_before_is_told_and_is_sound(folder):
    (folder / "trials.json").unlink()
    (found,) = verify(folder)
    assert (found.file, found.is_damage) == ("trials.json", False)
    trial_path(folder, 2).unlink()
    assert files(folder) == ["trials/trial-00002.json"]
