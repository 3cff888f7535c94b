"""Records of how unusual vectors are among others, and what is said of that."""

import numpy as np

from orrery.judging import likeness
from orrery.parameters import FloatArray, generator

from .quantities import Record, quantity

SEED = 20251126


def alike() -> Record:
    """Returns how unusual vectors are among others, and what of them stands out."""
    others = generator(SEED, 63).standard_normal((700, 4))
    others[:, 1] = np.exp(others[:, 1])
    others[:, 3] += others[:, 2]
    names, groups = ("a", "b", "c", "d"), ("one", "one", "two", "two")
    rows = ([0.1, 1.0, 0.2, 0.0], [2.9, 0.1, 0.0, 0.0], [0.0, 99.0, 2.4, -2.4])
    found = [
        likeness.compare_with_others(np.array(r), others, names, groups) for r in rows
    ]
    few = likeness.compare_with_others(np.array(rows[2]), others[:40], names, groups)
    return {
        "alike.scores": quantity(likeness.normal_scores(others)[::90]),
        "alike.scores.own": quantity([one.scores for one in found]),
        "alike.entries": quantity([one.entry_pvalues for one in found]),
        "alike.groups": quantity([one.group_pvalues for one in found]),
        "alike.joint": quantity([one.joint_pvalue for one in found]),
        "alike.quantiles": quantity(found[0].quantiles),
        "alike.outlying": quantity([len(one.outlying) for one in found]),
        "alike.outlying.groups": quantity([len(one.outlying_groups) for one in found]),
        "alike.concluded": quantity([_concluded(p) for p in _LEVELS]),
        "alike.few": quantity([few.smallest_possible, few.passed is None]),
        "alike.enough": quantity([_enough(n) for n in (298, 299, 300)]),
    }


_LEVELS = (0.0099, 0.0101, 0.0499, 0.0501)


def _concluded(pvalue: float) -> list[int]:
    """Returns what is said of a vector that is so unusual, by one entry and one group."""
    one = likeness.Likeness(
        ("a",),
        ("one",),
        np.zeros(1),
        np.zeros((5, 1)),
        np.zeros(1),
        *_thrice(pvalue),
        999,
    )
    return [one.unusual, one.rare, len(one.outlying), len(one.outlying_groups)]


def _thrice(pvalue: float) -> tuple[FloatArray, FloatArray, float]:
    return np.array([pvalue]), np.array([pvalue]), pvalue


def _enough(others: int) -> bool:
    one = likeness.Likeness(
        ("a",),
        ("one",),
        np.zeros(1),
        np.zeros((5, 1)),
        np.zeros(1),
        *_thrice(0.5),
        others,
    )
    return one.passed is None
