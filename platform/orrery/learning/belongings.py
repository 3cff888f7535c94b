"""What belongs to what was learned: its documents hold it together, and say so of each other.

Of a document's members some have decided the result, and their fingerprint is its name;
all others were found, or are words, and have a fingerprint of their own, the `outcome`. A
mixture's has one of its members and their weights. So no part of a document can be
exchanged for another's, whose checksum would be right. Older documents lack what was not
written then; they are read as they are.
"""

import re
from collections.abc import Iterator, Set

from orrery.identity import JSON, fingerprint, is_fingerprint
from orrery.storage.findings import Finding, sound_document
from orrery.storage.store import Location

_KINDS = ("posterior", "ensemble")  # of what was trained
MIXTURE = "mixture"
OUTCOME_KEY = "outcome"
UNFINISHED = ".training-"  # how the folder of a training that has not ended begins
MEMBER = "member-"  # how the folder of a mixture's member begins
TRAIN = "give the training's command again, which makes it anew"
# Of documents what the training found, and words; all else has decided the result.
_FOUND = (
    *("weights", "versions", "labels", "curve", "reach"),
    *("scalings", "loss", "epoch", "reseeded"),
)
_WEIGHED = ("members", "weights", "version")
_WEIGHTS = re.compile(r"weights-[0-9a-f]{16}\.pt")


def outcome(document: JSON) -> str:
    """Returns the fingerprint of what a training found, and of whose document it is.

    Example:
        >>> one = {"fingerprint": "0f", "labels": ["$a$", "$b$"]}
        >>> outcome(one) == outcome({**one, "labels": ["$b$", "$a$"]})
        False
    """
    found = {name: document[name] for name in _FOUND if name in document}
    return fingerprint({"fingerprint": document["fingerprint"], **found})


def weighed(document: JSON) -> str:
    """Returns the fingerprint of a mixture: of its members and their weights.

    Example:
        >>> one = {"members": ["0a", "0b"], "weights": [0.25, 0.75], "version": 1}
        >>> weighed(one) == weighed({**one, "members": ["0b", "0a"]})
        False
    """
    return fingerprint({name: document.get(name) for name in _WEIGHED})


def contradiction(document: JSON) -> str | None:
    """Returns in what a document of a flow or an ensemble is not what was written, if it is not."""
    others = (*_FOUND, "fingerprint", OUTCOME_KEY)
    own = fingerprint({k: v for k, v in document.items() if k not in others})
    if own != document["fingerprint"]:
        return f"its content has the fingerprint {own}"
    if document.get(OUTCOME_KEY, outcome(document)) != outcome(document):
        return f"what was found has the fingerprint {outcome(document)}"
    return None


def contradiction_of_mixture(document: JSON) -> str | None:
    """Returns in what a mixture's document is not what was written, if it is not."""
    if not document.get("members"):
        return "it has no members"
    own = weighed(document)
    if document.get("fingerprint", own) != own:
        return f"its members and weights have the fingerprint {own}"
    return None


def training_findings(folder: Location, inside: Set[str]) -> Iterator[Finding]:
    """Yields what is wrong in the folder of a flow or an ensemble, its files aside.

    Arguments:
        folder: The folder.
        inside: What lies in it, without what is hidden.
    """
    documents = [f"{kind}.json" for kind in _KINDS if f"{kind}.json" in inside]
    lost = any(map(_WEIGHTS.fullmatch, inside)) or folder.name.startswith(MEMBER)
    if not documents and lost:
        yield Finding(f"{_kind(folder)}.json", "is missing", TRAIN)
    for name in documents:
        document = sound_document(folder / name)
        if document is not None:
            yield from _contradictions(folder, name, document)


def _contradictions(folder: Location, name: str, document: JSON) -> Iterator[Finding]:
    try:
        reason = contradiction(document)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error!r}"
    own = document.get("fingerprint")
    if reason is not None:
        yield Finding(name, f"is damaged ({reason})", TRAIN)
    elif is_fingerprint(folder.name) and folder.name != own:
        yield Finding(name, f"is that of {own}, another one", TRAIN)
    elif OUTCOME_KEY not in document:
        said = "has no fingerprint of what was found, as documents had none before"
        yield Finding(name, said, "one that is trained anew has it", is_damage=False)


def _kind(folder: Location) -> str:
    """Returns of what kind is what was trained in a folder, by where it lies."""
    return "ensemble" if "/ensembles/" in f"{folder}/" else "posterior"


def mixture_findings(folder: Location, inside: Set[str]) -> Iterator[Finding]:
    """Yields what is wrong in the folder of a mixture, its members' files aside.

    Arguments:
        folder: The folder.
        inside: What lies in it, without what is hidden.
    """
    name = f"{MIXTURE}.json"
    members = sorted(one for one in inside if one.startswith(MEMBER))
    if name not in inside:
        # One whose members are not all there has not ended.
        there = [(folder / one / "posterior.json").exists() for one in members]
        if members and all(there):
            yield Finding(name, "is missing", TRAIN)
        return
    document = sound_document(folder / name)
    if document is None:
        return
    reason = contradiction_of_mixture(document)
    if reason is not None:
        yield Finding(name, f"is damaged ({reason})", TRAIN)
        return
    if "fingerprint" not in document:
        said = "has no fingerprint of its weights, as mixtures had none before"
        yield Finding(name, said, "one that is trained anew has it", is_damage=False)
    for number, known in enumerate(document["members"]):
        yield from _member(folder, f"{MEMBER}{number}/posterior.json", known)


def _member(folder: Location, file: str, known: object) -> Iterator[Finding]:
    if not (folder / file).exists():
        yield Finding(file, f"is missing, which {MIXTURE}.json weighs", TRAIN)
        return
    document = sound_document(folder / file)
    own = known if document is None else document.get("fingerprint")
    if own != known:
        said = f"is {own}, but {MIXTURE}.json weighs {known} in its place"
        yield Finding(file, said, TRAIN)
