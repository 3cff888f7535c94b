"""The doctor names what is there, and what would not work; it makes no folder to find out."""

import os
import threading

import pytest

from orrery import __main__ as program
from orrery import doctor


@pytest.fixture
def facts(monkeypatch):
    """Lets this machine have other facts."""

    def change(**others):
        found = doctor.node_facts([])
        monkeypatch.setattr(doctor, "node_facts", lambda folders: {**found, **others})

    return change


def described(folders, environment):
    return doctor.describe_machine(doctor.machine_facts(folders), environment)


def troubles_in(folder):
    return doctor.troubles(doctor.machine_facts([folder]), [folder])


def test_each_subject_is_told_and_no_folder_is_made(tmp_path):
    lines = list(described([tmp_path / "runs" / "mine"], {"WANDB_MODE": "disabled"}))
    subjects = [line.partition(": ")[0] for line in lines]
    assert subjects == [
        *("software", "C++ compiler", "processor", "memory", "GPUs", "disk", "Ray"),
        "Weights & Biases",
    ]
    assert str(tmp_path) in lines[5]
    assert list(tmp_path.iterdir()) == []


def test_memory_that_holds_copies_of_files_is_available(tmp_path):
    said = tmp_path / "meminfo"
    said.write_text("MemTotal: 99 kB\nMemFree: 5 kB\nMemAvailable:   21000000 kB\n")
    assert doctor._memory(said).endswith(" GB, 22 GB of it available")
    # elsewhere nobody says how much that is
    assert doctor._memory(tmp_path / "none").endswith(" GB")


@pytest.mark.parametrize(
    ("mode", "said"),
    [("disabled", "switched off"), ("offline", "kept"), ("dryrun", "kept")],
)
def test_the_state_of_the_dashboard_is_what_was_asked_for(mode, said, tmp_path):
    *_, last = described([tmp_path], {"WANDB_MODE": mode})
    assert said in last


def test_a_wandb_that_never_answers_is_told(tmp_path, monkeypatch):
    """As one whose own process cannot start: it waits for a lock that it holds itself."""
    over = threading.Event()
    monkeypatch.setattr(doctor.connection, "loaded", over.wait)
    monkeypatch.setattr(doctor, "_PATIENCE", 0.05)
    *_, last = described([tmp_path], {})
    over.set()
    assert "wandb has not answered within 0.05 s" in last
    assert "`orrery sync`" in last


def test_no_key_is_said_and_none_is_printed(tmp_path):
    *_, last = described([tmp_path], {})
    assert "no key is found" in last


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"software": {doctor.COMPILER: None}}, "has no C++ compiler"),
        ({"open_files": 64}, "64 files"),
        ({"shared_memory": 2.0**20}, "/dev/shm has 1 MiB"),
        ({"cache": "full"}, "cannot keep compiled code"),
        ({"free": {"/data": 1e6}}, "0.0 GB are free in /data"),
    ],
)
def test_what_would_not_work_is_named_with_a_remedy(other, said, facts, tmp_path):
    facts(**other)
    found = [one for one in troubles_in(tmp_path) if said in one.what]
    assert len(found) == 1
    assert found[0].remedy


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    (found,) = (one for one in troubles_in(tmp_path / "runs") if "write" in one.what)
    assert str(tmp_path / "runs") in found.what


def test_the_command_fails_if_something_would_not_work(facts, tmp_path, capsys):
    command = ["doctor", "--folders", str(tmp_path)]
    facts(
        software={doctor.COMPILER: "g++"},
        open_files=65_536,
        free={},
        cache="",
        open_token="",
        shared_memory=2.0**31,
        free_shared_memory=2.0**31,
    )
    assert program.main(command) == 0
    assert "would not work" not in capsys.readouterr().out
    facts(open_files=64)
    assert program.main(command) == 1
    assert "would not work: a process may open 64 files" in capsys.readouterr().out


def test_the_doctor_advises_only_what_it_has(facts, tmp_path):
    facts(free={"/data": 1e6})
    text = " ".join(one.remedy for one in troubles_in(tmp_path))
    assert "name another folder with --folders" in text
    assert "--free" not in text


def test_on_one_machine_nobody_speaks_of_nodes(facts, tmp_path, monkeypatch):
    facts(free={"/data": 1e6})
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    found = troubles_in(tmp_path / "runs")
    assert any("cannot write" in one.what for one in found)
    assert not any("nodes" in one.remedy for one in found)
