"""Options on the command line: the fields of frozen dataclasses, by names that stay short.

A field of a nested dataclass is an option like those of its parent, `--draws`. Where two
have the same name, each is called by the field that holds it, `--ensemble.members`.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

import tyro

from orrery.identity import JSON, is_place
from orrery.option_files import find_options, read_options
from orrery.option_types import check_types, check_value, shortened
from orrery.storage.inputs import changes
from orrery.storage.run import ATTEMPT
from orrery.terminal import say

Options = TypeVar("Options")

REPEAT = "--options"
_REPEATED = (
    f"\n\n{REPEAT} run.json, or the folder of a run, begins with the options of that run; "
    "what else is given changes them."
)


def parse(
    choices: type[Options], arguments: Sequence[str], program: str | None = None
) -> Options:
    """Returns the frozen dataclass `choices` with the values given on the command line.

    Arguments:
        choices: A frozen dataclass; the fields of nested ones are options like its own,
            shown in groups. The docstrings become the help text.
        arguments: The command line without the program's name. `--options FILE` begins
            with the options in a `run.json`; FILE may be the folder of a run.
        program: What was called, such as `orrery desi`, whose `--help` a message names;
            the script's name when None.

    Raises:
        SystemExit: With code 2 and a message, if an option is unknown or a value is
            refused.
        ValueError: If the file of options is not one of these choices, or a number is
            not finite.
        OSError: If it cannot be read.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     draws: int = 100
        >>> parse(Choices, ["--draws", "7"]).draws
        7
    """
    rest, files = _repeated(arguments)
    if len(files) > 1 or "" in files:
        raise ValueError(
            f"{REPEAT} needs one file, such as run.json, or the folder of a run: {files} "
            "were given"
        )
    named = _named(choices, names(choices))
    file = find_options(Path(files[-1])) if files else None
    repeated = read(choices, file) if file else None
    default = None if repeated is None else _converted(repeated, named)
    # an example in Python would mislead whoever reads the help of a script
    description = (choices.__doc__ or "").partition("\n\n    Example:")[0] + _REPEATED
    given = {} if default is None else {"default": default}
    found: Any = tyro.cli(
        named, prog=program, args=rest, description=description, **given
    )
    chosen: Options = _original(found)
    check_types(chosen)  # "inf" and "nan" are floats to a parser
    if file:
        _tell_changes(file, repeated, chosen)
        _tell_places(file, chosen)
    return chosen


def _tell_changes(file: Path, repeated: Any, chosen: Any) -> None:
    """Warns of files that are not what the repeated run has read: this is another run."""
    document = read_options(file, whole=True)
    try:
        changed = changes(document["lineage"]["inputs"], repeated, chosen)
    except (KeyError, TypeError):
        return  # a file of nothing but options, or a document that says nothing of files
    for one in changed:
        say(f"warning: {one}; this begins another run")


def _tell_places(file: Path, chosen: Any) -> None:
    """Warns if a run is not where it would be looked for, so that it begins anew."""
    places = _places_kept(chosen)
    attempt = file.resolve().parent
    if not (attempt.name.startswith(ATTEMPT) and places):
        return
    if any(place.resolve() in attempt.parents for place in places):
        return
    looked = " and ".join(str(place) for place in places)
    say(
        f"warning: {file} lies in none of {looked}, as they are found from here: it begins anew "
        "there, unless you start where that run was started, or say where it is kept"
    )


def _places_kept(options: Any) -> list[Path]:
    found = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            found += _places_kept(value)
        elif is_place(field) and isinstance(value, Path):
            found.append(value)
    return found


def _repeated(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the other arguments, and the files after each `--options`."""
    rest, files = [], []
    waiting = iter(arguments)
    for argument in waiting:
        name, _, value = argument.partition("=")
        if name != REPEAT:
            rest.append(argument)
        else:
            files.append(value or next(waiting, ""))
    return rest, files


def read(choices: type[Options], place: Path) -> Options:
    """Returns the options in a `run.json`, or in a file that holds nothing else.

    Arguments:
        choices: Their frozen dataclass.
        place: The file, the folder of an attempt, or that of all attempts of a run,
            whose newest finished one counts.

    Raises:
        ValueError: If they are not those of `choices`; it names file, option and value.
        OSError: If there is no such file, or it cannot be read.
    """
    path = find_options(place)
    chosen = read_options(path)
    try:
        return from_document(choices, chosen)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} does not hold options of {choices.__name__}: {error}"
        ) from error


def from_document(choices: type[Options], document: JSON) -> Options:
    """Returns options from plain JSON that has all of them, and nothing else.

    Raises:
        ValueError: If it has not, or a value is refused; it names option and value.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     draws: int = 100
        >>> from_document(Choices, {"draws": 7}).draws
        7
    """
    _check_whole(choices, document)
    try:
        return restore(choices, document)
    except ValueError as error:  # what pydantic refuses is one too
        raise ValueError(_first(error)) from error


