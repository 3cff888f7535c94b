"""Which files are Orrery's: by name, by place, and by what is written in them.

A name alone decides nothing: people call theirs `notes.jsonl`, `options.json` or
`last.ckpt`, too. Theirs are neither judged nor changed.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from orrery.identity import JSON, is_fingerprint
from orrery.learning.tensor_files import owner
from orrery.storage.dataset import DATASET_DOCUMENT
from orrery.storage.documents import begins_with_checksum, ends_with_checksum
from orrery.storage.journal import JOURNAL
from orrery.storage.manifest import MANIFEST, SHARDS
from orrery.storage.run import ATTEMPT, DOCUMENT, DRAWN, EPOCHS
from orrery.storage.store import Location
from orrery.storage.work_log import WORK
from orrery.sweeps.trial import SWEEP, TRIALS
from orrery.sweeps.trial_list import TRIAL_LIST

# Our documents, and a member that each has had in every version.
_MEMBERS: Mapping[str, str] = {
    DOCUMENT: "experiment",
    DRAWN: "drawn",
    DATASET_DOCUMENT: "fingerprint",
    "posterior.json": "weights",
    "ensemble.json": "weights",
    "mixture.json": "members",
    SWEEP: "space",
    TRIAL_LIST: "trials",
}
_TENSORS = ("trained.pt", "last.ckpt")
_TRIAL = re.compile(r"trial-\d+\.json")
_SUMMARIES = "summaries"


def is_document(place: Location, content: bytes) -> bool:
    """Returns whether a file is a document of ours, sound or not.

    Arguments:
        place: The file.
        content: Its bytes.
    """
    if begins_with_checksum(content):
        return True
    return place.name in _MEMBERS or _is_trial(place) or _parent(place) == "wandb"


def is_of_its_kind(place: Location, document: JSON) -> bool:
    """Returns whether a document without a checksum is the one that its name says.

    Arguments:
        place: The file.
        document: Its content.

    Example:
        >>> from pathlib import Path
        >>> is_of_its_kind(Path("mixture.json"), {"members": []})
        True
        >>> is_of_its_kind(Path("options.json"), {"seed": 1})
        False
    """
    if _is_trial(place):
        return "number" in document
    member = _MEMBERS.get(place.name)
    return member is not None and member in document


def is_log(place: Location, inside: set[str]) -> bool:
    """Returns whether a file is a log of ours, in a run or a dataset.

    Arguments:
        place: The file.
        inside: What lies in its folder.
    """
    if place.name == EPOCHS:
        return _parent(place).startswith(ATTEMPT) or DOCUMENT in inside
    if place.name in (WORK, JOURNAL):
        return bool(inside & {DATASET_DOCUMENT, MANIFEST, SHARDS})
    # in a bucket a journal is a folder
    return _parent(place) == JOURNAL and place.name.endswith(".jsonl")


def is_tensors(place: Location) -> bool:
    """Returns whether a file lies where a training keeps its tensors, under a name of theirs.

    Arguments:
        place: The file.

    Example:
        >>> from pathlib import Path
        >>> is_tensors(Path("posteriors/.training-0f/last.ckpt"))
        True
        >>> is_tensors(Path("mine/last.ckpt"))
        False
    """
    return place.name in _TENSORS and bool(owner(place))


def is_summaries(place: Location) -> bool:
    """Returns whether a file lies where summaries are kept, under a name as they have.

    Arguments:
        place: The file.

    Example:
        >>> from pathlib import Path
        >>> is_summaries(Path("summaries/00aa11bb22cc33dd.parquet"))
        True
        >>> is_summaries(Path("summaries/mine.parquet"))
        False
    """
    stem, _, ending = place.name.partition(".")
    return _parent(place) == _SUMMARIES and ending == "parquet" and is_fingerprint(stem)


def is_marked(place: Location, content: bytes) -> bool:
    """Returns whether summaries or tensors have what we alone write into such files.

    Arguments:
        place: The file, which lies where ours do.
        content: Its bytes, of which some may be wrong.
    """
    if is_tensors(place):
        return ends_with_checksum(content)
    return b'"summarise"' in content or b'"definition"' in content


def _is_trial(place: Location) -> bool:
    return _parent(place) == TRIALS and bool(_TRIAL.fullmatch(place.name))


def _parent(place: Location) -> str:
    return PurePosixPath(str(place)).parent.name
