"""The lock: which versions the kept records are of, and what the code was that gave them."""

import json
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from . import numbers, syntax
from .components import COMPONENTS, FOLDER, Component
from .quantities import Record, differences, read, write

PATH = FOLDER / "lock.json"
COMMAND = "python -m tests.golden"


class RefusedError(Exception):
    """What was asked would hide a changed number; the text says what to do."""


@dataclass
class Lock:
    """Versions by component, states by module, and named constants: one line each.

    A module's state is its syntax hash, and all numbers that are written in it. One that
    several components share is entered once all of them give the same numbers. Constants,
    and fields and parameters with defaults, are there by module and name.
    """

    versions: dict[str, int]
    modules: dict[str, str]
    constants: dict[str, str]

    @classmethod
    def read(cls) -> "Lock":
        """Returns the lock as it was last entered."""
        return cls(**json.loads(PATH.read_text()))

    def write(self, path: Path = PATH) -> None:
        """Writes the lock, sorted, one line for each version, module and constant."""
        parts = {
            "versions": self.versions,
            "modules": self.modules,
            "constants": self.constants,
        }
        path.write_text(json.dumps(parts, indent=1, sort_keys=True) + "\n")


def states() -> dict[str, str]:
    """Returns the state of each module that decides a number today."""
    names = {module for component in COMPONENTS for module in component.modules}
    return {
        n: f"{syntax.hash_of(n)} {syntax.written(n)}".rstrip() for n in sorted(names)
    }


def constants(modules: Iterable[str]) -> dict[str, str]:
    """Returns the named constants of modules today, by module and name."""
    return {
        f"{module}:{name}": value
        for module in modules
        for name, value in syntax.constants(module).items()
    }


def changed_constants(modules: Set[str], lock: Lock) -> dict[str, str]:
    """Returns what became of constants whose values are not those of the lock, by name.

    One that has moved to another module keeps its name, and is looked for there; one that
    has another name keeps its value.
    """
    today = constants(states())
    gone = {n: value for n, value in lock.constants.items() if n not in today}
    new = {n: value for n, value in today.items() if n not in lock.constants}
    left: dict[str, set[str]] = {}
    for name, value in gone.items():
        left.setdefault(_own_name(name), set()).add(value)
    found = {}
    for name in (name for name in today if _module(name) in modules):
        kept = lock.constants.get(name)
        before = left.get(_own_name(name), set()) if kept is None else {kept}
        if before and today[name] not in before:
            found[name] = f"{' or '.join(sorted(before))} has become {today[name]}"
    for name in (name for name in gone if _module(name) in modules):
        value = _became(name)
        is_field = "." in _own_name(name)
        if value is None and not is_field and gone[name] not in new.values():
            found[name] = f"{gone[name]} is gone"
        elif value not in (None, gone[name]):
            found[name] = f"{gone[name]} has become {value}"
    return found


def _became(constant: str) -> str | None:
    """Returns what a name stands for that has no number any more; None if it is gone.

    It may be another expression, or come from a module of which no number is expected.
    """
    module = _module(constant)
    value = syntax.bound(module, _own_name(constant))
    if value is not None and value.isidentifier():
        return syntax.bound(module, value) or value
    return value


def replaced_numbers(modules: Set[str], lock: Lock) -> tuple[str, str]:
    """Returns which numbers have gone from modules, and which have come; both or none.

    What moves from one of them to another is neither. Where numbers only come, or only go,
    code has come or gone, which is for the records to judge.
    """
    now = states()
    gone_modules = set(lock.modules) - set(now)
    before = _numbers(lock.modules.get(name, "") for name in modules | gone_modules)
    today = _numbers(now[name] for name in modules)
    gone, new = before - today, today - before
    return (numbers.told(gone), numbers.told(new)) if gone and new else ("", "")


