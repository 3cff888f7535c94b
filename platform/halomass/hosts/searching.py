"""The nearest of those points of a tree that count, which differ from place to place."""

import numpy as np
from scipy.spatial import cKDTree

from halomass.systems import FloatArray
from orrery.parameters import IntArray

_FIRST_SEARCHED = 4  # nearest halos
_SEARCH_MORE = 4  # times as many, as long as none of them is larger
_AT_ONCE = 4_000_000  # distances held in memory together


def nearest_larger(tree: cKDTree, place: FloatArray, larger: IntArray) -> FloatArray:
    """Returns distances `[N]` to the nearest of the first points of a tree.

    Arguments:
        tree: The points, those of larger halos first.
        place: From where, with shape `[N, 3]`.
        larger: How many of the first points count for each, with shape `[N]`.
    """
    distance = np.full(len(place), np.inf)
    left = np.arange(len(place))
    nearest = _FIRST_SEARCHED
    while len(left):
        nearest = min(nearest, tree.n)
        parts = np.array_split(left, 1 + len(left) * nearest // _AT_ONCE)
        found = [_search(tree, place[part], larger[part], nearest) for part in parts]
        distance[left] = np.concatenate(found)
        left = left[np.isinf(distance[left])]
        nearest *= _SEARCH_MORE
    return distance


def _search(
    tree: cKDTree, place: FloatArray, larger: IntArray, nearest: int
) -> FloatArray:
    """Returns what `nearest_larger` does, as far as it is among that many nearest points."""
    distance, index = tree.query(place, k=np.arange(1, nearest + 1))
    return np.where(index < larger[:, None], distance, np.inf).min(axis=1)
