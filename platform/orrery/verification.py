"""Verification: every file of a dataset or a run against what vouches for it.

A document has its own checksum, and those of the files that it names: a manifest those of
shards, a document of a posterior that of its weights, a `run.json` those of its arrays. A
folder has what belongs to it: what is missing, or another's, is found where the folder is
looked at, by `Dataset.damaged` for a dataset.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

import pyarrow as pa

from orrery.identity import JSON, fingerprint
from orrery.learning.belongings import (
    MIXTURE,
    TRAIN,
    mixture_findings,
    training_findings,
)
from orrery.learning.tensor_files import owner
from orrery.own_files import is_document, is_log, is_summaries, is_tensors
from orrery.results.inventory import (
    DRAW,
    RUN_AGAIN,
    attempt_findings,
    is_attempt,
    learned_findings,
)
from orrery.storage.card import CARD, card
from orrery.storage.completeness import shard_numbers
from orrery.storage.contents import content_of
from orrery.storage.dataset import DATASET_DOCUMENT, damage, read_metadata
from orrery.storage.documents import has_checksum, parsed, without_trailer
from orrery.storage.findings import (
    UNCHECKED,
    Finding,
    linked_away,
    misplaced,
    named_file,
    unchecked,
)
from orrery.storage.manifest import (
    CHECKSUM_LIST,
    MANIFEST,
    SHARDS,
    ManifestRow,
    checksums_text,
    read_manifest,
)
from orrery.storage.parquet import read_parquet
from orrery.storage.recovery import recover, recover_metadata
from orrery.storage.run import DOCUMENT, DRAWN
from orrery.storage.store import Address, Location
from orrery.storage.walking import below
from orrery.storage.work_log import WORK, Session, repeated_lines, sessions
from orrery.sweeps.trial import TRIALS
from orrery.sweeps.trial_list import TRIAL_LIST, sweep_findings
from orrery.tables.sealed_text import check_seal

GENERATE = "run its generation again, or `orrery dataset repair`"
# Generating again compares sizes in a bucket: to look inside, all would be fetched.
REMOVE = "remove it if it is there, and run its generation again"
SUMMARISE = "remove it: it is computed again when it is needed"
REPLACE = "remove it, and give the command again that wrote it"
ONCE = "`orrery dataset repair` keeps one of each"
REDESCRIBE = "it told of past work alone: `orrery dataset repair` does without"
# What of a card the work log says, and what nothing is.
_WORK = re.compile(rb"\n## Work\n.*?(?=\n## )", re.DOTALL)
_NOTHING = re.compile(rb"(?!)")
# What a simulator says of itself, which once stood in another order of sentences.
_ABOUT = re.compile(rb"(?<=\n## How it was made\n).*?(?=Root seed )", re.DOTALL)


def verify(folder: Location) -> list[Finding]:
    """Returns what is wrong in the folder of a dataset, a run, a sweep or a training.

    Arguments:
        folder: The absolute folder, or its address in a bucket.

    Raises:
        FileNotFoundError: If there is no file.
        OSError: If one cannot be read.
    """
    names = files_below(folder)
    hidden = [*misplaced(folder)] if isinstance(folder, Path) else []
    if isinstance(folder, Path) and not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise FileNotFoundError(
            f"{folder} {what}: name the folder of a dataset, a run, a sweep or a training"
        )
    if not names and not hidden:
        raise FileNotFoundError(f"{folder} has no files: name another folder")
    found = {one.file: one for one in hidden}
    # Whoever looks at a folder reads what should be below it.
    above_them = {
        parent.as_posix()
        for one in hidden
        for parent in (PurePosixPath(one.file), *PurePosixPath(one.file).parents)
    }
    for above, inside in _folders(names).items():
        if above in above_them:
            continue
        place = folder if above == "." else folder / above
        for finding in _findings(place, inside):
            # One that is named twice is told once, by whoever vouches for it first;
            # what is only worth knowing of it hides no damage.
            whole = finding.below(above)
            first = found.setdefault(whole.file, whole)
            if whole.is_damage and not first.is_damage:
                found[whole.file] = whole
    return [found[file] for file in sorted(found)]


def files_below(folder: Location) -> list[str]:
    """Returns the paths of all files below a folder, inside of it, in order."""
    if isinstance(folder, Address):
        return sorted(folder.sizes())
    files = (path for path in below(folder) if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _folders(names: list[str]) -> dict[str, set[str]]:
    """Returns what lies in each folder, files and folders, by the folder's path."""
    found: dict[str, set[str]] = {}
    for place in map(PurePosixPath, names):
        for path in (place, *place.parents[:-1]):
            if not _is_anothers(path):
                found.setdefault(path.parent.as_posix(), set()).add(path.name)
    return found


