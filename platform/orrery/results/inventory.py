"""The inventory of a run: all files that it has once it is finished, with their checksums.

It stands in `run.json`, written with the word `finished`: `files` in the attempt's own
folder, and `learned`, what lies beside the attempts, which all of them share. What is
drawn comes later, and `drawn.json` lists it. So whatever is deleted, emptied or exchanged
contradicts a document, and a document that is deleted is missed by its neighbours.
"""

import re
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from orrery.identity import JSON
from orrery.learning.belongings import TRAIN
from orrery.results.result import (
    OTHER_VERSION,
    PAGE,
    foreign,
    other_format,
    run_document,
)
from orrery.storage.documents import is_inside
from orrery.storage.files import checksum
from orrery.storage.findings import Finding, named_file, sound_document
from orrery.storage.run import ATTEMPT, DOCUMENT, DRAWN, EPOCHS
from orrery.storage.walking import below

INVENTORY = "inventory"
RUN_AGAIN = "run the experiment again"
DRAW = "`orrery report` with this attempt's folder draws it again"
_LEARNED_FILES = (".json", ".pt")
_NAME = re.compile(rf"{ATTEMPT}(\d+)")


def inventory(attempt: Path, sections: Sequence[JSON]) -> JSON:
    """Returns the files of a run, with their checksums.

    Arguments:
        attempt: The attempt's folder.
        sections: The parts of its document, which know those of their files.

    Raises:
        OSError: If a file cannot be read.
    """
    own = {EPOCHS: checksum(attempt / EPOCHS)} if (attempt / EPOCHS).exists() else {}
    shared = attempt.parent
    learned = {
        path.relative_to(shared).as_posix(): checksum(path)
        for path in sorted(_learned_files(shared))
    }
    return {"files": {**own, **_files_of_parts(sections)}, "learned": learned}


def _learned_files(shared: Path) -> Iterator[Path]:
    """Yields what was trained beside a run's attempts, but nothing of an unfinished training."""
    for file in below(shared):
        parts = file.relative_to(shared).parts
        hidden = any(part.startswith(".") for part in parts)
        beside = len(parts) > 1 and not hidden and not parts[0].startswith(ATTEMPT)
        # A document lists nothing outside of its folder, which may change without it.
        ours = beside and file.suffix in _LEARNED_FILES and is_inside(file, shared)
        if ours and file.is_file():
            yield file


def _files_of_parts(sections: Sequence[JSON]) -> dict[str, str]:
    return {
        file: digest
        for section in sections
        for file, digest in section.get("sha256", {}).items()
    }


def is_attempt(folder: Path, inside: Set[str]) -> bool:
    """Returns whether a folder is that of an attempt, whatever of it is missing.

    Arguments:
        folder: The folder.
        inside: What lies in it, without what is hidden.
    """
    return bool(_NAME.fullmatch(folder.name) or inside & {DOCUMENT, DRAWN, EPOCHS})


def attempt_findings(folder: Path, inside: Set[str]) -> Iterator[Finding]:
    """Yields what is wrong in the folder of an attempt, the bytes of its documents aside.

    Arguments:
        folder: The folder.
        inside: What lies in it, without what is hidden.
    """
    if DOCUMENT not in inside:
        yield Finding(DOCUMENT, "is missing", RUN_AGAIN)
        return
    try:
        document = run_document(folder / DOCUMENT)
    except ValueError as error:
        # Where its bytes are wrong, that is told where they are looked at.
        yield Finding(DOCUMENT, f"is no document of a run ({error})", RUN_AGAIN)
        return
    if said := other_format(document):
        yield Finding(DOCUMENT, f"cannot be looked at ({said})", OTHER_VERSION)
        return
    yield from _misplaced(folder, document)
    yield from _undrawn(folder, inside, document)
    if document.get("status") != "finished":
        return
    if INVENTORY not in document:
        said = "lists no files, as runs had no inventory before: a lost one is not seen"
        yield Finding(DOCUMENT, said, "a new attempt has one", is_damage=False)
        return
    listed = document[INVENTORY]["files"]
    if not _files_of_parts(document["sections"]).items() <= listed.items():
        yield Finding(DOCUMENT, "has parts with files that it does not list", RUN_AGAIN)
    for file, digest in listed.items():
        yield from named_file(folder, DOCUMENT, file, digest, RUN_AGAIN)


def _misplaced(folder: Path, document: JSON) -> Iterator[Finding]:
    """Yields that a document is that of another attempt, or of another run."""
    for said in foreign(folder, document):
        yield Finding(DOCUMENT, said, RUN_AGAIN)


def _undrawn(folder: Path, inside: Set[str], document: JSON) -> Iterator[Finding]:
    """Yields that what was drawn is not listed: nobody would miss it."""
    keys = [one["key"] for one in document["sections"] if one["kind"] == "figure"]
    pictures = (f"{key}{suffix}" for key in keys for suffix in (".png", ".pdf"))
    there = sorted({PAGE, *pictures} & inside)
    if there and DRAWN not in inside:
        # Pages of before had no list.
        is_damage = INVENTORY in document
        yield Finding(DRAWN, f"is missing, but {there[0]} is there", DRAW, is_damage)
        return
    drawn = sound_document(folder / DRAWN) if DRAWN in inside else None
    if drawn is None:
        return
    if "run" in drawn:  # lists of before did not say it
        for said in foreign(folder, drawn):
            yield Finding(DRAWN, said, DRAW)
    if drawn.get("status") == "finished" != document["status"]:
        said = f"says {document['status']}, and is older than its page"
        yield Finding(DOCUMENT, said, RUN_AGAIN)
    unlisted = [file for file in there if file not in drawn.get("drawn", {})]
    if unlisted:
        yield Finding(DRAWN, f"does not list {unlisted[0]}", DRAW)


def learned_findings(shared: Path, inside: Set[str]) -> Iterator[Finding]:
    """Yields what is wrong with what was trained beside attempts, as the newest finished says.

    Arguments:
        shared: The folder of all attempts with the same options.
        inside: What lies in it, without what is hidden.
    """
    for name in sorted(filter(_NAME.fullmatch, inside), key=_number, reverse=True):
        path = shared / name / DOCUMENT
        document = sound_document(path) if path.exists() else None
        if document is not None and document.get("status") == "finished":
            known = document.get(INVENTORY, {}).get("learned", {})
            for file, digest in known.items():
                yield from named_file(shared, DOCUMENT, file, digest, TRAIN)
            return


def _number(name: str) -> int:
    return int(name.removeprefix(ATTEMPT))
