"""One code for one dataset: whoever makes a part of it has the files of who began the work.

Declared versions say which dataset it is. A file that was edited while a campaign runs, a
machine that was set up at another time, or a version that nobody raised, are found only
by comparing what is installed.
"""

import hashlib
import platform
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from orrery.identity import canonical
from orrery.versions import version

DECIDING = ("orrery", "numpy", "torch", "ray")  # whose versions must agree
SHOWN = 5  # differences in a message


@dataclass(frozen=True)
class InstalledCode:
    """What is installed on a machine, as far as it decides records.

    Arguments:
        versions: Of Python and of packages, by name.
        files: The first digits of each Python file's sha256, by package and file.

    Example:
        >>> here = installed_code(("orrery",))
        >>> here.versions["python"].count(".")
        2
        >>> len(here.files["orrery"]["orrery/records.py"])
        12
        >>> check_same_code(here)  # as it is
    """

    versions: dict[str, str | None]
    files: dict[str, dict[str, str]]


def installed_code(packages: tuple[str, ...]) -> InstalledCode:
    """Returns what is installed here; of packages that are not, nothing is said.

    Arguments:
        packages: Those of our own, whose files are looked at.
    """
    versions = {name: version(name) for name in DECIDING}
    files = {name: read_files(name) for name in packages}
    return InstalledCode(
        versions={"python": platform.python_version(), **versions},
        files={name: digits for name, digits in files.items() if digits},
    )


def packages_of(parts: Iterable[object]) -> tuple[str, ...]:
    """Returns the packages of our own, or files of a user, that a work depends on.

    Arguments:
        parts: What takes part in it: objects, and functions, bound to arguments or not.

    Example:
        >>> packages_of([InstalledCode({}, {}), canonical])
        ('orrery',)
    """
    defined = [_module(part).partition(".")[0] for part in parts]
    return tuple(dict.fromkeys(("orrery", *defined)))


@cache
def own_packages() -> tuple[str, ...]:
    """Returns this package and those that are installed with it.

    Example:
        >>> "orrery" in own_packages()
        True
    """
    try:
        listed = distribution("orrery").read_text("top_level.txt")
    except PackageNotFoundError:
        listed = None
    if listed is None:  # it is not installed, but lies on the path
        folder = Path(__file__).parents[2]
        return tuple(sorted(p.parent.name for p in folder.glob("*/__init__.py")))
    return tuple(sorted(listed.split()))


def _module(part: object) -> str:
    if isinstance(part, partial):
        return _module(part.func)
    # An object has it of its class.
    return str(getattr(part, "__module__", "builtins"))


@cache
def read_files(package: str) -> dict[str, str]:
    """Returns the first digits of the sha256 of a package's Python files, by file.

    They are those that this process saw first; none where no such package is installed.
    A module that is one file has that one.
    """
    try:
        spec = find_spec(package)
    except ValueError:
        return {}  # a script, whose classes travel by value
    if spec is None:
        return {}
    if spec.submodule_search_locations is None:
        alone = Path(spec.origin or "")  # "built-in" is the origin of some
        return {alone.name: _digits(alone)} if alone.suffix == ".py" else {}
    folders = map(Path, spec.submodule_search_locations)
    files = [file for folder in folders for file in folder.rglob("*.py")]
    found = {}
    for file in sorted(files):
        # Named from the package on: it lies elsewhere on another machine.
        name = file.as_posix().rpartition(f"/{package}/")[2]
        found[f"{package}/{name}"] = _digits(file)
    return found


def _digits(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def code_digest(package: str) -> str:
    """Returns the first digits of the sha256 of all Python files of a package.

    Example:
        >>> len(code_digest("orrery"))
        12
    """
    files = canonical(read_files(package))
    return hashlib.sha256(files.encode()).hexdigest()[:12]


def check_same_code(began: InstalledCode) -> None:
    """Raises ValueError if what is installed here differs from what began the work.

    Packages that are not installed here have come by value, and agree.

    Arguments:
        began: What is installed where the work began.
    """
    here = installed_code(tuple(began.files))
    wanted: dict[str, str | None] = {**began.versions}
    found: dict[str, str | None] = {**here.versions}
    for package, files in here.files.items():
        wanted.update(began.files[package])
        found.update(files)
    other = [
        f"{name} {found.get(name)} instead of {wanted.get(name)}"
        for name in sorted({*wanted, *found})
        if found.get(name) != wanted.get(name)
    ]
    if other:
        raise ValueError(
            f"{socket.gethostname()} has other code than the process that began the work "
            f"({_shortened(other)}): install the same code on all machines, and generate again; "
            "where it was edited meanwhile, raise VERSION first if its numbers change"
        )


def _shortened(differences: list[str]) -> str:
    more = len(differences) - SHOWN
    shown = ", ".join(differences[:SHOWN])
    return f"{shown}, and {more} more" if more > 0 else shown
