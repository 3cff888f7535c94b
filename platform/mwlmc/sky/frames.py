"""Where stars are and how they move: the sky as seen from the Sun, and Galactocentric axes.

The Galactocentric frame is Cartesian and right-handed: x points from the Sun's side to
the Galactic centre, y along the Galaxy's rotation (l = 90 deg), z to the North Galactic
Pole. The Sun lies above the plane, and Galactic coordinates put the centre at l = b =
0: both hold only when the Galactic axes are tilted against the Galactocentric ones by
arcsin(z_sun / R_sun) = 0.14 deg, as astropy and agama tilt them. Without that tilt, a
satellite at 50 kpc is misplaced by 0.1 kpc.

Positions in kpc, velocities in km/s, proper motions in mas/yr, angles in radians.
Arrays of any shape `[...]`; vectors have a last axis of 3.
"""

from typing import NamedTuple

import numpy as np

from orrery.parameters import FloatArray

SUN_POSITION = np.array([-8.3, 0.0, 0.02])  # [kpc]
SUN_VELOCITY = np.array([11.1, 244.24, 7.24])  # [km/s]
K = 4.74047  # [km/s / (kpc mas/yr)]

# The North Galactic Pole in ICRS, and the Galactic longitude of the North Celestial
# Pole: Reid & Brunthaler (2004), as in astropy.
_POLE_RA, _POLE_DEC, _POLE_LONGITUDE = np.radians(
    [192.8594812065348, 27.12825118085622, 122.9319185680026]
)


class SkyCoordinates(NamedTuple):
    """Heliocentric coordinates and motions of stars, equatorial (ICRS).

    Arguments:
        ra: Right ascension `[...]` [rad], 0 to 2 pi.
        dec: Declination `[...]` [rad].
        distance: Distance from the Sun `[...]` [kpc].
        v_los: Heliocentric line-of-sight velocity `[...]` [km/s].
        pm_ra_cosdec: Proper motion along right ascension `[...]` [mas/yr].
        pm_dec: Proper motion along declination `[...]` [mas/yr].

    Example:
        >>> sky = galactocentric_to_sky(np.array([-0.6, -41.3, -27.1]), SUN_VELOCITY)
        >>> round(float(np.degrees(sky.dec)), 1), round(float(sky.distance), 1)
        (-69.9, 50.0)
    """

    ra: FloatArray
    dec: FloatArray
    distance: FloatArray
    v_los: FloatArray
    pm_ra_cosdec: FloatArray
    pm_dec: FloatArray


class RestFrame(NamedTuple):
    """Velocities in the Galaxy's rest frame (GSR), along the axes of the sky at the Sun.

    Arguments:
        l: Galactic longitude `[...]` [rad], 0 to 2 pi.
        b: Galactic latitude `[...]` [rad].
        distance: Distance from the Sun `[...]` [kpc].
        v_gsr: Velocity along the line of sight `[...]` [km/s].
        v_l: Velocity along increasing longitude `[...]` [km/s].
        v_b: Velocity along increasing latitude `[...]` [km/s].

    Example:
        >>> rest = sky_velocities(np.array([8.3, 0.0, 0.0]), np.array([100.0, 0.0, 0.0]))
        >>> round(float(rest.v_gsr), 1), round(float(rest.distance), 1)
        (100.0, 16.6)
    """

    l: FloatArray  # noqa: E741  (the field's name for it)
    b: FloatArray
    distance: FloatArray
    v_gsr: FloatArray
    v_l: FloatArray
    v_b: FloatArray


