"""What a file of halos is: its kind, box, scale factor and universe, and who says so.

What is given counts, then what the file's header says, then its name; only at last is
something assumed. A header that contradicts what is given is refused, because halos of
another box or universe look like any others.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from halomass.catalogues import (
    consistent_trees,
    headers,
    rockstar,
    text_table,
    universe_machine,
)
from halomass.catalogues.consistent_trees import SAME_SCALE
from halomass.catalogues.headers import Header
from halomass.catalogues.options import Kind
from halomass.catalogues.packing import file_bytes
from halomass.universe import MULTIDARK, Universe

_BOX = 64.0  # [Mpc/h] of ESMDPL, the simulation that the paper prefers
WORDS: dict[Kind, str] = {
    "binary": "a binary catalogue of the UniverseMachine",
    "ascii": "a catalogue of the UniverseMachine as text",
    "hlist": "an hlist of Consistent-Trees",
    "rockstar": (
        "a halo list of Rockstar, which has no peak masses: those of today stand for them, so "
        "that stripped satellites look smaller than they were"
    ),
}
# of those that are text, the columns by which they are known
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "hlist": tuple(consistent_trees.HLIST_COLUMNS.values()),
    "ascii": universe_machine.SFR_CATALOG_COLUMNS,
    "rockstar": tuple(rockstar.OUT_COLUMNS.values()),
}
_ENDINGS: dict[str, Kind] = {".bin": "binary", ".txt": "ascii", ".list": "hlist"}
_ASSUMED = "assumed"
_GIVEN = "as given"
_HEADER = "by its header"


@dataclass(frozen=True)
class Identification:
    """What a file of halos is.

    Arguments:
        kind: What has written it.
        box: The side of the periodic box [comoving Mpc/h].
        scale: The scale factor of the snapshot.
        universe: The simulation's cosmology.
        account: All this in a sentence, and who says so.

    Example:
        >>> Identification("hlist", 64.0, 1.0, MULTIDARK, "").universe.hubble
        0.678
    """

    kind: Kind
    box: float
    scale: float
    universe: Universe
    account: str


def recognise(
    path: Path,
    kind: Kind | None = None,
    box: float | None = None,
    scale: float | None = None,
    universe: Universe | None = None,
) -> Identification:
    """Returns what a file of halos is; what is given counts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty, if nobody says what it is or its scale factor,
            or if its header, or an hlist's column, contradicts what is given.
    """
    check_readable(path)
    if kind is not None:
        check_kind(kind)
    chosen, why = (kind, _GIVEN) if kind else _guess(path)
    header = header_of(path, chosen)
    check_agreement(path, chosen, header, box, scale, universe)
    side, who_side = _first([(box, _GIVEN), (header.box, _HEADER), (_BOX, _ASSUMED)])
    named = re.search(r"_(\d+\.\d+)", path.name)
    written = consistent_trees.scale_of(path) if chosen == "hlist" else None
    factor, who_factor = _first(
        [
            (scale, _GIVEN),
            (header.scale, _HEADER),
            # with more digits than the column has
            (float(named[1]) if named else None, "by its name"),
            (written, "by its column scale"),
        ]
    )
    _check_scale(path, factor, who_factor, written)
    if factor is None or side is None:
        raise ValueError(
            f"the name {path.name} has no scale factor, as sfr_catalog_1.000000.bin "
            "does: give --scale"
        )
    cosmos, who_cosmos = _universe(path, header, universe)
    account = (
        f"{path.name} is {WORDS[chosen]} ({why}). Its box is {side:g} Mpc/h ({who_side}), its "
        f"scale factor {factor:g} ({who_factor}), h = {cosmos.hubble:g} and the matter density "
        f"{cosmos.omega_matter:g} ({who_cosmos})"
    )
    return Identification(chosen, side, factor, cosmos, account)


def _check_scale(
    path: Path, factor: float | None, who: str, written: float | None
) -> None:
    if factor is None or written is None:
        return
    if abs(written / factor - 1) <= SAME_SCALE:
        return
    raise ValueError(
        f"{path.name} is of another snapshot: its column scale says {written:g}, not {factor:g} "
        f"({who}): give it the name that it was released with, or leave --scale out"
    )


def _first(found: list[tuple[float | None, str]]) -> tuple[float | None, str]:
    known = [one for one in found if one[0] is not None]
    return known[0] if known else (None, "")


def _universe(
    path: Path, header: Header, given: Universe | None
) -> tuple[Universe, str]:
    if given is not None:
        return given, _GIVEN
    if header.hubble is None:
        return MULTIDARK, f"{_ASSUMED}: give --cosmology if they are others"
    who = _HEADER
    matter = header.omega_matter
    if matter is None:
        matter, who = MULTIDARK.omega_matter, f"h {_HEADER}, the other {_ASSUMED}"
    try:
        return Universe(header.hubble, matter), who
    except ValueError as error:
        raise ValueError(f"the header of {path.name} says {error}") from error


def check_readable(path: Path) -> None:
    """Refuses a file that is not there, or empty.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is empty.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the catalogue's own file")
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path}: give the path of a halo catalogue"
        )
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty: fetch it again")


