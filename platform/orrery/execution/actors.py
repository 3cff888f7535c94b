"""Actors: processes of a cluster that do numbered pieces of work, each replaced if it dies.

Ray's own `ActorPool` waits for ever on an actor that is gone, so that the scheduling is
our own: a loop over `ray.wait`. This file is imported only when actors are wanted, and
is one of the few that import Ray.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from orrery.execution.cluster import STARTUP_TIMEOUT
from orrery.storage.work_log import Session
from orrery.terminal import say

R = TypeVar("R")

IN_FLIGHT = 2  # tasks of an actor: one in work, one waiting, so that it never idles
ACTOR_ATTEMPTS = 3  # actors that may die over the same piece
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


class _Actor:
    """Does pieces of the work in a process of its own."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make_piece = make

    def ready(self) -> None:
        """Answers when the actor has started."""

    def make(self, piece: int) -> Any:
        return self.make_piece(piece)


class ActorPool(Generic[R]):
    """Actors with the pieces of work that each has in hand; one that dies is replaced.

    An actor gets work only after it has answered: one that finds no free CPU never
    holds a piece.

    Arguments:
        make: Makes the piece of a number; sent to each actor.
        gpus: The share of a GPU that each actor needs.
        session: The log of the work, which counts the actors and their deaths.
        piece: What a piece is called in messages, such as `shard`.

    Example:
        >>> session = Session("2025-03-01T12:00:00+00:00")
        >>> pool = ActorPool(make=str, gpus=0.5, session=session, piece="shard")
        >>> pool.start_actors(0)  # as many as `capacity` says
        >>> list(pool.work(pending=deque()))  # of deque(range(3)): "0", "1" and "2"
        []
        >>> pool.stop()
    """

    def __init__(
        self,
        make: Callable[[int], R],
        gpus: float,
        session: Session,
        piece: str = "piece",
    ) -> None:
        self.session = session
        self.piece = piece
        # Ray must not restart an actor on its own: its work would wait there unseen.
        remote: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)
        self.actor_class = remote(_Actor)
        self.needs = f"a free CPU and {gpus:g} GPU" if gpus else "a free CPU"
        self.make = make
        self.actors: list[Any] = []
        self.started: set[Any] = set()
        # In the order of submission, in which an actor also does them.
        self.tasks: dict[ray.ObjectRef[Any], tuple[Any, int]] = {}
        self.deaths: Counter[int] = Counter()

    @cached_property
    def _sent(self) -> "ray.ObjectRef[Any]":
        # Put once, so that a large simulator is not sent anew with every actor.
        return ray.put(self.make)

    def start_actors(self, count: int = 1) -> None:
        """Requests more actors of the cluster, without waiting for them."""
        for _ in range(count):
            actor = self.actor_class.remote(self._sent)
            self.actors.append(actor)
            self.tasks[actor.ready.remote()] = (actor, _READY)

    def stop(self) -> None:
        """Ends all actors, whatever they have in hand."""
        for actor in self.actors:
            ray.kill(actor)

    def work(self, pending: deque[int]) -> Iterator[R]:
        """Returns what was made of all pieces, in the order in which they are done.

        Arguments:
            pending: The pieces' numbers; they are taken away.

        Raises:
            ChildProcessError: If a piece ended its actor three times.
            Exception: Whatever making a piece raised; it is not tried again.
        """
        while pending or any(piece != _READY for _, piece in self.tasks.values()):
            self._assign(pending)
            ready, _ = ray.wait(list(self.tasks), timeout=STARTUP_TIMEOUT)
            if not ready and not self.started:
                say(f"no actor has started yet: each needs {self.needs} of the cluster")
            for task in ready:
                yield from self._collect(task, pending)

    def _assign(self, pending: deque[int]) -> None:
        load = Counter(actor for actor, _ in self.tasks.values())
        # Every actor gets a first piece before any gets a second.
        for depth in range(IN_FLIGHT):
            for actor in self.started:
                if pending and load[actor] <= depth:
                    piece = pending.popleft()
                    self.tasks[actor.make.remote(piece)] = (actor, piece)
                    load[actor] += 1

    def _collect(self, task: "ray.ObjectRef[Any]", pending: deque[int]) -> Iterator[R]:
        actor, piece = self.tasks[task]
        try:
            made = ray.get(task)
        except RayTaskError as error:
            # What the piece raised is the user's error, not Ray's wrapping of it.
            raise error.cause from error
        except RayError as error:
            self.on_failure(actor, error)
            pending.extendleft([piece] if piece != _READY else [])
        else:
            if piece == _READY:
                self.on_ready(actor)
            else:
                yield made
        del self.tasks[task]

    def on_ready(self, actor: Any) -> None:
        """Counts an actor that has started, which may have work from now on."""
        self.started.add(actor)
        del self.deaths[_READY]  # starting works: only failures in a row are hopeless
        session = self.session
        session.actors = max(session.actors, len(self.started))
        session.cpus = int(ray.cluster_resources().get("CPU", 0))
        session.nodes = sum(node["Alive"] for node in ray.nodes())

    def on_failure(self, actor: Any, error: RayError) -> None:
        """Replaces an actor that died.

        Raises:
            ChildProcessError: If it was the third one over the same piece.
        """
        if actor not in self.actors:
            return  # another of its tasks brought the news
        # Tasks run in the order of submission: it died over the oldest.
        piece = next(piece for other, piece in self.tasks.values() if other == actor)
        self.deaths[piece] += 1
        self.session.deaths += 1
        what = f"{self.piece} {piece}" if piece != _READY else "its start"
        # Ray ends with the cause of a failed start, and begins with the kind of any
        # other death.
        reason = str(error).strip().splitlines()[-1 if piece == _READY else 0]
        if self.deaths[piece] == ACTOR_ATTEMPTS:
            raise ChildProcessError(
                f"{ACTOR_ATTEMPTS} actors died over {what} ({reason}); finished "
                f"{self.piece}s are kept: look for a crash or, with fewer actors, "
                "leave more memory for each"
            )
        say(f"an actor died over {what} and is replaced ({reason})")
        ray.kill(actor)  # it may only have been out of reach
        self.actors.remove(actor)
        self.started.discard(actor)
        self.start_actors()
