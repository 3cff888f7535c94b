"""Which halos of a catalogue are hosts, and which split each belongs to.

A host is a central halo with enough neighbours and no larger halo near it. Training,
validation and test are slabs of the box along x. A halo belongs where its descendant is
in the last snapshot, in all snapshots, so that no network is tested on an earlier state
of a halo that it has learned. For training it counts in each snapshot, for tests in the
latest alone: a network errs alike on two states of a halo, and errors of tests are taken
as independent; who was a host and is none anew would be one more test, chosen by what
decides who is a host. If the isolation is at least twice the radius, no halo is a
neighbour of two hosts of unequal mass.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from halomass import systems
from halomass.catalogues.chunks import NOT_SAID
from halomass.hosts import neighbours
from halomass.hosts.neighbours import Halos, IntArray, Neighbourhood
from halomass.hosts.options import HostSelection
from halomass.systems import FloatArray

# `upid` of halos that are no satellites; below it, of those of which nobody has said it
_CENTRAL = -1
# The smallest fraction of halos with a descendant where snapshots follow one another.
_FOLLOWED = 0.5


@dataclass(frozen=True, eq=False)
class SelectedHosts:
    """The hosts of one snapshot.

    Arguments:
        row: Their rows among its halos, ascending, with shape `[N]`.
        distance_larger: To the nearest halo of larger virial mass [kpc], with shape
            `[N]`.
        distance_cluster: To the nearest other cluster [kpc], with shape `[N]`.

    Example:
        >>> hosts = SelectedHosts(np.array([4, 7]), np.array([800.0, 2e3]), np.full(2, 1e4))
        >>> hosts.row[hosts.distance_larger > 1000]
        array([7])
    """

    row: IntArray
    distance_larger: FloatArray
    distance_cluster: FloatArray


def find_hosts(around: Neighbourhood, selection: HostSelection) -> SelectedHosts:
    """Returns the hosts of a snapshot.

    The most massive halo of a box is none: no halo is larger, and infinity has no
    logarithm.

    Arguments:
        around: The snapshot and its possible neighbours.
        selection: Which halos are hosts.

    Raises:
        ValueError: If there are hosts but no cluster.
    """
    central = np.flatnonzero(around.halos.upid <= _CENTRAL)
    # counting leaves few halos, and distances are searched for these alone
    rich = central[around.count(central) >= selection.minimum]
    larger = neighbours.distance_larger(around.halos, rich)
    isolated = (larger > selection.isolation) & np.isfinite(larger)
    row = rich[isolated]
    larger = larger[isolated]
    if NOT_SAID in around.halos.upid[row[:1]]:
        # as a file says it that does: a satellite lies within its host's virial radius
        alone = ~neighbours.within_larger(around.halos, row, selection.isolation)
        row = row[alone]
        larger = larger[alone]
    if not len(row):
        return SelectedHosts(row, larger, larger)
    # finite: the only cluster of a box would be its most massive halo
    cluster = neighbours.distance_cluster(around.halos, row, selection.log_m_cluster)
    return SelectedHosts(row, larger, cluster)


@dataclass(frozen=True, eq=False)
class FinalPositions:
    """Where the halos of a snapshot end.

    Arguments:
        id: The halos' identities in their snapshot, with shape `[H]`.
        x: Where their last known descendants are, as a fraction of the box, with shape
            `[H]`.

    Example:
        >>> last = FinalPositions(np.array([11, 12]), np.array([0.2, 0.8]))
        >>> last.x[last.id == 12]
        array([0.8])
    """

    id: IntArray
    x: FloatArray


def final_positions(
    halos: Halos, later: FinalPositions | None = None
) -> FinalPositions:
    """Returns where the halos of a snapshot end.

    A halo without a descendant in the next snapshot keeps the place where it was seen
    last, and so do its own progenitors.

    Arguments:
        halos: The snapshot.
        later: The final positions of the next snapshot; None if this is the last one.

    Raises:
        ValueError: If most halos have no descendant in the next snapshot.
    """
    x = halos.wrapped(np.arange(len(halos)))[:, 0] / halos.box
    if later is None:
        return FinalPositions(halos.id, x)
    # a sentinel, -1, is appended: identities beyond the largest are found there
    order = np.argsort(later.id, kind="stable")
    place = np.searchsorted(later.id[order], halos.descid)
    found = np.append(order, -1)[place]
    followed = (found >= 0) & (np.append(later.id, -1)[found] == halos.descid)
    if len(halos) and followed.mean() < _FOLLOWED:
        raise ValueError(
            f"only {followed.mean():.0%} of the halos at scale factor {halos.scale:g} have their "
            "descendant in the next snapshot given: give snapshots that follow one another, or one "
            "alone, because halos could pass from the training to the test side in between"
        )
    x[followed] = later.x[found[followed]]
    return FinalPositions(halos.id, x)


def counted_hosts(split: NDArray[np.int8], snapshot: IntArray) -> NDArray[np.bool_]:
    """Returns which hosts count: all, but of the tests those of the latest snapshot alone.

    Arguments:
        split: Of the hosts, with shape `[N]`.
        snapshot: Numbers of their snapshots, with shape `[N]`; 0 is the latest.

    Example:
        >>> split = np.array([0, 2, 0, 2], np.int8)
        >>> counted_hosts(split, np.array([0, 0, 1, 1]))
        array([ True,  True,  True, False])
    """
    return (split != systems.TEST) | (snapshot == 0)


def assign_split(x: FloatArray, selection: HostSelection) -> NDArray[np.int8]:
    """Returns the split of hosts by their place along x.

    Arguments:
        x: As a fraction of the box, with shape `[N]`.
        selection: Where the box is divided.
    """
    edges = [selection.validation_from, selection.test_from]
    values = np.array([systems.TRAIN, systems.VALIDATION, systems.TEST], np.int8)
    return values[np.searchsorted(edges, x, side="right")]
