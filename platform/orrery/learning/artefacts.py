"""What was learned, in a folder: a document that says what it is, and weights with a checksum.

The document is plain JSON with a fingerprint of all that decided the result. It names
the file of the weights and is written last, so that it replaces an older result in one
step.
"""

import hashlib
import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from orrery import versions
from orrery.identity import JSON
from orrery.learning.belongings import (
    OUTCOME_KEY,
    TRAIN,
    UNFINISHED,
    contradiction,
    outcome,
)
from orrery.learning.unpacking import unpacked
from orrery.option_types import check_value
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.storage import files
from orrery.storage.contents import content_of
from orrery.storage.documents import (
    digest_of,
    own_file,
    read_document,
    write_document,
)
from orrery.storage.shard_cache import cache_folder
from orrery.storage.store import Address, Location
from orrery.terminal import say

R = TypeVar("R")

# What comes of a document whose checksum is right and whose content is another's.
MALFORMED = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError),
    *(TypeError, ValueError),
)

ELSEWHERE = "another folder of reports or datasets"


def _silent(sentence: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class ArtifactStore:
    """The place of one kind of result.

    Arguments:
        folder: The folder, or its address in a bucket.
        kind: What is kept there, such as `ensemble`: the document is `<kind>.json`.

    Example:
        >>> ArtifactStore(Path("trained"), "posterior").document.name
        'posterior.json'
    """

    folder: Location
    kind: str

    @property
    def document(self) -> Location:
        """The document."""
        return self.folder / f"{self.kind}.json"

    def unfinished(self, identity: str) -> Path:
        """Returns the folder of a training that has not ended; of a bucket's, on this machine."""
        if isinstance(self.folder, Address):
            return cache_folder() / "trainings" / f"{UNFINISHED}{identity}"
        return self.folder / f"{UNFINISHED}{identity}"

    def holds(self, identity: str, tell: Callable[[str], None] = _silent) -> bool:
        """Returns whether a result with this fingerprint is there, and sound.

        Arguments:
            identity: The fingerprint.
            tell: Is told of damage: what is damaged is not held.
        """
        if not self.document.exists():
            return False
        try:
            document = self.read()
            if document["fingerprint"] != identity:
                return False
            self._check(document)
            self._content(document)
        except ValueError as error:
            tell(str(error))
            return False
        return True

    def get_or_train(
        self, identity: str, learn: Callable[[Path], tuple[JSON, Mapping[str, Tensor]]]
    ) -> None:
        """Writes what is learned, unless it is there; meanwhile nobody else can write here.

        What is damaged is told, and made again.

        Arguments:
            identity: The fingerprint of the result.
            learn: Returns document and weights; called with the folder of the
                unfinished training.

        Raises:
            BlockingIOError: If another process is training here: one result replaces
                another.
        """
        if self.holds(identity):
            return
        with files.locked(files.ensure_writable(self.folder), ELSEWHERE):
            # who held the lock before may have learned it
            if not self.holds(identity, tell=say):
                document, weights = learn(self.unfinished(identity))
                self.write({"fingerprint": identity, **document}, weights)

    def write(self, document: JSON, weights: Mapping[str, Tensor]) -> None:
        """Writes a result, whose document has a `fingerprint`, and removes older ones."""
        content = io.BytesIO()
        torch.save(dict(weights), content)
        digest = hashlib.sha256(content.getvalue()).hexdigest()
        file = f"weights-{document['fingerprint']}.pt"
        files.write_atomically(self.folder / file, content.getvalue())
        more = {
            "weights": {"file": file, "sha256": digest},
            "versions": versions.software(),
        }
        whole = {**document, **more}
        self._tell_of_replacement(str(document["fingerprint"]))
        # Last: until then the old document still names the old weights.
        write_document(self.document, {**whole, OUTCOME_KEY: outcome(whole)})
        self._remove_others(document["fingerprint"], file)

    def _tell_of_replacement(self, identity: str) -> None:
        """Says that another result was here: who keeps two gives each a folder."""
        try:
            before = read_document(self.document, TRAIN)["fingerprint"]
        except (OSError, ValueError, KeyError):
            return  # nothing whole is replaced
        if before != identity:
            say(
                f"{self.kind} {before} in {self.folder} is replaced by {identity}, which has other "
                "arguments: give each a folder of its own to keep both"
            )

    def _remove_others(self, identity: str, weights: str) -> None:
        """Removes unfinished trainings, and the weights of older results."""
        if isinstance(self.folder, Address):
            shutil.rmtree(self.unfinished(identity), ignore_errors=True)
            older = [name for name in self.folder.sizes() if name.endswith(".pt")]
            self.folder.remove([name for name in older if name != weights])
            return
        for path in self.folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(path)
        for path in set(self.folder.glob("weights-*.pt")) - {self.folder / weights}:
            path.unlink()

    def read(self, needed: Sequence[str] = ("fingerprint",)) -> JSON:
        """Returns the document.

        Arguments:
            needed: The entries without which it is damaged.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If it is damaged.
        """
        if not self.document.exists():
            raise FileNotFoundError(
                f"no {self.document.name} in {self.folder}: train a {self.kind} there first"
            )
        document = read_document(self.document, TRAIN)
        try:
            return {**{name: document[name] for name in needed}, **document}
        except KeyError as error:
            raise damaged(self.document, error) from error

    def open(
        self, restore: Callable[[JSON, dict[str, Tensor]], R], identity: str = ""
    ) -> R:
        """Returns what is made of the document and its weights.

        Arguments:
            restore: Makes it.
            identity: The fingerprint that it must have; any if empty.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If it is damaged.
            BlockingIOError: If it is another one, which has replaced what was wanted.
        """
        document = self.read()
        if identity and document["fingerprint"] != identity:
            raise BlockingIOError(
                f"{self.folder} holds {self.kind} {document['fingerprint']}: another process "
                f"has replaced {identity}; choose {ELSEWHERE}, and give the same command again"
            )
        weights = self.weights(document)
        self._check(document)
        try:
            return restore(document, weights)
        except MALFORMED as error:
            raise damaged(self.document, error) from error

    def _check(self, document: JSON) -> None:
        """Raises ValueError if a document contradicts itself."""
        try:
            reason = contradiction(document)
        except MALFORMED as error:
            raise damaged(self.document, error) from error
        if reason is not None:
            raise damaged(self.document, reason)

    def weights(self, document: JSON) -> dict[str, Tensor]:
        """Returns the weights that a document names.

        Raises:
            ValueError: If they are missing, or are not those that were written.
        """
        content = self._content(document)
        name = str(self.folder / document["weights"]["file"])
        found: dict[str, Tensor] = unpacked(content, name, TRAIN)
        return found

    def _content(self, document: JSON) -> bytes:
        """Returns the file of the weights that a document names."""
        try:
            path = own_file(self.folder, document["weights"]["file"])
            digest = document["weights"]["sha256"]
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.document, error) from error
        # Read once, so that what is compared is what is loaded.
        content: bytes = content_of(path) if path.exists() else b""
        if digest_of(content) != digest:
            raise damaged(
                path, "its checksum differs" if content else "it is missing or empty"
            )
        return content


