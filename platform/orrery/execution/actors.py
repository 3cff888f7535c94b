"""Actors: processes of a cluster that do numbered pieces of work, each replaced if it dies.

Ray's own `ActorPool` waits for ever on an actor that is gone, so that the scheduling is
our own: a loop over `ray.wait`. This file is imported only when actors are wanted, and
is one of the few that import Ray.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from orrery.execution.blame import DEATHS_OF_PROOF, Blame
from orrery.execution.cluster import STARTUP_TIMEOUT
from orrery.execution.deaths import (
    Death,
    how_it_died,
    living_nodes,
    working_nodes,
)
from orrery.storage.work_log import Session
from orrery.terminal import say

R = TypeVar("R")

IN_FLIGHT = 2  # tasks of an actor: one in work, one waiting, so that it never idles
KILLED_STARTS = 30  # rounds of starts in a row that something outside may end
LOOK_EVERY = 10.0  # [s] between two looks for CPUs that have appeared
NODE_LABEL = "ray.io/node-id"  # which Ray gives each node
_READY = -1  # the piece that shows that an actor has started


def capacity(share: float, cpus: int) -> int:
    """Returns how many actors have a CPU and their share of a GPU at the same time.

    Arguments:
        share: The share of a GPU that each actor needs, or a whole number.
        cpus: The number of CPUs.

    Raises:
        ValueError: If a GPU is needed and the cluster has none.
    """
    if not share:
        return max(cpus, 1)
    gpus = int(ray.cluster_resources().get("GPU", 0))
    # A share never spans two GPUs. Thirds must not lose one to rounding.
    room = gpus // int(share) if share >= 1 else gpus * int(1 / share + 1e-9)
    if not room:
        raise ValueError(
            f"the simulator needs {share:g} GPU for each actor and the cluster has {gpus}: choose "
            "a simulator without, or say how many actors if the cluster grows on demand"
        )
    return max(min(room, cpus), 1)


@dataclass(frozen=True)
class Refusal:
    """Why no actor can work on a node.

    Arguments:
        node: The node's number.
        error: What is wrong there, with its remedy.

    Example:
        >>> Refusal("4f", ValueError("other code")).node
        '4f'
    """

    node: str
    error: Exception


class _Actor:
    """Does pieces of the work in a process of its own."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make_piece = make

    def ready(self) -> "Refusal | None":
        """Answers when the actor has started; with why not, where its node will not do."""
        check = getattr(self.make_piece, "check_here", None)
        try:
            if check is not None:
                check()
        except (OSError, ValueError) as error:
            return Refusal(ray.get_runtime_context().get_node_id(), error)
        return None

    def make(self, piece: int) -> Any:
        return self.make_piece(piece)


@dataclass(eq=False)
class _Hired:
    """An actor of the pool.

    Arguments:
        handle: Ray's.
        attempt: How many rounds of starts had failed when it was requested.
        suspect: The piece that it had in hand when it went out of reach.
    """

    handle: Any
    attempt: int
    suspect: int = _READY


