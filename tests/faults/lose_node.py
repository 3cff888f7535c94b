"""Sweeps of two trials at a time on a cluster of two nodes, one of which is lost in the middle.

python tests/faults/lose_node.py FOLDER
python tests/faults/lose_node.py FOLDER --sweeps 10

Both nodes are this machine's and this program's alone. Prints a line of JSON for each
sweep. Where one lost a trial, or did one twice that was not on the lost node, the program
says so at its end, with status 1.
"""

import argparse
import json
import logging
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import places
import ray
from ray.cluster_utils import Cluster

from orrery.identity import PLACE
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, read_trials

TRIALS = 12
PAUSE = 0.2  # [s] before each report
SPACE = SearchSpace({"rate": Log(1e-3, 1.0), "width": Int(1, 9)})


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3
    # a file with a line for each beginning and each end: which trial, and on which node
    diary: str = field(default="", metadata=PLACE)


def evaluate(options, report):
    node = ray.get_runtime_context().get_node_id()
    note(options, "begins", node)
    # a node's first trial may come late: without this the other has done them all by then
    while len({there for _, there in lines(Path(options.diary), "begins")}) < 2:
        time.sleep(PAUSE)
    for step in range(1, 4):
        time.sleep(PAUSE)
        report({"loss": 1 / step})
        while held(options) == node:  # it is lost in the middle, not after its end
            time.sleep(PAUSE)
    note(options, "ends", node)
    return {"loss": options.width * options.rate}


def held(options):
    """Returns the node that is about to be lost, whose trials go no further."""
    place = Path(options.diary).with_suffix(".held")
    return place.read_text() if place.exists() else None


def note(options, verb, node):
    with Path(options.diary).open("a") as file:
        file.write(f"{verb} {options.rate!r} {node}\n")


def lines(diary, verb):
    """Returns the trials that have begun, or ended, with the nodes on which they did."""
    text = diary.read_text() if diary.exists() else ""
    return [line.split()[1:] for line in text.splitlines() if line.startswith(verb)]


def lose(cluster, second, diary, lost):
    """Takes the second node away while one of its trials runs, in the middle."""
    while len(lines(diary, "ends")) < TRIALS // 4:
        time.sleep(PAUSE)
    diary.with_suffix(".held").write_text(second.node_id)
    while not lost:
        time.sleep(5 * PAUSE)  # one that was past its last report has ended then
        ended = {rate for rate, _ in lines(diary, "ends")}
        begun = lines(diary, "begins")
        there = [rate for rate, node in begun if node == second.node_id]
        lost.extend(rate for rate in there if rate not in ended)
    cluster.remove_node(second, allow_graceful=False)


def survive(folder):
    """Returns what became of a sweep that lost a node."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    diary, lost = folder / "diary", []
    arguments = (cluster, second, diary, lost)
    threading.Thread(target=lose, args=arguments, daemon=True).start()
    sweep = Sweep("toy", SPACE, Toy(diary=str(diary)), evaluate, (Goal("loss"),))
    try:
        trials = search(sweep, TRIALS, folder, concurrent=2)
    finally:
        ray.shutdown()
        cluster.shutdown()
    begun = lines(diary, "begins")
    return {
        "lost": lost,
        "states": sorted({trial.state for trial in trials}),
        "trials": len(trials),
        "distinct": len({trial.point["rate"] for trial in trials}),
        "kept": read_trials(sweep.folder(folder)) == trials,
        "ended": sorted(rate for rate, _ in lines(diary, "ends"))
        == sorted(repr(trial.point["rate"]) for trial in trials),
        "again": [node == second.node_id for rate, node in begun if rate in lost],
    }


def wrong(found):
    """Returns what a sweep lost, or did otherwise than it should, as texts."""
    laws = {
        f"lost in the middle: {found['lost']}, not one trial": len(found["lost"]) == 1,
        f"trials are {found['states']}": found["states"] == ["finished"],
        f"{found['trials']} of {TRIALS} trials are there": found["trials"] == TRIALS,
        f"{found['distinct']} of {TRIALS} are distinct": found["distinct"] == TRIALS,
        "what is kept differs from what was returned": found["kept"],
        "not every trial came to its end once": found["ended"],
        "the lost trial did not begin again, once, on the other node": found["again"]
        == [True, False],
    }
    return [complaint for complaint, holds in laws.items() if not holds]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sweeps", type=int, default=1)
    given = parser.parse_args()
    complaints = []
    with places.sessions_of_its_own():
        for number in range(given.sweeps):
            place = given.folder / f"{number}"
            place.mkdir(parents=True)
            found = survive(place)
            print(json.dumps(found), flush=True)
            complaints += [f"sweep {number}: {text}" for text in wrong(found)]
    sys.exit("; ".join(complaints) or None)


if __name__ == "__main__":
    main()
