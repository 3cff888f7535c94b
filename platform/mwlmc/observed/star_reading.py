"""Stars read from people's tables: understood, cleaned, and each of them once.

What is dropped is counted by the rule that dropped it, and what was not understood is
named: no number is used that stands for nothing, and no column is left out in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.table import Table

from mwlmc.observed import star_distances, star_motions
from mwlmc.observed.agreement import contradictions
from mwlmc.observed.desi_catalogue import desi_table, is_desi
from mwlmc.observed.motion_units import check_frame, check_motions, scatter_doubts
from mwlmc.observed.preferred_columns import preferred
from mwlmc.observed.repeated_stars import repeated_stars
from mwlmc.observed.solar_motion import are_distances, motion_doubts
from mwlmc.observed.star_columns import (
    DESCRIPTIONS,
    PAIRS,
    UNUSED,
    WITHOUT_COSINE,
)
from mwlmc.observed.star_distances import Distances
from mwlmc.observed.star_errors import (
    check_known_errors,
    error_doubts,
    unknown_errors,
    without_false_correlations,
)
from mwlmc.observed.star_places import check_places
from mwlmc.observed.star_tables import READ, StarTable, noted
from mwlmc.sky import frames
from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.tables.cleaning import (
    CleanedColumns,
    check_share,
    clean_columns,
)
from orrery.tables.columns import ColumnDescription, understand
from orrery.tables.error_columns import both_sides, one_sided
from orrery.tables.opening import OpenedFile
from orrery.tables.options import MOST_MISSING
from orrery.tables.reading import read_table
from orrery.tables.reports import ColumnReport
from orrery.tables.split_angles import joined_angles
from orrery.tables.titles import spellings

_REMEDY = (
    "mend the column, or leave these rows out yourself; with `--most-missing 1` the others "
    "are read all the same by `orrery quadrants` and `python -m mwlmc.observed.binned_table`, "
    "whose `--missing` says what stands for no value"
)
_WANTED = (
    "Wanted: ra_deg and dec_deg (or l_deg and b_deg), distance_kpc, vlos_kms, and possibly "
    "pmra_masyr and pmdec_masyr (or pml_cosb_masyr and pmb_masyr)"
)


_Opened = tuple[Table, tuple[tuple[str, int], ...], str]


def read_stars(
    path: Path | str,
    *,
    motions_needed: bool = False,
    most_missing: float = MOST_MISSING,
    missing: Mapping[str, Sequence[float]] | None = None,
) -> StarTable:
    """Returns the stars of a file that have a position, a distance and a velocity.

    Two layouts are known and recognised by their content. DESI's catalogue of blue
    horizontal-branch stars (`MWS_BHB.fits`: tables RVTAB, FIBERMAP and GAIA, row by
    row; only PRIMARY rows are read). And a plain table (CSV, ECSV, FITS, VOTable,
    Parquet, HDF5, packed or not) with a distance, distance modulus or parallax, a
    line-of-sight velocity, (ra, dec) or (l, b), and possibly proper motions and errors;
    units come from the file, from the end of the columns' names (`_deg`, `_kpc`, `_kms`,
    `_masyr`), or from the survey whose name a column has.

    Arguments:
        path: The file.
        motions_needed: Whether a table in which too many stars have no proper motion is
            refused.
        most_missing: The largest share of rows without a position, distance or velocity.
        missing: By a column's title, the numbers that stand for no value there; without
            it they are guessed.

    Raises:
        ValueError: If the file is damaged, a column is missing, has another physical
            unit, or holds no numbers, or too many of its values are missing, or the
            share is none.
        OSError: If the file cannot be read.
    """
    if not 0 <= most_missing <= 1:
        raise ValueError(
            f"most_missing {most_missing} must be from 0 to 1, such as {MOST_MISSING}"
        )
    file = OpenedFile.read(path)
    return _read(file, _opened(file), motions_needed, most_missing, missing)


def _read(
    file: OpenedFile,
    opened: _Opened,
    motions_needed: bool,
    most_missing: float = MOST_MISSING,
    missing: Mapping[str, Sequence[float]] | None = None,
) -> StarTable:
    table, steps, layout = opened
    found = _cleaned(file, table, _needed(motions_needed), most_missing, missing)
    stars = _stars(file, found, motions_needed, most_missing)
    warnings = (*stars.warnings, *contradictions(table, found, file.name))
    return _assemble(replace(stars, warnings=warnings), steps, layout)


def star_report(path: Path | str) -> ColumnReport:
    """Returns how each column of a star table is understood, and if it can be used.

    Raises:
        ValueError: If the file is damaged, or two columns say the same.
        OSError: If it cannot be read.
    """
    file = OpenedFile.read(path)
    opened = _opened(file)
    table, _, layout = opened
    meanings = {d.quantity: d.meaning for d in DESCRIPTIONS}
    lines = [f"{file.name}: {layout}, {len(table)} rows"]
    for column in understand(
        table, DESCRIPTIONS, file.name, UNUSED, preferred(table, file.name)
    ):
        lines.append(column.line(meanings.get(column.quantity or "", "")))
    try:
        found = _cleaned(file, table, DESCRIPTIONS, most_missing=1.0)
    except ValueError as error:
        return ColumnReport(tuple(lines), str(error))
    lines += map(str, found.counts)
    try:
        stars = _read(file, opened, motions_needed=False)
    except ValueError as error:
        doubts = noted({"warnings": found.doubts})
        return ColumnReport((*lines, *doubts), str(error))
    lines += noted(stars.checks)
    lines += _motion_lines(file, opened, lines)
    usable = f"{len(stars)} of {len(table)} rows can be used"
    return ColumnReport((*lines, usable))


def _motion_lines(
    file: OpenedFile, opened: _Opened, said: Sequence[str]
) -> Iterator[str]:
    """Yields what is said besides where proper motions are used, as `desi` does by itself."""
    use = "proper motions, as desi and `--proper-motions` do"
    try:
        stars = _read(file, opened, motions_needed=True)
    except ValueError as error:
        yield f"cannot be used with {use}: {error}"
        return
    yield from (line for line in noted(stars.checks) if line not in said)
    count = int(np.isfinite(stars.pm_b).sum())
    yield f"{count} of {len(stars)} usable rows have {use.partition(',')[0]}"


def _opened(file: OpenedFile) -> _Opened:
    """Returns a file's table, how many rows were left after each step, and its layout."""
    if is_desi(file):
        table, rows = desi_table(file)
        return table, (("rows", rows), ("PRIMARY", len(table))), "DESI MWS_BHB"
    table = joined_angles(read_table(file), file.name)
    return table, (("rows", len(table)),), "plain table"


