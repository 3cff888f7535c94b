"""Each fault that is planted is found, on its node, with its remedy, and no other is."""

import re
from dataclasses import replace

import pytest

from orrery.execution.readiness import (
    COMPILER,
    GB,
    NodeReport,
    absence,
    judge,
    silence,
)

SOFTWARE = {
    "python": "3.11.9",
    "ray": "2.60.0",
    "orrery": "0.1.0",
    "commit": "1f",
    "code": "0d",
}
SOUND = NodeReport(
    "a",
    (),
    {"/data": 500 * GB, "/runs": 500 * GB},
    SOFTWARE,
    "EPYC",
    0.1,
    settings={"OMP_NUM_THREADS": "1"},
)
FAULTS = {
    "no shared folder": ({"unseen": ("/data",)}, "does not see in /data", "mount one"),
    "full disk": (
        {"free": {"/data": 3 * GB}},
        "3.0 GB are free in /data, not 10",
        "free some space",
    ),
    "other Python": (
        {"python": "3.12.1"},
        "has python 3.12.1, others 3.11.9",
        "install",
    ),
    "other Ray": (
        {"ray": "2.61.0"},
        "has ray 2.61.0, others 2.60.0",
        "install the same",
    ),
    "other package": ({"orrery": None}, "has orrery None, others 0.1.0", "install"),
    "other commit": ({"commit": "2e"}, "has commit 2e, others 1f", "the same commit"),
    "other processor": (
        {"processor": "Xeon"},
        "Xeon, others EPYC",
        "nodes of one kind",
    ),
    "clock ahead": ({"clock_offset": 3600.0}, r"\+3600.0 s off the driver's", "chrony"),
    "clock behind": ({"clock_offset": -1.5}, "-1.5 s off the driver's", "chrony"),
    "no GPU": (
        {"promised_gpus": 2, "seen_gpus": 1},
        "sees 1 GPUs, Ray .* 2",
        "a driver",
    ),
    "too many CPUs": (
        {"cpus": 64, "seen_cpus": 2},
        "may use 2 CPUs, Ray has promised 64",
        "--num-cpus",
    ),
    "half a CPU": (
        {"cpus": 2, "seen_cpus": 0.5},
        "may use 0.5 CPUs, Ray has promised 2",
        "control group",
    ),
    "more threads": (
        {"settings": {"OMP_NUM_THREADS": "64"}},
        "has OMP_NUM_THREADS=64, others 1: it computes otherwise",
        "on all nodes before Ray starts",
    ),
    "fewer threads": (
        {"settings": {}},
        "has OMP_NUM_THREADS=, others 1",
        "or on none",
    ),
    "token for all": (
        {"open_token": "/home/a/.ray/auth_token"},
        "others may read /home/a/.ray/auth_token",
        "chmod 600 /home/a/.ray/auth_token",
    ),
    "no cache": (
        {"cache": "/home/a/.cache/orrery: Read-only file system"},
        r"cannot keep compiled code \(/home/a",
        "XDG_CACHE_HOME",
    ),
    "full memory": (
        {"free_shared_memory": 5 * 2**20},
        "/dev/shm is full: 5 MiB are free",
        "remove from it",
    ),
    "small memory": ({"shared_memory": 64 * 2**20}, "shm has 64 MiB", "--shm-size"),
    "read-only folder": (
        {"refused": {"/data": "Read-only file system"}},
        r"cannot write into /data \(Read-only file system\)",
        "mount it writable",
    ),
    "edited file": ({"code": "0e"}, "has code 0e, others 0d", "the same commit"),
    "few files": ({"open_files": 1024}, "may open 1024 files", "ulimit -n"),
    "no token": ({"token": False}, "asks nobody for a token", "RAY_AUTH_MODE=token"),
    "no certificates": (
        {"tls": False},
        "asks nobody for a certificate",
        "RAY_USE_TLS=1",
    ),
}


def planted(change):
    software = {name: change[name] for name in SOFTWARE if name in change}
    rest = {name: value for name, value in change.items() if name not in SOFTWARE}
    return replace(SOUND, node="c", software=SOFTWARE | software, **rest)


def test_nodes_that_are_alike_and_sound_have_no_trouble():
    limits = replace(SOUND, node="b", clock_offset=-1.0, promised_gpus=2, seen_gpus=2)
    assert judge([SOUND, limits]) == ()


def test_the_processor_of_a_head_that_does_no_work_is_not_compared():
    head = replace(SOUND, node="head", processor="ARM", cpus=0)
    assert judge([head, SOUND]) == judge([SOUND, head]) == ()
    (trouble,) = judge(
        [head, SOUND, replace(SOUND, node="b"), planted({"processor": "ARM"})]
    )
    assert trouble.node == "c"