def _check_whole(choices: type, document: JSON, above: str = "") -> None:
    """Raises ValueError where options are another question's, missing or of another type.

    A default in the place of a missing one would make another run in silence.
    """
    given = document.get("type", choices.__name__)
    if given != choices.__name__:
        raise ValueError(
            f"{above or 'they'} are of {shortened(given)}, not {choices.__name__}: give "
            "those of a run of this experiment"
        )
    hints = get_type_hints(choices)
    names = [field.name for field in dataclasses.fields(choices)]
    for name in document:
        if name not in (*names, "type"):
            raise ValueError(
                f"{_below(above, name)} is no option: choose from {', '.join(names)}"
            )
    for name in names:
        if name not in document:
            raise ValueError(
                f"{_below(above, name)} is missing: give it, or all options of a run"
            )
        _check(document[name], hints[name], _below(above, name))


def _check(value: Any, kind: Any, place: str) -> None:
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        check_value(place, value, kind)
    elif not isinstance(value, dict):
        names = ", ".join(field.name for field in dataclasses.fields(kind))
        raise ValueError(
            f"{place} is {shortened(value)}: give an object with its options {names}"
        )
    else:
        _check_whole(kind, value, place)


def _below(above: str, name: str) -> str:
    # a name in a file may be of any length
    name = name if len(name) < 80 else f"{name[:80]}..."
    return f"{above}.{name}" if above else name


def _first(error: Exception) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors()[0]
    said = found["msg"].removeprefix("Value error, ")  # ours, of a `ValueError`
    return f"{'.'.join(map(str, found['loc']))}: {said}"


def restore(choices: type[Options], document: JSON) -> Options:
    """Returns options from the plain JSON that `identity.describe` made of them.

    Raises:
        ValidationError: If a field is unknown or has another type.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     folder: Path = Path("here")
        >>> restore(Choices, {"type": "Choices", "folder": "there"}).folder
        PosixPath('there')
    """
    # a fifth of a second, which only options from a file wait for
    from pydantic import ConfigDict, TypeAdapter, with_config

    strict = with_config(ConfigDict(extra="forbid"))
    return TypeAdapter(strict(choices)).validate_python(_untyped(document))


def _untyped(document: Any) -> Any:
    """Returns a document without the names of types, which the dataclass knows itself."""
    if isinstance(document, dict):
        return {name: _untyped(v) for name, v in document.items() if name != "type"}
    if isinstance(document, list):
        return [_untyped(item) for item in document]
    return document


# --- names -----------------------------------------------------------------------------

Place = tuple[str, ...]


def _places(choices: type, above: Place = ()) -> Iterator[Place]:
    """Returns the places of all options: the fields on the way to each."""
    hints = get_type_hints(choices)
    for field in dataclasses.fields(choices):
        place = (*above, field.name)
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _places(hints[field.name], place)
        else:
            yield place


def names(choices: type) -> dict[Place, str]:
    """Returns the shortest name of each option that no other has, by its place.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     draws: int = 100
        >>> names(Choices)
        {('draws',): 'draws'}
    """
    places = list(_places(choices))
    found: dict[Place, str] = {}
    for shorten in (_leaf, _under_top, _whole):
        count = Counter(map(shorten, places))
        for place in places:
            if place not in found and count[shorten(place)] == 1:
                found[place] = shorten(place)
    return found


def _leaf(place: Place) -> str:
    return place[-1]


def _under_top(place: Place) -> str:
    return f"{place[0]}.{place[-1]}"


def _whole(place: Place) -> str:
    return ".".join(place)


# --- dataclasses whose fields carry these names, for tyro -------------------------------


def _named(choices: Any, called: dict[Place, str], above: Place = ()) -> type:
    """Returns a dataclass like `choices` whose options are called by their short names."""
    hints = get_type_hints(choices)
    annotations: dict[str, Any] = {}
    content: dict[str, Any] = {
        "__annotations__": annotations,
        "__doc__": choices.__doc__,
    }
    for field in dataclasses.fields(choices):
        kind = hints[field.name]
        place = (*above, field.name)
        if dataclasses.is_dataclass(kind):
            kind = _named(kind, called, place)
        else:
            # of several values none may be given: said, instead of an empty default
            has_several = get_origin(kind) is tuple and not _is_required(field)
            hint = _default_hint if has_several else None
            name = tyro.conf.arg(
                name=called[place], prefix_name=False, help_behavior_hint=hint
            )
            kind = Annotated[kind, name]
        annotations[field.name] = kind
        if not _is_required(field):
            content[field.name] = _field(_default(field), kind)
    content["_choices"] = choices
    # a subclass, so that the fields' docstrings are found
    return dataclasses.dataclass(frozen=True)(
        type(choices.__name__, (choices,), content)
    )


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return _default(field) is dataclasses.MISSING


def _default_hint(shown: str) -> str:
    """Returns what the help of an option says of its default, which may be no value at all."""
    return f"(default: {shown or 'none'})"


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _field(default: Any, kind: Any) -> Any:
    return dataclasses.field(default_factory=lambda: _converted(default, kind))


def _converted(value: Any, kind: Any) -> Any:
    """Returns options as the dataclass with short names; other values as they are."""
    if not hasattr(kind, "_choices"):
        return value
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _converted(getattr(value, field.name), hints[field.name])
            for field in dataclasses.fields(kind)
        }
    )


def _original(value: Any) -> Any:
    """Returns options as the dataclass that they were declared as."""
    choices = getattr(type(value), "_choices", None)
    if choices is None:
        return value
    fields = dataclasses.fields(value)
    return choices(**{f.name: _original(getattr(value, f.name)) for f in fields})
