"""Copies that wait are sent: all at once, and those that are left one by one."""

from collections.abc import Sequence
from pathlib import Path

from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import is_sent
from orrery.results.dashboard.deliveries import Delivery, Found, Waiting
from orrery.results.dashboard.reader import tell_address
from orrery.results.dashboard.refusals import DELETED
from orrery.results.dashboard.turns import Turns
from orrery.results.dashboard.uploads import Upload
from orrery.terminal import say


def delivered(
    found: Sequence[Found], patience: Patience, turns: Turns
) -> list[Delivery]:
    """Returns what became of each copy, after sending those that wait for it.

    Arguments:
        found: The copies, and what became of those that do not wait.
        patience: How long the server may take.
        turns: In which they are ours to send.

    Raises:
        ConnectionError: If the server takes nothing from us.
    """
    reasons = send(_files(found), patience, turns)
    again = [
        _renewed(one)
        if isinstance(one, Waiting) and reasons.get(one.file) == DELETED
        else one
        for one in found
    ]
    renewed = [new for new, old in zip(again, found, strict=True) if new is not old]
    reasons |= send(_files(renewed), patience, turns)
    return [
        one
        if isinstance(one, Delivery)
        else one.outcome(before=False, reason=reasons.get(one.file, ""))
        for one in again
    ]


def _files(found: Sequence[Found]) -> list[Path]:
    return [one.file for one in found if isinstance(one, Waiting)]


def _renewed(one: Waiting) -> Found:
    """Returns a copy with another identity, of a run that was deleted on the server."""
    if one.again is None:
        return one
    say(
        f"Weights & Biases has deleted its run {one.copy.identity}, and takes none of that "
        f"identity any more: {one.place} is sent as a new run"
    )
    one.copy.remove(one.folder, one.note)
    return one.again()


def send(copies: Sequence[Path], patience: Patience, turns: Turns) -> dict[Path, str]:
    """Returns why copies were not sent, of those that were not.

    Arguments:
        copies: What waits.
        patience: How long the server may take.
        turns: In which they are ours to send.

    Raises:
        ConnectionError: If the server takes nothing from us.
    """
    if not copies:
        return {}
    say(f"sending {len(copies)} copies to Weights & Biases")
    upload = _sent(copies, patience, turns)
    if upload.is_refused:
        raise ConnectionError(
            f"Weights & Biases takes nothing ({upload.reason}): all is kept, and the same "
            "command sends it later"
        )
    # what was not taken, and is told why, is tried again next time
    reasons = upload.kept
    left = [file for file in copies if not is_sent(file) and file not in reasons]
    if len(copies) == 1:
        return reasons | dict.fromkeys(left, upload.reason)
    return reasons | _send_one_by_one(left, patience, turns)


def _sent(copies: Sequence[Path], patience: Patience, turns: Turns) -> Upload:
    """Returns an upload that has ended."""
    upload = Upload(copies, patience, on_address=tell_address, turns=turns)
    upload.end(None)
    if upload.is_stalled:
        say(f"warning: Weights & Biases: {upload.reason}; what is not sent is kept")
    return upload


def _send_one_by_one(
    copies: Sequence[Path], patience: Patience, turns: Turns
) -> dict[Path, str]:
    """Returns why copies were not sent: `wandb sync` leaves all where one is damaged.

    Where the server takes nothing any more, none is tried after that.
    """
    reasons: dict[Path, str] = {}
    for file in copies:
        upload = _sent([file], patience, turns)
        if is_sent(file):
            continue
        if file in upload.kept:
            reasons |= upload.kept
            continue
        # each would cost the same wait again
        if upload.is_refused or upload.is_stalled:
            left = [one for one in copies if not is_sent(one)]
            return {**dict.fromkeys(left, upload.reason), **reasons}
        reasons[file] = upload.reason
    return reasons
