"""Snapshots: the halos of a catalogue at one time, read from the files of a dataset."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from halomass.hosts.neighbours import Halos
from halomass.universe import MULTIDARK, Universe
from orrery.identity import JSON
from orrery.records import Records
from orrery.storage.files import is_unaltered
from orrery.tables.arrow_bounds import check_arrow


@dataclass(frozen=True)
class Snapshot:
    """A dataset of halos: one snapshot of a catalogue.

    Arguments:
        shards: The paths of its Arrow files.
        fingerprint: The dataset's fingerprint, which stands for the files' content.
        box: Side of the periodic box, comoving [Mpc/h].
        scale: Scale factor.
        checksums: The sha256 of each file; where they are given, nothing else is read.
        universe: The simulation's cosmology.

    Example:
        >>> Snapshot((Path("0.arrow"),), "5e1f", 64.0, 1.0).describe()
        {'halos': '5e1f', 'box': 64.0, 'scale': 1.0, 'hubble': 0.678, 'omega_matter': 0.307}
    """

    shards: tuple[Path, ...]
    fingerprint: str
    box: float
    scale: float
    checksums: tuple[str, ...] = ()
    universe: Universe = MULTIDARK

    def read(self) -> Halos:
        """Returns the halos.

        Raises:
            ValueError: If a file cannot be read, was altered or holds something else.
        """
        # Before anything is mapped: an altered file may end the process.
        if self.checksums:
            for path, sha256 in zip(self.shards, self.checksums, strict=True):
                _check_unaltered(path, sha256)
        return Halos.from_records(
            [_mapped(path) for path in self.shards],
            self.box,
            self.scale,
            self.universe,
        )

    def describe(self) -> JSON:
        """Returns all that decides the halos, as plain JSON."""
        return {
            "halos": self.fingerprint,
            "box": self.box,
            "scale": self.scale,
            **asdict(self.universe),
        }


def _check_unaltered(path: Path, sha256: str) -> None:
    try:
        altered = not is_unaltered(path, sha256)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error}): make the halo dataset again"
        ) from error
    if altered:
        raise ValueError(
            f"{path} was altered, its sha256 differs: make the halo dataset again"
        )


def _mapped(path: Path) -> Records:
    try:
        # mapped: columns are copied once, into the arrays of halos, and not twice
        with pa.memory_map(str(path)) as source:
            check_arrow(source.read_buffer())
            return Records.from_table(pa.ipc.open_file(source).read_all())
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{path} cannot be read ({error}): make the halo dataset again"
        ) from error
