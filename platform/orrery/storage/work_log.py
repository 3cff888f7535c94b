"""The work log: when shards of a dataset were made, by how many actors, and how fast.

All other files of a dataset have the same bytes whenever it is made again. So what
differs between two makings lies here, and in the card's section that shows it.
"""

import dataclasses
import math
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orrery.storage.contents import content_of
from orrery.storage.documents import line_of, parsed
from orrery.storage.files import write_atomically
from orrery.storage.store import Location

WORK = "work.jsonl"


@dataclass
class Session:
    """What one call that made shards did, and what it took. It grows while the work goes on.

    Arguments:
        began: When, as ISO 8601 in UTC.
        simulations: The number of simulations made.
        seconds: The wall time [s].
        actors: The most actors that were at work; 0 where the calling process
            simulated.
        deaths: The number of actors that died.
        cpus: The CPU threads of all machines.
        nodes: The number of machines.
        processors: How many simulations each kind of processor made: its model, the
            build of torch, and what else decides the last bits.

    Example:
        >>> session = Session("2025-03-01T12:00:00+00:00", simulations=90, seconds=30.0)
        >>> session.rate
        3.0
    """

    began: str
    simulations: int = 0
    seconds: float = 0.0
    actors: int = 0
    deaths: int = 0
    cpus: int = 1
    nodes: int = 1
    processors: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Simulations per second."""
        # A session that made one tiny shard may have taken no measurable time.
        return self.simulations / max(self.seconds, 1e-9)


def begin_session() -> Session:
    """Returns the session that begins now, on this machine alone."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Session(now, cpus=os.cpu_count() or 1)


def sessions(folder: Location) -> tuple[Session, ...]:
    """Returns the sessions of work on a dataset's folder, oldest first.

    Lines that are none, or are there again, are left out.
    """
    path = folder / WORK
    if not path.exists():
        return ()
    found = []
    # No two sessions are alike to the last digit of their seconds.
    for line in dict.fromkeys(content_of(path).decode(errors="replace").splitlines()):
        # The log decides nothing, so a damaged line is no reason to refuse a dataset.
        with suppress(ValueError, TypeError):
            found.append(Session(**parsed(line.encode())))
    return tuple(found)


def repeated_lines(folder: Location) -> bool:
    """Returns whether a work log has a line twice, which nobody writes."""
    path = folder / WORK
    lines = content_of(path).splitlines() if path.exists() else []
    return len({*lines}) < len(lines)


def write_sessions(folder: Location, sessions: tuple[Session, ...]) -> None:
    """Writes the work log of a dataset's folder, complete or not at all.

    Raises:
        OSError: If it cannot be written; the old one stays.
    """
    lines = [line_of(dataclasses.asdict(session)) for session in sessions]
    write_atomically(folder / WORK, "".join(lines))


def combined(sessions: tuple[Session, ...]) -> Session:
    """Returns one or more sessions as one: sums, and the largest numbers of what was used."""
    return Session(
        began=min(session.began for session in sessions),
        simulations=sum(session.simulations for session in sessions),
        seconds=math.fsum(session.seconds for session in sessions),
        actors=max(session.actors for session in sessions),
        deaths=sum(session.deaths for session in sessions),
        cpus=max(session.cpus for session in sessions),
        nodes=max(session.nodes for session in sessions),
        processors=processors(sessions),
    )


def processors(sessions: tuple[Session, ...]) -> dict[str, int]:
    """Returns how many simulations each kind of processor made, as far as sessions know.

    Example:
        >>> one = Session("2025-03-01T12:00:00+00:00", 64, processors={"EPYC": 64})
        >>> processors((one, one))
        {'EPYC': 128}
    """
    made: Counter[str] = Counter()
    for session in sessions:
        made.update(session.processors)
    return dict(made)