class ActorPool(Generic[R]):
    """Actors with the pieces of work that each has in hand; one that dies is replaced.

    An actor gets work only after it has answered: one that finds no free CPU never
    holds a piece. One that is lost with its node says nothing against its piece. On a
    node that will not do nobody is hired, and the others go on.

    Arguments:
        make: Makes the piece of a number; sent to each actor. If it has `check_here`,
            each actor calls that first, which raises OSError or ValueError where its node
            will not do.
        gpus: The share of a GPU that each actor needs.
        session: The log of the work, which counts the actors and their deaths.
        room: Returns how many actors the cluster has room for, which may grow.
        piece: What a piece is called in messages, such as `shard`.

    Example:
        >>> session = Session("2025-03-01T12:00:00+00:00")
        >>> pool = ActorPool(make=str, gpus=0.5, session=session, room=lambda: 2)
        >>> pool.start_actors(0)  # as many as there is room for, and work
        >>> list(pool.work(pending=deque()))  # of deque(range(3)): "0", "1" and "2"
        []
        >>> pool.stop()
    """

    def __init__(
        self,
        make: Callable[[int], R],
        gpus: float,
        session: Session,
        room: Callable[[], int],
        piece: str = "piece",
    ) -> None:
        self.session = session
        self.room = room
        self.piece = piece
        # Ray must not restart an actor on its own: its work would wait there unseen.
        remote: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)
        self.actor_class = remote(_Actor)
        self.needs = f"a free CPU and {gpus:g} GPU" if gpus else "a free CPU"
        self.make = make
        self.actors: list[_Hired] = []
        self.started: set[_Hired] = set()
        # In the order of submission, in which an actor also does them.
        self.tasks: dict[ray.ObjectRef[Any], tuple[_Hired, int]] = {}
        self.blame = Blame(0)
        self.failed_starts = 0  # rounds of starts, since one has succeeded
        self.refusals: dict[str, Exception] = {}  # by node

    @cached_property
    def _sent(self) -> "ray.ObjectRef[Any]":
        # Put once, so that a large simulator is not sent anew with every actor.
        return ray.put(self.make)

    def start_actors(self, count: int = 1) -> None:
        """Requests more actors of the cluster, without waiting for them."""
        for _ in range(count):
            handle = self._elsewhere.remote(self._sent)
            hired = _Hired(handle, self.failed_starts)
            self.actors.append(hired)
            self._ask(hired)

    @property
    def _elsewhere(self) -> Any:
        """The actors' class, for any node but those that will not do."""
        if not self.refusals:
            return self.actor_class
        others = f"!in({','.join(self.refusals)})"
        return self.actor_class.options(label_selector={NODE_LABEL: others})

    def stop(self) -> None:
        """Ends all actors, whatever they have in hand."""
        for hired in self.actors:
            ray.kill(hired.handle)

    def work(self, pending: deque[int]) -> Iterator[R]:
        """Returns what was made of all pieces, in the order in which they are done.

        Arguments:
            pending: The pieces' numbers; they are taken away.

        Raises:
            ChildProcessError: If a piece ended three actors whose nodes live on, and
                more than deaths from outside explain.
            OSError, ValueError: If no node will do; what is wrong with the last one.
            Exception: Whatever making a piece raised; it is not tried again.
        """
        self.blame = Blame(len(pending))
        looked = heard = time.monotonic()
        while pending or any(piece != _READY for _, piece in self.tasks.values()):
            self._assign(pending)
            ready, _ = ray.wait(list(self.tasks), timeout=LOOK_EVERY)
            for task in ready:
                yield from self._collect(task, pending)
            self._check_nodes()
            now = time.monotonic()
            if self.started:
                heard = now
            if now - heard >= STARTUP_TIMEOUT:
                heard = now
                say(f"no actor has started yet: each needs {self.needs} of the cluster")
            if now - looked >= LOOK_EVERY:
                looked = now
                self._grow(pending)

    def _grow(self, pending: deque[int]) -> None:
        """Requests actors for what the cluster has gained, as far as there is work."""
        waiting = len(self.actors) - len(self.started)
        # All CPUs or GPUs may be away for a while; who waits for them is no worse off.
        with suppress(ConnectionError, ValueError):
            room = self.room() - len(self.actors)
            self.start_actors(min(room, len(pending) - waiting))

    def _assign(self, pending: deque[int]) -> None:
        load = Counter(hired for hired, _ in self.tasks.values())
        # Every actor gets a first piece before any gets a second.
        for depth in range(IN_FLIGHT):
            for hired in self.started:
                if pending and load[hired] <= depth:
                    piece = pending.popleft()
                    self.tasks[hired.handle.make.remote(piece)] = (hired, piece)
                    load[hired] += 1

    def _ask(self, hired: _Hired) -> None:
        """Asks an actor to answer when it has started, or is in reach again."""
        self.tasks[hired.handle.ready.remote()] = (hired, _READY)

    def _collect(self, task: "ray.ObjectRef[Any]", pending: deque[int]) -> Iterator[R]:
        hired, piece = self.tasks[task]
        try:
            made = ray.get(task)
        except RayTaskError as error:
            # What the piece raised is the user's error, not Ray's wrapping of it.
            raise error.cause from error
        except RayError as error:
            self._on_failure(hired, piece, error)
            self._put_back(piece, pending)
        else:
            if piece != _READY:
                self.blame.add_made()
                self.failed_starts = 0
                yield made
            elif made is None:
                self._on_ready(hired)
            else:
                self._on_refusal(hired, made)
        del self.tasks[task]

    def _put_back(self, piece: int, pending: deque[int]) -> None:
        if piece in self.blame.nodes:
            # Others first: whether they die too tells whose fault it was.
            pending.append(piece)
        elif piece != _READY:
            pending.appendleft(piece)

    def _on_ready(self, hired: _Hired) -> None:
        """Counts an actor that has started, which may have work from now on."""
        hired.suspect = _READY
        self.started.add(hired)
        self.failed_starts = 0  # starting works: only failures in a row are hopeless
        session = self.session
        session.actors = max(session.actors, len(self.started))
        session.cpus = int(ray.cluster_resources().get("CPU", 0))
        session.nodes = len(living_nodes())

    def _on_refusal(self, hired: _Hired, refusal: Refusal) -> None:
        """Looks for another node, and says once of each that it will not do."""
        if refusal.node not in self.refusals:
            say(f"a node is left out until Ray is started there again: {refusal.error}")
        self.refusals[refusal.node] = refusal.error
        ray.kill(hired.handle)
        self.actors.remove(hired)
        self.start_actors()

    def _check_nodes(self) -> None:
        """Raises what is wrong with the last node, if there is no other one to wait for."""
        if self.refusals and not self.started and working_nodes() <= {*self.refusals}:
            raise [*self.refusals.values()][-1]

    def _on_failure(self, hired: _Hired, piece: int, error: RayError) -> None:
        """Looks what has become of an actor that did not answer.

        Raises:
            ChildProcessError: If it was the third one over the same piece.
        """
        if hired not in self.actors:
            return  # another of its tasks brought the news
        if isinstance(error, ActorUnavailableError):
            self._on_silence(hired, piece)
        else:
            self._on_death(hired, error)

    def _on_silence(self, hired: _Hired, piece: int) -> None:
        """Asks an actor again that is out of reach, until it answers or its death is known.

        Ray finds out about a lost node seconds after its actors have gone silent.
        """
        if hired in self.started:
            self.started.discard(hired)
            hired.suspect = self._piece_in_hand(hired)
            what = self._what(hired.suspect)
            say(f"an actor is out of reach: {what} goes to another")
            self._ask(hired)
        elif piece == _READY:
            self._ask(hired)

    def _on_death(self, hired: _Hired, error: RayError) -> None:
        piece = self._piece_in_hand(hired)
        death = how_it_died(hired.handle, error)
        self.session.deaths += 1
        if death.lost:
            what = self._what(piece)
            say(f"an actor was lost with its node over {what} and is replaced")
        elif piece != _READY or hired.attempt == self.failed_starts:
            self._blame(piece, death, error)
        # Others that were requested together die together at their start, of one cause.
        ray.kill(hired.handle)  # the error may not have been its end
        self.actors.remove(hired)
        self.started.discard(hired)
        self.start_actors()

    def _what(self, piece: int) -> str:
        return f"{self.piece} {piece}" if piece != _READY else "its start"

    def _piece_in_hand(self, hired: _Hired) -> int:
        if hired.suspect != _READY:
            return hired.suspect
        # Tasks run in the order of submission: it died over the oldest.
        return next(piece for other, piece in self.tasks.values() if other is hired)

    def _blame(self, piece: int, death: Death, error: RayError) -> None:
        what = self._what(piece)
        # Ray ends with the cause of a failed start, and begins with the kind of any
        # other death.
        reason = str(error).strip().splitlines()[-1 if piece == _READY else 0]
        charge = self._charge(piece, death)
        if charge:
            raise ChildProcessError(
                f"{charge} {what} ({reason}); finished "
                f"{self.piece}s are kept: look for a crash or, with fewer actors, "
                "leave more memory for each"
            )
        say(f"an actor died over {what} and is replaced ({reason})")

    def _charge(self, piece: int, death: Death) -> str:
        """Returns what is said where a death over a piece ends the work; else nothing."""
        if piece == _READY:
            self.failed_starts += 1
            most = DEATHS_OF_PROOF if death.raised else KILLED_STARTS
            hopeless = self.failed_starts >= most
            return f"{self.failed_starts} actors died over" if hopeless else ""
        self.blame.add_death(piece, death.node)
        alive = living_nodes()
        if self.blame.is_guilty(piece, alive):
            return f"{self.blame.deaths(piece, alive)} actors died over"
        if self.blame.is_hopeless(alive):
            return f"{len(self.blame.in_vain)} actors died in a row, the last over"
        return ""
