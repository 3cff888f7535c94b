"""The lock: which versions the kept records are of, and what the code was that gave them."""

import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import memory, numbers, places, syntax, values
from .components import COMPONENTS, FOLDER, Component
from .quantities import Record, differences, lost, read, write

PATH = FOLDER / "lock.json"
COMMAND = "python -m tests.golden"


class RefusedError(Exception):
    """What was asked would hide a changed number; the text says what to do."""


@dataclass
class Lock:
    """Versions by component, states by module, and what the code computes with.

    A module's state is its syntax hash. One that several components share is entered once
    all of them give the same numbers. Values of constants, and of fields and parameters
    with defaults, are there by module and name; numbers that functions compute with by
    module and function.
    """

    versions: dict[str, int]
    modules: dict[str, str]
    constants: dict[str, str]
    functions: dict[str, str]

    @classmethod
    @memory.unchanging()
    def today(cls, versions: dict[str, int]) -> "Lock":
        """Returns the lock that knows all of today's code."""
        modules = states()
        return cls(versions, modules, constants(modules), functions(modules))

    @classmethod
    def read(cls) -> "Lock":
        """Returns the lock as it was last entered."""
        return cls(**json.loads(PATH.read_text()))

    def write(self, path: Path = PATH) -> None:
        """Writes the lock, sorted, one line for each version, module, constant and function."""
        text = json.dumps(vars(self), indent=1, sort_keys=True)
        path.write_text(text + "\n")


@memory.unchanging()
def states() -> dict[str, str]:
    """Returns the state of each module that decides a number today."""
    names = {module for component in COMPONENTS for module in component.modules}
    return {name: syntax.hash_of(name) for name in sorted(names)}


def constants(modules: Iterable[str]) -> dict[str, str]:
    """Returns the values of modules' named constants today, by module and name.

    A record cannot show each of them: no recorded number may lie between an old threshold
    and a new one.
    """
    return _by_name(modules, values.constants)


def functions(modules: Iterable[str]) -> dict[str, str]:
    """Returns the numbers that modules' functions compute with, by module and name."""
    return _by_name(modules, values.used)


def _by_name(
    modules: Iterable[str], of: Callable[[str], dict[str, str]]
) -> dict[str, str]:
    decisive = (m for m in modules if m not in syntax.CONSTANTS_OF_MACHINES)
    return {
        f"{module}:{name}": text
        for module, whole in syntax.wholes(decisive)
        for name, text in memory.recall(of.__name__, whole, partial(of, module)).items()
    }


@memory.unchanging()
def changed_values(modules: Set[str], lock: Lock) -> dict[str, str]:
    """Returns which values in modules are not those of the lock, and what became of them."""
    today = Lock.today(lock.versions)
    gone_modules = set(lock.modules) - set(today.modules)
    before = _used(_decisive(lock.functions), modules | gone_modules)
    now = _used(today.functions, modules)
    inlined = _total(now).with_all_of(_total(before))
    kept = _decisive(lock.constants)
    found = _changed_constants(modules, kept, today.constants, inlined)
    # a constant that has changed says it all: functions that use it have other numbers
    return found or _replaced_numbers(before, now, ", ".join(sorted(modules)))


def _decisive(kept: dict[str, str]) -> dict[str, str]:
    """Returns what a lock has of modules that are not named as those of machines since."""
    machines = syntax.CONSTANTS_OF_MACHINES
    return {name: text for name, text in kept.items() if _module(name) not in machines}


def _changed_constants(
    modules: Set[str], kept: dict[str, str], today: dict[str, str], inlined: Set[str]
) -> dict[str, str]:
    """Returns what became of constants whose values have changed, by name.

    One that has moved to another module keeps its name, and is looked for there; one that
    has another name keeps its value; and one that has none any more is used as it was. Of
    one that has fields those do not count that are new where they are declared: they have
    come, as code has, which is for the records to judge.
    """
    gone = {name: value for name, value in kept.items() if name not in today}
    new = {name: value for name, value in today.items() if name not in kept}
    left: dict[str, set[str]] = {}
    for name, value in gone.items():
        left.setdefault(_own_name(name), set()).add(value)
    fields = [(_own_name(n).rpartition(".")[2], value) for n, value in new.items()]
    found = {}
    for name in (name for name in today if _module(name) in modules):
        its = left.get(_own_name(name), set()) if name in new else {kept[name]}
        if not its or _is_among(today[name], its):
            continue
        if not _is_among(values.without(today[name], fields), its):
            found[name] = values.change(sorted(its)[0], today[name])
    for name in (name for name in gone if _module(name) in modules):
        value = values.lookup(name)
        if value is not None and not values.equal(value, gone[name]):
            found[name] = values.change(gone[name], value)
        is_new = value is not None or _is_among(gone[name], new.values())
        if not is_new and values.rounded(gone[name]) not in inlined:
            found[name] = f"{gone[name]} is gone"
    return found or _renamed_with_other_values(modules, gone, new)


