"""Halo catalogues of any size as datasets: one record is one chunk of a file.

A chunk is read, checked and reduced to the columns that a selection needs, within the
memory that the user allows; then it is forgotten. Chunks do not depend on each other,
so any number of processes can read a file. Before anything is written the whole file is
read once: what is torn, foreign, impossible, there twice or missing is refused by name.

    halos = open_catalogue("sfr_catalog_1.000000.bin", box=64.0)
    simulation.generate(halos, halos.chunks, 0, folder, name="halos", shard_size=1)

Halo lists have no stellar mass: theirs is 0, "none", until it is painted on.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues import (
    consistent_trees,
    identification,
    rockstar,
    universe_machine,
)
from halomass.catalogues.box_edges import count_beyond, wrapped
from halomass.catalogues.chunks import (
    HALOS,
    NOT_SAID,
    ChunkedFile,
    ChunkHalos,
    halo_schema,
)
from halomass.catalogues.options import Kind
from halomass.catalogues.survey import HaloSurvey
from halomass.catalogues.unlikely_numbers import LEAST
from halomass.systems import LOG_M_PEAK
from halomass.universe import MULTIDARK, Universe
from orrery.identity import JSON
from orrery.records import Records, Schema

VERSION = 13  # of reading catalogues; raised when numbers change, or what is refused

LEAST_MEMORY = 2.0  # [MB] less does not hold a few hundred lines
# Of the box's side: galaxies that outlived their halo drift a little over the edge.
_OVER_THE_EDGE = 0.05
_LARGEST_BOX = 2e4  # [Mpc/h] of a larger one the side is in kpc
_LATEST = 1.1  # scale factor: some simulations end a little after today
# Beyond these [km/s; Msun or Msun/h] numbers are damaged, or stand for something missing.
_FASTEST = 9000.0  # on each axis
_PAST = ("v_infall", "v_peak")
_LARGEST = {"mp": 1e17, "m": 1e17, "sm": 1e15, **dict.fromkeys(("v", *_PAST), 1e4)}
_AGAIN = "leave the halo out, or fetch the file again"
_AXES = ("x", "y", "z")
_VELOCITIES = ("vx", "vy", "vz")


@dataclass(frozen=True)
class Catalogue:
    """The halos of one snapshot of a simulation, read from a file.

    Arguments:
        path: The file, which gzip may have packed. The processes that read it must all
            find it there.
        kind: What it is: `binary` or `ascii` of the UniverseMachine, an `hlist` of
            Consistent-Trees, or a list of `rockstar`.
        box: The side of the periodic box [comoving Mpc/h].
        scale: The scale factor of the snapshot.
        memory: The most memory [MB] that a process may use for reading, which decides
            the chunks.
        log_m_peak: Only halos with a larger log10 of the peak mass [Msun] are kept.
        part_of_box: Whether the file may hold only a part of the box, which is refused
            otherwise.
        universe: The simulation's cosmology.
        account: What the file was taken for, and why.

    Example:
        >>> import tempfile
        >>> rows = np.zeros(2, universe_machine.STRUCT)
        >>> rows["m"] = rows["mp"] = 1e12
        >>> rows["v"] = 200.0
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sfr_catalog_1.000000.bin"
        ...     rows.tofile(path)
        ...     halos = open_catalogue(path, box=64.0).records(0, [0])
        >>> halos.particles["log_m_vir"].round(3)  # Msun/h became Msun
        array([12.169, 12.169], dtype=float32)
    """

    path: Path
    kind: Kind
    box: float
    scale: float
    memory: float = 256.0
    log_m_peak: float = LOG_M_PEAK
    part_of_box: bool = False
    universe: Universe = MULTIDARK
    account: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        identification.check_readable(self.path)
        identification.check_kind(self.kind)
        for name, value, least, most in (
            ("box [Mpc/h]", self.box, 0.0, _LARGEST_BOX),
            ("scale", self.scale, 0.0, _LATEST),
            ("memory [MB]", self.memory, LEAST_MEMORY, np.inf),
            ("log_m_peak", self.log_m_peak, 0.0, 16.0),
        ):
            if not least <= value <= most or value == 0 or not np.isfinite(value):
                raise ValueError(
                    f"{name} {value} must lie between {least:g} and {most:g}"
                )
        header = identification.header_of(self.path, self.kind)
        identification.check_agreement(
            self.path, self.kind, header, self.box, self.scale, self.universe
        )
        # opened now: a wrong file is refused before work begins
        self._source()

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        return halo_schema(self.universe.hubble)

    @property
    def gpus(self) -> float:
        """Reading needs none."""
        return 0.0

    @property
    def chunks(self) -> int:
        """The number of chunks, and so of records, that the file has."""
        return self._source().chunks

    @property
    def versions(self) -> dict[str, int]:
        """The version of the code that decides the records."""
        return {"catalogue": VERSION}

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON, once the whole file was read.

        Raises:
            ValueError: If anything in the file is refused.
        """
        file = self.path.stat()
        return {
            "kind": self.kind,
            "file": self.path.name,
            "bytes": file.st_size,
            "sha256": _survey(self, file.st_size, file.st_mtime_ns),
            "box": self.box,
            "scale": self.scale,
            "hubble": self.universe.hubble,
            "omega_matter": self.universe.omega_matter,
            "log_m_peak": self.log_m_peak,
            **self._source().describe(),
            "versions": self.versions,
            "about": {"model": "halo catalogue"},
        }

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the records of chunks; those beyond the last have no halos.

        Arguments:
            seed: A file has no randomness: it changes nothing.
            indices: The chunks' numbers.

        Raises:
            ValueError: If anything in a chunk is refused.
        """
        source = self._source()
        parts = [self.halos(source, i, source.content(i)) for i in indices]
        kept = np.array([len(part.columns["id"]) for part in parts], np.int64)
        rows = np.array([part.rows for part in parts], np.int64)
        return Records(
            {"index": np.asarray(indices, np.int64), "rows": rows, "kept": kept},
            {
                c.name: _joined([p.columns[c.name] for p in parts])
                for c in HALOS.particles
            },
            np.concatenate([[0], np.cumsum(kept)]).astype(np.int32),
        )

    def halos(self, source: ChunkedFile, chunk: int, content: bytes) -> "ChunkHalos":
        """Returns the halos of a chunk that count.

        Arguments:
            source: The file.
            chunk: The chunk's number.
            content: Its bytes.

        Raises:
            ValueError: If a value is not finite, a position outside of the box or a
                mass not positive; it names the place in the file.
        """
        rows = source.rows(chunk, content)
        counts = _counts(rows)
        for name, wrong, reason in self._refusals(rows):
            refused = np.flatnonzero(wrong & counts)
            if len(refused):
                where = f"{self.path.name}, {source.place(chunk, int(refused[0]))}"
                value = rows[name][refused[0]]
                raise ValueError(f"{where}: {name} is {value}, {reason}")
        kept = rows[counts & self._massive(rows)]
        # no hosts yet in a list that does not say which halos lie in others
        hosts = rows["id"][_upid(rows) == -1].astype(np.int64)
        there = "r" in _names(kept)  # copied: a view would keep whole rows
        radius = (kept["r"] if there else np.zeros(len(kept))).astype(np.float32)
        beyond = count_beyond(kept[_upid(kept) < 0], self.box)
        return ChunkHalos(len(rows), self._columns(kept), hosts, radius, beyond)

    def _source(self) -> ChunkedFile:
        file = self.path.stat()
        return _opened(self, file.st_size, file.st_mtime_ns)

    @property
    def _mass_unit(self) -> float:
        without_h = identification.mass_unit(self.kind) == "Msun"
        return 1.0 if without_h else 1 / self.universe.hubble  # [Msun]

    def _massive(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        return rows["mp"].astype(np.float64) * self._mass_unit > 10.0**self.log_m_peak

    def _refusals(
        self, rows: NDArray[Any]
    ) -> Iterator[tuple[str, NDArray[np.bool_], str]]:
        names = _names(rows)
        sizes = ("mp", "m", "v", *(n for n in ("sm", *_PAST) if n in names))
        for name in (*_AXES, *_VELOCITIES, *sizes):
            yield name, ~np.isfinite(rows[name]), "not finite: fetch the file again"
        if "scale" in names:
            other = consistent_trees.of_another_snapshot(rows["scale"], self.scale)
            yield (
                "scale",
                other,
                f"not {self.scale:g}: {consistent_trees.TWO_SNAPSHOTS}",
            )
        for name in _VELOCITIES:
            fast = np.abs(rows[name]) > _FASTEST
            yield name, fast, f"faster than any halo, {_FASTEST:g} km/s: {_AGAIN}"
        for name in sizes:
            impossible = (rows[name] < 0) | (rows[name] > _LARGEST[name])
            reason = f"not between 0 and {_LARGEST[name]:g}: {_AGAIN}"
            yield name, impossible, reason
        low = -_OVER_THE_EDGE * self.box
        high = (1 + _OVER_THE_EDGE) * self.box
        outside = (
            f"outside of the box of {self.box:g} Mpc/h: give the box of this simulation, and "
            f"positions in Mpc/h, of which those in Mpc are {1 / self.universe.hubble:.3g} times, "
            "those in kpc/h 1000 times as large"
        )
        for name in _AXES:
            yield name, (rows[name] < low) | (rows[name] > high), outside
        massless = "though its peak mass is above the limit: fetch the file again"
        for name, least in LEAST.items():
            yield name, (rows[name] < least) & self._massive(rows), massless
        real = (rows["m"] > LEAST["m"]) | (rows["v"] > 1.0)
        yield "mp", real & (rows["mp"] < LEAST["m"]), f"like no halo's: {_AGAIN}"

    def _columns(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        unit = self._mass_unit
        none = np.zeros(len(rows), np.float32)
        stars = rows["sm"] if "sm" in _names(rows) else none
        return {
            **{name: rows[name].astype(np.int64) for name in ("id", "descid")},
            "upid": _upid(rows),
            "log_m_vir": _log(rows["m"], unit),
            "log_m_peak": _log(rows["mp"], unit),
            # 0 stands for "no stars": their logarithm does not exist
            "log_m_star": _log(np.maximum(stars, 1), 1.0),
            "vmax": rows["v"].astype(np.float32),
            **{
                name: rows[name].astype(np.float32) if name in _names(rows) else none
                for name in _PAST
            },
            **{name: wrapped(rows[name], self.box) for name in _AXES},
            **{name: rows[name].astype(np.float32) for name in _VELOCITIES},
        }


def open_catalogue(
    path: Path | str,
    box: float | None = None,
    *,
    kind: Kind | None = None,
    scale: float | None = None,
    universe: Universe | None = None,
    memory: float = 256.0,
    log_m_peak: float = LOG_M_PEAK,
    part_of_box: bool = False,
) -> Catalogue:
    """Returns a catalogue; what is not given is taken from the file's header, or its name.

    Arguments:
        path: The file, such as `sfr_catalog_1.000000.bin`, `sfr_catalog_1.000000.txt`,
            `hlist_1.00000.list.gz` or `out_0.list`.
        box: The side of the periodic box [comoving Mpc/h].
        kind: What the file is.
        scale: The scale factor.
        universe: The simulation's cosmology; that of MultiDark if nobody says it.
        memory: The most memory [MB] that a process may use for reading.
        log_m_peak: Only halos with a larger log10 of the peak mass [Msun] are kept.
        part_of_box: Whether the file may hold only a part of the box.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If neither the header nor the name has what is not given, the header
            contradicts what is, or the file is refused: because it is empty, torn,
            byte-swapped, or lacks a column.
    """
    place = Path(path).absolute()
    found = identification.recognise(place, kind, box, scale, universe)
    return Catalogue(
        place,
        found.kind,
        found.box,
        found.scale,
        memory,
        log_m_peak,
        part_of_box,
        found.universe,
        found.account,
    )


def _counts(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which halos are not marked as to be ignored."""
    if "flags" not in _names(rows):
        return np.ones(len(rows), np.bool_)
    return (rows["flags"] & universe_machine.IGNORED) == 0


