"""The coordinate systems that files declare, of which positions are read in three as they are.

Between B1950 and J2000 the sky turns by 0.6 degrees: far less than anything that a position
alone would give away.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from astropy.table import Table

Frame = Literal["equatorial", "galactic"]

_SYSTEM = "coordinate_system"  # among a column's metadata, where it is of no use
_FRAME = "coordinate_frame"  # of a column that refers to a system by itself
# FK5 at J2000 is ICRS within 0.1 arcsec; many call it by its equinox alone.
_TAKEN: dict[str, Frame] = {
    "ICRS": "equatorial",
    "FK5": "equatorial",
    "J2000": "equatorial",
    "J2000.0": "equatorial",
    "GALACTIC": "galactic",
}
_EPOCHLESS = {"ICRS", "GALACTIC"}
_SILENT = {"", "UNKNOWN"}  # which say nothing
_J2000 = {"", "2000"}
# FITS 4.0, section 8.3: of old files EPOCH is the equinox, and those before are FK4's. Later
# ones are when stars were where their positions say.
_FIRST_FK5 = 1984.0
# As descriptions of columns say it, such as "Right ascension (B1950.0)".
_OLD_IN_WORDS = re.compile(
    r"\b(FK4|(B|equinox |equinox of )1[89]\d\d)\b", re.IGNORECASE
)
_NEW_IN_WORDS = re.compile(r"J2000|ICRS|FK5", re.IGNORECASE)


def described_system(system: str, equinox: str) -> str:
    """Returns what a declared system is called if positions in it are of no use, or nothing.

    Arguments:
        system: As VOTable and FITS call it, such as `eq_FK5` or `FK4`.
        equinox: Such as `J2000` or `1950.0`, or nothing.

    Example:
        >>> described_system("eq_FK4", "B1950"), described_system("eq_FK5", "J2000.0")
        ('eq_FK4 B1950', '')
    """
    name = _name(system)
    year = equinox.strip().upper().removeprefix("J").partition(".")[0]
    at_2000 = year in _J2000 or name in _EPOCHLESS
    if (name in _TAKEN or name in _SILENT) and at_2000:
        return ""
    return " ".join(f"{system} {equinox}".split())


def _name(system: str) -> str:
    return system.strip().upper().removeprefix("EQ_")


@dataclass
class DeclaredSystems:
    """The coordinate systems of a VOTable, and the columns that refer to them.

    Arguments:
        systems: What those of no use are called, or nothing, by identifier.
        frames: Of those of use, by identifier.
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
    frames: dict[str, Frame] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)

    def add(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Takes an element that begins."""
        if tag == "COOSYS":
            system = attributes.get("system", "")
            name = attributes.get("ID", "")
            self.systems[name] = described_system(system, attributes.get("equinox", ""))
            if _name(system) in _TAKEN:
                self.frames[name] = _TAKEN[_name(system)]
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
        for title, reference in zip(table.colnames, self.references, strict=True):
            if reference in self.frames:
                table[title].meta[_FRAME] = self.frames[reference]


def mark_header(table: Table, primary: Mapping[str, Any] | None = None) -> None:
    """Notes with each column the system that the table's header tells, if of no use.

    Arguments:
        table: With its header as `meta`.
        primary: The primary header of its FITS file. Tables inherit nothing from it, but
            some programs write only there what holds for all: it is heard where the
            table's own is silent.

    Example:
        >>> table = Table({"ra": [1.0]}, meta={"RADESYS": "FK5", "EQUINOX": 1975.0})
        >>> mark_header(table)
        >>> declared_system(table, "ra")
        'FK5 1975.0'
    """
    for keywords in (table.meta, primary or {}):
        # whoever writes a header by hand may write it in small letters
        header = {str(key).upper(): value for key, value in keywords.items()}
        system = str(header.get("RADESYS", header.get("RADECSYS", "")))
        equinox = _equinox(header, keywords)
        described = described_system(system, equinox)
        for title in table.colnames if described else ():
            table[title].meta[_SYSTEM] = described
        if system or equinox:
            return


def _equinox(header: Mapping[str, Any], keywords: Mapping[str, Any]) -> str:
    """Returns the equinox that a header tells, or nothing.

    Arguments:
        header: Its values, by keywords in capital letters.
        keywords: The same, by keywords as they are written.
    """
    if "EQUINOX" in header:
        return str(header["EQUINOX"])
    # as FITS writes it alone: in small letters it may be anything
    epoch = str(keywords.get("EPOCH", "")).strip().upper()
    try:
        year = float(epoch.removeprefix("B").removeprefix("J"))
    except ValueError:
        return ""
    return epoch if year < _FIRST_FK5 else ""


def declared_system(table: Table, title: str) -> str:
    """Returns the system of no use in which the file says a column is; nothing if it is none."""
    return str(table[title].meta.get(_SYSTEM, ""))


def system_in_words(table: Table, title: str) -> str:
    """Returns the old system that a column's description names; nothing if it names none.

    What names a new one, too, may have been turned into that.

    Example:
        >>> table = Table({"ra": [1.0]})
        >>> table["ra"].description = "Right ascension (B1950.0)"
        >>> system_in_words(table, "ra")
        'B1950'
    """
    words = str(table[title].info.description or "")
    old = _OLD_IN_WORDS.search(words)
    return old[0] if old and not _NEW_IN_WORDS.search(words) else ""


def declared_frame(table: Table, title: str) -> Frame | None:
    """Returns whether a column refers to equatorial or Galactic coordinates; None if to none."""
    frame: Frame | None = table[title].meta.get(_FRAME)
    return frame


def keep_system(table: Table, title: str, column: Any) -> None:
    """Notes with a column that was made of another one what the file says of that."""
    for key in (_SYSTEM, _FRAME):
        if key in table[title].meta:
            column.meta[key] = table[title].meta[key]
    column.description = table[title].description