def damaged(path: Location, reason: object) -> ValueError:
    """Returns the error of a file that is not what was written."""
    return ValueError(f"{path} is damaged ({reason}): {TRAIN}")


def origin(splits: Splits, parameters: Sequence[Parameter]) -> JSON:
    """Returns what something is learned from, as plain JSON, with checksums in the place of pairs.

    Arguments:
        splits: The pairs.
        parameters: The P parameters.
    """
    pairs = {"train": splits.train, "validation": splits.validation}
    return {
        "parameters": [parameter.describe() for parameter in parameters],
        "summaries": {"names": list(splits.names), "units": list(splits.units)},
        "definition": splits.definition,
        "dataset": splits.dataset,
        "pairs": {name: _identified(part) for name, part in pairs.items()},
    }


def labels(parameters: Sequence[Parameter]) -> JSON:
    """Returns how figures name the parameters: an entry of documents that decides nothing."""
    return {"labels": [parameter.label for parameter in parameters]}


def read_parameters(document: JSON) -> tuple[Parameter, ...]:
    """Returns the parameters in a document that holds what `origin` and `labels` returned."""
    named = zip(document["parameters"], document["labels"], strict=True)
    for label in document["labels"]:
        check_value("a label", label, str)
    return tuple(Parameter(**entry, label=label) for entry, label in named)


def _identified(pairs: Pairs) -> JSON:
    # As float64 and in C order: equal numbers have equal bytes.
    values = (np.ascontiguousarray(v, dtype=np.float64) for v in (pairs.theta, pairs.x))
    digest = hashlib.sha256(b"".join(v.tobytes() for v in values)).hexdigest()
    return {"count": len(pairs.theta), "sha256": digest}