def _numbers(states: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for state in states:
        found += numbers.read(state.partition(" ")[2])
    return found


def changed(lock: Lock) -> dict[str, str]:
    """Returns how modules differ from the lock, by module: changed, new or gone."""
    today = states()
    found = {name: "is gone" for name in lock.modules if name not in today}
    for name, digits in today.items():
        if lock.modules.get(name) != digits:
            found[name] = "has changed" if name in lock.modules else "is new"
    return found


def affected(lock: Lock) -> list[Component]:
    """Returns the components whose modules are not those of the lock.

    A module that is gone leaves a changed one behind, which does not import it any more.
    """
    names = set(changed(lock))
    return [c for c in COMPONENTS if names.intersection(c.modules)]


def complaints(lock: Lock) -> list[str]:
    """Returns what a lock does not know yet, and what to do about it, line by line."""
    found = [text for c in COMPONENTS if (text := _version_complaint(c, lock))]
    modules = changed(lock)
    for module, how in modules.items():
        users = [c.name for c in _users(module)]
        found.append(f"{module} {how}; on it build: {', '.join(users) or 'none'}")
    if modules:
        names = " ".join(c.name for c in affected(lock))
        found.append(
            f"If no number changes, `{COMMAND} same {names}` enters that, after a comparison "
            "with the records. If numbers shall change, raise VERSION beside each component whose "
            f"numbers do, and `{COMMAND} remake` those components"
        )
    return found


def _version_complaint(component: Component, lock: Lock) -> str | None:
    kept = lock.versions.get(component.name)
    if component.version == kept:
        return None
    return (
        f"VERSION {component.version} of {component.name} ({component.root}) is not that of its "
        f"record, {kept}: `{COMMAND} remake {component.name}`, if the numbers are meant"
    )


def check(component: Component) -> None:
    """Compares today's numbers of a component with its record, up to the first that differ.

    Raises:
        RefusedError: If they differ; it names the quantities and says what to do.
    """
    kept = read(component.path)
    for part in component.parts():
        known = {name: kept.pop(name) for name in part if name in kept}
        _refuse(component, differences(part, known))
    _refuse(component, differences({}, kept))


def _refuse(component: Component, found: dict[str, str]) -> None:
    if found:
        lines = [f"  {name}: {text}" for name, text in found.items()]
        raise RefusedError(
            f"the numbers of {component.name} have changed:\n" + "\n".join(lines) + "\n"
            f"Find out why. If they shall change, raise VERSION in {component.root} and "
            f"`{COMMAND} remake {component.name}`"
        )


def same(components: Iterable[Component], lock: Lock) -> list[str]:
    """Enters the states of modules that have changed, and returns their names.

    Arguments:
        components: Whose modules; components that share one of them are checked too.
        lock: Is brought up to date, not written.

    Raises:
        RefusedError: If a version was raised, or today's numbers are not the record's.
    """
    today, names = states(), set(changed(lock))
    wanted = names.intersection(m for c in components for m in c.modules)
    for component in COMPONENTS:
        if wanted.intersection(component.modules):
            if text := _version_complaint(component, lock):
                raise RefusedError(text)
            check(component)
    _refuse_constants(wanted, lock)
    _enter(wanted, today, lock)
    return sorted(wanted)


def _refuse_constants(modules: Set[str], lock: Lock) -> None:
    found = changed_constants(modules, lock)
    if found:
        lines = [f"  {name}: {how}" for name, how in found.items()]
        _refuse_unseen("constants have changed", lines, {_module(n) for n in found})
    gone, new = replaced_numbers(modules, lock)
    if new:
        lines = [f"  of {', '.join(sorted(modules))}: {gone} gone, {new} new"]
        _refuse_unseen("written numbers have been replaced", lines, modules)


def _refuse_unseen(what: str, lines: list[str], modules: Set[str]) -> None:
    users = {c.name: c.root for m in modules for c in _users(m)}
    raise RefusedError(
        f"{what}, though no recorded number shows it:\n"
        + "\n".join(lines)
        + f"\nRaise VERSION in {', '.join(users.values())}, whose numbers they may decide, and "
        f"`{COMMAND} remake {' '.join(users)}`; where they decide none, name their module in "
        "CONSTANTS_OF_MACHINES of tests/golden/syntax.py"
    )


def _users(module: str) -> list[Component]:
    return [c for c in COMPONENTS if module in c.modules]


def _enter(modules: Set[str], today: dict[str, str], lock: Lock) -> None:
    lock.modules.update({name: today[name] for name in modules})
    # what is gone has no numbers to compare: those who imported it were compared
    for gone in set(lock.modules) - set(today):
        del lock.modules[gone]
    others = lock.modules.keys() - modules
    kept = {n: v for n, v in lock.constants.items() if _module(n) in others}
    lock.constants = {**kept, **constants(modules)}


def _module(constant: str) -> str:
    return constant.partition(":")[0]


def _own_name(constant: str) -> str:
    return constant.partition(":")[2]


def remake(components: Iterable[Component], lock: Lock) -> None:
    """Makes records anew, and enters versions and states.

    Arguments:
        components: Whose records. Others that share a changed module are checked.
        lock: Is brought up to date, not written; the records are.

    Raises:
        RefusedError: If a component's numbers differ and its version was not raised.
    """
    chosen = list(components)
    today = states()
    wanted = set(changed(lock)).intersection(m for c in chosen for m in c.modules)
    records = [(component, _new_record(component, lock)) for component in chosen]
    raised = {c.name for c in chosen if c.version != lock.versions.get(c.name)}
    # which of its components a constant decides, nobody can tell
    unraised = {m for m in wanted if not raised.issuperset(c.name for c in _users(m))}
    _refuse_constants(unraised, lock)
    for component in COMPONENTS:
        if component not in chosen and wanted.intersection(component.modules):
            check(component)
    for component, record in records:
        write(record, component.path)
        lock.versions[component.name] = component.version
    _enter(wanted, today, lock)


def _new_record(component: Component, lock: Lock) -> Record:
    kept = lock.versions.get(component.name, 0)
    if component.version < kept:
        raise RefusedError(
            f"VERSION {component.version} of {component.name} is below {kept}, which its record "
            "has: versions only rise"
        )
    record = component.record()
    if component.version == kept:
        # quantities may come and go without a new version, but none may change
        before = {n: v for n, v in read(component.path).items() if n in record}
        _refuse(component, differences({n: record[n] for n in before}, before))
    return record
