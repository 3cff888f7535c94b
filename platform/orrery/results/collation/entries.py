"""One entry for each attempt of a run and each trial of a sweep, whatever state it is in.

Entries say what documents say. One that is damaged, of another version or still being
written is an entry too, which says what is wrong, and hides no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.ancestry import parents
from orrery.results.answers import known_prior
from orrery.results.collation.curves import UNREADABLE, run_curves
from orrery.results.collation.scalars import Scalar, flat, scalar, text
from orrery.results.collation.trial_files import sweep_goals, trial_files
from orrery.results.result import Result, other_format, readable
from orrery.results.wording import OUTCOMES, worded_document, words_of
from orrery.storage.run import attempt_folders, attempt_number
from orrery.sweeps.trial import Trial, read_trial, settled


@dataclass(frozen=True)
class Ancestor:
    """Something that a result rests on.

    Arguments:
        kind: In the plural, such as `datasets`.
        key: What the run calls it.
        fingerprint: Identifies it.
        parents: The fingerprints of what it was made from: of summaries the dataset, of
            what was learned the summaries.

    Example:
        >>> Ancestor("datasets", "simulations", "4793ef685cba50ab").parents
        ()
    """

    kind: str
    key: str
    fingerprint: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """An attempt of a run, or a trial of a sweep.

    Arguments:
        place: Its folder, or its file without the ending, below the folder of all runs.
        kind: `run` or `trial`.
        status: `running`, `finished`, `failed` or `damaged`, or a trial's state.
        values: Everything that is one value, by column.
        answers: What was asked for, as the document has it.
        words: What the page calls words of answers.
        lineage: What it rests on.
        curves: What can be laid over others', by kind and key.
        goals: Of a trial's sweep, whether `larger` or `smaller` is better, by objective.
        problems: What is wrong with it.
        has_page: Whether its page is beside its document.

    Example:
        >>> Entry("desi/0123/attempt-001", "run", "finished", {"seconds": 3.5}).problems
        ()
    """

    place: str
    kind: str
    status: str
    values: dict[str, Scalar]
    answers: tuple[JSON, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    lineage: tuple[Ancestor, ...] = ()
    curves: JSON = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    has_page: bool = False


def count(root: Path) -> int:
    """Returns how many entries a folder has."""
    return len(attempt_folders(root)) + len(trial_files(root))


def all_entries(root: Path) -> Iterator[Entry]:
    """Yields all entries below a folder: attempts of runs, then trials of sweeps.

    One after the other, so that a thousand documents are never in memory at once.

    Arguments:
        root: The folder of all runs, of one experiment, or of one set of options.
    """
    root = root.absolute()
    for folder in attempt_folders(root):
        yield run_entry(folder, root)
    for path in trial_files(root):
        yield trial_entry(path, root)


def run_entry(folder: Path, root: Path) -> Entry:
    """Returns the entry of an attempt.

    Arguments:
        folder: The attempt's.
        root: The folder of all runs.
    """
    result = readable(folder)
    try:
        return _entry_of_run(result, root)
    except UNREADABLE as error:
        reason = f"{folder} is of another version, or damaged ({error!r})"
        return _entry_of_run(Result.damaged(folder, reason), root)


def _entry_of_run(result: Result, root: Path) -> Entry:
    document, folder = result.document, result.folder
    curves, problems = run_curves(Result(folder, worded_document(document)))
    if result.status == "damaged":
        problems.append(document["reason"])
    elif said := other_format(document):
        problems.append(said)
    own: dict[str, Scalar] = {
        "experiment": text(document["experiment"] or folder.parent.parent.name),
        "attempt": document["attempt"] or attempt_number(folder),
        "seconds": scalar(document["seconds"]),
        **{name: text(document[name]) for name in ("run", "began", "host", "reason")},
    }
    return Entry(
        place=_place(folder, root),
        kind="run",
        status=text(result.status),
        values=own
        | flat(document["options"], "option.")
        | flat(document["metrics"], "metric.")
        | flat(_verdicts(document["verdicts"]), "verdict."),
        answers=tuple(_answer(one) for one in document["answers"]),
        words=words_of(document),
        lineage=tuple(_ancestors(document["lineage"])),
        curves=curves,
        problems=tuple(text(problem) for problem in problems),
        has_page=result.has_page,
    )


def _answer(answer: JSON) -> JSON:
    """Returns an answer whose ends are numbers; an end that is text is not known."""
    words = {n: text(str(answer[n])) for n in ("key", "data", "quantity", "unit")}
    names = ("median", "lower", "upper", "predicted_mean")
    ends = {name: scalar(answer.get(name)) for name in names}
    known = {n: float(v) for n, v in ends.items() if isinstance(v, int | float)}
    return words | known | {"prior": known_prior(answer) or None}


def _verdicts(verdicts: Iterable[JSON]) -> dict[str, str]:
    return {one["key"]: OUTCOMES[one["passed"]] for one in verdicts}


def _ancestors(lineage: JSON) -> Iterator[Ancestor]:
    for kind, found in lineage.items():
        for one in found:
            yield Ancestor(
                text(kind),
                text(str(one["key"])),
                text(str(one["fingerprint"])),
                tuple(text(str(parent)) for parent in parents(one)),
            )


def trial_entry(path: Path, root: Path) -> Entry:
    """Returns the entry of a trial.

    Arguments:
        path: Its file.
        root: The folder of all runs.
    """
    try:
        trial = settled(read_trial(path), path.parents[1])
        return _entry_of_trial(trial, path, root)
    except UNREADABLE as error:
        reason = text(str(error))
        values = {**_sweep(path), "reason": reason}
        place = _place(path.with_suffix(""), root)
        return Entry(place, "trial", "damaged", values, problems=(reason,))


def _entry_of_trial(trial: Trial, path: Path, root: Path) -> Entry:
    document = trial.document
    goals, problems = _goals(path.parents[1])
    own: dict[str, Scalar] = {
        "trial": trial.number,
        "seconds": scalar(trial.seconds),
        "reason": text(trial.reason),
    }
    return Entry(
        place=_place(path.with_suffix(""), root),
        kind="trial",
        status=trial.state,
        values=_sweep(path)
        | own
        | flat(document["point"], "option.")
        | flat(document["objectives"], "objective.")
        | flat(document["identity"], "identity."),
        lineage=tuple(_trained_on(trial.identity)),
        curves={"reports": [_numbers(report) for report in trial.curve]},
        goals=goals,
        problems=problems,
    )


def _goals(sweep: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Returns what a sweep seeks, and why that is not known, if it should be."""
    try:
        return sweep_goals(sweep), ()
    except UNREADABLE as error:
        return {}, (text(f"which trial is the best is not known: {error}"),)


def _sweep(path: Path) -> dict[str, Scalar]:
    """Returns what the place of a trial's file says of its sweep."""
    # `<name>/<what is searched>/trials/<trial>`, from wherever it is collated
    return {
        "experiment": text(path.parents[2].name),
        "run": text(path.parents[1].name),
    }


def _numbers(report: Mapping[str, float]) -> JSON:
    return {text(name): value for name, value in report.items()}


def _trained_on(identity: JSON) -> Iterator[Ancestor]:
    dataset = identity.get("dataset")
    if isinstance(dataset, str):
        yield Ancestor("datasets", "dataset", text(dataset))


def _place(path: Path, root: Path) -> str:
    below: Any = path.relative_to(root)
    return text(below.as_posix())
