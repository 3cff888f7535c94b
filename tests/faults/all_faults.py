"""Runs all that kills, starves, damages and fuzzes, some of it side by side.

    python tests/faults/all_faults.py

Most of it waits: for nodes that start, for moments at which something is killed. So three
series run beside one another, each part with temporary files of its own. What each said
is printed at the end in the order below, with how long it took. The status is 1 if any
of them failed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orrery.termination import orderly_end

TESTS = Path(__file__).resolve().parents[1]
FOLDER = "FOLDER"  # stands for an empty one of the part's own, which is there already


@dataclass(frozen=True)
class Part:
    """A program that must end with status 0.

    Arguments:
        words: Its file, below the tests, and its options.
    """

    words: tuple[str, ...]

    @property
    def name(self):
        """What it is called."""
        return Path(self.words[0]).stem

    def command(self, folder):
        """Returns its command line, which writes below a folder."""
        script, *options = self.words
        given = [str(folder / "own") if word == FOLDER else word for word in options]
        return [sys.executable, str(TESTS / script), *given]


SURVIVE = Part(("faults/survive_faults.py", "--times", "3", "--beside", "2"))
FUZZ = Part(("fuzz/fuzz_readers.py", "--count", "2000"))
NODES = Part(("faults/lose_nodes.py", FOLDER))
NODE = Part(("faults/lose_node.py", FOLDER))
PROGRESS = Part(("faults/lose_progress.py", FOLDER))
FLIPS = Part(("faults/flip_bits.py",))
# Flips wait for nothing, and nodes mostly do: beside the fuzz neither makes it longer.
SERIES = ((SURVIVE,), (FUZZ,), (NODES, NODE, PROGRESS, FLIPS))
ORDER = (SURVIVE, FUZZ, NODES, NODE, PROGRESS, FLIPS)


@dataclass(frozen=True)
class Ended:
    """How a part ended.

    Arguments:
        status: Its exit status.
        seconds: How long it took [s].
        processor: What it had of processors, with what it started and awaited [s].
        told: What it said to standard output.
        errors: What it said to standard error, which is told where it failed: how far
            a toy is, and warnings of bits that were flipped, fill thousands of lines.
    """

    status: int
    seconds: float
    processor: float
    told: str
    errors: str

    @property
    def said(self):
        """What of it is told."""
        return self.told + self.errors if self.status else self.told


class Programs:
    """Programs at work, which end with this one."""

    def __init__(self):
        self.at_work = []
        self.is_over = False

    def ended(self, part):
        """Runs a part, and returns how it ended."""
        folder = Path(
            tempfile.mkdtemp(prefix="f-", dir="/tmp")
        )  # sockets' paths are short
        (folder / "own").mkdir()
        began = time.monotonic()
        with (folder / "told").open("w") as told, (folder / "err").open("w") as errors:
            process = subprocess.Popen(
                part.command(folder),
                env={**os.environ, "TMPDIR": str(folder)},
                stdout=told,
                stderr=errors,
                start_new_session=True,
            )
            self.at_work.append(process)
            _, state, used = os.wait4(process.pid, 0)
            # told to Popen, which else would wait for what is gone
            process.returncode = os.waitstatus_to_exitcode(state)
        said = [(folder / name).read_text(errors="replace") for name in ("told", "err")]
        shutil.rmtree(folder, ignore_errors=True)
        seconds = time.monotonic() - began
        processor = used.ru_utime + used.ru_stime
        return Ended(process.returncode, seconds, processor, *said)

    def end(self):
        """Ends what is still at work, and begins nothing more."""
        self.is_over = True
        for process in self.at_work:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)


def run(series):
    """Returns how each part ended, of series that run beside one another."""
    programs = Programs()
    found = {}

    def one_after_another(parts):
        for part in parts:
            if programs.is_over:
                return
            found[part] = programs.ended(part)
            print(
                line(part, found[part]), *why(found[part]), file=sys.stderr, flush=True
            )

    with ThreadPoolExecutor(len(series)) as threads:
        works = [threads.submit(one_after_another, parts) for parts in series]
        try:
            for work in works:
                work.result()
        finally:
            programs.end()
    return found


def line(part, ended):
    """Returns how a part ended, in a line."""
    how = "sound" if ended.status == 0 else f"FAILED, status {ended.status}"
    return f"{part.name}: {how}, {ended.seconds:.0f} s, {ended.processor:.0f} s of processors"


def why(ended):
    """Returns the last line of a part's errors, in a list that is empty if it is sound."""
    return ended.errors.splitlines()[-1:] if ended.status else []


def report(found):
    """Returns what all parts said, in order, and at the end how each of them ended."""
    told = [f"--- {part.name}\n{found[part].said}" for part in ORDER if part in found]
    return "\n".join(
        [*told, "---", *(line(part, found[part]) for part in ORDER if part in found)]
    )


def main(series=SERIES):
    found = run(series)
    print(report(found))
    return int(any(ended.status for ended in found.values()))


if __name__ == "__main__":
    with orderly_end():
        sys.exit(main())
