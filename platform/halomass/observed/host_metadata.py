"""What the metadata of a table say of its host, held to what columns are held to.

A number in metadata stands alone: no other rows tell what it is. So one that tables
write where they have no value is none, unless two digits may well be measured; and one
that no host has is in another unit, or a logarithm.
"""

import re
from collections.abc import Mapping

import numpy as np
from astropy import units
from astropy.table import Table

from halomass.observed.placeholders import suspects
from orrery.tables import titles
from orrery.tables.columns import ColumnDescription

_DISTANCES = ("distance_larger", "distance_cluster")
# How metadata say of which time a host is. At a scale factor of 0.8 a usual halo has 0.05 dex
# less virial mass than today, though it is the same.
_TIMES = ("redshift", "scale", "scale_factor", "expansion_factor", "aexp")
_EARLY = 0.8
_COMOVING = re.compile(r"comoving|(kpc|msun|m_sun)\s*(/\s*h|h\^?-1)\b", re.IGNORECASE)
_MEASURED_BY_CHANCE = 99.0  # of larger ones, or with more digits, hardly one is


def stated_number(
    metadata: Mapping[str, object],
    description: ColumnDescription,
    file: str,
    stated_units: Mapping[str, object] | None = None,
) -> float | None:
    """Returns what metadata say of a host, in the description's unit; None if they do not.

    A value may hold its unit itself, else its key may (`dnl_mpc`).

    Arguments:
        metadata: Of the table, or a part of them.
        description: What is looked for, and which numbers it can have.
        file: The table's name, for messages.
        stated_units: By key, the units of values that say none. Who gives them knows the
            number, whatever its digits are.

    Raises:
        ValueError: If two keys say different things, or there is no number, one that
            stands for no value, or one that no host has.

    Example:
        >>> from halomass.observed.neighbour_columns import ENVIRONMENT_COLUMNS
        >>> [vmax, larger, cluster] = ENVIRONMENT_COLUMNS
        >>> stated_number({"name": "M31", "DNL_Mpc": 0.76}, larger, "host.ecsv")
        760.0
        >>> stated_number({"vmax": 999}, vmax, "host.ecsv")
        Traceback (most recent call last):
        ValueError: host.ecsv: vmax is 999 in the metadata, which often stands for no value: give \
a measured number, 3 to 1000 km / s
    """
    found = {}
    said = stated_units or {}
    for key, value in metadata.items():
        name, unit = titles.divided(str(key))
        if name not in description.names:
            continue
        where = f"{file}: {key} is {_in_words(value)} in the metadata"
        quantity = _quantity(value, unit or said.get(key), description.unit, where)
        if key not in said:
            _check_sentinel(float(quantity.value), description, where)
        found[str(key)] = float(quantity.to_value(description.unit))
        check_environment(found[str(key)], description, where)
    if len({*found.values()}) > 1:
        both = " and ".join(f"{key} = {metadata[key]}" for key in found)
        raise ValueError(f"{file}: the metadata say {both}: keep the right one")
    return next(iter(found.values()), None)


def check_environment(
    number: float, description: ColumnDescription, where: str
) -> None:
    """Refuses what surrounds no host.

    Arguments:
        number: In the description's unit.
        description: Which numbers there are.
        where: What it is and where it stands, in words.

    Raises:
        ValueError: If it is none of these.
    """
    if description.lower <= number <= description.upper:
        return
    hint = ""
    if description.unit == units.kpc:
        hint = f"; name another unit, as in {description.quantity}_mpc"
    raise ValueError(f"{where}: give a number from {description.range}{hint}")


def check_lacks_expansion(provenance: Mapping[str, object], file: str) -> None:
    """Refuses velocities that are said to have the expansion of space already.

    Arguments:
        provenance: What a table says of where it is from.
        file: The table's name, for messages.

    Raises:
        ValueError: If it was added before, or they were measured from the Sun.

    Example:
        >>> check_lacks_expansion({"expansion_added": True}, "host.ecsv")
        Traceback (most recent call last):
        ValueError: host.ecsv: the expansion of space is in its velocities already, as its \
provenance says (expansion_added): leave --peculiar out
    """
    said = [key for key in ("expansion_added", "frame") if provenance.get(key)]
    if said:
        raise ValueError(
            f"{file}: the expansion of space is in its velocities already, as its provenance says "
            f"({said[0]}): leave --peculiar out"
        )