def _cleaned(
    file: OpenedFile,
    table: Table,
    descriptions: Sequence[ColumnDescription],
    most_missing: float,
    missing: Mapping[str, Sequence[float]] | None = None,
) -> CleanedColumns:
    found = clean_columns(
        table,
        descriptions,
        file.name,
        pairs=PAIRS,
        unused=UNUSED,
        superseded=preferred(table, file.name, missing),
        most_missing=most_missing,
        remedy=_REMEDY,
        missing=missing,
    )
    return without_false_correlations(found)


def _needed(motions_needed: bool) -> tuple[ColumnDescription, ...]:
    motions = {quantity for pair in PAIRS[2:] for quantity in pair}
    return tuple(
        replace(d, needed=d.needed or (motions_needed and d.quantity in motions))
        for d in DESCRIPTIONS
    )


@dataclass(frozen=True, eq=False)
class _Stars:
    """The N rows of a table, on their way to a `StarTable`.

    Arguments:
        file: The file.
        found: Their columns.
        distance: Their distances.
        ra: Right ascensions `[N]` [rad].
        dec: Declinations `[N]` [rad].
        motions_needed: Whether proper motions are used.
        notes: What a reader should know of them.
        warnings: Why their numbers may be wrong.
    """

    file: OpenedFile
    found: CleanedColumns
    distance: Distances
    ra: FloatArray
    dec: FloatArray
    motions_needed: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def checks(self) -> JSON:
        """What was dropped, and what was not used, as plain JSON; nothing if there is none."""
        checks: JSON = {
            "missing": self.found.entries,
            "not_used": [
                column.title for column in self.found.understood if not column.used
            ],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }
        return {key: value for key, value in checks.items() if value}


