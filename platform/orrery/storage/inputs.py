"""Files that a run reads, known by their content: another one may lie in the same place.

Every option that is a path is such a file, or a folder of them, unless its field says that
it is a place where something is kept. All of its bytes are hashed, of a catalogue of many
gigabytes too: a study reads each of them in any case, before it makes anything, and a
catalogue with a part that was repaired has the same name, length and first and last bytes
as the one without. It costs a second for each gigabyte, and no memory.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orrery.identity import JSON, is_place
from orrery.tables.bundled import find_table


@dataclass(frozen=True)
class InputFile:
    """A file that a run reads.

    Arguments:
        key: The option that names it, such as `host.neighbours`; of several files of one
            option each has its number, `campaign.catalogue.0`, and of those in a folder
            its name, `nbody.GC21M1b0_orbit_mw.txt`.
        path: Where it is.
        size: How long it is [bytes].
        sha256: The checksum of its content, 64 hexadecimal digits.

    Example:
        >>> InputFile("stars", Path("observed/bhb.ecsv"), 12, "ab" * 32).entry["file"]
        'bhb.ecsv'
    """

    key: str
    path: Path
    size: int
    sha256: str

    @property
    def entry(self) -> JSON:
        """What a document says of it: `key`, `file`, `bytes`, `sha256` and `fingerprint`."""
        return {
            "key": self.key,
            "file": self.path.name,
            "bytes": self.size,
            "sha256": self.sha256,
            "fingerprint": self.sha256[:16],
        }


def input_files(choices: Any, unread: Sequence[str] = ()) -> tuple[InputFile, ...]:
    """Returns the files that options name, with the checksums of their content.

    Arguments:
        choices: The options, a dataclass.
        unread: The keys of options whose file is not read with these choices.

    Raises:
        OSError: If a file cannot be read; it names the option.
    """
    return tuple(_hashed(key, path) for key, path in _files(choices, unread))


def _files(choices: Any, unread: Sequence[str] = ()) -> Iterator[tuple[str, Path]]:
    """Yields the files that options name, and those in folders that they name, with keys."""
    for key, path in _paths(choices, ""):
        if key in unread:
            continue
        if not path.is_dir():
            yield key, find_table(path)
            continue
        for inside in sorted(path.iterdir()):
            if inside.is_file():
                yield _below(key, inside.name), inside


def unspelled(document: JSON, choices: Any, unread: Sequence[str] = ()) -> JSON:
    """Returns described options without the names of files, whose content decides instead.

    Where a file lies, and what it is called, decides no number; how its name ends decides
    how it is read.

    Arguments:
        document: The options as plain JSON, which is changed.
        choices: The options, a dataclass.
        unread: The keys of options whose file is not read with these choices.

    Example:
        >>> from orrery.identity import describe
        >>> @dataclass(frozen=True)
        ... class Choices:
        ...     stars: Path = Path("/data/bhb.ecsv")
        >>> unspelled(describe(Choices()), Choices())
        {'type': 'Choices', 'stars': '.ecsv'}
    """
    for key, path in _paths(choices, ""):
        *above, last = key.split(".")
        holder: Any = document
        for name in above:
            holder = holder[_step(holder, name)]
        holder[_step(holder, last)] = "" if key in unread else path.suffix
    return document


def _step(holder: Any, name: str) -> int | str:
    return int(name) if isinstance(holder, list) else name


def changes(entries: Sequence[JSON], before: Any, choices: Any) -> list[str]:
    """Returns which files of an earlier run are not what they were then, in words.

    Files that other options name now are chosen, not changed.

    Arguments:
        entries: What the run's document says of its files.
        before: Its options, a dataclass.
        choices: The options now.
    """
    named = dict(_files(before))
    now = dict(_files(choices))
    found = []
    for entry in entries:
        key = entry["key"]
        path = now.get(key)
        if path is None or path != named.get(key) or not path.is_file():
            continue  # whoever reads it says what is wrong with it
        file = _hashed(key, path)
        if file.sha256 != entry["sha256"]:
            found.append(
                f"{path}, the option {key}, is not what that run has read: sha256 "
                f"{entry['sha256'][:16]} then, {file.sha256[:16]} now"
            )
    return found


def _paths(value: Any, key: str) -> Iterator[tuple[str, Path]]:
    """Yields the paths of files in options, with their keys."""
    if isinstance(value, Path):
        yield key, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if not is_place(field)]
        for field in fields:
            yield from _paths(getattr(value, field.name), _below(key, field.name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _paths(item, _below(key, str(number)))


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _hashed(key: str, path: Path) -> InputFile:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return InputFile(key, path, file.tell(), digest.hexdigest())
    except OSError as error:
        raise OSError(
            error.errno or 0,
            f"cannot read {path} ({error.strerror or error}), which is the option {key}: "
            "say where the file is, or name a table that is bundled with a package",
        ) from error
