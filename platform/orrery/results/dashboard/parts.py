"""The files that belong to a copy: its own, and those that it only names.

Tables and pictures lie beside it, files of artifacts wherever they were, by absolute paths.
wandb sends what it finds there when it sends the copy, as it then is, and marks the copy as
sent whatever it has found.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from orrery.identity import JSON
from orrery.results.dashboard.endings import records
from orrery.storage.files import checksum


@dataclass(frozen=True)
class Part:
    """A file that belongs to a copy, as it was when that came to its end.

    Arguments:
        path: From the folder of the copy, or absolute.
        size: [bytes]; None if it was not there: wandb removes some of what it has sent.
        sha256: Its checksum, 64 hexadecimal digits.

    Example:
        >>> Part("files/requirements.txt", 12, "ab" * 32).is_intact(Path("nowhere"))
        False
    """

    path: str
    size: int | None = None
    sha256: str = ""

    @classmethod
    def of(cls, path: str, folder: Path) -> "Part":
        """Returns a file as it is.

        Arguments:
            path: From the folder of the copy, or absolute.
            folder: Of the copy.
        """
        file = folder / path
        try:
            # a device or a pipe, whose end never comes, is no file of a copy
            if not file.is_file():
                return cls(path)
            return cls(path, file.stat().st_size, checksum(file))
        except (OSError, ValueError):
            return cls(path)

    @property
    def document(self) -> JSON:
        """What a note tells of it."""
        return asdict(self)

    def is_intact(self, folder: Path) -> bool:
        """Returns whether the file is what it was.

        Arguments:
            folder: Of the copy.
        """
        return self.size is not None and Part.of(self.path, folder) == self


def parts(file: Path) -> tuple[Part, ...]:
    """Returns the file of a copy, and all that it names.

    Arguments:
        file: The copy, which is written no more.

    Raises:
        OSError: If it cannot be read.
        google.protobuf.message.DecodeError: If it is damaged.
    """
    paths = dict.fromkeys([file.name, *_named(file.read_bytes())])
    return tuple(Part.of(path, file.parent) for path in paths)


def _named(content: bytes) -> Iterator[str]:
    """Yields the paths that the records of a copy name."""
    from wandb.proto import wandb_internal_pb2

    record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]  # made at import
    for one in records(content):
        record.ParseFromString(one)
        yield from (f"files/{file.path}" for file in record.files.files)
        manifest = record.artifact.manifest
        # what is elsewhere, such as in a bucket, has no path here
        yield from (entry.local_path for entry in manifest.contents if entry.local_path)
        if manifest.manifest_file_path:  # of very many
            yield manifest.manifest_file_path
