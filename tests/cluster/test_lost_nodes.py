"""A sweep on a cluster of two nodes loses one of them and ends with all its trials."""

import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from orrery.identity import PLACE
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, read_trials

pytestmark = pytest.mark.slow  # two nodes of Ray
TRIALS = 12
SPACE = SearchSpace({"rate": Log(1e-3, 1.0), "width": Int(1, 9)})


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3
    # a file with a line for each beginning and each end: which trial, and on which node
    diary: str = field(default="", metadata=PLACE)


def evaluate(options, report):
    node = ray.get_runtime_context().get_node_id()
    diary = Path(options.diary)
    with diary.open("a") as file:
        file.write(f"begins {options.rate!r} {node}\n")
    for step in range(1, 4):
        time.sleep(0.2)
        report({"loss": 1 / step})
    with diary.open("a") as file:
        file.write(f"ends {options.rate!r} {node}\n")
    return {"loss": options.width * options.rate}


def lines(diary, verb):
    text = diary.read_text() if diary.exists() else ""
    return [line.split()[1:] for line in text.splitlines() if line.startswith(verb)]


@pytest.fixture
def nodes():
    """A head with one CPU, and a second node with another; both are ours alone."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    cluster = Cluster(
        initialize_head=True, connect=True, head_node_args={"num_cpus": 1}
    )
    yield cluster, cluster.add_node(num_cpus=1)
    ray.shutdown()
    cluster.shutdown()
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_a_node_is_lost_in_the_middle(tmp_path, nodes):
    cluster, second = nodes
    cluster.wait_for_nodes()
    diary = tmp_path / "diary"
    lost = []

    def lose():
        """Takes the second node away while one of its trials runs, in the middle."""
        while True:
            there = [
                rate for rate, node in lines(diary, "begins") if node == second.node_id
            ]
            ended = {rate for rate, _ in lines(diary, "ends")}
            running = [rate for rate in there if rate not in ended]
            if running and len(ended) >= TRIALS // 4:
                lost.extend(running)
                cluster.remove_node(second, allow_graceful=False)
                return
            time.sleep(0.02)

    thief = threading.Thread(target=lose, daemon=True)
    thief.start()
    toy = Toy(diary=str(diary))
    sweep = Sweep("toy", SPACE, toy, evaluate, (Goal("loss"),))
    trials = search(sweep, TRIALS, tmp_path, concurrent=2)
    thief.join(timeout=60)

    assert lost, "no node was lost in the middle"
    assert [trial.state for trial in trials] == ["finished"] * TRIALS
    assert len({trial.point["rate"] for trial in trials}) == TRIALS
    assert read_trials(sweep.folder(tmp_path)) == trials
    ends = [rate for rate, _ in lines(diary, "ends")]
    assert sorted(ends) == sorted({repr(trial.point["rate"]) for trial in trials})
    # the trial that was there began again on the node that is left
    (again,) = [node for rate, node in lines(diary, "begins") if rate == lost[0]][1:]
    assert again != second.node_id
