"""A campaign on a cluster whose nodes are lost, and others come, ten times at random moments.

    python tests/faults/lose_nodes.py FOLDER
    python tests/faults/lose_nodes.py FOLDER --seed 2 --removals 20

The driver's node has no CPU. The campaign begins with one other, of two CPUs; then there
are two, and one that is lost is replaced. Every second loss comes while actors start on a
node that has just come. All are this machine's and this program's alone. The last line is
JSON: what happened, and whether the dataset is sound and has the bytes of one that
nothing disturbed. Where it is not, or simulations are missing, the program says so and
ends with status 1.
"""

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import places
import ray
from ray.cluster_utils import Cluster

from orrery.execution.simulation import generate
from orrery.parameters import generator
from orrery.records import Column, Records, Schema
from orrery.storage import work_log
from orrery.storage.work_log import WORK

SHARDS = 100
SHARD_SIZE = 8
HELD = 4  # shards that are made only when the last node has been lost
PAUSE = 2.0  # [s] of each shard
START = 1.0  # [s] of each actor
KINDS = ("lost with its node over shard", "lost with its node over its start",
         "out of reach", "died over")  # fmt: skip


@dataclass(frozen=True)
class Slow:
    """Simulates some numbers, slowly; its last shards wait for a file.

    Arguments:
        over: The file.
        waits: Whether it takes its time.
    """

    over: str
    waits: bool

    schema = Schema(
        (Column("index", "", "number", "int64"), Column("a", "kpc", "centre"))
    )

    def describe(self):
        return {"what": "slow"}

    def __setstate__(self, state):
        if state["waits"]:
            time.sleep(START)
        self.__dict__.update(state)

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        if self.waits:
            time.sleep(PAUSE)
            held = indices[0] >= (SHARDS - HELD) * SHARD_SIZE
            while held and not Path(self.over).exists():
                time.sleep(PAUSE)
        draws = [generator(seed, index).normal() for index in indices]
        return Records({"index": np.array(indices), "a": np.array(draws)})


def lose(cluster, nodes, removals, chance, campaign):
    """Takes nodes away at random moments, and brings others while some are still to be lost.

    Returns when [s].
    """
    began = time.monotonic()
    moments = []
    time.sleep(chance.uniform(5, 10))  # it works with what is there
    for removal in range(removals):
        while len(nodes) < 2:
            nodes.append(cluster.add_node(num_cpus=2))
        starting = removal % 2 == 1
        time.sleep(chance.uniform(0.2, 3) if starting else chance.uniform(10, 20))
        assert not campaign.done(), "it ended before the last node was lost"
        lost = nodes.pop() if starting else nodes.pop(chance.randrange(len(nodes)))
        moments.append(round(time.monotonic() - began, 1))
        cluster.remove_node(lost, allow_graceful=chance.random() < 0.3)
    return moments


def contents(folder):
    """Returns the bytes of every file but of the card and the record of the work."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if path.name not in (WORK, "README.md")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def made(folder, simulator, actors):
    return generate(
        simulator, SHARDS * SHARD_SIZE, 7, folder, actors=actors, shard_size=SHARD_SIZE
    )


def survive(folder, removals, seed):
    """Returns what became of a campaign that lost nodes."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    over = folder / "over"
    nodes = [cluster.add_node(num_cpus=2)]
    cluster.wait_for_nodes()
    began = time.monotonic()
    try:
        with (
            (folder / "messages").open("w", buffering=1) as file,
            redirect_stderr(file),
            # Ray brings nodes from the main thread only.
            ThreadPoolExecutor(1) as thread,
        ):
            simulator = Slow(str(over), waits=True)
            campaign = thread.submit(made, folder / "disturbed", simulator, None)
            moments = lose(cluster, nodes, removals, random.Random(seed), campaign)
            over.touch()
            dataset = campaign.result()
        seconds = time.monotonic() - began
    finally:
        ray.shutdown()
        cluster.shutdown()
    said = (folder / "messages").read_text()
    whole = made(folder / "whole", Slow("", waits=False), 0)
    (session,) = work_log.sessions(dataset.folder)
    return {
        "seconds": round(seconds),
        "lost_after": moments,
        "simulations": len(dataset),
        "most_actors": session.actors,
        "deaths": session.deaths,
        "said": {kind: said.count(kind) for kind in KINDS},
        "damaged": sorted(dataset.damaged(full=True)),
        "same_bytes": contents(dataset.folder) == contents(whole.folder),
    }


def wrong(found):
    """Returns what a campaign lost or made otherwise, as a sentence; None if nothing."""
    complaints = []
    if found["simulations"] != SHARDS * SHARD_SIZE:
        complaints.append(
            f"{found['simulations']} of {SHARDS * SHARD_SIZE} simulations are there"
        )
    if found["damaged"]:
        complaints.append(f"damaged shards: {found['damaged']}")
    if not found["same_bytes"]:
        complaints.append("the bytes are not those of an undisturbed dataset")
    return f"nodes were lost, and {'; '.join(complaints)}" if complaints else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--removals", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with places.sessions_of_its_own():
        found = survive(given.folder, given.removals, given.seed)
    print(json.dumps(found), flush=True)
    sys.exit(wrong(found))


if __name__ == "__main__":
    main()
