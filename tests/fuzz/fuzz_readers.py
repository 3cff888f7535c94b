"""Gives every reader damaged and hostile files, and counts what it may not do with them.

    python tests/fuzz/fuzz_readers.py --count 2000
    python tests/fuzz/fuzz_readers.py --count 200 --only posterior manifest

Files are made by hypothesis, the same ones each time. At its end it prints a table: the
reader, how many files it got, how many ended other than it documents, the longest time,
and by how much the peak of the memory rose. Files that were found stand in `corpus`, where
the tests meet them again.
"""

import argparse
import hashlib
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from mutations import damaged, other_documents
from readers import READERS

CORPUS = Path(__file__).with_name("corpus")
LONGEST = 10.0  # [s] of CPU for one file
MOST_MEMORY = 300.0  # [MB] above the size of the file
ADDRESS_SPACE = 16 * 2**30  # bytes: what asks for more gets a MemoryError


@dataclass
class Found:
    """What a reader did with many files.

    Arguments:
        reader: Its name.
        files: How many.
        problems: What it may not do, with one file each.
        longest: The longest CPU time of a file [s], on which others at work tell nothing.
        memory: By how much the peak of the memory rose [MB].
    """

    reader: str
    files: int = 0
    problems: dict[str, bytes] = field(default_factory=dict)
    wrong: int = 0
    longest: float = 0.0
    memory: float = 0.0

    @property
    def sound(self):
        bounded = self.longest <= LONGEST and self.memory <= MOST_MEMORY
        return not self.problems and bounded


def peak():
    """Returns the peak of the memory so far of this process and of any that it ran [MB]."""
    own, others = map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own.ru_maxrss + others.ru_maxrss) / 1024


def processor_seconds():
    """Returns what this process and all that it ran have taken of processors [s]."""
    return sum(os.times()[:4])


def prepared(reader, folder):
    """Returns the place of a reader's file, and the sound content that it reads."""
    place = folder / "made"
    place.mkdir()
    with redirect_stderr(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader.write(place)
        problem = reader.problem(place / reader.file)
        if problem is None:
            reader.read(place / reader.file)
    assert problem is None, f"{reader.name} refuses a sound file: {problem}"
    return place / reader.file, (place / reader.file).read_bytes()


def fuzz(reader, count, folder):
    """Returns what a reader does with so many files."""
    path, content = prepared(reader, folder)
    found = Found(reader.name)
    before = peak()
    strategy = other_documents(content) if reader.json else damaged(content)

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def meet(data):
        path.write_bytes(data)
        began = processor_seconds()
        with redirect_stderr(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = reader.problem(path)
        seconds = processor_seconds() - began
        found.files += 1
        found.longest = max(found.longest, seconds)
        found.memory = max(found.memory, peak() - before)
        if problem is None and seconds > LONGEST:
            problem = f"took {seconds:.0f} s"
        if problem is not None:
            found.wrong += 1
            kind = problem.partition(":")[0] + problem.partition(":")[2][:40]
            found.problems.setdefault(kind, data)

    meet()
    return found


def _fuzz_alone(name, count, results):
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    reader = next(one for one in READERS if one.name == name)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        results.put(fuzz(reader, count, Path(folder)))


def in_process_of_its_own(name, count):
    """Returns what a reader does; a process that a file ends is a finding, too."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=_fuzz_alone, args=(name, count, results))
    process.start()
    while process.is_alive() and results.empty():
        time.sleep(0.05)
    found = Found(name) if results.empty() else results.get()
    process.join()
    return with_end(found, process.exitcode)


def with_end(found, status):
    """Returns what was found, and that the process did not end well.

    At its very end too: what a file has done to its memory may be met only there.
    """
    if status or not found.files:
        found.wrong += 1
        found.problems[f"the process ended: {status}"] = b""
    return found


def keep(found):
    """Keeps one file of each problem, unless it is there or large."""
    for data in found.problems.values():
        if data and len(data) < 20_000:
            place = CORPUS / found.reader
            place.mkdir(parents=True, exist_ok=True)
            (place / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--keep", action="store_true", help="adds to the corpus")
    given_ = parser.parse_args()
    names = [one.name for one in READERS if not given_.only or one.name in given_.only]
    rows = []
    for name in names:
        found = in_process_of_its_own(name, given_.count)
        rows.append(found)
        if given_.keep:
            keep(found)
        print(
            f"{name:18} files {found.files:5} undocumented {found.wrong:4} "
            f"longest {found.longest:6.2f} s, memory {found.memory:4.0f} MB",
            flush=True,
        )
        for problem in found.problems:
            print(f"    {problem}", flush=True)
    return 0 if all(row.sound for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
