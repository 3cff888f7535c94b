"""Whether positions of stars are in degrees, as they are read, or in hours or radians.

A number in another unit is one that an angle may have. What gives it away is where all
stars of a table are together: in a patch that no survey has, or at places where their
velocities scatter more than at those that another unit means.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mwlmc.observed.solar_motion import place_odds
from mwlmc.observed.star_columns import PAIRS
from mwlmc.sky import frames
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.amplitudes import Amplitude, without_outliers
from orrery.tables.angles import looks_like_hours, looks_like_radians
from orrery.tables.cleaning import CleanedColumns

_LIKELIER = 7.0  # by this logarithm, a thousand times: the other unit
_CERTAIN = 15.0  # whatever the table itself says
_FEWEST = 20  # stars whose velocities say where they are
_MANY = 100  # stars that are many in a small patch
_DEGREES = float(np.degrees(1.0))
# A patch in which so many stars of the halo are in no field: they are ten at most.
_WIDE, _HIGH, _DENSE = 1.5, 0.7, 20.0  # [deg, deg, 1/deg^2]
# The one survey of a strip as thin as radians are: of declinations from -1.27 to 1.27.
_STRIP, _SYMMETRIC = 1.3, 0.3  # [deg]
_LEAST, _MOST, _LEVERAGE = 0.5, 1.5, 40.0  # times the Sun's motion, and km/s of it
_ERRORS = 2.0  # by which a mean is within these
_LONG = 40.0  # [deg] of such a strip, and of latitudes that are degrees


@dataclass(frozen=True)
class _Unit:
    """A unit that positions may be in, in place of degrees.

    Arguments:
        name: What it is called.
        ending: Of the titles that say it.
        longitude: What makes degrees of the first number.
        latitude: What makes degrees of the second.
    """

    name: str
    ending: str
    longitude: float = 1.0
    latitude: float = 1.0


_DEGREES_THEMSELVES = _Unit("degrees", "deg")
_RADIANS = _Unit("radians", "rad", _DEGREES, _DEGREES)
_LATITUDE_IN_RADIANS = _Unit("radians", "rad", latitude=_DEGREES)
_LONGITUDE_IN_RADIANS = _Unit("radians", "rad", longitude=_DEGREES)
_HOURS = _Unit("hours", "hours", longitude=15.0)


@dataclass(frozen=True)
class _Finding:
    """That positions seem to be in another unit.

    Arguments:
        unit: Which.
        why: What says it.
        odds: By how much the stars' velocities say it.
        is_doubt: Whether degrees may be right, too.
    """

    unit: _Unit
    why: str
    odds: float = 0.0
    is_doubt: bool = False


@dataclass(frozen=True, eq=False)
class _Places:
    """Positions of N stars in one frame, as the table gives them.

    Arguments:
        frame: The quantities, such as `ra` and `dec`.
        titles: Their titles.
        first: Longitudes `[N]`.
        second: Latitudes `[N]`.
        v_los: Velocities `[N]` [km/s].
    """

    frame: tuple[str, str]
    titles: tuple[str, str]
    first: FloatArray
    second: FloatArray
    v_los: FloatArray

    @property
    def known(self) -> BoolArray:
        """Which stars `[N]` have a position."""
        return np.isfinite(self.first) & np.isfinite(self.second)

    def extent(self, values: FloatArray) -> float:
        """Returns the range [deg] of one of both coordinates."""
        return float(np.ptp(values[self.known]))

    def odds(self, unit: _Unit) -> float:
        """Returns by how much a unit is likelier than degrees, by the velocities alone."""
        rows = self.known & np.isfinite(self.v_los)
        if rows.sum() < _FEWEST:
            return 0.0
        here = self._galactic(_DEGREES_THEMSELVES, rows)
        return place_odds(self.v_los[rows], self._galactic(unit, rows), here)

    def are_here(self) -> bool:
        """Returns whether velocities hold the Sun's motion as it is seen from these degrees."""
        rows = self.known & np.isfinite(self.v_los)
        longitude, latitude = self._galactic(_DEGREES_THEMSELVES, rows)
        own = -frames.solar_velocity(longitude, latitude)[0]
        held = Amplitude.of(own, self.v_los[rows], _FEWEST, _LEVERAGE)
        return held is not None and not held.is_outside(_LEAST, _MOST, errors=0)

    def share_motion_here(self) -> bool:
        """Returns whether stars of one patch have the Sun's motion in common, as seen there.

        In a patch the Sun's motion hardly differs from star to star, but is in the mean of
        heliocentric velocities; those of stars that are elsewhere have another mean.
        """
        rows = self.known & np.isfinite(self.v_los)
        speeds = self.v_los[rows]
        kept = without_outliers(speeds)
        if kept.sum() < _FEWEST:
            return False
        longitude, latitude = self._galactic(_DEGREES_THEMSELVES, rows)
        own = -float(np.mean(frames.solar_velocity(longitude, latitude)[0][kept]))
        if abs(own) < _LEVERAGE:
            return False
        error = np.std(speeds[kept]) / np.sqrt(kept.sum()) / abs(own)
        held = Amplitude(float(np.mean(speeds[kept])) / own, float(error))
        further = _ERRORS * held.error
        return held.value - further > _LEAST and held.value + further < _MOST

    def _galactic(self, unit: _Unit, rows: BoolArray) -> tuple[FloatArray, FloatArray]:
        longitude = np.radians(unit.longitude * self.first[rows])
        latitude = np.radians(unit.latitude * self.second[rows])
        if self.frame[0] == "l":
            return longitude, latitude
        return frames.equatorial_to_galactic(longitude, latitude)

    def findings(self) -> Iterator[_Finding]:
        """Yields which other unit these may be in, the likeliest first."""
        around = np.abs(self.first[self.known])
        high = np.abs(self.second[self.known])
        if not len(around):
            return
        small = bool((around <= 2 * np.pi).all())
        flat = bool((high <= np.pi / 2).all())
        if small and flat:
            yield from self._both_in_radians()
        elif flat:
            yield from self._latitude_in_radians()
        elif small:
            yield from self._longitude_in_radians()
        if self.frame[0] == "ra":
            yield from self._in_hours()

    def _both_in_radians(self) -> Iterator[_Finding]:
        first, second = self.titles
        why = f"all positions in {first!r} and {second!r} are within 6.3 times 3.2"
        odds = self.odds(_RADIANS)
        # both, as velocities without the Sun's motion scatter least in a patch
        if odds < -_LIKELIER and self.share_motion_here():
            return
        if looks_like_radians(self.first, self.second):
            yield _Finding(_RADIANS, why, odds)
        elif odds > _LIKELIER:
            yield _Finding(_RADIANS, f"{why}, and velocities are not of there", odds)
        width = self.extent(self.first)
        height = self.extent(self.second)
        stars = int(self.known.sum())
        # towards the Galaxy's centre there are fields as crowded
        if self.frame[0] == "l" or stars < _MANY or width < _WIDE or height < _HIGH:
            return
        if stars > _DENSE * width * height:
            crowd = f"where {stars} stars are more than in any field of halo stars"
            yield _Finding(_RADIANS, f"{why}, {crowd}")

    def _latitude_in_radians(self) -> Iterator[_Finding]:
        what = "declinations" if self.frame[0] == "ra" else "latitudes"
        why = f"all {what} in {self.titles[1]!r} are within 1.571"
        odds = self.odds(_LATITUDE_IN_RADIANS)
        if odds > _LIKELIER:
            said = f"{why}, and velocities are not of there"
            yield _Finding(_LATITUDE_IN_RADIANS, said, odds)
        many = self.known.sum() >= _FEWEST and self.extent(self.first) > _LONG
        known = self.second[self.known]
        is_strip = (
            np.abs(known).max() <= _STRIP
            and abs(known.max() + known.min()) <= _SYMMETRIC
        )
        if many and not is_strip and not self.are_here():
            yield _Finding(_LATITUDE_IN_RADIANS, why, is_doubt=True)

    def _longitude_in_radians(self) -> Iterator[_Finding]:
        why = f"all longitudes in {self.titles[0]!r} are within 6.3"
        odds = self.odds(_LONGITUDE_IN_RADIANS)
        # of hours a quarter would be so small
        is_narrow = self.known.sum() >= _FEWEST and self.extent(self.second) > _LONG
        if is_narrow or odds > _LIKELIER:
            yield _Finding(_LONGITUDE_IN_RADIANS, why, odds)

    def _in_hours(self) -> Iterator[_Finding]:
        known = self.first[self.known]
        if not ((known >= 0) & (known < 24)).all():
            return
        why = f"all right ascensions in {self.titles[0]!r} are below 24"
        odds = self.odds(_HOURS)
        # both, as velocities without the Sun's motion scatter least where it hardly changes
        if odds < -_LIKELIER and self.are_here():
            return
        if looks_like_hours(self.first, self.second):
            yield _Finding(_HOURS, f"{why}, and fill what hours would fill", odds)
        elif odds > _LIKELIER:
            yield _Finding(_HOURS, f"{why}, and velocities are not of there", odds)