def doubtful_metadata(table: Table) -> list[str]:
    """Returns warnings of what a table says of its numbers, which are not understood by it.

    A host is taken for one of today, its distances and masses for physical ones without h.

    Example:
        >>> doubtful_metadata(Table(meta={"redshift": 0.001, "h": 0.68}))
        []
        >>> table = Table({"x": [1.0]}, meta={"redshift": 1.0}, descriptions={"x": "comoving"})
        >>> for warning in doubtful_metadata(table):
        ...     print(warning.partition(":")[0])
        the table says redshift = 1
        the table says 'comoving'
    """
    descriptions = [(name, table[name].info.description) for name in table.colnames]
    found = []
    for key, value in (*table.meta.items(), *descriptions):
        found += _other_time(str(key), value)
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and _COMOVING.search(text):
                found.append(
                    f"the table says {text!r}: distances and masses are read as physical ones "
                    "without h, unless a column's unit says otherwise; look up that they are"
                )
    return found


def _other_time(key: str, value: object) -> list[str]:
    """Returns a warning of a host that is said to be of another time than today."""
    if key.lower() not in _TIMES or not isinstance(value, (int, float)) or value <= 0:
        return []
    scale = 1 / (1 + value) if key.lower() == "redshift" else value
    if scale >= _EARLY:
        return []
    return [
        f"the table says {key} = {value:g}: networks learn the masses of their catalogues' time, "
        "and a host of another time gets a wrong one; give them snapshots of that time"
    ]


def with_typical(
    found: Mapping[str, float | None], typical: Mapping[str, float]
) -> dict[str, float]:
    """Returns the distances of the nearest larger halo and cluster [kpc], typical if unknown.

    A cluster is larger than any host but a cluster, so that the nearest larger halo is no
    farther: a typical number gives way to what is known of the other one.

    Arguments:
        found: Both by name; None where nobody says it.
        typical: Both, of most hosts.

    Example:
        >>> typical = {"distance_larger": 2600.0, "distance_cluster": 17_900.0}
        >>> with_typical({"distance_larger": None, "distance_cluster": 1000.0}, typical)
        {'distance_larger': 1000.0, 'distance_cluster': 1000.0}
    """
    larger, cluster = (found[name] for name in _DISTANCES)
    if larger is None:
        larger = min(typical[_DISTANCES[0]], cluster or np.inf)
    if cluster is None:
        cluster = max(typical[_DISTANCES[1]], larger)
    return dict(zip(_DISTANCES, (larger, cluster), strict=True))


def exchanged_distances(larger: float, cluster: float) -> list[str]:
    """Returns a warning of a cluster that is nearer than the nearest larger halo.

    Arguments:
        larger: The distance of the nearest larger halo [kpc].
        cluster: That of the nearest cluster [kpc].

    Example:
        >>> exchanged_distances(761.0, 17_000.0)
        []
    """
    if cluster >= larger:
        return []
    return [
        f"distance_larger is {larger:g} and distance_cluster only {cluster:g}, but a cluster is "
        "larger than any host that is none: are they exchanged? look up which is right"
    ]


def _check_sentinel(written: float, description: ColumnDescription, where: str) -> None:
    if abs(written) > _MEASURED_BY_CHANCE and suspects(np.array([written]))[0]:
        raise ValueError(
            f"{where}, which often stands for no value: give a measured number, "
            f"{description.range}"
        )


def _quantity(
    value: object, unit: object, wanted: units.UnitBase, where: str
) -> units.Quantity:
    try:
        if isinstance(value, bool):
            raise ValueError("that is no number")
        found = units.Quantity(value if _has_unit(value) else str(value))
        if found.unit == units.dimensionless_unscaled:
            found = units.Quantity(found.value, unit or wanted)
        found.to(wanted)
        float(found.value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: give a number in {wanted} ({error})") from None
    return found


def _has_unit(value: object) -> bool:
    return isinstance(value, units.Quantity)


def _in_words(value: object) -> str:
    return str(value) if _has_unit(value) else repr(value)