def _is_anothers(place: PurePosixPath) -> bool:
    """Returns whether a file is being written, or is one that W&B has written for itself."""
    deep = "wandb" in place.parts and place.parent.name != "wandb"
    return place.name.startswith(".") or deep


def _findings(folder: Location, inside: set[str]) -> Iterator[Finding]:
    """Yields what is wrong with the files of a folder, and what it lacks."""
    if _is_dataset(folder, inside):
        yield from _dataset(folder)
    for name in sorted(inside):
        look = _look(folder / name, inside)
        if look is not None:
            yield from _readable(name, look(folder, name))
    yield from training_findings(folder, inside)
    yield from _readable(f"{MIXTURE}.json", mixture_findings(folder, inside))
    if isinstance(folder, Path):  # runs and sweeps lie in no bucket
        if is_attempt(folder, inside):
            yield from _readable(DOCUMENT, attempt_findings(folder, inside))
        yield from _learned(folder, inside)
        yield from _readable(TRIAL_LIST, sweep_findings(folder, inside))


def _readable(name: str, found: Iterator[Finding]) -> Iterator[Finding]:
    """Yields findings, or that a document is sound and of another kind than its name says."""
    try:
        yield from found
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield Finding(name, f"is no document of its kind ({error!r})", REPLACE)


def _learned(folder: Path, inside: set[str]) -> Iterator[Finding]:
    # A document that lists nothing readable is named in its own folder.
    with suppress(AttributeError, LookupError, TypeError, ValueError):
        yield from learned_findings(folder, inside)


def _is_dataset(folder: Location, inside: set[str]) -> bool:
    """Returns whether a folder is a dataset's, whatever of it is missing."""
    if inside & {DATASET_DOCUMENT, MANIFEST, CHECKSUM_LIST}:
        return True
    return "shards" in inside and bool(shard_numbers(folder))


def _dataset(folder: Location) -> Iterator[Finding]:
    away = [*linked_away(folder, SHARDS)] if isinstance(folder, Path) else []
    if away:  # no reader looks further
        yield from away
        return
    found = damage(folder)
    for file, reason in found.items():
        yield Finding(file, reason, _again(folder, file))
    for name in (DATASET_DOCUMENT, MANIFEST):
        if (folder / name).exists():
            yield from unchecked(folder, name, GENERATE)
    try:
        _, rows = read_manifest(folder)
    except ValueError:
        yield from _without_manifest(folder)
        return
    if not {DATASET_DOCUMENT, MANIFEST} & {*found}:
        yield from _described(folder, (*rows,))


def _again(folder: Location, file: str) -> str:
    """Returns what makes a file of a dataset anew."""
    is_shard = PurePosixPath(file).parent.name == SHARDS
    return REMOVE if is_shard and isinstance(folder, Address) else GENERATE


def _without_manifest(folder: Location) -> Iterator[Finding]:
    """Yields the shards that nothing proves, and a list of checksums that is not theirs."""
    try:
        found = recover(folder, recover_metadata(folder)["fingerprint"])
    except ValueError:  # there is no shard that can be read
        return
    for file, reason in found.refused.items():
        yield Finding(file, reason, _again(folder, file))
    listed = folder / CHECKSUM_LIST
    text = checksums_text([found.rows[shard] for shard in sorted(found.rows)])
    sound = listed.exists() and content_of(listed) == text.encode()
    if not found.refused and not sound:
        yield Finding(CHECKSUM_LIST, "is not that of the shards", GENERATE)


def _described(folder: Location, rows: tuple[ManifestRow, ...]) -> Iterator[Finding]:
    """Yields what is wrong with the card and with the work log, which it tells of."""
    if repeated_lines(folder):
        yield Finding(WORK, "has lines twice", ONCE)
    if not (folder / CARD).exists():
        yield Finding(CARD, "is missing", GENERATE)
        return
    written = _in_order(content_of(folder / CARD))
    logged = sessions(folder)
    today = card(_name_on_card(written), read_metadata(folder), rows, logged)
    text = _in_order(today.encode())
    if written == text:
        return
    # Of a damaged work log the card still has what it said.
    unknown = _WORK if any(_lines(folder, WORK)) else _NOTHING
    if unknown.sub(b"", written) == unknown.sub(b"", text):
        return
    if _WORK.sub(b"", written) == _WORK.sub(b"", text) and _lacks_work(written, logged):
        there = (folder / WORK).exists()
        said = "lacks lines" if there else "is missing"
        yield Finding(WORK, f"{said}, of which {CARD} tells", REDESCRIBE)
    else:
        yield Finding(CARD, "is not what belongs to the manifest", GENERATE)


