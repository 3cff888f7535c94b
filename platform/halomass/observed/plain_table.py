"""A plain table of neighbours, whose columns are found by what they mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy import units
from astropy.table import Table

from halomass.observed.column_titles import (
    DEX,
    KMS,
    KPC,
    MSUN,
    NAMES,
    bare_title,
    conversion_factor,
    recognised_titles,
    unit_of,
)
from halomass.observed.errors import Orbits
from halomass.systems import FloatArray
from orrery.identity import JSON

_FORMATS = {
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    ".fits": "fits",
    ".txt": "ascii",
    ".dat": "ascii",
}
_TEXT = (".csv", ".txt", ".dat")  # their header may be a comment
_COMMENT = r"\s*#"
_LOG_MASSES = (0.0, 15.0)  # [dex(solMass)] outside of which a mass is in other units
_NEAR = 10.0  # [kpc] all neighbours of no host are as close


@dataclass(frozen=True)
class PlainTable:
    """A table whose columns are found by what they mean.

    Arguments:
        table: The table, with N rows.
        file: Its name.
        columns: By what is known, the title of its column.

    Example:
        >>> table = Table({"X_Mpc": [0.05], "Mpeak [Msun]": [1e10]})
        >>> titles = recognised_titles(table.colnames, "host.csv")
        >>> plain = PlainTable(table, "host.csv", titles)
        >>> plain.values("x", KPC), plain.log_masses("m_peak")
        (array([50.]), array([10.]))
    """

    table: Table
    file: str
    columns: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "PlainTable":
        """Returns the table of an ECSV, CSV, FITS or text file.

        Raises:
            ValueError: If it is none, has no rows or no titles, or two titles say the
                same.
            OSError: If it cannot be read.
        """
        kind = _FORMATS.get(path.suffix.lower())
        if kind is None:
            raise ValueError(
                f"{path.name}: give a table that ends in {', '.join(_FORMATS)}"
            )
        if not path.is_file():
            raise FileNotFoundError(
                f"no file {path}: say where the table of neighbours is"
            )
        text = path.suffix.lower() in _TEXT
        table = _read_text(path, kind) if text else Table.read(path, format=kind)
        if len(table) == 0:
            raise ValueError(f"{path.name} has no rows: give at least one neighbour")
        return cls(table, path.name, recognised_titles(table.colnames, path.name))

    def first(self, *names: str) -> str | None:
        """Returns the first of some meanings that there is a column of; None if there is none."""
        return next((name for name in names if name in self.columns), None)

    def names(self) -> tuple[str, ...]:
        """Returns what the rows are called."""
        if "name" not in self.columns:
            return tuple(f"row {i + 1}" for i in range(len(self.table)))
        return tuple(str(name) for name in self.table[self.columns["name"]])

    def meta(self, key: str) -> JSON:
        """Returns an entry of the metadata that has entries itself; empty if there is none."""
        found = self.table.meta.get(key, {})
        return dict(found) if isinstance(found, Mapping) else {}

    def values(self, what: str, unit: units.UnitBase) -> FloatArray:
        """Returns a column in a unit, as numbers `[N]`; NaN where there is none.

        Raises:
            ValueError: If there is no such column, or no numbers in such a unit are in
                it.
        """
        if what not in self.columns:
            raise ValueError(
                f"{self.file} has no column {' or '.join(NAMES[what])}, only "
                f"{', '.join(self.table.colnames)}: rename the column, or add it"
            )
        title = self.columns[what]
        column = self.table[title]
        try:
            numbers = np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
            factor = conversion_factor(unit_of(title, column.unit), unit)
        except (units.UnitConversionError, ValueError) as error:
            raise ValueError(
                f"{self.file}: column {title} must hold numbers in {unit} or in what can be "
                f"converted to it ({error}): convert it"
            ) from None
        return np.asarray(numbers * factor, dtype=np.float64)

    def log_masses(self, what: str) -> FloatArray:
        """Returns a column of masses as log10 `[N]` [Msun].

        Raises:
            ValueError: If one of them is no mass, or all of them are in other units.
        """
        log = what.startswith("log_")
        values = self.values(what, DEX if log else MSUN)
        masses = values if log else np.log10(np.where(values > 0, values, np.nan))
        self._check_masses(what, masses, values)
        return masses

    def _check_masses(self, what: str, masses: FloatArray, values: FloatArray) -> None:
        lower, upper = _LOG_MASSES
        wrong = np.flatnonzero(~((masses >= lower) & (masses <= upper)))
        # no table of subhalos ends below 1e5 Msun: such numbers are in other units, or logs
        small = "star" not in what and masses.max() < 5
        if len(wrong) or small:
            row = int(wrong[0]) if len(wrong) else int(np.argmax(masses))
            unit = "log10 of Msun" if what.startswith("log_") else "Msun"
            raise ValueError(
                f"{self.file}: {self.columns[what]} of {self.names()[row]!r} is {values[row]:g}, "
                f"no mass in {unit}: leave the row out, convert the column, or name it log_... if "
                "it holds logarithms"
            )

    def speeds(self, what: str) -> FloatArray:
        """Returns a column of speeds `[N]` [km/s].

        Raises:
            ValueError: If one of them is none, or not above 0.
        """
        values = self.values(what, KMS)
        wrong = np.flatnonzero(~((values > 0) & (values < np.inf)))
        if len(wrong):
            raise ValueError(
                f"{self.file}: {self.columns[what]} of {self.names()[wrong[0]]!r} is "
                f"{values[wrong[0]]:g}: give a speed above 0, or leave the row or the column out"
            )
        return values

    def orbits(self) -> Orbits:
        """Returns distances [kpc] and velocities [km/s] relative to the host.

        Raises:
            ValueError: If columns are missing, or distances are not in kpc.
        """
        found = self._orbits()
        if (found.r < _NEAR).all():
            raise ValueError(
                f"{self.file}: all distances from the host are below {_NEAR:g} kpc, the largest is "
                f"{found.r.max():g}: are these Mpc? name the unit, as in x_Mpc"
            )
        return found

    def _orbits(self) -> Orbits:
        if not {"x", "y", "z"} <= set(self.columns):
            self._check_axes()
            return Orbits(
                self.values("r", KPC), self.values("v_r", KMS), self.values("v_t", KMS)
            )
        position = np.stack([self.values(axis, KPC) for axis in "xyz"])
        r = np.sqrt((position**2).sum(axis=0))
        # at r = 0 there is no direction; such a row is refused later, by its name
        outward = position / np.where(r > 0, r, 1.0)
        if "v_r" in self.columns and "v_t" in self.columns:
            return Orbits(r, self.values("v_r", KMS), self.values("v_t", KMS))
        velocity = np.stack([self.values(f"v{axis}", KMS) for axis in "xyz"])
        v_r = (velocity * outward).sum(axis=0)
        across = velocity - v_r * outward
        return Orbits(r, v_r, np.sqrt((across**2).sum(axis=0)))

    def _check_axes(self) -> None:
        titles = ", ".join(self.table.colnames)
        if "r" not in self.columns:
            raise ValueError(
                f"{self.file} has columns {titles}: positions relative to the host must be there "
                "as x, y, z or as r [kpc]"
            )
        radial = {"v_r", "v_t"} <= set(self.columns)
        if not radial and {"vx", "vy", "vz"} <= set(self.columns):
            raise ValueError(
                f"{self.file} has columns {titles}: r does not say where vx, vy, vz point to; add "
                "x, y, z [kpc], or give v_r and v_t [km/s] instead"
            )

    def around(self, name: str, row: int) -> float | None:
        """Returns what the metadata say of the host, else a column; None if neither does.

        Arguments:
            name: `vmax` [km/s], or a distance [kpc].
            row: Where in the column.
        """
        unit = KMS if name == "vmax" else KPC
        for meta in (self.meta("environment"), self.table.meta):
            key = next(
                (str(key) for key in meta if bare_title(str(key)) in NAMES[name]), None
            )
            if key is not None:
                return float(meta[key]) * conversion_factor(unit_of(key, None), unit)
        return float(self.values(name, unit)[row]) if name in self.columns else None


# --- titles ---------------------------------------------------------------------------------


# --- text -----------------------------------------------------------------------------------


def _read_text(path: Path, kind: str) -> Table:
    """Returns a table whose titles are in its first line, or in a comment above the numbers."""
    lines = [
        line for line in path.read_text(errors="replace").splitlines() if line.strip()
    ]
    above = next(
        (i for i, line in enumerate(lines) if line.lstrip()[0] != "#"), len(lines)
    )
    if above == len(lines) or not any(map(_is_number, _words(lines[above]))):
        # only then may no name begin with such a sign
        comments = {"comment": _COMMENT} if above and kind == "ascii.csv" else {}
        return Table.read(path, format=kind, **comments)
    titles = _titles(lines[:above], len(_words(lines[above])), path.name)
    return Table.read(
        path,
        format="ascii.no_header",
        names=titles,
        comment=_COMMENT,
        delimiter="," if "," in lines[above] else r"\s",
        guess=False,
    )


def _titles(comments: Sequence[str], count: int, file: str) -> list[str]:
    """Returns as many titles as there are columns, from the last comment that has as many."""
    lines = [re.sub(r"\s+(?=[\[(])", "", line.lstrip("# \t")) for line in comments]
    found = [words for words in map(_words, lines) if len(words) == count]
    if not found:
        raise ValueError(
            f"{file}: no line above the numbers has titles for {count} columns: add a line with "
            "their names"
        )
    return found[-1]


def _words(line: str) -> list[str]:
    return [word.strip() for word in (line.split(",") if "," in line else line.split())]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
