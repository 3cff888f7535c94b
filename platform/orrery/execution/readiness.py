"""Whether a cluster's nodes can work together: judged from what each says of itself.

Nothing here asks a node, `nodes` does; so each trouble can be planted without a cluster.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from orrery.execution import certificates

GB = 1e9  # [bytes]
MB = 1e6
MOST_CLOCK_OFFSET = 1.0  # [s]
LEAST_SHARED_MEMORY = 256 * 1024**2  # [bytes] our object store; containers have 64 MiB
COMPILER = "C++ compiler"  # of the software that is compared
_SHOWN = ("python", "ray", "orrery", "commit")  # of the software that is compared
# [bytes] of it; less only since Ray's store may fill its part of what is not free
LEAST_FREE_SHARED_MEMORY = 64 * 1024**2
LEAST_OPEN_FILES = 4096  # Ray holds some for each worker and each connection


@dataclass(frozen=True)
class NodeReport:
    """What a node says of itself.

    Arguments:
        node: Its name.
        unseen: The folders in which it did not see the files of all nodes.
        free: The free space of each folder's disk [bytes], by folder.
        software: Versions by name: Python, Ray, this package, its commit and its files.
        processor: The processor's model.
        clock_offset: Its clock's time minus the driver's [s].
        promised_gpus: How many GPUs Ray has on it.
        seen_gpus: How many torch sees.
        shared_memory: The size of `/dev/shm` [bytes].
        open_files: The most files that a process may open.
        token: Whether Ray asks for a token.
        tls: Whether Ray asks for a certificate, too.
        cpus: How many CPUs Ray has on it for work; a head may have none.
        refused: Why it could not write into a folder, by folder.
        free_shared_memory: What is free of `/dev/shm` [bytes].
        seen_cpus: How many CPUs a process on it may use; half of one, too.
        cache: Why it cannot keep compiled code; nothing where it can.
        settings: Variables by name that decide how it computes.
        open_token: The file of the token, if others may read it.
        machine: What only nodes on the same machine tell, too; nothing if it is not known.
        machine_cpus: How many CPUs that machine has.

    Example:
        >>> software = {"python": "3.11.9"}
        >>> report = NodeReport("a", (), {"datasets": 5e11}, software, "EPYC", 0.0)
        >>> judge([report])
        ()
    """

    node: str
    unseen: tuple[str, ...]
    free: dict[str, float]
    software: dict[str, str | None]
    processor: str
    clock_offset: float
    promised_gpus: int = 0
    seen_gpus: int = 0
    shared_memory: float = 2.0**31
    open_files: int = 65_536
    token: bool = True
    tls: bool = True
    cpus: int = 1
    refused: dict[str, str] = field(default_factory=dict)
    free_shared_memory: float = 2.0**31
    seen_cpus: float = 1
    cache: str = ""
    settings: dict[str, str | None] = field(default_factory=dict)
    open_token: str = ""
    machine: str = ""
    machine_cpus: int = 1

    @property
    def summary(self) -> str:
        """What it has, in words."""
        known = [name for name in _SHOWN if name in self.software]
        versions = ", ".join(f"{name} {self.software[name]}" for name in known)
        free = min(self.free.values(), default=0.0) / GB
        return (
            f"{versions}; {free:.0f} GB free, {self.shared_memory / GB:.1f} GB in /dev/shm, "
            f"{self.promised_gpus} GPUs, clock {self.clock_offset:+.2f} s, token "
            f"{'on' if self.token else 'off'}, certificates {'on' if self.tls else 'off'}"
        )


@dataclass(frozen=True)
class Trouble:
    """Something that would go wrong.

    Arguments:
        node: On which node.
        what: What it is, with the value.
        remedy: What to do.

    Example:
        >>> Trouble("a", "/dev/shm has 64 MiB", "give it more").node
        'a'
    """

    node: str
    what: str
    remedy: str


def silence(node: str, reason: str) -> Trouble:
    """Returns the trouble with a node that does not answer.

    Arguments:
        node: Its name.
        reason: What came instead of an answer.
    """
    return Trouble(
        node,
        f"did not answer ({reason})",
        "look whether the disk of Ray's folder (/tmp, or RAY_TMPDIR) and of the home is full "
        "there; install there what the others have, token and certificates among it, and start Ray "
        "again, or take it out of the cluster (`ray status` lists its nodes)",
    )


def absence(found: int, expected: int, lost: Sequence[str] = ()) -> Iterator[Trouble]:
    """Yields the trouble with a cluster that lacks nodes, if it does.

    Arguments:
        found: The number of its nodes.
        expected: How many it should have.
        lost: The names of those that were there and have gone.
    """
    if found < expected:
        gone = f", and has lost {', '.join(lost)}" if lost else ""
        yield Trouble(
            "the cluster",
            f"has {found} nodes, not {expected}{gone}",
            "read what `ray start` printed on those that are missing: a node with another "
            "Ray, Python or token does not get in, and one whose certificate is not for its "
            f"address is soon lost ({certificates.MAKE_ONE})",
        )


def judge(
    reports: Sequence[NodeReport], least_free: float = 10 * GB, alone: bool = False
) -> tuple[Trouble, ...]:
    """Returns all that would go wrong on a cluster, node by node, or on one machine.

    Arguments:
        reports: Of all nodes that answer, the head's first.
        least_free: The free space that each folder's disk must have [bytes].
        alone: Whether it is one machine, which `orrery doctor` looks at.
    """
    software = _usual_of_each([report.software for report in reports])
    # Where nothing computes nobody minds the processor.
    processor = _usual(report.processor for report in reports if report.cpus)
    settings = _usual_of_each([report.settings for report in reports if report.cpus])
    found = [*_of_second_ones(reports)]
    for report in reports:
        found.extend(_of_folders(report, least_free, alone))
        found.extend(_of_settings(report, settings))
        found.extend(_of_software(report, software))
        found.extend(_of_machine(report, processor))
        found.extend(_of_limits(report))
        found.extend(_of_doors(report))
    return tuple(found)


# Of remedies what one machine has not, by whether it is alone.
_ON_ALL = {False: " on all nodes", True: ""}
_LESS = {False: " with --folders, or ask for less with --free", True: " with --folders"}


def _usual_of_each(told: Sequence[dict[str, str | None]]) -> dict[str, str | None]:
    """Returns what most nodes tell, by name, in the order of names."""
    names = sorted({name for one in told for name in one})
    return {name: _usual(one.get(name) for one in told) for name in names}


def _usual(values: Iterable[str | None]) -> str | None:
    """Returns what most have, or of as many the first: who differs is likelier wrong."""
    return next((value for value, _ in Counter(values).most_common(1)), None)


def _of_second_ones(reports: Sequence[NodeReport]) -> Iterator[Trouble]:
    """Yields the trouble with machines of which several Rays promise more than there is."""
    machines: dict[str, list[NodeReport]] = {}
    for report in reports:
        machines.setdefault(report.machine or report.node, []).append(report)
    for rays in machines.values():
        promised = sum(report.cpus for report in rays)
        if len(rays) > 1 and promised > rays[0].machine_cpus:
            others = sorted({report.node for report in rays} - {rays[0].node})
            also = f" (the same machine as {', '.join(others)})" if others else ""
            yield Trouble(
                rays[0].node,
                f"has {len(rays)} Rays{also}, which promise {promised} CPUs; it has "
                f"{rays[0].machine_cpus}",
                "run `ray stop` there, and start one",
            )


def _of_settings(report: NodeReport, usual: dict[str, str | None]) -> Iterator[Trouble]:
    for name, there in usual.items():
        here = report.settings.get(name)
        if report.cpus and here != there:
            yield Trouble(
                report.node,
                f"has {name}={here or ''}, others {there or 'nothing'}: it computes otherwise",
                "set it on all nodes before Ray starts, or on none",
            )


def _of_folders(report: NodeReport, least: float, alone: bool) -> Iterator[Trouble]:
    for folder in report.unseen:
        yield Trouble(
            report.node,
            f"does not see in {folder} what other nodes write there",
            "mount one file system there on all nodes, or name a folder that they share",
        )
    for folder, reason in report.refused.items():
        yield Trouble(
            report.node,
            f"cannot write into {folder} ({reason})",
            f"mount it writable for this user{_ON_ALL[alone]}, or free some space there",
        )
    if report.cpus and report.cache:
        yield Trouble(
            report.node,
            f"cannot keep compiled code ({report.cache})",
            "free some space there, make that folder writable for this user, or set "
            "XDG_CACHE_HOME to another",
        )
    for folder, free in report.free.items():
        if free < least:
            yield Trouble(
                report.node,
                f"{free / GB:.1f} GB are free in {folder}, not {least / GB:g}",
                f"free some space, or name another folder{_LESS[alone]}",
            )


def _of_software(report: NodeReport, usual: dict[str, str | None]) -> Iterator[Trouble]:
    for name, there in usual.items():
        here = report.software.get(name)
        if here != there:
            yield Trouble(
                report.node,
                f"has {name} {here}, others {there}",
                "install the same software and check out the same commit on all nodes",
            )
    if report.cpus and report.software.get(COMPILER, "") is usual.get(COMPILER) is None:
        yield Trouble(
            report.node,
            "has no C++ compiler, or no headers of Python: it simulates several times slower",
            "install g++ and the package with Python.h (python3-dev), or name a compiler in CXX",
        )


def _of_machine(report: NodeReport, processor: str | None) -> Iterator[Trouble]:
    if report.cpus and report.processor != processor:
        yield Trouble(
            report.node,
            f"has the processor {report.processor}, others {processor}",
            "use nodes of one kind, or accept records that differ in their last digits",
        )
    if abs(report.clock_offset) > MOST_CLOCK_OFFSET:
        yield Trouble(
            report.node,
            f"its clock is {report.clock_offset:+.1f} s off the driver's",
            "start a time service, such as chrony, on all nodes",
        )
    if report.seen_cpus < report.cpus:
        yield Trouble(
            report.node,
            f"a process may use {report.seen_cpus:g} CPUs, Ray has promised {report.cpus}",
            "start Ray with --num-cpus of no more than there are, or raise the limit of its "
            "container or control group",
        )
    if report.seen_gpus < report.promised_gpus:
        yield Trouble(
            report.node,
            f"torch sees {report.seen_gpus} GPUs, Ray has promised {report.promised_gpus}",
            "install a driver and a torch with CUDA, or start Ray with --num-gpus",
        )


def _of_limits(report: NodeReport) -> Iterator[Trouble]:
    if report.shared_memory < LEAST_SHARED_MEMORY:
        yield Trouble(
            report.node,
            f"/dev/shm has {report.shared_memory / 2**20:.0f} MiB",
            f"give it {LEAST_SHARED_MEMORY / 2**20:.0f} MiB or more (docker --shm-size)",
        )
    elif report.free_shared_memory < LEAST_FREE_SHARED_MEMORY:
        yield Trouble(
            report.node,
            f"/dev/shm is full: {report.free_shared_memory / 2**20:.0f} MiB are free",
            "remove from it what programs that have ended left there, or give it more",
        )
    if report.open_files < LEAST_OPEN_FILES:
        yield Trouble(
            report.node,
            f"a process may open {report.open_files} files",
            f"raise it to {LEAST_OPEN_FILES} or more (ulimit -n) before Ray starts",
        )


def _of_doors(report: NodeReport) -> Iterator[Trouble]:
    if report.token and report.open_token:
        yield Trouble(
            report.node,
            f"others may read {report.open_token}: whoever has the token runs code",
            f"`chmod 600 {report.open_token}` there; a token that was read is no secret any "
            "more: make another",
        )
    if not report.token:
        yield Trouble(
            report.node,
            "Ray asks nobody for a token: whoever reaches its ports runs code",
            "set RAY_AUTH_MODE=token on all nodes before Ray starts",
        )
    if not report.tls:
        yield Trouble(
            report.node,
            "Ray asks nobody for a certificate: whoever reaches its ports can end it",
            f"set {certificates.USE}=1 on all nodes, as platform/clusters/shell.sh does; "
            f"{certificates.MAKE_ONE}",
        )
