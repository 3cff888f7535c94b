"""Actors die and runs are killed; the bytes are the same."""

import copy
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import ray

from orrery.execution import cluster, simulation
from orrery.execution.processors import processor_model
from orrery.execution.same_code import installed_code
from orrery.execution.simulation import generate
from orrery.execution.summaries import compute
from orrery.identity import fingerprint
from orrery.parameters import Parameter, generator
from orrery.records import Column, Records, Schema
from orrery.storage import dataset, work_log
from orrery.storage.card import CARD
from orrery.storage.files import is_locked, take_lock
from orrery.storage.work_log import WORK

pytestmark = pytest.mark.slow  # together: each starts actors
VERSION = 1  # of what summarises here
SHARD, COUNT = 4, 24
kept = {}  # locks of folders, until this process ends


@dataclass(frozen=True)
class Toy:
    """Simulates some stars; can sleep, refuse, and end its own process.

    Arguments:
        pause: Sleep for each shard [s].
        refused: The simulation that raises an error.
        deadly: The simulation that ends the process.
        marker: A file that is there once it did; with "" it always does.
        announced: A file that receives the number of the process that simulates.
        held: A folder that is locked until the process that simulates has ended.
    """

    pause: float = 0.0
    refused: int = -1
    deadly: int = -1
    marker: str = ""
    announced: str = ""
    held: str = ""

    @property
    def schema(self) -> Schema:
        scalars = (Column("index", "", "number", "int64"), Column("a", "kpc", "centre"))
        return Schema(scalars, (Column("x", "kpc", "positions", "float16"),))

    def describe(self) -> dict:
        return {"what": "toy"}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        if self.announced:
            Path(self.announced).write_text(f"{os.getpid()}\n")
        if self.held and self.held not in kept:
            kept[self.held] = take_lock(Path(self.held))
        time.sleep(self.pause)
        if self.refused in indices:
            raise ValueError(f"simulation {self.refused} is refused")
        if self.deadly in indices:
            self._die()
        draws = np.array([generator(seed, i).normal(size=11) for i in indices])
        offsets = np.arange(0, 10 * len(indices) + 1, 10, dtype=np.int32)
        stars = {"x": draws[:, 1:].ravel().astype(np.float16)}
        return Records({"index": np.array(indices), "a": draws[:, 0]}, stars, offsets)

    def _die(self) -> None:
        if not self.marker or not Path(self.marker).exists():
            if self.marker:
                Path(self.marker).touch()
            # What it returned a moment ago must arrive, or that is what it died over.
            time.sleep(0.3)
            os._exit(1)


def fill(toy, folder, actors, count=COUNT):
    return generate(toy, count, 7, Path(folder), actors=actors, shard_size=SHARD)


if __name__ == "__main__":
    fill(Toy(pause=0.2, held=sys.argv[3]), sys.argv[1], int(sys.argv[2]))
    sys.exit()


def contents(folder):
    """Returns the bytes of every file, without the record of the work, which takes its time."""
    files = [
        path for path in Path(folder).rglob("*") if path.is_file() and path.name != WORK
    ]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    section = re.compile(rb"\n## Work\n.*?(?=\n## )", re.DOTALL)
    return {
        n: section.sub(b"", data) if n.endswith(CARD) else data
        for n, data in found.items()
    }


def work(folder):
    """Returns the sessions of the only dataset in a folder."""
    (made,) = Path(folder).iterdir()
    return work_log.sessions(made)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a dataset that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    fill(Toy(), folder, 0)
    return contents(folder)


