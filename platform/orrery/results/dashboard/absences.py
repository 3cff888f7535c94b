"""What the copy of a run is without: parts of the run that are gone or damaged.

Nobody can send them, however often it is tried. What wandb does not take is another
matter: that is tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orrery.identity import JSON
from orrery.results.dashboard.contents import section_series, sheets
from orrery.results.dashboard.deposits import Deposit, OnAbsence, deposits
from orrery.results.result import Result


def in_words(problem: BaseException) -> str:
    """Returns what went wrong; some of wandb's own errors say nothing but their name.

    Example:
        >>> in_words(ConnectionError("log is down")), in_words(TimeoutError())
        ('ConnectionError: log is down', 'TimeoutError')
    """
    return f"{type(problem).__name__}: {problem}".removesuffix(": ")


@dataclass(frozen=True)
class Holdings:
    """What there is of a run to be copied, read once.

    Arguments:
        deposits: What it rests on, and its document.
        absent: What cannot be read, and why, by name.

    Example:
        >>> Holdings((), {"draws.desi": "FileNotFoundError"}).lacking
        ('draws.desi (FileNotFoundError)',)
    """

    deposits: tuple[Deposit, ...]
    absent: Mapping[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What cannot be read, in words."""
        return tuple(f"{name} ({why})" for name, why in self.absent.items())


def holdings(result: Result) -> Holdings:
    """Returns what there is of a run to be copied, and what of it cannot be read.

    Arguments:
        result: The run.
    """
    absent: dict[str, str] = {}

    def note(name: str, problem: Exception) -> None:
        absent[name] = in_words(problem)

    for section in result.sections:
        picture = picture_of(result, section)
        _ask(section["key"], partial(_read, result, section), note)
        if picture.exists():
            _ask(picture.name, partial(_look, picture), note)
    # those of very many simulations are large: they are read once for a copy
    found = deposits(result, note)
    return Holdings(tuple(found), absent)


def _ask(name: str, read: Callable[[], None], on_absence: OnAbsence) -> None:
    try:
        read()
    except Exception as problem:  # whatever stands in a damaged file
        on_absence(name, problem)


def _read(result: Result, section: JSON) -> None:
    sheets(result, section)
    section_series(result, section)


def picture_of(result: Result, section: JSON) -> Path:
    """Returns where the picture of a part is, if it is a figure that was drawn."""
    return result.folder / f"{section['key']}.png"


def _look(picture: Path) -> None:
    from PIL import Image  # as wandb does, which takes a while

    with Image.open(picture) as image:
        image.load()
