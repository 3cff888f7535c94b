"""Kills, starves and crowds a toy study in real processes, and compares what is left.

    python tests/faults/survive_faults.py                  all faults, each three times
    python tests/faults/survive_faults.py --times 1 --only killed crowded
    python tests/faults/survive_faults.py --beside 2       two faults at a time

At its end it prints a table: the fault, how often it was tried, how often the study came
to its end all the same, and how often with the bytes of one that nothing disturbed. A
fault that this machine cannot make is told as skipped.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import outcome
import places
from outcome import Row

from orrery.termination import orderly_end

STAGES = ("start", "simulate", "train")
MOMENTS = 3  # at which a signal is tried, if those before were missed
ACTORS = ("--actors", 2, "--pause", 0.2)
LONG_SHARDS = ("--actors", 2, "--pause", 1.0)
HERE = ("--without-ray",)
SLOWLY = (*HERE, "--pause", 0.05)
DISKS = (30, 45, 60, 75, 90, 105, 120, 140)  # [KiB]
TRAINING = ("--actors", 2, "--workers", 1, "--pause", 0.2)
TOGETHER = ("--actors", 2, "--workers", 2)
# what an actor at work is called; on a slow machine one starts for longer than a second
ACTOR = b"ray::_Actor.make"
WORKER = b"ray::RayTrainWorker"


class Faults:
    """The faults, each a method that meets a toy with it and fills a row.

    Arguments:
        folder: For all that the toys write.
        reference: The fingerprints of a toy that nothing disturbed.
        rng: Chooses the moments.
    """

    def __init__(self, folder, reference, rng):
        self.folder = folder
        self.reference = reference
        self.rng = rng
        self.number = 0

    def place(self, name="toy"):
        """Returns a new folder."""
        self.number += 1
        place = self.folder / f"{self.number:03d}" / name
        place.mkdir(parents=True)
        return place

    def conclude(self, row, place, status, told, trouble="", reference=None):
        """Enters how a toy ended that ought to have finished."""
        reference = reference or self.reference
        left = outcome.leftovers(place)
        if status:
            trouble = trouble or f"status {status}: {outcome.last_line(told)}"
        trouble = trouble or (f"left {left[:3]}" if left else "")
        row.add(status == 0, outcome.fingerprints(place) == reference, trouble)

    # --- killed ------------------------------------------------------------------------

    def killed(self, row):
        self._signalled(row, signal.SIGKILL)

    def terminated(self, row):
        self._signalled(row, signal.SIGTERM)

    def interrupted(self, row):
        self._signalled(row, signal.SIGINT)

    def _signalled(self, row, number):
        for stage in STAGES:
            for _ in range(MOMENTS):
                place = self.place()
                status, told = self._signal_in(stage, place, number)
                missed = outcome.has_finished(place)
                if not missed:
                    break  # where this program itself is starved it may come too late
            trouble = "it had finished before" if missed else ""
            if number != signal.SIGKILL and stage != "start":
                trouble = trouble or outcome.unclear(status, told)
            self.conclude(row, place, *places.run(place, *HERE), trouble)

    def _signal_in(self, stage, place, number):
        process = places.start(place, *SLOWLY)
        self._await(stage, place, process)
        process.send_signal(number)
        return places.finish(process)

    def _await(self, stage, place, process):
        wanted = {
            "start": lambda: True,
            "simulate": lambda: list(place.glob("datasets/*/shards/*.arrow")),
            "train": lambda: list(place.glob("runs/*/*/*/epochs.jsonl")),
        }
        places.await_moment(process, wanted[stage])
        time.sleep(self.rng.uniform(0.0, 0.5))

    def killed_with_ray(self, row):
        with places.short_folder() as sockets:
            place = self.place()
            process = places.start(place, *ACTORS, RAY_TMPDIR=str(sockets))
            self._await("simulate", place, process)
            process.kill()
            places.finish(process)
            left = places.ended(sockets, seconds=30.0)
            trouble = f"outlived their driver: {left}" if left else ""
            self.conclude(row, place, *places.run(place, *HERE), trouble)

    def terminated_with_ray(self, row):
        with places.short_folder() as sockets:
            place = self.place()
            process = places.start(place, *ACTORS, RAY_TMPDIR=str(sockets))
            self._await("simulate", place, process)
            process.terminate()
            status, told = places.finish(process)
            left = places.ended(sockets, seconds=30.0)
            trouble = f"outlived their driver: {left}" if left else ""
            trouble = trouble or outcome.unclear(status, told)
            self.conclude(row, place, *places.run(place, *HERE), trouble)

    def actor_killed_every_second(self, row):
        with places.short_folder() as sockets:
            place = self.place()
            process = places.start(place, *LONG_SHARDS, RAY_TMPDIR=str(sockets))
            over = threading.Event()
            killed = []
            given = (place, sockets, over, killed)
            # one that nobody ends does not keep the program from ending
            thread = threading.Thread(target=self._kill_actors, args=given, daemon=True)
            thread.start()
            status, told = places.finish(process)
            over.set()
            thread.join()
            trouble = "" if len(killed) > 2 else f"{len(killed)} actors were killed"
            self.conclude(row, place, status, told, trouble)

    def _kill_actors(self, place, sockets, over, killed):
        """Kills an actor at work each second in which a shard was made.

        Where a start takes longer than a second, nothing could be made otherwise.
        """
        made = 0
        while not over.wait(1.0):
            actors = places.processes(sockets, ACTOR)
            shards = len(list(place.glob("datasets/*/shards/*.arrow")))
            if actors and shards > made:
                made = shards
                os.kill(self.rng.choice(actors), signal.SIGKILL)
                killed.append(shards)

    def training_worker_killed(self, row):
        """The one of each member's training: another goes on from what was kept of it."""
        with places.short_folder() as sockets:
            place = self.place()
            process = places.start(place, *TRAINING, RAY_TMPDIR=str(sockets))
            killed = [
                self._kill_worker(place, sockets, process, member) for member in (0, 1)
            ]
            status, told = places.finish(process)
            trouble = "" if all(killed) else f"workers that were killed: {killed}"
            self.conclude(row, place, status, told, trouble, self._trained(TRAINING))

    @cache  # noqa: B019
    def _trained(self, options):
        """Returns the fingerprints of one that nothing disturbed: its weights have other names."""
        place = self.place()
        status, told = places.run_with_ray(place, *options)
        assert status == 0, told
        return outcome.fingerprints(place)

    def _kill_worker(self, place, sockets, process, member):
        """Kills the worker that trains a member in one of its epochs, and says whether it did."""
        mark = f'"member.{member}"'
        epochs = self.rng.randint(1, 5)  # seconds may end after the training

        def trains():
            files = place.glob("runs/*/*/*/epochs.jsonl")
            return any(file.read_text().count(mark) >= epochs for file in files)

        places.await_moment(process, trains)
        workers = places.processes(sockets, WORKER)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        return bool(workers)

    # --- starved -----------------------------------------------------------------------

    def full_disk(self, row):
        if not places.can_mount():
            return "no right to mount a disk"
        for size in DISKS:
            place = self.place()
            # what was written stays: it is copied to where the next start finds it
            save = f'"$@"; rc=$?; cp -a "{place}" "{place}-kept"; exit $rc'
            before = places.mounted(
                f"-t tmpfs -o size={size}k none", place, "sh", "-c", save, "sh"
            )
            status, told = places.run(place, *HERE, before=before)
            trouble = outcome.unclear(status, told) if status else ""
            if "RuntimeError" in told:
                trouble = f"{size} KiB: {outcome.last_line(told)}"
            kept = place.with_name("toy-kept")
            self.conclude(row, kept, *places.run(kept, *HERE), trouble)
        return None

    def read_only_folder(self, row):
        if not places.can_mount():
            return "no right to mount a disk"
        place = self.place()
        before = places.mounted("-t tmpfs -o ro none", place)
        trouble = outcome.unclear(*places.run(place, *HERE, before=before))
        self.conclude(row, place, *places.run(place, *HERE), trouble)
        # what is finished is read where nothing can be written
        frozen = (f'-o bind,ro "{place}/datasets"', place / "datasets")
        again = places.run(place, *HERE, "--epochs", 3, before=places.mounted(*frozen))
        row.add(again[0] == 0, True, outcome.last_line(again[1]) if again[0] else "")
        return None

    def small_shared_memory(self, row):
        if not places.can_mount():
            return "no right to mount a disk"
        with places.short_folder() as sockets:
            place = self.place()
            before = places.mounted("-t tmpfs -o size=1m none", "/dev/shm")
            found = places.run(place, *ACTORS, before=before, RAY_TMPDIR=str(sockets))
            self.conclude(row, place, *found)
        return None

    # --- crowded -----------------------------------------------------------------------

    def crowded(self, row):
        place = self.place()
        toys = [places.start(place, *SLOWLY), places.start(place, *SLOWLY)]
        ends = [places.finish(toy) for toy in toys]
        trouble = ""
        if sorted(status for status, _ in ends) != [0, 1]:
            trouble = f"of two drivers: {[(s, outcome.last_line(t)) for s, t in ends]}"
        for status, told in ends:
            trouble = trouble or (outcome.unclear(status, told) if status else "")
        self.conclude(row, place, *places.run(place, *HERE), trouble)

    def crowded_mixture(self, row):
        """Two runs that differ only in how many members share a dataset, and no network."""
        place = self.place()
        one = places.start(place, *SLOWLY)
        self._await("train", place, one)
        other = places.run(place, *HERE, "--members", 1)
        status, told = places.finish(one)
        trouble = "" if other[0] == 0 else outcome.last_line(other[1])
        left = outcome.fingerprints(place)
        mine = {name: value for name, value in left.items() if name in self.reference}
        equal = mine.keys() == self.reference.keys() and all(
            mine[name] == self.reference[name]
            for name in mine
            if name not in ("draws", "metrics")
        )
        row.add(
            status == 0, equal, trouble or (outcome.last_line(told) if status else "")
        )

    # --- confused ----------------------------------------------------------------------

    def clock_stepped_back(self, row):
        library = places.faketime()
        if library is None:
            return "libfaketime is not installed"
        place = self.place()
        process = places.start(place, *SLOWLY)
        self._await("simulate", place, process)
        process.kill()
        places.finish(process)
        yesterday = {"LD_PRELOAD": str(library), "FAKETIME": "-26h"}
        self.conclude(row, place, *places.run(place, *HERE, **yesterday))
        return None

    def symlinked_folder(self, row):
        place = self.place()
        link = place.with_name("link")
        link.symlink_to(place)
        process = places.start(link, *SLOWLY)
        self._await("train", place, process)
        process.kill()
        places.finish(process)
        self.conclude(row, place, *places.run(place, *HERE))
        self.conclude(row, place, *places.run(link, *HERE))

    def strange_paths(self, row):
        for name in ("Träume \N{MILKY WAY} und 'Maße'", "lang" * 40, "$(touch x); *"):
            place = self.place(name)
            self.conclude(row, place, *places.run(place, *HERE))

    def neighbour_machine(self, row):
        """A second machine, a network namespace, looks for doors of a local run."""
        if not places.can_lay_cables():
            return "no right to make a network"
        place = self.place()
        script = Path(__file__).with_name("doors.py")
        looked = subprocess.run(
            ["unshare", "-n", "-u", "-m", sys.executable, script, place],
            env=places.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = json.loads(outcome.last_line(looked.stdout) or "{}")
        shut = found.get("own") and found.get("open") and not found["reached"]
        trouble = "" if shut else f"{found} {outcome.last_line(looked.stderr)}"
        ended = places.run_with_ray(place, *TOGETHER)
        self.conclude(row, place, *ended, trouble, self._trained(TOGETHER))
        return None


FAULTS = {
    "driver killed": Faults.killed,
    "SIGTERM": Faults.terminated,
    "SIGINT": Faults.interrupted,
    "driver killed, Ray's processes": Faults.killed_with_ray,
    "SIGTERM, Ray's processes": Faults.terminated_with_ray,
    "an actor killed every second": Faults.actor_killed_every_second,
    "a training worker killed": Faults.training_worker_killed,
    "full disk": Faults.full_disk,
    "read-only folder": Faults.read_only_folder,
    "small /dev/shm": Faults.small_shared_memory,
    "crowded: two drivers of a run": Faults.crowded,
    "crowded: two runs of a dataset": Faults.crowded_mixture,
    "clock stepped back": Faults.clock_stepped_back,
    "symlinked folder": Faults.symlinked_folder,
    "long and strange paths": Faults.strange_paths,
    "doors looked for by another machine": Faults.neighbour_machine,
}


def meet(folder, times, only, seed, beside=1):
    """Returns the rows of the faults that were chosen.

    Arguments:
        folder: For all that the toys write.
        times: How often each fault is met.
        only: Words, one of which a fault's name must have; all faults if there are none.
        seed: Chooses the moments.
        beside: How many faults are met at a time.
    """
    places.heed_interrupts()
    chosen = [n for n in FAULTS if not only or any(word in n for word in only)]
    with ThreadPoolExecutor(beside) as threads, places.toys_that_end():
        status, told = places.run(folder / "undisturbed", *HERE)
        assert status == 0, told
        reference = outcome.fingerprints(folder / "undisturbed")

        def row(name):
            # each with a folder and a chance of its own: in whatever order they are met
            chance = random.Random(f"{seed} {name}")
            faults = Faults(folder / str(chosen.index(name)), reference, chance)
            return _met(faults, name, times)

        return list(threads.map(row, chosen))


def _met(faults, name, times):
    row = Row(name)
    for _ in range(times):
        skipped = FAULTS[name](faults, row)
        if skipped:
            row.fault = f"{name} (skipped: {skipped})"
            break
    print(outcome.table([row]).partition("\n")[2], file=sys.stderr, flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=1)
    given = parser.parse_args()
    with places.short_folder() as folder:
        rows = meet(folder, given.times, given.only, given.seed, given.beside)
    print(outcome.table(rows))
    return 0 if all(row.sound for row in rows) else 1


if __name__ == "__main__":
    with orderly_end():
        sys.exit(main())