def check_kind(kind: str) -> None:
    """Refuses a kind that is none.

    Raises:
        ValueError: If it is none.
    """
    if kind not in get_args(Kind):
        raise ValueError(
            f"no kind {kind!r}: choose from {', '.join(map(repr, get_args(Kind)))}"
        )


def mass_unit(kind: Kind) -> str:
    """Returns the unit of masses in a kind of files."""
    return "Msun" if kind == "ascii" else "Msun/h"


def header_of(path: Path, kind: Kind) -> Header:
    """Returns what a file's header says; structs have none."""
    if kind == "binary":
        return Header()
    return headers.parse_header(text_table.read_header(path))


def check_agreement(
    path: Path,
    kind: Kind,
    header: Header,
    box: float | None,
    scale: float | None,
    universe: Universe | None,
) -> None:
    """Refuses a file whose header says something else than is given, or other units.

    Raises:
        ValueError: If it does; it says what.
    """
    header.check_units(path.name, mass_unit(kind))
    hubble = universe.hubble if universe else None
    matter = universe.omega_matter if universe else None
    for what, said, given, option, tolerance in (
        ("a box of [Mpc/h]", header.box, box, "--box", headers.SAME),
        ("scale factor", header.scale, scale, "--scale", SAME_SCALE),
        ("h =", header.hubble, hubble, "--cosmology", headers.SAME),
        (
            "a matter density of",
            header.omega_matter,
            matter,
            "--cosmology",
            headers.SAME,
        ),
    ):
        if said is None or given is None or abs(said / given - 1) <= tolerance:
            continue
        raise ValueError(
            f"{path.name} is of another simulation: its header says {what} {said:f}, not "
            f"{given:g}; leave {option} out, or use the catalogue that belongs to it"
        )


def _guess(path: Path) -> tuple[Kind, str]:
    """Returns the kind of a file, and by what it is known."""
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    ending = suffixes[-1] if suffixes else ""
    if ending != ".bin" and file_bytes(path).read(0, 1) == b"#":
        lines = text_table.read_header(path)
        shares = {kind: _share(lines, names) for kind, names in _COLUMNS.items()}
        best = max(shares, key=lambda kind: shares[kind])
        if shares[best] >= 0.5:
            return best, _HEADER
    if ending in _ENDINGS:
        return _ENDINGS[ending], "by its name"
    raise ValueError(
        f"the name {path.name} does not end with {', '.join(_ENDINGS)}, and no header tells what "
        f"it is: say --campaign.kind, {', '.join(map(repr, get_args(Kind)))}"
    )


def _share(lines: tuple[str, ...], names: tuple[str, ...]) -> float:
    """Returns the largest share of the names of columns that a line of a header has."""
    wanted = {name: name for name in names}
    found = text_table.column_names(lines, wanted) or ()
    return len({name.lower() for name in names}.intersection(found)) / len({*names})
