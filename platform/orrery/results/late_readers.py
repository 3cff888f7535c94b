"""A finished run whose readers were not told: the next start tells them, and computes nothing.

A run has finished when its answer is whole. Its page is drawn after that, and whatever
kills the process there must not cost the answer: neither is it called failed, nor is it
computed again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from orrery import versions
from orrery.results.result import Result, newest
from orrery.storage import files


@runtime_checkable
class LateReader(Protocol):
    """A reader that can tell whether it has read a finished run, and reads it later if not.

    Example:
        >>> from orrery.results.page import PageReader
        >>> isinstance(PageReader(), LateReader)
        True
    """

    def missed(self, result: Result) -> bool:
        """Returns whether nothing is there of what it makes of a finished run."""

    def closed(self, result: Result) -> None:
        """Reads a run that has ended."""


class FinishedEarlier(Exception):  # noqa: N818  it is no error: the answer is there
    """Why a study ends without computing: an earlier attempt had finished, and is told now.

    Arguments:
        result: What the attempt found.

    Example:
        >>> from pathlib import Path
        >>> str(FinishedEarlier(Result(Path("runs/x/attempt-001"), {"ended": "today"})))
        'runs/x/attempt-001 had finished today: it is shown, and nothing was computed'
    """

    def __init__(self, result: Result) -> None:
        ended = result.document["ended"]
        super().__init__(
            f"{result.folder} had finished {ended}: it is shown, and nothing was computed"
        )
        self.result = result


def notify_late_readers(
    shared: Path, decides: Mapping[str, int], readers: Sequence[object]
) -> None:
    """Shows readers a finished attempt that they missed.

    Only the same code gives the same answer: an attempt by other versions, or at another
    commit, is no reason not to compute.

    Arguments:
        shared: The folder of all attempts with the same options.
        decides: Versions of the components that decide answers, of today.
        readers: Of whom those are told that can read a run later.

    Raises:
        FinishedEarlier: If there is such an attempt, after they were told.
    """
    able = [reader for reader in readers if isinstance(reader, LateReader)]
    if not able:
        return
    try:
        result = newest(shared)
    except FileNotFoundError:
        return  # the first attempt has none before it
    today = {**versions.software(), **decides}
    same = result.status == "finished" and result.document["versions"] == today
    late = [reader for reader in able if reader.missed(result)]
    # whoever holds it is about to tell them
    if not same or not late or files.is_locked(result.folder):
        return
    with files.locked(result.folder):
        for reader in late:
            reader.closed(result)
    raise FinishedEarlier(result)
