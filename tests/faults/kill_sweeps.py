"""Kills a sweep's driver at random moments, starts it again, and counts its trials.

python tests/faults/kill_sweeps.py --kills 10 --concurrent 2 --seed 1

Prints a line of JSON for each sweep: after how many seconds and trials its driver was
killed, how many trials there were in the end, how many of them distinct, and how many
finished ones were computed again. Each third sweep has its newest file torn as well, and
each second one is killed twice.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orrery.sweeps.trial import read_trials

TOY = Path(__file__).with_name("toy_sweep.py")
TRIALS = 24
LONGEST = 300.0  # [s]


def files(folder):
    return sorted(folder.glob("toy/*/trials/trial-*.json"))


def sweep_folder(folder):
    (found,) = (folder / "toy").iterdir()
    return found


def start(folder, concurrent, *more):
    command = [sys.executable, TOY, folder, "--trials", TRIALS]
    command += ["--concurrent", concurrent, *more]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def kill_at(process, folder, begun, delay):
    """Kills a driver some time after so many trials have begun, and says whether it lived."""
    deadline = time.monotonic() + LONGEST
    while len(files(folder)) < begun and process.poll() is None:
        assert time.monotonic() < deadline, "no trial has begun"
        time.sleep(0.005)
    time.sleep(delay)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def finished(folder):
    """Returns the points of the finished trials by their numbers."""
    trials = read_trials(sweep_folder(folder)) if files(folder) else []
    return {t.number: dict(t.point) for t in trials if t.state == "finished"}


def ended(folder):
    """Returns the rates of all trials that have come to their end, in that order."""
    file = folder / "ended"
    return file.read_text().split() if file.exists() else []


def tear(folder):
    """Cuts the newest trial's file in two and returns its number."""
    newest = max(files(folder), key=lambda path: path.stat().st_mtime_ns)
    data = newest.read_bytes()
    newest.write_bytes(data[: len(data) // 2])
    return int(newest.stem.removeprefix("trial-"))


def finish(folder, concurrent, *more):
    """Ends a sweep in a process of its own; returns its status and what it said."""
    last = start(folder, concurrent, *more)
    errors = last.communicate(timeout=LONGEST)[1].decode()
    return last.returncode, errors


def survive(folder, concurrent, kills, torn, more=(), finish=finish):
    """Kills a sweep at some moments, ends it, and returns what became of its trials.

    Arguments:
        folder: Where it is kept.
        concurrent: Trials at the same time.
        kills: For each how many trials have begun, and how long after that [s].
        torn: Whether the newest file is torn after the last kill.
        more: Other options of the toy.
        finish: What ends the sweep.
    """
    alive = []
    for begun, delay in kills:
        process = start(folder, concurrent, *more)
        alive.append(kill_at(process, folder, begun, delay))
    lost = {tear(folder)} if torn else set()
    kept = finished(folder)
    before = len(ended(folder))
    code, errors = finish(folder, concurrent, *more)
    trials = read_trials(sweep_folder(folder))
    points = {json.dumps(t.point, sort_keys=True) for t in trials}
    after = ended(folder)
    changed = {n for n, point in kept.items() if finished(folder).get(n) != point}
    rates = [repr(point["rate"]) for n, point in kept.items() if n not in lost]
    return {
        "kills": kills,
        "alive": alive,
        "torn": sorted(lost),
        "kept": len(kept),
        "code": code,
        "states": sorted({t.state for t in trials}),
        "trials": len(trials),
        "distinct": len(points),
        "changed": sorted(changed - lost),
        "repeated": sum(rate in after[before:] for rate in rates),
        "computed": len(after),
        "errors": errors if code else "",
    }


def moments(rng, count):
    each = [
        (rng.randrange(1, TRIALS), round(rng.random() * 0.25, 3)) for _ in range(count)
    ]
    return sorted(each)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="sweeps to kill")
    parser.add_argument("--concurrent", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-ray", action="store_true")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    more = ["--without-ray"] if given.without_ray else []
    for number in range(given.kills):
        # what Ray starts may still write while that is removed
        with tempfile.TemporaryDirectory(
            prefix="sweep-", ignore_cleanup_errors=True
        ) as place:
            kills = moments(rng, 1 + number % 2)
            found = survive(Path(place), given.concurrent, kills, number % 3 == 2, more)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
