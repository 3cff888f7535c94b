"""Proper motions and their errors, turned from equatorial to Galactic axes."""

from collections.abc import Mapping

import numpy as np

from mwlmc.sky import frames
from orrery.parameters import FloatArray
from orrery.tables.error_columns import both_sides


def proper_motions(
    columns: Mapping[str, FloatArray], ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns proper motions along Galactic axes `[N]` [mas/yr]; NaN where one is unknown.

    Arguments:
        columns: By quantity, `[N]`: proper motions in either frame [mas/yr].
        ra: Right ascensions `[N]` [rad].
        dec: Declinations `[N]` [rad].
    """
    blank = np.full(ra.shape, np.nan)
    if {"pm_l", "pm_b"} <= set(columns):
        first = columns["pm_l"]
        second = columns["pm_b"]
    elif {"pm_ra", "pm_dec"} <= set(columns):
        first, second = frames.rotate_proper_motion(
            ra, dec, columns["pm_ra"], columns["pm_dec"]
        )
    else:
        return blank, blank
    unknown = ~np.isfinite(first + second)
    return np.where(unknown, np.nan, first), np.where(unknown, np.nan, second)


def motion_errors(
    columns: Mapping[str, FloatArray], ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns the errors of both [mas/yr], and their correlation, each `[N]`; NaN where unknown.

    Arguments are those of `proper_motions`, with errors and correlations among them.
    """
    blank = np.full(ra.shape, np.nan)
    # a correlation that is called nothing is that of the motions that are used
    corr = columns.get("pm_corr", np.zeros(ra.shape))
    if {"pm_l", "pm_b"} <= set(columns):
        corr = columns.get("pm_l_b_corr", corr)
        return _errors(columns, "pm_l", blank), _errors(columns, "pm_b", blank), corr
    corr = columns.get("pm_ra_dec_corr", corr)
    first = _errors(columns, "pm_ra", blank)
    second = _errors(columns, "pm_dec", blank)
    along_l, along_b = _galactic_parts(ra, dec)
    # The covariance of two correlated errors turns with the axes, as a tensor does. An
    # unknown correlation is taken as none: the errors themselves are known.
    covariance = first * second * np.nan_to_num(corr)
    parts = np.stack([first**2, covariance, covariance, second**2], axis=-1)
    parts = parts.reshape(*ra.shape, 2, 2)
    var_l, var_b, cov = (
        np.einsum("ni,nij,nj->n", one, parts, other)
        for one, other in ((along_l, along_l), (along_b, along_b), (along_l, along_b))
    )
    scale = np.sqrt(var_l * var_b)
    # stars without any error have no correlation either
    return np.sqrt(var_l), np.sqrt(var_b), cov / np.where(scale > 0, scale, np.nan)


def _errors(
    columns: Mapping[str, FloatArray], quantity: str, blank: FloatArray
) -> FloatArray:
    found = both_sides(columns, quantity)
    return blank if found is None else found


def _galactic_parts(ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
    east = frames.rotate_proper_motion(ra, dec, np.ones(ra.shape), np.zeros(ra.shape))
    north = frames.rotate_proper_motion(ra, dec, np.zeros(ra.shape), np.ones(ra.shape))
    return np.stack([east[0], north[0]], axis=-1), np.stack(
        [east[1], north[1]], axis=-1
    )
