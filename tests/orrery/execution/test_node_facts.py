"""A node says what it is: what its disks take, what its groups leave it, who may read what."""

import os
import subprocess
import sys

import pytest

from orrery.execution import node_facts
from orrery.execution.node_facts import cache_refusal, open_token, usable_cpus

AFFINITY = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
linux = pytest.mark.skipif(sys.platform != "linux", reason="has no control groups")


@linux
@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "max 100000"}, AFFINITY),
        ({"cpu.max": "50000 0"}, AFFINITY),
        ({"cpu/cpu.cfs_quota_us": "25000", "cpu/cpu.cfs_period_us": "100000"}, 0.25),
        (
            {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            AFFINITY,
        ),
        ({"cpu.max": "6400000 100000"}, AFFINITY),
        ({}, AFFINITY),
    ],
)
def test_a_limit_of_control_groups_is_told(files, cpus, tmp_path, monkeypatch):
    groups = tmp_path / "groups"
    for name, text in files.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(f"{text}\n")
    listed = tmp_path / "listed"
    listed.write_text("12:cpu,cpuacct:/batch/job_7\n3:pids:/\n0::/batch/job_7\n")
    monkeypatch.setattr(node_facts, "_OWN_GROUPS", listed)
    assert usable_cpus(groups) == cpus


@linux
def test_the_narrowest_of_the_groups_above_counts(tmp_path, monkeypatch):
    for name, limit in (("batch", "30000"), ("batch/job_7", "70000"), ("other", "1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cpu.max").write_text(f"{limit} 100000\n")
    listed = tmp_path / "listed"
    listed.write_text("0::/batch/job_7\n")
    monkeypatch.setattr(node_facts, "_OWN_GROUPS", listed)
    assert usable_cpus(tmp_path) == 0.3


@linux
def test_a_kernel_without_control_groups_limits_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(node_facts, "_OWN_GROUPS", tmp_path / "missing")
    assert usable_cpus(tmp_path) == AFFINITY


def test_machines_of_one_name_that_nothing_tells_apart_are_not_known(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(node_facts, "_STARTED", tmp_path / "missing")
    assert node_facts.machine() == ""


FULL = """
import resource, sys
from pathlib import Path
from orrery.execution.node_facts import cache_refusal
from orrery.execution.nodes import ROOM, write_probes

left = int(sys.argv[2])  # as a disk has it, or a quota, of which no free space tells
resource.setrlimit(resource.RLIMIT_FSIZE, (left, left))
folder = Path(sys.argv[1])
(folder / "empty").touch()
"""


# Empty files alone; and those that are no larger than a probe's.
LEFT = pytest.mark.parametrize("left", [1000, 500_000])


def told(program, folder, left):
    """Returns what a program prints that can write files of so many bytes at most."""
    done = subprocess.run(
        [sys.executable, "-c", FULL + program, str(folder), str(left)],
        # without bytecode, of which parts would be left
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@linux
@LEFT
def test_a_cache_that_takes_small_files_alone_is_told(tmp_path, left):
    found = told("print(cache_refusal())", tmp_path, left)
    assert found == f"{tmp_path}/orrery: File too large"


@pytest.mark.slow
@linux
@LEFT
def test_a_folder_that_takes_small_files_alone_is_refused_and_left_as_it_was(
    tmp_path, left
):
    folder = tmp_path / "runs"
    program = "print(write_probes([folder / 'runs' / 'probe.tmp'], ROOM))"
    found = told(program, tmp_path, left)
    assert found == f"{{'{folder}': 'File too large'}}"
    assert [*folder.iterdir()] == []


def test_a_cache_on_an_almost_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_refusal() == ""
    monkeypatch.setattr(node_facts, "LEAST_FREE_CACHE", 1e18)
    assert "MB are free, not 1000000000000" in cache_refusal()


@pytest.mark.parametrize(
    ("mode", "is_told"), [(0o600, False), (0o644, True), (0o620, True)]
)
def test_a_token_that_others_may_read_is_told(mode, is_told, tmp_path, monkeypatch):
    file = tmp_path / "auth_token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert open_token() == ""
    file.write_text("abc")
    file.chmod(mode)
    assert open_token() == (str(file) if is_told else "")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "abc")  # from a Kubernetes secret, say
    assert open_token() == ""
