"""What a fault may not change: the bytes of a toy's dataset, networks and draws."""

import hashlib
import json
from dataclasses import dataclass, field

KEPT = ("datasets/*/shards/*", "datasets/*/manifest.json", "datasets/*/dataset.json",
        "runs/*/*/posteriors/*/*/weights-*.pt")  # fmt: skip
CLEAR = ("error: ", "interrupted: ", "terminated: ")


def fingerprints(folder):
    """Returns the checksums of all that a toy keeps, and what its last run found."""
    found = {}
    for pattern in KEPT:
        for path in sorted(folder.glob(pattern)):
            content = path.read_bytes()
            found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    for path in sorted(folder.glob("runs/*/*/attempt-*/run.json")):
        document = json.loads(path.read_text())
        if document["status"] == "finished":
            found["metrics"] = document["metrics"]
            found["draws"] = _draws(path.with_name("draws.parquet"))
    return found


def has_finished(folder):
    """Returns whether one of a toy's runs came to its end, its answer written."""
    documents = folder.glob("runs/*/*/attempt-*/run.json")
    return any(json.loads(p.read_text())["status"] == "finished" for p in documents)


def _draws(path):
    if not path.exists():
        return None  # of a toy that trained nothing
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder):
    """Returns what a study that has ended may not leave: files half written, trainings."""
    patterns = ("**/.*.tmp", "**/.training-*")
    return sorted(str(path) for one in patterns for path in folder.glob(one))


@dataclass
class Row:
    """A row of the table: a fault, and what became of those who met it.

    Arguments:
        fault: What it was.
        tried: How often.
        survived: How often the next start, or the same process, came to the end.
        equal: How often it had the bytes of a study that nothing disturbed.
        troubles: What was wrong, in words.
    """

    fault: str
    tried: int = 0
    survived: int = 0
    equal: int = 0
    troubles: list[str] = field(default_factory=list)

    def add(self, survived, equal, trouble=""):
        """Counts one try."""
        self.tried += 1
        self.survived += survived
        self.equal += equal
        if trouble:
            self.troubles.append(trouble)

    @property
    def sound(self):
        """Whether all tries came to the end, with equal bytes and clear words."""
        return self.tried == self.survived == self.equal and not self.troubles


def last_line(told):
    lines = told.strip().splitlines()
    return lines[-1][:300] if lines else ""


def unclear(status, told):
    """Returns what is wrong with the end of a process that could not finish; else nothing."""
    if status == 0:
        return "it ended with status 0"
    if "Traceback (most recent call last)" in told:
        return f"a traceback: {last_line(told)}"
    if not any(line.startswith(CLEAR) for line in told.splitlines()):
        return f"no clear line, status {status}: {last_line(told)}"
    return ""


def table(rows):
    """Returns the rows as text."""
    head = ("fault", "times tried", "survived", "bytes equal")
    cells = [(r.fault, str(r.tried), str(r.survived), str(r.equal)) for r in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in (head, *cells)
    ]
    troubles = [f"{r.fault}: {trouble}" for r in rows for trouble in r.troubles]
    return "\n".join([*lines, *troubles])