def direction(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """Returns the unit vector `[..., 3]` towards a longitude and latitude `[...]` [rad]."""
    longitude, latitude = np.broadcast_arrays(longitude, latitude)
    flat = np.cos(latitude)
    x = np.cos(longitude) * flat
    y = np.sin(longitude) * flat
    return np.stack([x, y, np.sin(latitude)], axis=-1)


def axes(relative: FloatArray) -> FloatArray:
    """Returns the axes of the sky `[..., 3, 3]` at vectors from the observer `[..., 3]`.

    Rows: the unit vectors outward, along longitude, and along latitude. At the poles,
    where longitude has no meaning, those of longitude zero.
    """
    flat, distance, cosine, sine = _polar(relative)
    rise = relative[..., 2] / distance
    run = flat / distance
    none = np.zeros_like(flat)
    rows = (
        (run * cosine, run * sine, rise),
        (-sine, cosine, none),
        (-rise * cosine, -rise * sine, run),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _polar(
    relative: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    x = relative[..., 0]
    y = relative[..., 1]
    z = relative[..., 2]
    flat = np.sqrt(
        x * x + y * y
    )  # many times faster than hypot, and nothing here overflows
    # At a pole this gives longitude zero; elsewhere it adds nothing.
    pole = flat == 0
    return (
        flat,
        np.sqrt(flat * flat + z * z),
        (x + pole) / (flat + pole),
        y / (flat + pole),
    )


def tangents(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """Returns `axes` at a longitude and latitude `[...]` [rad]."""
    return axes(direction(longitude, latitude))


def angles(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns longitude (0 to 2 pi) and latitude `[...]` [rad] of vectors `[..., 3]`."""
    x = vectors[..., 0]
    y = vectors[..., 1]
    z = vectors[..., 2]
    return np.arctan2(y, x) % (2 * np.pi), np.arctan2(z, np.hypot(x, y))


def _equatorial_to_galactic_axes() -> FloatArray:
    # The pole's own sky axes are the Galactic axes, turned about the pole.
    pole, east, north = tangents(_POLE_RA, _POLE_DEC)
    sine = np.sin(_POLE_LONGITUDE)
    cosine = np.cos(_POLE_LONGITUDE)
    return np.stack([cosine * north + sine * east, sine * north - cosine * east, pole])


def _galactic_to_galactocentric_axes() -> FloatArray:
    x, _, z = SUN_POSITION
    sine, cosine = np.array([z, -x]) / np.hypot(x, z)
    return np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])


EQUATORIAL_TO_GALACTIC = _equatorial_to_galactic_axes()
GALACTIC_TO_GALACTOCENTRIC = _galactic_to_galactocentric_axes()
EQUATORIAL_TO_GALACTOCENTRIC = GALACTIC_TO_GALACTOCENTRIC @ EQUATORIAL_TO_GALACTIC


def equatorial_to_galactic(
    ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns Galactic longitude and latitude `[...]` [rad] of ICRS coordinates `[...]` [rad]."""
    return angles(direction(ra, dec) @ EQUATORIAL_TO_GALACTIC.T)


def galactic_to_equatorial(
    l: FloatArray,  # noqa: E741
    b: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Returns right ascension and declination `[...]` [rad] of Galactic coordinates [rad]."""
    return angles(direction(l, b) @ EQUATORIAL_TO_GALACTIC)


def rotate_proper_motion(
    ra: FloatArray, dec: FloatArray, pm_ra_cosdec: FloatArray, pm_dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns proper motions along Galactic longitude (times cos b) and latitude `[...]` [mas/yr].

    Arguments:
        ra: Right ascension `[...]` [rad].
        dec: Declination `[...]` [rad].
        pm_ra_cosdec: Proper motion along right ascension `[...]` [mas/yr].
        pm_dec: Proper motion along declination `[...]` [mas/yr].
    """
    equatorial = tangents(ra, dec)
    l, b = equatorial_to_galactic(ra, dec)  # noqa: E741
    galactic = tangents(l, b) @ EQUATORIAL_TO_GALACTIC
    turn = np.einsum("...ik,...jk->...ij", galactic[..., 1:, :], equatorial[..., 1:, :])
    motion = np.stack(np.broadcast_arrays(pm_ra_cosdec, pm_dec), axis=-1)
    rotated = np.einsum("...ij,...j->...i", turn, motion)
    return rotated[..., 0], rotated[..., 1]


def sky_to_galactocentric(
    ra: FloatArray,
    dec: FloatArray,
    distance: FloatArray,
    v_los: FloatArray,
    pm_ra_cosdec: FloatArray,
    pm_dec: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Returns Galactocentric position [kpc] and velocity [km/s], both with shape `[..., 3]`.

    Arguments:
        ra: Right ascension `[...]` [rad].
        dec: Declination `[...]` [rad].
        distance: Distance from the Sun `[...]` [kpc].
        v_los: Heliocentric line-of-sight velocity `[...]` [km/s].
        pm_ra_cosdec: Proper motion along right ascension `[...]` [mas/yr].
        pm_dec: Proper motion along declination `[...]` [mas/yr].
    """
    distance = np.asarray(distance, dtype=float)
    sky = tangents(ra, dec) @ EQUATORIAL_TO_GALACTOCENTRIC.T
    along = np.broadcast_arrays(
        v_los, K * distance * pm_ra_cosdec, K * distance * pm_dec
    )
    velocity = np.einsum("...i,...ij->...j", np.stack(along, axis=-1), sky)
    return distance[..., None] * sky[..., 0, :] + SUN_POSITION, velocity + SUN_VELOCITY


def galactocentric_to_sky(position: FloatArray, velocity: FloatArray) -> SkyCoordinates:
    """Returns heliocentric coordinates: the inverse of `sky_to_galactocentric`.

    Arguments:
        position: Galactocentric position `[..., 3]` [kpc].
        velocity: Galactocentric velocity `[..., 3]` [km/s].
    """
    relative = (
        np.asarray(position, dtype=float) - SUN_POSITION
    ) @ EQUATORIAL_TO_GALACTOCENTRIC
    motion = (
        np.asarray(velocity, dtype=float) - SUN_VELOCITY
    ) @ EQUATORIAL_TO_GALACTOCENTRIC
    distance, v_los, v_ra, v_dec = project(motion, relative)
    ra, dec = angles(relative)
    return SkyCoordinates(
        ra=ra,
        dec=dec,
        distance=distance,
        v_los=v_los,
        pm_ra_cosdec=v_ra / (K * distance),
        pm_dec=v_dec / (K * distance),
    )


def sky_velocities(position: FloatArray, velocity: FloatArray) -> RestFrame:
    """Returns the velocities in the Galactic rest frame along the axes of the sky at the Sun.

    Arguments:
        position: Galactocentric position `[..., 3]` [kpc].
        velocity: Galactocentric velocity `[..., 3]` [km/s].
    """
    relative = (
        np.asarray(position, dtype=float) - SUN_POSITION
    ) @ GALACTIC_TO_GALACTOCENTRIC
    motion = np.asarray(velocity, dtype=float) @ GALACTIC_TO_GALACTOCENTRIC
    l, b = angles(relative)  # noqa: E741
    distance, v_gsr, v_l, v_b = project(motion, relative)
    return RestFrame(l=l, b=b, distance=distance, v_gsr=v_gsr, v_l=v_l, v_b=v_b)


def solar_velocity(
    l: FloatArray,  # noqa: E741
    b: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns the Sun's own velocity outward, along l and along b, each `[...]` [km/s].

    Added to heliocentric velocities, it takes them to the Galactic rest frame.

    Arguments:
        l: Galactic longitude `[...]` [rad].
        b: Galactic latitude `[...]` [rad].
    """
    _, outward, along_l, along_b = project(
        SUN_VELOCITY @ GALACTIC_TO_GALACTOCENTRIC, direction(l, b)
    )
    return outward, along_l, along_b


def project(
    vectors: FloatArray, relative: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Returns lengths of `relative`, and the vectors outward, along longitude and along latitude.

    Arguments:
        vectors: The vectors to project `[..., 3]`.
        relative: Where they are, from the observer `[..., 3]`; not the null vector.
    """
    flat, distance, cosine, sine = _polar(relative)
    z = relative[..., 2]
    v_z = vectors[..., 2]
    v_flat = cosine * vectors[..., 0] + sine * vectors[..., 1]
    along_longitude = cosine * vectors[..., 1] - sine * vectors[..., 0]
    outward = (flat * v_flat + z * v_z) / distance
    return distance, outward, along_longitude, (flat * v_z - z * v_flat) / distance
