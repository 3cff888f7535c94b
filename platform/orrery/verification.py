"""Verification: every file of a dataset or a run against the checksum that vouches for it.

A document has its own, and those of the files that it names: a manifest those of shards,
a document of a posterior that of its weights, a `run.json` those of its arrays. What is
looked at is the file, not what it means, so that this takes as long as reading them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import pyarrow as pa

from orrery.identity import JSON
from orrery.storage.card import CARD, card
from orrery.storage.dataset import DATASET_DOCUMENT, read_metadata
from orrery.storage.documents import (
    digest_of,
    has_checksum,
    own_file,
    parsed,
    without_trailer,
)
from orrery.storage.manifest import (
    CHECKSUM_LIST,
    MANIFEST,
    checksums_text,
    read_manifest,
)
from orrery.storage.parquet import read_parquet
from orrery.storage.recovery import recover, recover_metadata
from orrery.storage.run import DOCUMENT, DRAWN
from orrery.storage.shards import damaged_files
from orrery.storage.store import Address, Location
from orrery.storage.work_log import WORK, sessions

GENERATE = "run its generation again, or `python -m orrery dataset repair`"
SUMMARISE = "remove it: it is computed again when it is needed"
TRAIN = "give the training's command again, which makes it anew"
RUN_AGAIN = "run the experiment again"
DRAW = "`python -m orrery report` draws it again"
# What of a card the work log says, and what nothing is.
_WORK = re.compile(rb"\n## Work\n.*?(?=\n## )", re.DOTALL)
_NOTHING = re.compile(rb"(?!)")
UNCHECKED = "has no checksum, as files had none before"


@dataclass(frozen=True)
class Finding:
    """A file that is not what was written.

    Arguments:
        file: Its path inside of the folder that was verified.
        reason: What is wrong with it.
        remedy: What helps.

    Example:
        >>> print(Finding("shards/shard-00001.arrow", "is missing", "make it again"))
        shards/shard-00001.arrow is missing: make it again
    """

    file: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file} {self.reason}: {self.remedy}"


def verify(folder: Location) -> list[Finding]:
    """Returns what is wrong in the folder of a dataset, a run, a sweep or a training.

    Arguments:
        folder: The absolute folder, or its address in a bucket.

    Raises:
        FileNotFoundError: If there is no file.
        OSError: If one cannot be read.
    """
    names = files_below(folder)
    if not names:
        raise FileNotFoundError(f"{folder} has no files: name another folder")
    found: dict[str, Finding] = {}
    for name in names:
        for finding in _findings(folder, name):
            # One that is named twice is told once, by whoever vouches for it first.
            found.setdefault(finding.file, finding)
    return [found[file] for file in sorted(found)]


def files_below(folder: Location) -> list[str]:
    """Returns the paths of all files below a folder, inside of it, in order."""
    if isinstance(folder, Address):
        return sorted(folder.sizes())
    below = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in below)


def _findings(folder: Location, name: str) -> Iterator[Finding]:
    """Yields what is wrong with a file, and with those that it vouches for."""
    place = PurePosixPath(name)
    above = place.parent.as_posix()
    if _is_anothers(place):
        return
    for matches, look in _LOOKS:
        if matches(place):
            for one in look(folder if above == "." else folder / above, place.name):
                inner = one.file if above == "." else f"{above}/{one.file}"
                yield Finding(inner, one.reason, one.remedy)
            return


def _is_anothers(place: PurePosixPath) -> bool:
    """Returns whether a file is being written, or is one that W&B has written for itself."""
    deep = "wandb" in place.parts and place.parent.name != "wandb"
    return place.name.startswith(".") or deep


def _dataset(folder: Location, name: str) -> Iterator[Finding]:
    try:
        read_metadata(folder)
    except ValueError as error:
        yield Finding(name, f"is damaged ({error.__cause__ or error})", GENERATE)
        return
    yield from _unchecked(folder, name, GENERATE)
    if not (folder / MANIFEST).exists():
        yield Finding(MANIFEST, "is missing", GENERATE)
        yield from _without_manifest(folder)


def _without_manifest(folder: Location) -> Iterator[Finding]:
    """Yields the shards that nothing proves, and a list of checksums that is not theirs."""
    try:
        found = recover(folder, recover_metadata(folder)["fingerprint"])
    except ValueError:  # there is no shard that can be read
        return
    for file, reason in found.refused.items():
        yield Finding(file, reason, GENERATE)
    listed = folder / CHECKSUM_LIST
    text = checksums_text([found.rows[shard] for shard in sorted(found.rows)])
    sound = listed.exists() and listed.read_bytes() == text.encode()
    if not found.refused and not sound:
        yield Finding(CHECKSUM_LIST, "is not that of the shards", GENERATE)


def _manifest(folder: Location, name: str) -> Iterator[Finding]:
    try:
        fingerprint, rows = read_manifest(folder)
    except ValueError as error:
        yield Finding(name, f"is damaged ({error.__cause__ or error})", GENERATE)
        yield from _without_manifest(folder)
        return
    yield from _unchecked(folder, name, GENERATE)
    for file, reason in damaged_files(folder, (*rows,), fingerprint, full=True).items():
        yield Finding(file, reason, GENERATE)
    expected = {CHECKSUM_LIST: checksums_text(rows)}
    try:
        metadata = read_metadata(folder)
    except ValueError:
        yield Finding(DATASET_DOCUMENT, "is missing or damaged", GENERATE)
    else:
        if metadata["fingerprint"] != fingerprint:
            yield Finding(name, f"is that of the dataset {fingerprint}", GENERATE)
        called = _name_on_card(folder)
        expected[CARD] = card(called, metadata, (*rows,), sessions(folder))
    # Of a damaged work log the card still has what it said.
    unknown = _WORK if any(_lines(folder, WORK)) else _NOTHING
    for file, text in expected.items():
        if not (folder / file).exists():
            yield Finding(file, "is missing", GENERATE)
        elif unknown.sub(b"", (folder / file).read_bytes()) != unknown.sub(
            b"", text.encode()
        ):
            yield Finding(file, "is not what belongs to the manifest", GENERATE)


def _name_on_card(folder: Location) -> str:
    """Returns what the card calls its dataset, whose folder may have another name now."""
    if not (folder / CARD).exists():
        return folder.name
    title = (folder / CARD).read_text(errors="replace").partition("\n")[0]
    return title.removeprefix("# ")


def _unchecked(folder: Location, name: str, remedy: str) -> Iterator[Finding]:
    if not has_checksum((folder / name).read_bytes()):
        yield Finding(name, UNCHECKED, remedy)


def _document(remedy: str, folder: Location, name: str) -> Iterator[Finding]:
    content = (folder / name).read_bytes()
    try:
        document = parsed(content)
    except ValueError as error:
        yield Finding(name, f"is damaged ({error})", remedy)
        return
    yield from _unchecked(folder, name, remedy)
    named = [*_weights(document), *_of_parts(document), *_drawn(document)]
    for file, digest, again in named:
        yield from _named(folder, name, file, digest, again)


def _named(
    folder: Location, name: str, file: object, digest: object, remedy: str
) -> Iterator[Finding]:
    """Yields what is wrong with a file whose checksum a document has."""
    try:
        path = own_file(folder, file)
    except ValueError as error:
        yield Finding(name, f"is damaged ({error})", remedy)
        return
    if not path.exists():
        yield Finding(str(file), f"is missing, which {name} names", remedy)
    elif digest_of(path.read_bytes()) != digest:
        yield Finding(str(file), f"is damaged (not what {name} names)", remedy)


_Named = tuple[object, object, str]


def _weights(document: JSON) -> Iterator[_Named]:
    weights = document.get("weights")
    if isinstance(weights, dict):
        yield weights.get("file"), weights.get("sha256"), TRAIN


def _of_parts(document: JSON) -> Iterator[_Named]:
    for section in document.get("sections", []):
        for file, digest in section.get("sha256", {}).items():
            yield file, digest, RUN_AGAIN


def _drawn(document: JSON) -> Iterator[_Named]:
    for file, digest in document.get("drawn", {}).items():
        yield file, digest, DRAW


def _lines(folder: Location, name: str) -> Iterator[Finding]:
    place = folder / name
    lines = place.read_bytes().splitlines() if place.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            parsed(line)
        except ValueError as error:
            said = f"is damaged in line {number} ({error})"
            yield Finding(name, said, "remove this line, which decides nothing")
            return
    if lines and not all(map(has_checksum, lines)):
        yield Finding(name, UNCHECKED, "`--repair` gives its lines checksums")


def _summaries(folder: Location, name: str) -> Iterator[Finding]:
    try:
        read_parquet(folder / name)
    except (ValueError, pa.ArrowException) as error:
        yield Finding(name, f"is damaged ({error})", SUMMARISE)


def _tensors(folder: Location, name: str) -> Iterator[Finding]:
    try:
        without_trailer((folder / name).read_bytes())
    except ValueError as error:
        yield Finding(name, f"is damaged ({error})", TRAIN)


_Look = Callable[[Location, str], Iterator[Finding]]
TENSORS = ("trained.pt", "last.ckpt")


def _named_as(names: tuple[str, ...]) -> Callable[[PurePosixPath], bool]:
    return lambda place: place.name in names


def _ends(suffix: str, parent: str = "") -> Callable[[PurePosixPath], bool]:
    return lambda place: (
        place.suffix == suffix and (not parent or place.parent.name == parent)
    )


# What each file is looked at for; the first that fits.
_LOOKS: tuple[tuple[Callable[[PurePosixPath], bool], _Look], ...] = (
    (_named_as((DATASET_DOCUMENT,)), _dataset),
    (_named_as((MANIFEST,)), _manifest),
    (_named_as((DOCUMENT,)), partial(_document, RUN_AGAIN)),
    (_named_as((DRAWN,)), partial(_document, DRAW)),
    (_named_as(TENSORS), _tensors),
    (_ends(".json", "trials"), partial(_document, "the sweep's command runs it again")),
    (_ends(".json", "wandb"), partial(_document, "it is made anew when it is sent")),
    (_ends(".json"), partial(_document, TRAIN)),
    (_ends(".jsonl"), _lines),
    (_ends(".parquet", "summaries"), _summaries),
)
