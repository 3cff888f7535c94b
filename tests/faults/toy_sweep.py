"""A sweep whose trials sleep and tell: what the tests kill.

python tests/faults/toy_sweep.py FOLDER --trials 24 --concurrent 2
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from orrery.identity import PLACE
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal

PAUSE = 0.05  # [s] before each report
REPORTS = 3
LONG = 120.0  # [s]
SPACE = SearchSpace(
    {"rate": Log(1e-3, 1.0), "width": Int(1, 9), "kind": Choice(("a", "b"))}
)
GOAL = Goal("loss")


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3
    kind: str = "a"
    # a file with a line for each trial that has come to its end
    ended: str = field(default="", metadata=PLACE)
    pause: float = field(default=PAUSE, metadata=PLACE)
    # after so many ends the next one sleeps, so that it can be killed there
    hold: int = field(default=0, metadata=PLACE)


def evaluate(options, report):
    loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10
    for step in range(1, REPORTS + 1):
        time.sleep(options.pause)
        report({"loss": loss + 1 / step})
    with Path(options.ended).open("a") as file:
        file.write(f"{options.rate!r}\n")
    ends = len(Path(options.ended).read_text().split())
    time.sleep(LONG if ends == options.hold else options.pause)
    return {"loss": loss}


def main(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--concurrent", type=int, default=1)
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--pause", type=float, default=PAUSE)
    parser.add_argument("--hold", type=int, default=0)
    given = parser.parse_args(words)
    if given.without_ray:
        sys.modules["ray"] = None
    options = Toy(ended=str(given.folder / "ended"), pause=given.pause, hold=given.hold)
    wanted = Sweep("toy", SPACE, options, evaluate, (GOAL,))
    search(wanted, given.trials, given.folder, given.concurrent)


if __name__ == "__main__":
    main()
