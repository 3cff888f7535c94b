"""How many CPUs are used, and that nothing needs a cluster."""

import importlib
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import ray

from orrery.execution import cluster
from orrery.execution.same_code import read_files


def test_the_cluster_says_how_many_unless_the_user_does(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 6.0})
    monkeypatch.delenv("ORRERY_CPUS", raising=False)
    assert cluster.cpus() == 6
    monkeypatch.setenv("ORRERY_CPUS", "256")
    assert cluster.cpus() == 256


@pytest.mark.parametrize("wanted", ["0", "-3", "many", "1.5", ""])
def test_anything_but_a_number_is_refused(monkeypatch, wanted):
    monkeypatch.setenv("ORRERY_CPUS", wanted)
    with pytest.raises(ValueError, match="ORRERY_CPUS"):
        cluster.cpus()


def halved(number, divisor):
    return number / divisor


def test_without_a_cluster_batches_are_done_here(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert not cluster.connected()
    assert list(cluster.map_batches(halved, [2, 6], [2])) == [1, 3]
    with pytest.raises(ZeroDivisionError):
        list(cluster.map_batches(halved, [2], [0]))


def test_who_is_alone_does_all_batches_here_until_the_end(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "put", lambda value: pytest.fail("nothing is sent"))
    with cluster.alone():
        assert not cluster.connected()
        assert list(cluster.map_batches(halved, [2, 6], [2])) == [1, 3]
    assert cluster.connected()


@pytest.fixture
def tasks(monkeypatch):
    """Tasks of Ray, which are done by this process in the moment of their submission."""
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "put", lambda value: value)
    monkeypatch.setattr(ray, "remote", lambda task: SimpleNamespace(remote=task))
    monkeypatch.setattr(ray, "get", lambda result: result)


def test_tasks_with_the_code_of_who_shares_out_do_the_batches(tasks):
    assert list(cluster.map_batches(halved, [2, 6], [2])) == [1, 3]


def test_a_task_that_has_other_code_refuses(tasks, tmp_path, monkeypatch):
    """A function that summarises is edited on one machine, of two that share the work."""
    file = tmp_path / "summarising_here.py"
    file.write_text("def double(records):\n    return 2 * records\n")
    monkeypatch.syspath_prepend(tmp_path)
    double = importlib.import_module("summarising_here").double
    results = cluster.map_batches(applied, [1, 2], [partial(double)])
    assert next(results) == 2
    began = cluster.installed_code

    def edited(packages):
        installed = began(packages)
        file.write_text("def double(records):\n    return 3 * records\n")
        read_files.cache_clear()
        return installed

    monkeypatch.setattr(cluster, "installed_code", edited)
    named = r"has other code than .*summarising_here.py [0-9a-f]{12} instead of"
    with pytest.raises(ValueError, match=named):
        next(cluster.map_batches(applied, [1], [partial(double)]))
    read_files.cache_clear()


def applied(batch, function):
    return function(batch)


def test_who_does_without_ray_works_here_and_asks_for_no_workers(monkeypatch, capsys):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was begun"))
    monkeypatch.setenv("ORRERY_RAY", "off")
    with cluster.connect() as cpus:
        assert cpus == 1
        assert not cluster.connected()
        assert list(cluster.map_batches(halved, [2, 6], [2])) == [1, 3]
    said = " ".join(capsys.readouterr().err.split())
    assert said == (
        "ORRERY_RAY=off: this process does all the work by itself, and trainings need 0 workers"
    )
    with pytest.raises(
        ValueError, match=r"^3 workers .* ORRERY_RAY=off: with .--workers 0"
    ):
        cluster.require_ray(3)
    monkeypatch.setenv("ORRERY_RAY", "no")
    with pytest.raises(ValueError, match="ORRERY_RAY='no': say off"):
        cluster.connected()


def test_workers_are_refused_where_ray_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"Ray is not installed: with .--workers 0"):
        cluster.require_ray(1)


WITHOUT_RAY = """
import sys
from pathlib import Path
sys.modules["ray"] = None  # as where it is not installed
import numpy as np
from orrery.execution import cluster, simulation, summaries
from orrery.parameters import Parameter
from orrery.records import Column, Records, Schema

class Toy:
    schema = Schema((Column("a", "kpc", "a number"),))
    def describe(self):
        return {}
    def records(self, seed, indices):
        return Records({"a": np.array(indices) / 2})

class Alone:
    names, units, fingerprint = ("a",), ("kpc",), "alone"
    def describe(self):
        return {}

assert not cluster.connected()
with cluster.connect() as cpus:
    assert cpus == 1
    made = simulation.generate(Toy(), 32, 1, Path(sys.argv[1]))
(Path(sys.argv[1]) / "doubling.py").write_text(
    "VERSION = 1\\n"
    "def double(records, binning):\\n    return 2 * records.scalars['a'][:, None]\\n"
)
sys.path.insert(0, sys.argv[1])
from doubling import double
pairs = summaries.compute(double, made, Alone(), [Parameter("a", "kpc", "$a$")])
assert (pairs.train.x == 2 * pairs.train.theta).all()
print(len(pairs.train))
"""


@pytest.mark.slow
def test_simulating_and_summarising_need_no_ray(tmp_path):
    command = [sys.executable, "-c", WITHOUT_RAY, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["24"]


def test_one_process_does_all_that_shares_a_ray_session(request):
    items = request.session.items
    sharing = [item for item in items if "connected" in item.fixturenames]
    is_shared_out = request.config.getoption("loadgroup", False)
    together = [item for item in items if item.nodeid.endswith("@ray")]
    assert together == (sharing if is_shared_out else [])
