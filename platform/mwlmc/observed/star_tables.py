"""Star tables: observed stars, and which of them belong to the smooth halo.

Every star that is dropped is counted, step by step, so that a data vector can say where
its numbers come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mwlmc.observed.options import NOT_SAGITTARIUS, StarSelection
from mwlmc.sky import frames, kinematics
from mwlmc.sky.patches import Directions
from mwlmc.sky.sagittarius import in_sagittarius_stream
from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray

READ = (
    "with a line-of-sight velocity"  # the last step of reading; the selection follows
)


@dataclass(frozen=True)
class StarTable:
    """Stars as observed, and how many were left after each step.

    Arguments:
        l: Galactic longitude `[N]` [rad].
        b: Galactic latitude `[N]` [rad].
        distance: Heliocentric distance `[N]` [kpc].
        v_los: Heliocentric line-of-sight velocity `[N]` [km/s].
        pm_l: Proper motion along longitude, times cos b `[N]` [mas/yr]; NaN where there
            is none.
        pm_b: Proper motion along latitude `[N]` [mas/yr]; NaN where there is none.
        distance_error: Standard error `[N]` [kpc].
        v_los_error: Standard error `[N]` [km/s]; NaN where there is none, as for the
            next three.
        pm_l_error: Standard error `[N]` [mas/yr].
        pm_b_error: Standard error `[N]` [mas/yr].
        pm_corr: Correlation of the errors of `pm_l` and `pm_b` `[N]`.
        steps: What was done, and the number of stars left after it.
        source: File name, checksum and layout, as plain JSON.
        checks: What was dropped while the file was read, by rule, and what of it was not
            used, as plain JSON.

    Example:
        >>> column = np.array([0.5, 1.0])
        >>> blank = column * np.nan
        >>> stars = StarTable(
        ...     l=column,
        ...     b=column,
        ...     distance=30.0 + column,
        ...     v_los=column,
        ...     pm_l=blank,
        ...     pm_b=blank,
        ...     distance_error=0.05 * column,
        ...     v_los_error=blank,
        ...     pm_l_error=blank,
        ...     pm_b_error=blank,
        ...     pm_corr=blank,
        ... )
        >>> stars.keep(stars.b > 0.6, "north").steps
        (('north', 1),)
    """

    l: FloatArray  # noqa: E741
    b: FloatArray
    distance: FloatArray
    v_los: FloatArray
    pm_l: FloatArray
    pm_b: FloatArray
    distance_error: FloatArray
    v_los_error: FloatArray
    pm_l_error: FloatArray
    pm_b_error: FloatArray
    pm_corr: FloatArray
    steps: tuple[tuple[str, int], ...] = ()
    source: JSON = field(default_factory=dict)
    checks: JSON = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.l)

    @property
    def galactocentric_distance(self) -> FloatArray:
        """Distances from the Galactic centre `[N]` [kpc]."""
        towards = frames.direction(self.l, self.b) @ frames.GALACTIC_TO_GALACTOCENTRIC.T
        position = self.distance[:, None] * towards + frames.SUN_POSITION
        return np.linalg.norm(position, axis=1)

    def keep(self, chosen: BoolArray, step: str) -> "StarTable":
        """Returns the chosen stars `[N]`, with the step and the number left added to `steps`.

        Raises:
            ValueError: If there were stars and none is left.
        """
        if len(chosen) and not chosen.any():
            said = noted(self.checks)
            found = f" ({'; '.join(said)})" if said else ""
            raise ValueError(
                f"{self.source['file']}: none of {len(chosen)} stars is left after the step "
                f"{step!r}: look at that column, or change the selection{found}"
            )
        columns: dict[str, Any] = {
            name: column[chosen]
            for name, column in vars(self).items()
            if isinstance(column, np.ndarray)
        }
        return replace(self, **columns, steps=(*self.steps, (step, int(chosen.sum()))))

    def with_warnings(self, warnings: Sequence[str]) -> "StarTable":
        """Returns the stars with more warnings among the checks."""
        if not warnings:
            return self
        said = [*self.checks.get("warnings", ()), *warnings]
        return replace(self, checks={**self.checks, "warnings": said})

    def rest_frame(self) -> kinematics.RestFrameStars:
        """Returns the stars as a binning wants them: rest-frame velocities, distances, directions.

        The longitude's proper motions are not needed: they contain the Sun's own least
        known motion.
        """
        # a proper motion times the distance is a velocity relative to the Sun, whose own
        # motion is added to reach the Galactic rest frame
        outward, _, along_b = frames.solar_velocity(self.l, self.b)
        return kinematics.RestFrameStars(
            distance=self.galactocentric_distance,
            directions=Directions(frames.direction(self.l, self.b)),
            v_gsr=self.v_los + outward,
            v_tb=frames.K * self.distance * self.pm_b + along_b,
            owner=np.zeros(len(self), dtype=np.intp),
        )

    def with_motions(self, chosen: BoolArray, step: str) -> "StarTable":
        """Returns the stars with the proper motions of the chosen ones `[N]` alone.

        The step and the number of proper motions left are added to `steps`.

        Raises:
            ValueError: If there were proper motions and none is left.
        """
        left = chosen & np.isfinite(self.pm_b)
        if np.isfinite(self.pm_b).any() and not left.any():
            raise ValueError(
                f"{self.source['file']}: no proper motion is left after the step {step!r}: allow "
                "a larger error"
            )
        blank: dict[str, Any] = {
            name: np.where(chosen, getattr(self, name), np.nan)
            for name in ("pm_l", "pm_b")
        }
        return replace(self, **blank, steps=(*self.steps, (step, int(left.sum()))))

    def velocity_errors(self, quantity: str) -> FloatArray:
        """Returns the standard errors `[N]` of a velocity [km/s]; NaN where unknown.

        Those of `v_tb` are the proper motion's times the distance, and the distance's
        times the proper motion.

        Arguments:
            quantity: `v_gsr` or `v_tb`.
        """
        if quantity == "v_gsr":
            return self.v_los_error
        across = self.distance * self.pm_b_error, self.pm_b * self.distance_error
        return np.asarray(frames.K * np.hypot(*across))


def select(table: StarTable, selection: StarSelection) -> StarTable:
    """Returns the selected stars; each step is counted in `steps`.

    Raises:
        ValueError: If no star, or no proper motion, is left.
    """
    if selection.sagittarius:
        ra, dec = frames.galactic_to_equatorial(table.l, table.b)
        member = in_sagittarius_stream(ra, dec, table.distance)
        table = table.keep(~member, NOT_SAGITTARIUS)
    # Galactocentric, because bins are; the stream above is cut in heliocentric distance
    distance = table.galactocentric_distance
    inside = (distance >= selection.inner) & (distance < selection.outer)
    steps = selection.steps
    near = table.keep(inside, steps[int(selection.sagittarius)])
    if selection.largest_motion_error is None:
        return near
    # not the error of v_tb, in which that of the distance favours slow stars
    error = frames.K * near.distance * near.pm_b_error
    measured = np.isfinite(near.pm_b)
    if measured.any() and not np.isfinite(error[measured]).any():
        raise ValueError(
            f"{near.source['file']}: proper motions have no errors, so that none is known to be "
            f"better than {selection.largest_motion_error:g} km/s: give pmra_err_masyr and "
            "pmdec_err_masyr, or pmb_err_masyr, or leave the largest error out"
        )
    return near.with_motions(error < selection.largest_motion_error, steps[-1])


def check_lines(checks: JSON) -> list[str]:
    """Returns in words what was dropped while stars were read, and what was not used.

    Arguments:
        checks: A `StarTable`'s, or those in a binned table's provenance.

    Example:
        >>> check_lines({"not_used": ["teff", "logg"]})
        ['columns not used: teff, logg']
    """
    missing = [
        f"no {one['quantity']} in {one['rows']} rows of {one['column']}: {one['rule']}"
        for one in checks.get("missing", ())
    ]
    again = [
        f"{one['rows']} rows are a star's again: {one['rule']}"
        for one in checks.get("duplicates", ())
    ]
    unused = checks.get("not_used", ())
    said = [f"columns not used: {', '.join(unused)}"] if unused else []
    return [*missing, *again, *noted(checks), *said]


def noted(checks: JSON) -> list[str]:
    """Returns what is to be known of stars, and why their numbers may be wrong.

    Arguments:
        checks: As for `check_lines`.

    Example:
        >>> noted({"notes": ["10 % is assumed"], "warnings": ["are these radians?"]})
        ['10 % is assumed', 'warning: are these radians?']
    """
    warnings = [f"warning: {warning}" for warning in checks.get("warnings", ())]
    return [*checks.get("notes", ()), *warnings]
