"""Who is blamed for a death, and who is hired: laws of the pool, with an imitated cluster."""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError

from orrery.execution import actors
from orrery.execution.actors import ActorPool, Refusal
from orrery.execution.blame import HOPELESS
from orrery.execution.deaths import Death
from orrery.storage.work_log import Session

START = -1  # the piece of an actor that has not started
PIECES = tuple(range(8))  # unless a test wants more


@dataclass(eq=False)
class Actor:
    """An actor that answers, dies or is silent as its cluster decides."""

    number: int
    make_piece: Callable[[int], int]
    death: Death | None = None
    silences: int = 0  # still to come

    @property
    def ready(self):
        return SimpleNamespace(remote=lambda: Task(self, START))

    @property
    def make(self):
        return SimpleNamespace(remote=lambda piece: Task(self, piece))


@dataclass(eq=False)
class Task:
    actor: Actor
    piece: int


@dataclass
class ToyCluster:
    """Stands in for Ray.

    Arguments:
        deaths: Returns how an actor of a number dies over a piece; None if it does not.
        silent: Returns how many answers of an actor fail from a piece on.
        alive: The nodes that are alive.
        refusal: Returns why an actor's node will not do; None if it will.
    """

    deaths: Callable[[int, int], Death | None] = lambda actor, piece: None
    silent: Callable[[int, int], int] = lambda actor, piece: 0
    alive: set[str] = field(default_factory=lambda: {"a", "b"})
    hired: list[Actor] = field(default_factory=list)
    killed: list[Actor] = field(default_factory=list)
    refusal: Callable[[int], Refusal | None] = lambda actor: None
    selectors: list[dict] = field(default_factory=list)

    def remote(self, **options):
        return lambda kind: SimpleNamespace(remote=self.hire, options=self.select)

    def select(self, label_selector):
        self.selectors.append(label_selector)
        return SimpleNamespace(remote=self.hire)

    def hire(self, make):
        self.hired.append(Actor(len(self.hired), make))
        return self.hired[-1]

    def put(self, value):
        return value

    def wait(self, tasks, timeout):
        return tasks[:1], tasks[1:]

    def get(self, task):
        actor = task.actor
        actor.death = actor.death or self.deaths(actor.number, task.piece)
        if task.piece != START:
            actor.silences += self.silent(actor.number, task.piece)
        if actor.silences:
            actor.silences -= 1
            raise ActorUnavailableError("socket closed", None)
        if actor.death is not None:
            raise ActorDiedError
        if task.piece == START:
            return self.refusal(actor.number)
        return actor.make_piece(task.piece)

    def kill(self, actor):
        self.killed.append(actor)

    def cluster_resources(self):
        return {"CPU": 2.0 * len(self.alive)}


@pytest.fixture
def work(monkeypatch):
    """Does all pieces on a cluster; returns them and the log of the work."""

    def done(cluster, count=2, room=lambda: 2, pieces=8):
        monkeypatch.setattr(actors, "ray", cluster)
        monkeypatch.setattr(actors, "how_it_died", lambda actor, error: actor.death)
        monkeypatch.setattr(actors, "living_nodes", lambda: cluster.alive)
        monkeypatch.setattr(actors, "working_nodes", lambda: cluster.alive)
        session = Session("2025-03-01T12:00:00+00:00")
        pool = ActorPool(lambda piece: piece, 0, session, room, piece="shard")
        pool.start_actors(count)
        return sorted(pool.work(deque(range(pieces)))), session

    return done


HEALTHY = Death("a", lost=False)
LOST = Death("c", lost=True)


def test_every_piece_is_made_once(work):
    made, session = work(ToyCluster())
    assert made == list(PIECES)
    assert (session.actors, session.deaths, session.nodes) == (2, 0, 2)


def test_a_piece_that_kills_three_healthy_actors_is_named(work):
    cluster = ToyCluster(lambda actor, piece: HEALTHY if piece == 5 else None)
    with pytest.raises(ChildProcessError, match="3 actors died over shard 5"):
        work(cluster)
    assert len(cluster.killed) == 2  # and replaced


def test_two_deaths_are_no_proof(work):
    fatal = [HEALTHY, HEALTHY]
    cluster = ToyCluster(lambda a, piece: fatal.pop() if piece == 5 and fatal else None)
    made, session = work(cluster)
    assert (made, session.deaths) == (list(PIECES), 2)


def test_kills_from_outside_are_no_pieces_fault(work):
    # every third answer of any actor, whatever it does: the shards are innocent
    answers = itertools.count(1)

    def killed(actor, piece):
        return HEALTHY if piece != START and next(answers) % 3 == 0 else None

    made, session = work(ToyCluster(killed), pieces=60)
    assert made == list(range(60))
    assert session.deaths >= 25


def test_a_guilty_piece_is_found_among_kills_from_outside(work):
    answers = itertools.count(1)

    def killed(actor, piece):
        outside = piece != START and next(answers) % 9 == 0
        return HEALTHY if outside or piece == 7 else None

    with pytest.raises(ChildProcessError, match=r"\d actors died over shard 7 "):
        work(ToyCluster(killed), pieces=60)


def test_where_nothing_is_made_any_more_deaths_end_the_work(work):
    cluster = ToyCluster(lambda actor, piece: HEALTHY if piece > 3 else None)
    with pytest.raises(ChildProcessError, match="died in a row, the last over shard"):
        work(cluster, pieces=40)
    assert len(cluster.hired) < 4 + 3 * HOPELESS