def check_places(found: CleanedColumns, where: str) -> Iterator[str]:
    """Yields what is wrong with the unit of positions, if their columns say it.

    Arguments:
        found: The columns of N stars.
        where: The file's name, for messages.

    Raises:
        ValueError: If they do not, or if velocities leave no doubt that it is wrong.
    """
    for longitude, latitude in PAIRS[:2]:
        if not {longitude, latitude} <= set(found.values):
            continue
        places = _Places(
            (longitude, latitude),
            (found.title(longitude), found.title(latitude)),
            found.values[longitude],
            found.values[latitude],
            found.values.get("v_los", np.full(found.values[longitude].shape, np.nan)),
        )
        finding = next(places.findings(), None)
        if finding is not None:
            yield _said(finding, places, found, where)


def _said(finding: _Finding, places: _Places, found: CleanedColumns, where: str) -> str:
    unit = finding.unit
    factors = zip(places.frame, (unit.longitude, unit.latitude), strict=True)
    changed = [name for name, factor in factors if factor != 1.0]
    columns = [c for c in found.understood if c.quantity in changed and c.used]
    plural = "s" if len(changed) > 1 else ""
    called = " and ".join(f"{name}_{unit.ending}" for name in changed)
    sentence = f"{finding.why}: these look like {unit.name}, not degrees"
    remedy = f"call the column{plural} {called}"
    if finding.is_doubt:
        return f"{sentence}: if they are, {remedy}"
    if finding.odds > _CERTAIN:
        raise ValueError(f"{where}: {sentence}: {remedy}")
    if not all(column.is_said for column in columns):
        other = " and ".join(f"{name}_deg" for name in changed)
        raise ValueError(
            f"{where}: {sentence}: {remedy}, or {other} if they are degrees"
        )
    return f"{sentence}, as {columns[0].unit_source} says: if they are, {remedy}"
