"""A run on Weights & Biases: copies of what it finds; the run never depends on them."""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from orrery.identity import JSON, fingerprint
from orrery.results.dashboard import connection
from orrery.results.dashboard.absences import Holdings, holdings, in_words, picture_of
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.contents import (
    named,
    section_series,
    sheets,
    summary_sheets,
)
from orrery.results.dashboard.copies import Copy, Origin, is_sent, later
from orrery.results.dashboard.mirror import Heading, Mirror
from orrery.results.dashboard.uploads import Upload
from orrery.results.recording import Number
from orrery.results.result import Result
from orrery.results.sections import Section
from orrery.storage.contents import content_of
from orrery.storage.documents import parsed, read_document
from orrery.storage.run import DOCUMENT, EPOCHS, Run
from orrery.terminal import say

# What no other attempt has, of the same run on another machine neither.
_DECISIVE = ("run", "attempt", "began", "host", "process")
_ABOUT = ("experiment", "run", "attempt", "versions", "lineage", "command", "host")


class DashboardReader:
    """Writes a run's copy for Weights & Biases, and has it sent while it is written.

    Arguments:
        patience: How long the server may take; what the user's variables say when None.

    Example:
        >>> DashboardReader().metrics({"a": 1})  # no run is open: nothing is written
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience
        self._mirror: Mirror | None = None
        self._upload: Upload | None = None
        self._best: dict[str, float] = {}

    def opened(self, run: Run) -> None:
        """Begins a copy, unless `WANDB_MODE` is `disabled`; each attempt has its own."""
        mode = connection.asked_mode(os.environ)
        if mode == "disabled":
            return
        try:
            document = read_document(run.folder / DOCUMENT, "it is copied later")
            mirror = self.begin(run, origin_of(document))
            if mode == "online" and mirror.has_key():
                patience = self._patience or Patience.of(os.environ)
                self._upload = Upload([mirror.file], patience, True, tell_address)
            else:
                say(f"Weights & Biases: offline, in {run.folder / 'wandb'}")
        except Exception as problem:
            # whatever goes wrong over there, hours of computing do not depend on it
            say(
                f"warning: Weights & Biases failed ({in_words(problem)}); local files "
                f"are complete, and {later([run.folder])} copies them later"
            )

    def begin(self, run: Run, origin: Origin, identity: str | None = None) -> Mirror:
        """Returns the copy of a run, which begins.

        Arguments:
            run: The run.
            origin: What it is a copy of.
            identity: Of the copy; that of its origin when None.

        Raises:
            Exception: Whatever wandb raises.
        """
        heading = _heading(run, identity or origin.identity)
        self._mirror = Mirror.begin(replace(heading, source=origin.source))
        return self._mirror

    def section(self, section: Section) -> None:
        """Waits: tables, curves and figures are written from the document, at the end."""

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Writes numbers that sum the run up."""
        if self._mirror:
            self._mirror.metrics({named(key): value for key, value in numbers.items()})

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Writes the losses of one epoch."""
        if not self._mirror:
            return
        name = f"training/{named(estimator)}"
        if name not in self._best:
            self._mirror.axis(name, "epoch")
        best = min(self._best.get(name, math.inf), losses.get("validation", math.inf))
        self._best[name] = best
        # the smallest so far: what W&B's own sweeps choose by
        values = {"epoch": epoch, **losses, "best": best}
        row = {f"{name}/{key}": v for key, v in values.items() if math.isfinite(v)}
        self._mirror.row(row)

    def closed(self, result: Result) -> None:
        """Writes what the document holds, and waits a minute at most until it is sent."""
        if not self._mirror:
            return
        self.end(result, holdings(result))
        if self._upload:
            self._wait(self._upload, self._mirror.file, result.folder)
        self._mirror = None
        self._upload = None

    def end(self, result: Result, held: Holdings) -> None:
        """Ends the copy with what the document holds.

        Arguments:
            result: The run.
            held: What there is of it.
        """
        if not self._mirror:
            return
        _write(self._mirror, result, held)
        self._mirror.close(result.status == "failed")
        for one in self._mirror.gone:
            say(f"warning: Weights & Biases gets no {one}")
        if self._mirror.lost:
            lost = ", ".join(dict.fromkeys(self._mirror.lost))
            say(
                f"Weights & Biases lacks {lost}: {later([result.folder])} copies them again"
            )

    def _wait(self, upload: Upload, file: Path, folder: Path) -> None:
        patience = self._patience or Patience.of(os.environ)
        upload.end(patience.finish)
        if not is_sent(file):
            say(
                f"Weights & Biases has not got the run ({upload.reason}); the copy is kept, "
                f"and {later([folder])} sends it"
            )


def origin_of(document: JSON) -> Origin:
    """Returns what a run's copy is of: no other attempt, of another machine neither.

    Arguments:
        document: The run's.
    """
    known = {name: document.get(name) for name in _DECISIVE}
    return Origin(f"{document['run']}-{document['attempt']:03d}", fingerprint(known))


def replay(result: Result, identity: str, held: Holdings) -> Copy:
    """Returns a run's copy, made from its document once more.

    Arguments:
        result: The run.
        identity: Of the copy.
        held: What there is of the run.

    Raises:
        Exception: Whatever wandb raises.
    """
    document = result.document
    run = Run(
        document["experiment"],
        result.folder,
        document["run"],
        document["attempt"],
        document["options"],
    )
    reader = DashboardReader()
    reader.begin(run, origin_of(document), identity)
    for line in _epochs(result.folder / EPOCHS):
        losses = {k: v for k, v in line.items() if k not in ("estimator", "epoch")}
        reader.epoch(line["estimator"], line["epoch"], losses)
    reader.metrics(result.metrics)
    reader.end(result, held)
    copy = Copy.read(result.folder)
    if copy is None:
        raise OSError(f"{result.folder} has no copy for Weights & Biases")
    return copy


def _epochs(path: Path) -> Iterator[JSON]:
    """Yields the sound lines of a file of epochs; the last of a killed run may be torn."""
    lines = content_of(path).splitlines() if path.exists() else []
    for line in lines:
        with suppress(ValueError):
            yield parsed(line)


def _heading(run: Run, identity: str) -> Heading:
    name = f"{run.experiment}-{run.fingerprint[:8]}-{run.attempt:03d}"
    return Heading(run.folder, identity, name, run.experiment, "run", run.options)


def _write(mirror: Mirror, result: Result, held: Holdings) -> None:
    """Writes everything that a finished document holds and was not written before."""
    about = {name: result.document[name] for name in _ABOUT}
    mirror.config("lineage", {"about": about})
    mirror.metrics({"status": result.status, "seconds": result.document["seconds"]})
    for sheet in summary_sheets(result.document):
        mirror.sheet(sheet)
    found = held.absent
    mirror.gone = held.lacking
    written: set[str] = set()
    for section in result.sections:
        if section["key"] not in found:
            write = partial(_write_section, mirror, result, section, written)
            mirror.keep(section["key"], write)
        picture = picture_of(result, section)
        if picture.exists() and picture.name not in found:
            mirror.picture(f"figures/{named(section['key'])}", picture, section["text"])
    for deposit in held.deposits:
        if deposit.files:
            mirror.deposit(deposit)


def _write_section(
    mirror: Mirror, result: Result, section: JSON, written: set[str]
) -> None:
    for sheet in sheets(result, section):
        mirror.sheet(sheet)
    trained_now = (result.folder / EPOCHS).exists()
    for series in section_series(result, section):
        losses = series.step == "epoch"
        if series.name not in written and not (losses and trained_now):
            written.add(series.name)
            mirror.series(series)
        if losses and not trained_now:  # of one that an earlier attempt has trained
            best = float(np.nanmin(series.curves["validation"]))
            mirror.metrics({f"{named(section['key'])}/best": best})


def tell_address(address: str) -> None:
    """Tells where a run can be seen."""
    say(f"Weights & Biases: {address}")
