"""A training whose worker's node is lost in the middle, and later what carries its progress.

python tests/faults/lose_progress.py FOLDER

The driver's node has no CPU, two others are this machine's and this program's alone.
Prints a line of JSON: which epochs the driver heard of, which the workers did, and on
which nodes. Where an epoch was lost, or not told though its way was open, the program
says so and ends with status 1.
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import places
import ray
from ray.cluster_utils import Cluster

from orrery.learning import workers

EPOCHS = 12
LOST_AFTER = 3  # epochs
KILLED_AFTER = 8
PAUSE = 0.2  # [s] of each epoch


@dataclass(frozen=True)
class Work:
    """Continues where its diary ends."""

    diary: Path

    def __call__(self, worker):
        node = ray.get_runtime_context().get_node_id()
        for epoch in range(len(lines(self.diary)), EPOCHS):
            worker.on_epoch(0, epoch, {"train": 1.0})
            time.sleep(PAUSE)
            with self.diary.open("a") as file:
                file.write(f"{epoch} {node}\n")


def lines(diary):
    return diary.read_text().splitlines() if diary.exists() else []


def wait(diary, epochs):
    while len(lines(diary)) < epochs:
        time.sleep(PAUSE / 4)


def trained(folder, cluster):
    """Returns what became of a training that lost a node, then the queue."""
    diary, heard, queues = folder / "diary", [], []
    make_queue = workers._queue_here

    def kept_queue():
        queues.append(make_queue())
        return queues[0]

    workers._queue_here = kept_queue
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    lost = []

    def lose():
        wait(diary, LOST_AFTER)
        _, at_work = lines(diary)[-1].split()
        lost.extend(node for node in nodes if node.node_id == at_work)
        cluster.remove_node(lost[0], allow_graceful=False)
        wait(diary, KILLED_AFTER)
        ray.kill(queues[0].actor)

    threading.Thread(target=lose, daemon=True).start()
    workers.run_workers(
        Work(diary), 1, folder, lambda member, epoch, losses: heard.append(epoch)
    )
    done = [line.split() for line in lines(diary)]
    return {
        "heard": heard,
        "done": [int(epoch) for epoch, _ in done],
        "lost": [node.node_id for node in lost],
        "nodes": list(dict.fromkeys(node for _, node in done)),
    }


def survive(folder):
    """Returns what became of a training on a cluster of its own."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    os.environ["ORRERY_CPUS"] = "1"
    try:
        return trained(folder, cluster)
    finally:
        ray.shutdown()
        cluster.shutdown()


def wrong(found):
    """Returns what a training lost or did otherwise, as a sentence; None if nothing."""
    # what was sent as the queue was killed may have gone with it
    untold = sorted(set(range(KILLED_AFTER - 1)) - set(found["heard"]))
    moved = found["nodes"][:1] == found["lost"] and len(found["nodes"]) == 2
    laws = {
        f"epochs done are {found['done']}": found["done"] == list(range(EPOCHS)),
        f"epochs that were not told: {untold}": not untold,
        f"worked on {found['nodes']}, lost {found['lost']}": moved,
    }
    complaints = [complaint for complaint, holds in laws.items() if not holds]
    return f"a node was lost, and {'; '.join(complaints)}" if complaints else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    with places.sessions_of_its_own():
        found = survive(given.folder)
    print(json.dumps(found), flush=True)
    sys.exit(wrong(found))


if __name__ == "__main__":
    main()