def _names(rows: NDArray[Any]) -> tuple[str, ...]:
    return rows.dtype.names or ()


def _upid(rows: NDArray[Any]) -> NDArray[np.int64]:
    if "upid" not in _names(rows):
        return np.full(len(rows), NOT_SAID)
    return rows["upid"].astype(np.int64)


def _log(masses: NDArray[Any], unit: float) -> NDArray[np.float32]:
    return np.log10(masses.astype(np.float64) * unit).astype(np.float32)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


# the beginning of a packed file is far from where it is being read
@lru_cache(maxsize=8)
def _opened(catalogue: Catalogue, size: int, modified: int) -> ChunkedFile:
    path, memory = catalogue.path, catalogue.memory
    if catalogue.kind == "binary":
        return universe_machine.open_structs(path, memory)
    if catalogue.kind == "ascii":
        return universe_machine.open_text(path, memory)
    if catalogue.kind == "rockstar":
        return rockstar.open_out(path, memory)
    return consistent_trees.open_hlist(path, memory)


# a checksum needs the whole file: once per process, however many records are asked for
@cache
def _survey(catalogue: Catalogue, size: int, modified: int) -> str:
    """Returns the checksum of a file in which nothing is refused, by reading all of it once.

    Arguments:
        catalogue: The file and how to read it.
        size: Its bytes.
        modified: When it was last changed, so that a changed file is read again.
    """
    digest = hashlib.sha256()
    source = catalogue._source()
    with HaloSurvey(
        catalogue.path.name,
        catalogue.box,
        catalogue.memory,
        catalogue.scale,
        catalogue.universe,
        identification.mass_unit(catalogue.kind),
    ) as survey:
        for chunk in range(source.chunks):
            content = source.content(chunk)
            digest.update(content)
            survey.add(catalogue.halos(source, chunk, content))
        survey.check_mass(catalogue.log_m_peak)
        survey.check_repetition()
        survey.check_numbers()
        if not catalogue.part_of_box:
            survey.check_box()
            survey.check_hosts()
    return digest.hexdigest()
