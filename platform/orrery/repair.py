"""Repair: what is damaged in a dataset or a run is made again, and nothing else.

What can be computed is computed, with the same bytes: shards where their simulator is
installed, the manifest and the card from the shards, pages from documents. In a document
one wrong bit is set right, which its checksum proves. What is left is told with what
helps. Nothing is removed: what gives way has `.damaged` behind its name.
"""

from itertools import count
from pathlib import Path

from orrery.execution.simulation import complete
from orrery.execution.simulators import known_simulator
from orrery.identity import ABOUT, JSON
from orrery.own_files import is_marked, is_of_its_kind, is_summaries, is_tensors
from orrery.results.inventory import DRAW
from orrery.storage import dataset, writing
from orrery.storage.completeness import lost_shards, shard_numbers
from orrery.storage.contents import content_of
from orrery.storage.dataset import BEGUN_BY
from orrery.storage.documents import (
    corrected,
    has_checksum,
    line_of,
    parsed,
    write_document,
)
from orrery.storage.files import write_atomically
from orrery.storage.findings import BRING, CLEAR, Finding
from orrery.storage.manifest import MANIFEST, read_manifest
from orrery.storage.recovery import recover_metadata
from orrery.storage.store import Address, Location
from orrery.storage.work_log import WORK
from orrery.terminal import say
from orrery.verification import REMOVE, verify

ASIDE = ".damaged"  # behind the name of what is put aside


def repair_dataset(folder: Location) -> list[Finding]:
    """Returns what is still wrong with a dataset after all that can be made again was made.

    Arguments:
        folder: The dataset's absolute folder, or its address in a bucket.

    Raises:
        ValueError: If nothing is left that says what the dataset is.
        BlockingIOError: If another process is writing it.
        OSError: If a file cannot be read or written.
    """
    found = _cleared(folder)
    if not found or any(one.remedy in (CLEAR, BRING) for one in found):
        return found
    _mend_each(folder, found)
    _make_again(folder, _metadata(folder), found)
    return verify(folder)


def repair_run(folder: Path) -> list[Finding]:
    """Returns what is still wrong with a run after all that can be made again was made.

    Arguments:
        folder: The absolute folder of a run, an attempt, a sweep or a training.

    Raises:
        OSError: If a file cannot be read or written.
    """
    _mend_each(folder, _cleared(folder))
    left = verify(folder)
    drawn = [folder / one.file for one in left if one.remedy == DRAW]
    for attempt in sorted({path.parent for path in drawn}):
        _draw(attempt)
    return verify(folder)


def _cleared(folder: Location) -> list[Finding]:
    """Returns what is wrong once nothing that is empty lies where a file belongs."""
    found = verify(folder)
    gone = [
        _clear(folder / one.file)
        for one in found
        if one.remedy == CLEAR and isinstance(folder, Path)
    ]
    return verify(folder) if any(gone) else found


def _clear(place: Path) -> bool:
    """Puts an empty folder aside, and returns whether it was one."""
    if place.is_symlink() or not place.is_dir() or any(place.iterdir()):
        return False
    _put_aside(place, "a file belongs there")
    return True


def _mend_each(folder: Location, found: list[Finding]) -> None:
    for finding in found:
        place = folder / finding.file
        if finding.remedy in (CLEAR, BRING) or not place.exists():
            continue
        if place.name.endswith(".json") and place.name != MANIFEST:
            _mend_document(place)
        elif place.name.endswith(".jsonl"):
            _mend_lines(place)
        elif _is_remade(place):
            _put_aside(place, "it is computed again when it is needed")


def _is_remade(place: Location) -> bool:
    """Returns whether a file is ours that whoever needs it computes again."""
    ours = is_summaries(place) or is_tensors(place)
    return ours and is_marked(place, content_of(place))


