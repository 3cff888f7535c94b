"""What Ray knows of a death decides whether anybody is to blame."""

from types import SimpleNamespace

import pytest
from ray._private.state import state
from ray.core.generated.common_pb2 import (
    ActorDeathCause,
    ActorDiedErrorContext,
    NodeDeathInfo,
)
from ray.exceptions import ActorDiedError, RayActorError

from orrery.execution import deaths
from orrery.execution.deaths import Death, how_it_died

ACTOR = SimpleNamespace(_actor_id=b"\x01")


@pytest.fixture
def died(monkeypatch):
    """Returns how an actor on the node `a` died, as far as Ray knows."""

    def found(alive=("a", "b"), node="a", error=None, **context):
        cause = ActorDeathCause(actor_died_error_context=context)
        table = {"Address": {"NodeID": node}, "DeathCause": cause}
        monkeypatch.setattr(state, "actor_table", lambda actor: table)
        monkeypatch.setattr(deaths, "living_nodes", lambda: set(alive))
        return how_it_died(ACTOR, error or ActorDiedError())

    return found


def test_a_process_that_ended_by_itself_was_not_lost(died):
    assert died(reason=ActorDiedErrorContext.WORKER_DIED) == Death("a", lost=False)


def test_one_whose_node_died_was_lost(died):
    assert died(reason=ActorDiedErrorContext.NODE_DIED) == Death("a", lost=True)
    info = NodeDeathInfo(reason=NodeDeathInfo.EXPECTED_TERMINATION)
    assert died(node_death_info=info).lost


def test_one_that_was_preempted_was_lost(died):
    assert died(error=RayActorError(preempted=True)).lost


def test_one_that_ended_before_its_node_was_lost(died):
    reason = ActorDiedErrorContext.WORKER_DIED
    assert died(alive=["b"], reason=reason) == Death("a", lost=True)


def test_one_that_never_had_a_node_was_not_lost(died):
    assert died(node="") == Death("", lost=False)