def test_actors_lost_with_their_nodes_say_nothing_against_a_piece(work, capsys):
    cluster = ToyCluster(lambda actor, p: LOST if p == 5 and actor < 9 else None)
    made, session = work(cluster)
    assert (made, session.deaths) == (list(PIECES), 9)
    assert "lost with its node over shard 5 and is replaced" in capsys.readouterr().err


def test_a_node_may_be_found_lost_after_its_actors(work):
    # Ray says of each: its process ended, on a node that it believes alive.
    deaths = [Death(f"gone {number}", lost=False) for number in range(9)]
    cluster = ToyCluster(
        lambda a, piece: deaths.pop() if piece == 5 and deaths else None
    )
    made, session = work(cluster)
    assert (made, session.deaths) == (list(PIECES), 9)


def test_a_node_lost_while_its_actors_start_ends_nothing(work, capsys):
    cluster = ToyCluster(lambda actor, piece: LOST if actor < 20 else None)
    made, session = work(cluster, count=20)
    assert (made, session.deaths) == (list(PIECES), 20)
    assert "lost with its node over its start" in capsys.readouterr().err


def test_starts_that_fail_together_fail_once(work, capsys):
    cluster = ToyCluster(lambda actor, piece: HEALTHY if actor < 10 else None)
    made, session = work(cluster, count=5)  # these, and the five that replace them
    assert (made, session.deaths) == (list(PIECES), 10)
    assert capsys.readouterr().err.count("died over its start") == 2


@pytest.mark.parametrize("raised", [True, False])
def test_starts_that_raise_three_times_in_a_row_are_hopeless_and_killed_ones_later(
    work, raised
):
    rounds = 3 if raised else actors.KILLED_STARTS
    cluster = ToyCluster(lambda actor, piece: Death("a", lost=False, raised=raised))
    with pytest.raises(ChildProcessError, match=f"{rounds} actors died over its start"):
        work(cluster, count=5)
    assert len(cluster.hired) == rounds * 5


def test_a_silent_actor_that_answers_again_has_not_died(work, capsys):
    silences = {(0, 0): 4}
    cluster = ToyCluster(silent=lambda actor, piece: silences.pop((actor, piece), 0))
    made, session = work(cluster)
    assert (made, session.deaths, len(cluster.hired)) == (list(PIECES), 0, 2)
    assert capsys.readouterr().err.count("out of reach: shard 0 goes to another") == 1


def test_what_killed_silent_actors_is_named_once_their_death_is_known(work):
    silences = {(actor, 5): 2 for actor in range(9)}
    cluster = ToyCluster(
        lambda actor, piece: HEALTHY if piece == 5 else None,
        lambda actor, piece: silences.pop((actor, piece), 0),
    )
    with pytest.raises(ChildProcessError, match="3 actors died over shard 5"):
        work(cluster)
    assert len(silences) <= 6  # three at least were silent first


def test_actors_are_hired_for_cpus_that_appear(work, monkeypatch):
    monkeypatch.setattr(actors, "LOOK_EVERY", 0.0)
    rooms = iter([1, 4, 4])
    cluster = ToyCluster()
    made, _ = work(cluster, count=1, room=lambda: next(rooms, 4))
    assert (made, len(cluster.hired)) == (list(PIECES), 4)


def test_no_more_are_hired_than_there_is_work_for(work, monkeypatch):
    monkeypatch.setattr(actors, "LOOK_EVERY", 0.0)
    cluster = ToyCluster()
    made, _ = work(cluster, count=1, room=lambda: 1000)
    assert made == list(PIECES)
    assert len(cluster.hired) <= 1 + len(PIECES)


@pytest.mark.parametrize("error", [ConnectionError, ValueError])
def test_a_cluster_that_has_nothing_for_a_while_is_waited_for(work, monkeypatch, error):
    def away():
        raise error("no CPU, or no GPU")

    monkeypatch.setattr(actors, "LOOK_EVERY", 0.0)
    made, _ = work(ToyCluster(), room=away)
    assert made == list(PIECES)


OTHER_CODE = ValueError("other code: install the same")


def test_on_a_node_that_will_not_do_nobody_is_hired_and_the_others_go_on(work, capsys):
    """It came late; two actors of it refuse, and those that replace them look elsewhere."""
    cluster = ToyCluster(
        refusal=lambda actor: Refusal("b", OTHER_CODE) if actor in (1, 2) else None
    )
    made, session = work(cluster, count=3)
    assert (made, session.deaths, len(cluster.hired)) == (list(PIECES), 0, 5)
    assert [actor.number for actor in cluster.killed] == [1, 2]
    assert cluster.selectors == 2 * [{actors.NODE_LABEL: "!in(b)"}]
    said = capsys.readouterr().err
    assert said.count("is left out") == 1
    assert "other code: install the same" in said


def test_where_no_node_will_do_it_is_said_why(work):
    nodes = iter("abab")
    cluster = ToyCluster(refusal=lambda actor: Refusal(next(nodes), OTHER_CODE))
    with pytest.raises(ValueError, match="other code: install the same"):
        work(cluster)
    assert len(cluster.hired) == 2 + 2


class Blind:
    """Makes pieces, but does not see where."""

    def __call__(self, piece):
        return piece

    def check_here(self):
        raise FileNotFoundError("no such folder")


def test_an_actor_says_why_its_node_will_not_do(monkeypatch):
    context = SimpleNamespace(get_node_id=lambda: "b")
    monkeypatch.setattr(actors.ray, "get_runtime_context", lambda: context)
    refusal = actors._Actor(Blind()).ready()
    assert (refusal.node, str(refusal.error)) == ("b", "no such folder")
    assert actors._Actor(str).ready() is None