@pytest.mark.parametrize("name", ["torch", "lightning", "code of mwlmc"])
def test_of_two_nodes_the_one_that_differs_from_the_first_is_named(name):
    head = replace(SOUND, software=SOFTWARE | {name: "1"})
    (trouble,) = judge([head, replace(SOUND, node="b")])
    assert trouble.node == "b"
    assert trouble.what == f"has {name} None, others 1"
    assert name not in head.summary


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_with_its_remedy(fault):
    change, what, remedy = FAULTS[fault]
    (trouble,) = judge([planted(change), SOUND, replace(SOUND, node="b")])
    assert trouble.node == "c"
    assert re.search(what, trouble.what)
    assert remedy in trouble.remedy


def test_a_cluster_without_any_compiler_is_told_that_it_is_slow():
    without = replace(SOUND, software=SOFTWARE | {COMPILER: None})
    head = replace(without, node="head", cpus=0)  # where nothing computes
    (trouble,) = judge([head, without])
    assert trouble.node == "a"
    assert "several times slower" in trouble.what
    assert "g++" in trouble.remedy
    sound = replace(SOUND, software=SOFTWARE | {COMPILER: "g++ 12.2"})
    (trouble,) = judge([sound, replace(sound, node="b"), replace(without, node="c")])
    assert trouble.what == "has C++ compiler None, others g++ 12.2"


def test_all_faults_of_all_nodes_are_found():
    nodes = [
        replace(planted(change), node=fault) for fault, (change, _, _) in FAULTS.items()
    ]
    sound = [replace(SOUND, node=f"{number}") for number in range(len(nodes))]
    assert len(judge([*nodes, *sound])) == len(FAULTS)


def test_a_second_ray_on_one_machine_is_found():
    third = replace(SOUND, node="b")
    (trouble,) = judge([SOUND, third, SOUND])
    assert trouble.node == "a"
    assert trouble.what == "has 2 Rays, which promise 2 CPUs; it has 1"
    assert "ray stop" in trouble.remedy


def test_a_second_ray_under_another_address_is_found():
    one, two = (
        replace(SOUND, node=f"host ({address})", machine="host 6f1c")
        for address in ("10.0.0.2", "10.0.1.2")
    )
    pods = [replace(SOUND, node=name, machine=f"{name} 6f1c") for name in ("p", "q")]
    (trouble,) = judge([SOUND, one, *pods, two])
    assert trouble.node == "host (10.0.0.2)"
    assert "has 2 Rays (the same machine as host (10.0.1.2)), " in trouble.what


def test_rays_of_one_machine_that_promise_what_it_has_are_no_trouble():
    """A head that does no work beside a worker; steps of a batch system; containers."""
    worker = replace(SOUND, machine="host 6f1c", machine_cpus=8, cpus=4, seen_cpus=4)
    head = replace(worker, cpus=0)
    assert judge([head, worker, worker]) == ()
    (trouble,) = judge([head, worker, worker, worker])
    assert "promise 12 CPUs; it has 8" in trouble.what


def test_settings_of_a_head_that_does_no_work_are_not_compared():
    head = replace(SOUND, node="head", cpus=0, settings={"OMP_NUM_THREADS": "64"})
    assert judge([head, SOUND]) == ()


def test_the_free_space_that_is_asked_for_is_what_counts():
    assert judge([SOUND], least_free=500 * GB) == ()
    assert len(judge([SOUND], least_free=501 * GB)) == 2


def test_a_node_that_is_silent_or_missing_is_told_with_its_remedy():
    trouble = silence("c", "No module named 'orrery'")
    assert "No module named 'orrery'" in trouble.what
    assert "install there what the others have" in trouble.remedy
    assert "is full there" in trouble.remedy  # of which Ray says nothing
    assert [*absence(2, 2)] == [*absence(3, 2)] == []
    (missing,) = absence(1, 2)
    assert missing.what == "has 1 nodes, not 2"
    assert "orrery cluster certificate ADDRESS" in missing.remedy
    (missing,) = absence(1, 2, ["b", "c"])
    assert missing.what == "has 1 nodes, not 2, and has lost b, c"
    assert judge([]) == ()


def test_a_cluster_is_told_of_all_nodes_and_of_its_option():
    short = replace(SOUND, free={"/data": 1e6}, refused={"/data": "full"})
    text = " ".join(one.remedy for one in judge([short]))
    assert "on all nodes" in text
    assert "--free" in text
