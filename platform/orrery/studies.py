"""Studies in a notebook: those that the command line has, by the same names and options.

`orrery.study("desi", simulations=2048).run()` is `orrery desi --simulations 2048`: the same
simulations, networks and runs in the same folders, and a result that shows itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pkgutil import resolve_name
from shlex import join
from typing import Any

from orrery import runs
from orrery.command_line import Place, from_document, names
from orrery.commands import StudyCommand, installed_commands
from orrery.identity import JSON, describe
from orrery.option_types import shortened
from orrery.results import notebook_html
from orrery.results.notebook import NotebookResult
from orrery.results.result import Result


@dataclass(frozen=True)
class Study:
    """A question with all its options chosen, which `run` answers.

    Arguments:
        name: What it is called on the command line.
        question: The question, in a line.
        options: The frozen dataclass of its options.
        answer: The function of these options that answers it, and records a run.

    Example:
        >>> desi = study("desi", simulations=64)
        >>> desi.options.campaign.simulations
        64
        >>> desi
        Study: orrery desi --simulations 64
    """

    name: str
    question: str
    options: Any
    answer: Callable[[Any], Result]

    def run(self) -> NotebookResult:
        """Returns what the study finds, computed as by its `command`.

        Simulations and trained networks that are there already are used again. The
        page's path is printed on standard output.

        Raises:
            ValueError: If a value, or a table that an option names, is refused.
            OSError: If a file cannot be read or written.
            FloatingPointError: If a training diverges.
        """
        found = runs.run_study(self.answer, self.options)
        return NotebookResult(found.folder, found.document)

    @property
    def values(self) -> dict[str, Any]:
        """All options by their names, as plain JSON."""
        return _values(describe(self.options), type(self.options))

    @property
    def changed(self) -> dict[str, Any]:
        """The options that are not at their defaults, likewise."""
        usual = _values(_defaults(type(self.options)), type(self.options))
        return {n: value for n, value in self.values.items() if value != usual[n]}

    @property
    def command(self) -> str:
        """The same as a command line."""
        choices = type(self.options)
        called = names(choices)
        words = ["orrery", self.name]
        for name, place in _places(choices).items():
            if name in self.changed:
                words += _words(called[place].replace("_", "-"), self.changed[name])
        return join(words)

    def __repr__(self) -> str:
        return f"Study: {self.command}"

    def _repr_html_(self) -> str:
        return notebook_html.study_html(
            self.question, self.command, self.values, self.changed
        )


def study(name: str, /, **options: Any) -> Study:
    """Returns a study by its name on the command line, with options by their names there.

    Dashes and dots are underscores: `study("halo-mass", ensemble_members=10)` is
    `orrery halo-mass --ensemble.members 10`. Units are those that the options' help
    says, `orrery NAME --help`.

    Arguments:
        name: Such as `desi`; `orrery --help` lists all.
        options: Numbers, also numpy's, texts, paths, and lists of these. What is not
            given has its default.

    Raises:
        ValueError: If there is no such study or option, with the nearest there is, or a
            value is refused, or missing where there is no default.

    Example:
        >>> study("desi", simulations=64, max_epochs=2).changed
        {'simulations': 64, 'max_epochs': 2}
        >>> study("desi", simulation=64)
        Traceback (most recent call last):
        ...
        ValueError: desi has no option 'simulation': did you mean 'simulations'?
    """
    command = _command(name)
    choices = resolve_name(command.options)
    places = _places(choices)
    document = _defaults(choices)
    for option, value in options.items():
        if option not in places:
            wrong = _nearest(option, list(places))
            raise ValueError(f"{command.name} has no option {wrong}")
        _put(document, places[option], _plain(option, value))
    chosen = from_document(choices, document)
    return Study(command.name, command.summary, chosen, command.answer)


def _command(name: str) -> StudyCommand:
    known = {
        each: command
        for each, command in installed_commands().items()
        if isinstance(command, StudyCommand)
    }
    found = known.get(name.replace("_", "-"))
    if found is None:
        raise ValueError(f"there is no study {_nearest(name, sorted(known))}")
    return found


def _nearest(name: str, known: Sequence[str]) -> str:
    """Returns a name that is unknown, and what may have been meant."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
    return f"{shortened(name)}: {remedy}"


def _places(choices: type) -> dict[str, Place]:
    """Returns where each option is, by its name in Python."""
    return {name.replace(".", "_"): place for place, name in names(choices).items()}


def _defaults(choices: type) -> JSON:
    """Returns the options that have a default as plain JSON."""
    found: JSON = {}
    for field in fields(choices):
        if field.default is not MISSING:
            found[field.name] = describe(field.default)
        elif field.default_factory is not MISSING:
            found[field.name] = describe(field.default_factory())
    return found


def _values(document: JSON, choices: type) -> dict[str, Any]:
    """Returns the values in plain JSON of options by their names; None where there is none."""
    found = {}
    for name, place in _places(choices).items():
        value: Any = document
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        found[name] = value
    return found


def _put(document: JSON, place: Place, value: Any) -> None:
    for name in place[:-1]:
        document = document[name]
    document[place[-1]] = value


def _plain(name: str, value: Any) -> Any:
    """Returns a value as plain JSON; numpy's numbers and arrays are Python's."""
    if hasattr(value, "unit"):
        raise ValueError(
            f"{name} is {value}: give its number alone, in the unit that the help says"
        )
    return describe(value.tolist() if hasattr(value, "tolist") else value)


def _words(name: str, value: Any) -> list[str]:
    """Returns an option as words of a command line."""
    if isinstance(value, bool):
        return [f"--{name}" if value else _negated(name)]
    values = value if isinstance(value, list) else [value]
    words = [*map(str, values)]
    # After a space it would be an option of its own.
    if len(words) == 1 and words[0].startswith("-") and isinstance(values[0], str):
        return [f"--{name}={words[0]}"]
    return [f"--{name}", *words]


def _negated(name: str) -> str:
    above, dot, last = name.rpartition(".")
    return f"--{above}{dot}no-{last}"
