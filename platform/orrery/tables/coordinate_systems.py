"""The coordinate systems that files declare, of which positions are read in three as they are.

Between B1950 and J2000 the sky turns by 0.6 degrees: far less than anything that a position
alone would give away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from astropy.table import Table

_SYSTEM = "coordinate_system"  # among a column's metadata, where it is of no use
# FK5 at J2000 is ICRS within 0.1 arcsec.
_TAKEN = {"ICRS", "FK5", "GALACTIC"}
_EPOCHLESS = {"ICRS", "GALACTIC"}
_SILENT = {"", "UNKNOWN"}  # which say nothing
_J2000 = {"", "2000"}


def described_system(system: str, equinox: str) -> str:
    """Returns what a declared system is called if positions in it are of no use, or nothing.

    Arguments:
        system: As VOTable and FITS call it, such as `eq_FK5` or `FK4`.
        equinox: Such as `J2000` or `1950.0`, or nothing.

    Example:
        >>> described_system("eq_FK4", "B1950"), described_system("eq_FK5", "J2000.0")
        ('eq_FK4 B1950', '')
    """
    name = system.strip().upper().removeprefix("EQ_")
    year = equinox.strip().upper().removeprefix("J").partition(".")[0]
    at_2000 = year in _J2000 or name in _EPOCHLESS
    if (name in _TAKEN or name in _SILENT) and at_2000:
        return ""
    return " ".join(f"{system} {equinox}".split())


@dataclass
class DeclaredSystems:
    """The coordinate systems of a VOTable, and the columns that refer to them.

    Arguments:
        systems: What those of no use are called, or nothing, by identifier.
        references: Of each column, in the file's order.

    Example:
        >>> declared = DeclaredSystems()
        >>> declared.add("COOSYS", {"ID": "old", "system": "eq_FK4", "equinox": "B1950"})
        >>> declared.add("FIELD", {"name": "ra", "ref": "old"})
        >>> declared.mark(table := Table({"ra": [1.0]}))
        >>> declared_system(table, "ra")
        'eq_FK4 B1950'
    """

    systems: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)

    def add(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Takes an element that begins."""
        if tag == "COOSYS":
            system = attributes.get("system", "")
            name = attributes.get("ID", "")
            self.systems[name] = described_system(system, attributes.get("equinox", ""))
        elif tag == "FIELD":
            self.references.append(attributes.get("ref", ""))

    def mark(self, table: Table) -> None:
        """Notes with each column of a table in which system of no use it is.

        Where no column refers to a system, and the file declares none of use, it is of all.
        """
        of_column: Sequence[str | None] = [
            self.systems.get(ref) for ref in self.references
        ]
        declared = [*self.systems.values()]
        if all(one is None for one in of_column) and declared and all(declared):
            of_column = declared[:1] * len(of_column)
        for title, system in zip(table.colnames, of_column, strict=True):
            if system:
                table[title].meta[_SYSTEM] = system


def mark_header(table: Table) -> None:
    """Notes with each column the system that the table's header tells, if of no use."""
    header: Mapping[str, Any] = table.meta
    system = str(header.get("RADESYS", header.get("RADECSYS", "")))
    described = described_system(system, str(header.get("EQUINOX", "")))
    for title in table.colnames if described else ():
        table[title].meta[_SYSTEM] = described


def declared_system(table: Table, title: str) -> str:
    """Returns the system of no use in which the file says a column is; nothing if it is none."""
    return str(table[title].meta.get(_SYSTEM, ""))


def keep_system(table: Table, title: str, column: Any) -> None:
    """Notes with a column that was made of another one the system of that."""
    if declared_system(table, title):
        column.meta[_SYSTEM] = declared_system(table, title)