def _renamed_with_other_values(
    modules: Set[str], gone: dict[str, str], new: dict[str, str]
) -> dict[str, str]:
    """Returns constants that stand, in one function, class or module, where others stood.

    Their value may be that of something else that was there before: nothing else tells that
    a constant which has another name has another value, too.
    """
    found = {}
    for place in {_place(name) for name in gone if _module(name) in modules}:
        went = {
            name: value
            for name, value in gone.items()
            if _place(name) == place and not _is_among(value, new.values())
        }
        came = [
            value
            for name, value in new.items()
            if _place(name) == place and not _is_among(value, gone.values())
        ]
        if came:
            found |= {
                n: f"{v} is gone, {' '.join(sorted(came))} new" for n, v in went.items()
            }
    return found


def _place(constant: str) -> str:
    """Returns the module, class or function to which a constant belongs."""
    module, _, name = constant.partition(":")
    return f"{module}:{name.rpartition('.')[0]}"


def _is_among(value: str, others: Iterable[str]) -> bool:
    return any(values.equal(value, other) for other in others)


def _replaced_numbers(
    before: dict[str, numbers.Used], now: dict[str, numbers.Used], place: str
) -> dict[str, str]:
    """Returns which numbers have gone from functions, and which have come, by function.

    Both, or none: where numbers only come, or only go, code has come or gone, which is for
    the records to judge. What moves from one function to another is neither, unless each
    goes where another was. A constant that nobody uses any more has gone, too.
    """
    found = {}
    for name in before.keys() & now.keys():
        if text := before[name].exchanged(now[name]):
            found[name] = text
        elif places.changed(before[name].places, now[name].places):
            found[name] = "values have changed places"
    if found:
        return found
    text = _total(before).exchanged(_total(now))
    if unused := _total(before).unused(_total(now)):
        text = text or f"{' '.join(sorted(unused))} is used no more"
    return {place: text} if text else {}


def _total(functions: dict[str, numbers.Used]) -> numbers.Used:
    return sum(functions.values(), numbers.Used.read(""))


def _used(functions: dict[str, str], modules: Set[str]) -> dict[str, numbers.Used]:
    return {
        name: numbers.Used.read(text)
        for name, text in functions.items()
        if _module(name) in modules
    }


def changed(lock: Lock) -> dict[str, str]:
    """Returns how modules differ from the lock, by module: changed, new or gone."""
    today = states()
    found = {name: "is gone" for name in lock.modules if name not in today}
    for name, digits in today.items():
        if lock.modules.get(name) != digits:
            found[name] = "has changed" if name in lock.modules else "is new"
    return found


def revalued(lock: Lock) -> dict[str, str]:
    """Returns how modules compute with other values, whoever defines them, by module."""
    today = Lock.today(lock.versions)
    pairs = [(lock.constants, today.constants), (lock.functions, today.functions)]
    names = {
        name
        for kept, now in pairs
        for name in kept.keys() | now.keys()
        if not values.equal(kept.get(name, ""), now.get(name, ""))
    }
    decisive = {_module(name) for name in names} & set(today.modules)
    return dict.fromkeys(decisive - set(changed(lock)), "computes with other values")


def affected(lock: Lock) -> list[Component]:
    """Returns the components whose modules are not those of the lock.

    A module that is gone leaves a changed one behind, which does not import it any more.
    """
    names = {*changed(lock), *revalued(lock)}
    return [c for c in COMPONENTS if names.intersection(c.modules)]


def complaints(lock: Lock, others: Mapping[str, str] | None = None) -> list[str]:
    """Returns what a lock does not know yet, and what to do about it, line by line.

    Arguments:
        lock: As it was last entered.
        others: How modules differ otherwise than by their code, such as `revalued`.
    """
    found = [text for c in COMPONENTS if (text := _version_complaint(c, lock))]
    modules = {**changed(lock), **(others or {})}
    for module, how in modules.items():
        users = [c.name for c in _users(module)]
        found.append(f"{module} {how}; on it build: {', '.join(users) or 'none'}")
    if modules:
        names = " ".join(c.name for c in COMPONENTS if modules.keys() & {*c.modules})
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
    today, names = states(), {*changed(lock), *revalued(lock)}
    wanted = names.intersection(m for c in components for m in c.modules)
    for component in COMPONENTS:
        if wanted.intersection(component.modules):
            if text := _version_complaint(component, lock):
                raise RefusedError(text)
            check(component)
    _refuse_values(wanted, lock)
    _enter(wanted, today, lock)
    return sorted(wanted)


def _refuse_values(modules: Set[str], lock: Lock) -> None:
    found = changed_values(modules, lock)
    if not found:
        return
    # numbers that are told by no function's name may be any of the modules'
    places = {_module(n) for n in found} if all(":" in n for n in found) else modules
    users = {c.name: c.root for m in sorted(places) for c in _users(m)}
    lines = [f"  {name}: {how}" for name, how in found.items()]
    raise RefusedError(
        "constants have changed, though no recorded number shows it:\n"
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
    kept = {n: v for n, v in lock.functions.items() if _module(n) in others}
    lock.functions = {**kept, **functions(modules)}


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
    names = {*changed(lock), *revalued(lock)}
    wanted = names.intersection(m for c in chosen for m in c.modules)
    records = [(component, _new_record(component, lock)) for component in chosen]
    raised = {c.name for c in chosen if c.version != lock.versions.get(c.name)}
    # which of its components a constant decides, nobody can tell
    unraised = {m for m in wanted if not raised.issuperset(c.name for c in _users(m))}
    _refuse_values(unraised, lock)
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
        _refuse(component, lost(record, read(component.path)))
    return record