@pytest.fixture
def connected(connected):
    # Actors cannot import this file: they receive its classes by value.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield connected
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def killed(folder, actors):
    """Starts a generation in a process of its own and kills it after two shards.

    An actor outlives its driver for a moment, in which it may write another shard.
    """
    held = folder.with_name("held")
    held.mkdir()
    command = [sys.executable, __file__, str(folder), str(actors), str(held)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*/shards/shard-*.arrow"))) < 2:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline, "it made no shards"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while is_locked(held):
        assert time.monotonic() < deadline, "its actor did not end"
        time.sleep(0.01)


def test_a_killed_run_is_continued_to_the_same_bytes(tmp_path, whole):
    folder = tmp_path / "data"
    killed(folder, actors=0)
    assert contents(folder) != whole
    (first,) = work(folder)
    assert first.simulations >= SHARD  # all but the shard that it was working on
    fill(Toy(), folder, 0)
    assert contents(folder) == whole
    assert work(folder)[0] == first
    assert len(work(folder)) == 2


def test_a_killed_driver_with_actors_is_continued_to_the_same_bytes(tmp_path, whole):
    folder = tmp_path / "data"
    killed(folder, actors=1)
    assert contents(folder) != whole
    fill(Toy(), folder, 0)
    assert contents(folder) == whole


@pytest.mark.parametrize("actors", [1, None])
def test_the_number_of_actors_decides_nothing(tmp_path, connected, whole, actors):
    fill(Toy(), tmp_path, actors)
    assert contents(tmp_path) == whole
    (session,) = work(tmp_path)
    assert (session.simulations, session.deaths, session.nodes) == (COUNT, 0, 1)
    assert 1 <= session.actors <= min(actors or connected, connected)
    assert session.cpus == int(ray.cluster_resources()["CPU"])
    (kind,) = session.processors
    assert kind.startswith(processor_model())
    assert session.processors[kind] == COUNT


def test_a_dead_actor_is_replaced(tmp_path, connected, whole, capsys):
    toy = Toy(deadly=9, marker=str(tmp_path / "died"))
    fill(toy, tmp_path / "data", 2)
    assert (tmp_path / "died").exists()
    assert contents(tmp_path / "data") == whole
    assert [part.deaths for part in work(tmp_path / "data")] == [1]
    assert "died over shard 2 and is replaced" in capsys.readouterr().err


def test_an_actor_killed_from_outside_is_replaced(tmp_path, connected, whole, capsys):
    announced = tmp_path / "process"

    def kill():
        while not announced.is_file() or not announced.read_text().endswith("\n"):
            time.sleep(0.01)
        os.kill(int(announced.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    fill(Toy(pause=0.2, announced=str(announced)), tmp_path / "data", 1)
    killer.join()
    assert contents(tmp_path / "data") == whole
    assert "an actor died over shard" in capsys.readouterr().err
    (session,) = work(tmp_path / "data")
    assert (session.simulations, session.actors, session.deaths) == (COUNT, 1, 1)
    card = next((tmp_path / "data").glob("*/README.md")).read_text()
    assert re.search(
        rf"\| all \| {COUNT} \| 0:00:\d\d \| [\d.]+ \| \| 1 \| \| \|", card
    )


def test_a_shard_that_always_kills_is_named_and_the_others_are_kept(
    tmp_path, connected, whole
):
    with pytest.raises(
        ChildProcessError, match=r"3 actors died over shard 5 .*; finished shards are"
    ):
        fill(Toy(deadly=20), tmp_path, 1)
    (folder,) = tmp_path.iterdir()
    assert len(list((folder / "shards").iterdir())) == 5
    fill(Toy(), tmp_path, 0)
    assert contents(tmp_path) == whole
    done = [(part.simulations, part.deaths) for part in work_log.sessions(folder)]
    assert done == [(COUNT - SHARD, 3), (SHARD, 0)]


def test_errors_of_the_simulator_are_not_tried_again(tmp_path, connected, capsys):
    with pytest.raises(ValueError, match="simulation 6 is refused") as raised:
        fill(Toy(refused=6), tmp_path, 1)
    assert "in shard 1, simulations 4 to 7" in raised.value.__notes__
    assert "died" not in capsys.readouterr().err


@dataclass(frozen=True)
class Edited(Toy):
    """Its code was edited, and its version raised, after the driver had started."""

    driver: int = 0

    @property
    def versions(self) -> dict:
        return {"toy": 1 if os.getpid() == self.driver else 2}

    def describe(self) -> dict:
        return {"what": "toy", "versions": self.versions}


def test_an_actor_with_other_code_refuses(tmp_path, connected):
    wrong = r"has other code than .*\(toy 2 instead of 1\): install the same code"
    with pytest.raises(ValueError, match=wrong):
        fill(Edited(driver=os.getpid()), tmp_path, 1)
    (folder,) = tmp_path.iterdir()
    assert not list((folder / "shards").iterdir())


def test_an_actor_with_edited_files_refuses(tmp_path, connected, monkeypatch):
    def other(packages):
        here = copy.deepcopy(installed_code(packages))
        here.files["orrery"] |= {"orrery/records.py": "0123456789ab"}
        return here

    monkeypatch.setattr(simulation, "installed_code", other)
    wrong = r"orrery/records.py [0-9a-f]{12} instead of 0123456789ab\): install the same code"
    with pytest.raises(ValueError, match=wrong):
        fill(Toy(), tmp_path, 1)
    (folder,) = tmp_path.iterdir()
    assert not list((folder / "shards").iterdir())


def test_more_actors_than_cpus_are_no_obstacle(tmp_path, connected, whole):
    fill(Toy(), tmp_path, connected + 4)
    assert contents(tmp_path) == whole


def test_connections_are_used_again_and_left_open(connected):
    with cluster.connect() as cpus:
        assert cpus == connected == cluster.cpus()
    assert ray.is_initialized()


def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    message = "no Ray cluster answers at 127.0.0.1:1: start it, correct RAY_ADDRESS"
    with pytest.raises(ConnectionError, match=message), cluster.connect():
        raise AssertionError


@dataclass(frozen=True)
class Centre:
    names: tuple[str, ...] = ("seen",)
    units: tuple[str, ...] = ("kpc",)

    @property
    def fingerprint(self):
        return fingerprint(self.describe())

    def describe(self):
        return {"names": self.names}


def centre(records, binning):
    """Returns three times the centre."""
    return 3 * records.scalars["a"][:, None]


def refusing(records, binning):
    """Returns nothing: it refuses."""
    raise ValueError("these records are refused")


def test_summaries_are_shared_out_and_come_back_in_order(tmp_path, connected):
    stars = fill(Toy(), tmp_path, 0, count=22)
    parameters = (Parameter("a", "kpc", "$a$"),)
    splits = compute(centre, stars, Centre(), parameters)
    expected = np.concatenate(
        [stars.records(shard).scalars["a"] for shard in stars.shards]
    )
    for name in ("train", "validation", "test"):
        chosen = [dataset.split(index) == name for index in range(22)]
        assert np.array_equal(getattr(splits, name).theta[:, 0], expected[chosen])
        assert np.array_equal(getattr(splits, name).x[:, 0], 3 * expected[chosen])
    with pytest.raises(ValueError, match="these records are refused"):
        compute(refusing, stars, Centre(), parameters)