def _put_aside(place: Location, why: str) -> None:
    """Gives a file or a folder another name: what is not ours after all is not lost."""
    aside = place.parent / f"{place.name}{ASIDE}"
    for number in count(2):
        if not aside.exists():
            break
        aside = place.parent / f"{place.name}{ASIDE}-{number}"
    if isinstance(place, Address):
        (place.parent / aside.name).put(place.read_bytes())
        place.unlink()
    else:
        place.rename(place.parent / aside.name)
    say(f"{place} is now {aside.name}: {why}")


def _mend_document(place: Location) -> None:
    content = content_of(place)
    if not has_checksum(content):
        _give_checksum(place, content)
        return
    mended = _sound(content) or corrected(content)
    if mended and mended != content:
        write_atomically(place, mended)
        say(f"{place} is mended: one bit was wrong")


def _give_checksum(place: Location, content: bytes) -> None:
    try:
        document = parsed(content)
    except ValueError:
        return
    if is_of_its_kind(place, document):
        write_document(place, document)
        say(f"{place} has a checksum now")


def _sound(content: bytes) -> bytes | None:
    try:
        parsed(content)
    except ValueError:
        return None
    return content


def _mend_lines(place: Location) -> None:
    """Sets lines right, gives a checksum to those that have none, and drops the rest."""
    lines = content_of(place).splitlines()
    if place.name == WORK:
        lines = [*dict.fromkeys(lines)]
    kept = [mended for line in lines if (mended := _mended_line(line))]
    dropped = len(lines) - len(kept)
    if dropped:
        _put_aside(place, "lines of it cannot be read")
    write_atomically(place, b"".join(kept))
    say(f"{place} is mended" + (f"; {dropped} lines are lost" if dropped else ""))


def _mended_line(line: bytes) -> bytes | None:
    if not has_checksum(line):
        try:
            return line_of(parsed(line)).encode()
        except ValueError:
            return None
    mended = _sound(line) or corrected(line)
    return mended + b"\n" if mended else None


def _metadata(folder: Location) -> JSON:
    """Returns what a dataset is: as its document says, or else its shards."""
    try:
        document = dataset.read_metadata(folder)
        # Which version began the folder is in no shard.
        return {key: value for key, value in document.items() if key != BEGUN_BY}
    except ValueError as error:
        found = recover_metadata(folder)
        say(f"{error}; its shards say what it is")
    simulator = known_simulator(found["simulator"])
    if simulator is not None:
        size = found["shard_size"]
        return dataset.identify(
            simulator.describe(), simulator.schema, found["seed"], size
        )
    columns = [column for kind in found["columns"].values() for column in kind]
    nothing = {column["name"]: "" for column in columns}
    say("words on it are lost until its generation is run again")
    return {**found, ABOUT: {"simulator": {}, "columns": nothing}}


def _make_again(folder: Location, metadata: JSON, found: list[Finding]) -> None:
    count = metadata["shard_size"] * _shards(folder)
    simulator = known_simulator(metadata["simulator"])
    if simulator is not None:
        for finding in found:
            if finding.remedy == REMOVE:
                (folder / finding.file).unlink()
        complete(folder, metadata, simulator, count, actors=0, shown=())
        return
    with writing.open_writer(folder, metadata) as writer:
        missing = writer.pending(count)
        if not missing:
            writer.finish(count)
            return
    numbers = ", ".join(map(str, missing))
    say(
        f"no simulator is installed that made shards {numbers}: run the generation again"
    )


def _shards(folder: Location) -> int:
    """Returns how many shards a dataset has, those that are lost included."""
    try:
        _, rows = read_manifest(folder)
        return max(lost_shards(folder, rows), default=len(rows) - 1) + 1
    except ValueError:
        return max(shard_numbers(folder), default=-1) + 1


def _draw(attempt: Path) -> None:
    # Imported here, so that what draws is loaded only where something is drawn.
    from orrery.results import page
    from orrery.results.result import Result

    try:
        page.write(Result.open(attempt))
    except (ValueError, OSError) as error:
        say(f"{attempt} cannot be drawn again: {error}")