def _stars(
    file: OpenedFile, found: CleanedColumns, motions_needed: bool, most_missing: float
) -> _Stars:
    columns = found.values
    distance = star_distances.distances(columns)
    position = {"ra", "dec"} <= set(columns) or {"l", "b"} <= set(columns)
    missing = [
        name
        for name, known in (
            ("distance", distance is not None),
            ("v_los", "v_los" in columns),
        )
        if not known
    ]
    if not position:
        missing.append("ra and dec, or l and b")
    if distance is None or missing:
        titles = ", ".join(column.title for column in found.understood)
        raise ValueError(
            f"{file.name}: no column for {'; '.join(missing)} among {titles}. {_WANTED}"
        )
    unknown = np.isnan(distance.values)
    check_share(file.name, "no distance", unknown, most_missing, _REMEDY)
    check_frame(found, file.name)
    check_motions(found, distance.values, file.name)
    check_known_errors(found, distance, motions_needed, most_missing, file.name)
    ra, dec = _equatorial(columns)
    notes = (*distance.notes, *_notes(found, motions_needed))
    warnings = (
        *found.doubts,
        *check_places(found, file.name),
        *error_doubts(found, distance),
        *scatter_doubts(found, distance.values),
    )
    return _Stars(file, found, distance, ra, dec, motions_needed, notes, warnings)


def _equatorial(columns: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    if {"ra", "dec"} <= set(columns):
        return np.radians(columns["ra"]), np.radians(columns["dec"])
    return frames.galactic_to_equatorial(
        np.radians(columns["l"]), np.radians(columns["b"])
    )


def _notes(found: CleanedColumns, motions_needed: bool) -> Iterator[str]:
    """Yields what is assumed of the table, and which of its columns say nothing."""
    for quantity, values in found.values.items():
        if not np.isfinite(values).any():
            yield f"{found.title(quantity)} has no value at all: as if it were not there"
    yield from one_sided(found)
    yield from _assumed_cosine(found)
    motions = [set(pair) <= set(found.values) for pair in PAIRS[2:]]
    unknown = [c.title for c in found.understood if c.quantity is None]
    if motions_needed and not any(motions):
        yield (
            "no columns for proper motions: none of "
            f"{', '.join(unknown) or 'the others'} was understood as one"
        )


def _assumed_cosine(found: CleanedColumns) -> Iterator[str]:
    if "pm_ra" not in found.values:
        return
    title = found.title("pm_ra")
    if set(spellings([title])[title]) & {*WITHOUT_COSINE}:
        yield (
            f"{title} does not say whether cos(dec) is in it: it is taken as times cos(dec); if "
            "it is not, multiply it, and call it pmra_masyr"
        )


def _assemble(
    stars: _Stars, steps: tuple[tuple[str, int], ...], layout: str
) -> StarTable:
    columns = stars.found.values
    longitude, latitude = frames.equatorial_to_galactic(stars.ra, stars.dec)
    pm_l, pm_b = star_motions.proper_motions(columns, stars.ra, stars.dec)
    pm_l_error, pm_b_error, pm_corr = star_motions.motion_errors(
        columns, stars.ra, stars.dec
    )
    v_los_error = both_sides(columns, "v_los")
    blank = np.full(longitude.shape, np.nan)
    file = stars.file
    rows = StarTable(
        l=longitude,
        b=latitude,
        distance=stars.distance.values,
        v_los=columns["v_los"],
        pm_l=pm_l,
        pm_b=pm_b,
        distance_error=stars.distance.errors,
        v_los_error=blank if v_los_error is None else v_los_error,
        pm_l_error=pm_l_error,
        pm_b_error=pm_b_error,
        pm_corr=pm_corr,
        steps=steps,
        source={"file": file.name, "sha256": file.sha256, "layout": layout},
        checks=stars.checks,
    )
    return _usable(rows, stars)


def _usable(rows: StarTable, stars: _Stars) -> StarTable:
    again, rules = repeated_stars(rows, stars.found)
    checks = {**rows.checks, "duplicates": rules} if rules else rows.checks
    once = ~again
    table = replace(rows, checks=checks)
    if again.any():
        table = table.keep(once, "each star once")
    table = table.keep(np.isfinite(table.l + table.b), "with a position")
    table = table.keep(np.isfinite(table.distance), "with a positive distance")
    table = table.keep(np.isfinite(table.v_los), READ)
    doubts = [*motion_doubts(table), *unknown_errors(table, stars.motions_needed)]
    moduli = [*star_distances.modulus_doubts(stars.found.values)]
    # few tables could be moduli, for which alone proper motions are asked
    if moduli and not are_distances(table):
        doubts += moduli
    return table.with_warnings(doubts)
