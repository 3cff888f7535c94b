"""Enters code that gives the same numbers, and makes records of code that gives others.

python -m tests.golden                  says what the lock does not know yet
python -m tests.golden same engine      enters changed modules, if the numbers are the record's
python -m tests.golden same             does that for everything that has changed
python -m tests.golden remake engine    makes the record of a raised VERSION
"""

import argparse
import sys

from . import memory
from .components import NAMES, Component, named
from .lock import Lock, RefusedError, affected, complaints, remake, revalued, same


@memory.unchanging()
def main() -> str | None:
    """Does what the command line says; returns why not, if something is refused."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=("same", "remake"))
    parser.add_argument("components", nargs="*", metavar="component", help=str(NAMES))
    chosen = parser.parse_args()
    try:
        components = named(chosen.components)
        if chosen.action == "same":
            return _same(components)
        if chosen.action == "remake":
            return _remake(components)
    except (RefusedError, ValueError) as error:
        return str(error)
    lock = Lock.read()
    return "\n".join(complaints(lock, revalued(lock))) or None


def _same(components: list[Component]) -> None:
    lock = Lock.read()
    before = lock.constants
    entered = same(components or affected(lock), lock)
    lock.write()
    print(f"the numbers are the same; entered: {', '.join(entered) or 'nothing'}")
    for name in before.keys() - lock.constants.keys():
        print(f"no longer there: {name} = {before[name]}")


def _remake(components: list[Component]) -> str | None:
    if not components:
        return (
            f"name the components whose records shall be made anew: {', '.join(NAMES)}"
        )
    lock = Lock.read()
    remake(components, lock)
    lock.write()
    print(
        f"made anew: {', '.join(c.name for c in components)}; commit records and lock"
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
