"""How an actor died: over its work, or with its node, for which no work is to blame.

One of the few files that import Ray.
"""

from dataclasses import dataclass
from typing import Any

import ray
from ray._private.state import state
from ray.exceptions import RayError


@dataclass(frozen=True)
class Death:
    """How an actor died.

    Arguments:
        node: The number of its node; "" if it never had one.
        lost: Whether its node was lost or taken away, whatever the actor did.
        raised: Whether its start raised an error, as every other start will.

    Example:
        >>> Death(node="4f", lost=False) == Death(node="4f", lost=True)
        False
    """

    node: str
    lost: bool
    raised: bool = False


def how_it_died(actor: Any, error: RayError) -> Death:
    """Returns what the cluster's head knows of the death of an actor.

    Arguments:
        actor: Its handle.
        error: What came instead of a result.
    """
    # The error itself tells neither of the node nor, but for preemption, of its loss.
    known = state.actor_table(actor._actor_id.hex())
    node = known["Address"]["NodeID"]
    raised = known["DeathCause"].HasField("creation_task_failure_context")
    cause = known["DeathCause"].actor_died_error_context
    lost = (
        getattr(error, "preempted", False)
        or cause.reason == cause.NODE_DIED
        or cause.HasField("node_death_info")
        # Whoever switches a machine off may end its processes first.
        or (node != "" and node not in living_nodes())
    )
    return Death(node, lost, raised)


def living_nodes() -> set[str]:
    """Returns the numbers of the nodes that are alive as far as the head knows.

    It takes some ten seconds to find that one has been switched off.
    """
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def working_nodes() -> set[str]:
    """Returns the numbers of the living nodes that have CPUs, of which a head may have none."""
    nodes = ray.nodes()
    return {n["NodeID"] for n in nodes if n["Alive"] and n["Resources"].get("CPU")}