def _in_order(text: bytes) -> bytes:
    """Returns a card in which the sentences about the simulator are in one order."""
    return _ABOUT.sub(lambda found: b" ".join(sorted(found[0].split(b" "))), text)


def _name_on_card(written: bytes) -> str:
    """Returns what a card calls its dataset, whose folder may have another name now."""
    title = written.decode(errors="replace").partition("\n")[0]
    return title.removeprefix("# ")


def _lacks_work(written: bytes, logged: tuple[Session, ...]) -> bool:
    """Returns whether a card tells of sessions that are not in the work log."""
    shown = re.findall(rb"^\| \d{4}-\d\d-\d\d\S* \|", written, re.MULTILINE)
    return len(shown) > len(logged)


def _document(remedy: str, folder: Location, name: str) -> Iterator[Finding]:
    content = content_of(folder / name)
    if not is_document(folder / name, content):
        return
    try:
        document = parsed(content)
    except ValueError as error:
        yield Finding(name, f"is damaged ({error})", remedy)
        return
    yield from unchecked(folder, name, remedy)
    named = [*_weights(document), *_of_parts(document), *_drawn(document)]
    for file, digest, again in named:
        yield from named_file(folder, name, file, digest, again)


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
    lines = content_of(place).splitlines() if place.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            parsed(line)
        except ValueError as error:
            said = f"is damaged in line {number} ({error})"
            yield Finding(name, said, "remove this line, which decides nothing")
            return
    if lines and not all(map(has_checksum, lines)):
        again = "`--repair` gives its lines checksums"
        yield Finding(name, UNCHECKED, again, is_damage=False)


def _summaries(folder: Location, name: str) -> Iterator[Finding]:
    try:
        table = read_parquet(folder / name)
        own = fingerprint(json.loads((table.schema.metadata or {})[b"orrery"]))
    except (ValueError, KeyError, pa.ArrowException) as error:
        yield Finding(name, f"is damaged ({error})", SUMMARISE)
        return
    if name != f"{own}.parquet":
        yield Finding(name, f"holds the summaries {own}", SUMMARISE)


def _tensors(folder: Location, name: str) -> Iterator[Finding]:
    try:
        without_trailer(content_of(folder / name), owner(folder / name))
    except ValueError as error:
        yield Finding(name, f"is damaged ({error})", TRAIN)


def _table(folder: Location, name: str) -> Iterator[Finding]:
    content = content_of(folder / name)
    if not content.strip(b"\0\r\n "):
        # No table is: the line with its checksum is lost, too.
        yield Finding(name, "is damaged (it holds nothing)", REPLACE)
        return
    try:
        check_seal(content.decode(errors="replace"), name)
    except ValueError:
        yield Finding(name, "is damaged (its checksum differs)", REPLACE)


_Look = Callable[[Location, str], Iterator[Finding]]


def _look(place: Location, inside: set[str]) -> _Look | None:
    """Returns how a file is looked at; None for those that are not ours, and for the dataset's.

    A dataset has been looked at as a whole.
    """
    if place.name in (DATASET_DOCUMENT, MANIFEST):
        return None
    if is_tensors(place):
        return _tensors
    if is_summaries(place):
        return _summaries
    if is_log(place, inside):
        return _lines
    if place.name.endswith(".json"):
        return partial(_document, _remedy(place))
    return _table if place.name.endswith(".ecsv") else None


def _remedy(place: Location) -> str:
    """Returns what makes a document again, by its name or else by where it lies."""
    above = PurePosixPath(str(place)).parent.name
    return _REMEDIES.get(place.name) or _REMEDIES.get(above, TRAIN)


_REMEDIES = {
    DOCUMENT: RUN_AGAIN,
    DRAWN: DRAW,
    TRIALS: "the sweep's command runs it again",
    "wandb": "it is made anew when it is sent",
}
