"""What a module does, as a hash, and which modules a component builds on."""

import ast
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import memory

PACKAGES = ("orrery", "mwlmc", "halomass")

# Documents, files, processes and words around numbers: no number is decided here.
NO_NUMBERS = {
    "halomass.commands": "names experiments",
    "halomass.observed.column_reports": "says how columns are understood",
    "mwlmc.__main__": "chooses which command runs",
    "mwlmc.observed.binned_reports": "says how columns are understood",
    "mwlmc.commands": "names experiments",
    "mwlmc.observations": "is another name of a command",
    "orrery.__main__": "chooses which command runs",
    "orrery.table_kinds": "chooses who tells of a table",
    "orrery.tables.sealed_text": "compares checksums",
    "orrery.tables.bundled": "finds tables by their names",
    "orrery.tables.outputs": "says where a table may be written",
    "orrery.tables.reports": "says what was found of columns",
    "orrery.cluster_commands": "says whether a cluster will do",
    "orrery.command_line": "makes options of words as they are typed",
    "orrery.completion": "lists options for a shell",
    "orrery.commands": "finds commands by their names",
    "orrery.doctor": "says what a machine has",
    "orrery.execution.counting": "shows totals and means while shards are made",
    "orrery.execution.processors": "names the processor",
    "orrery.execution.simulators": "finds who made a dataset",
    "orrery.exports": "gives draws to other libraries as they are",
    "orrery.failures": "says what went wrong",
    "orrery.figure_commands": "writes figures as files",
    "orrery.inference.versions": "gathers versions for documents",
    "orrery.learning.artefacts": "writes and reads documents and weights as they are",
    "orrery.learning.belongings": "says whether documents fit together",
    "orrery.learning.tensor_files": "writes tensors as they are, and their checksums",
    "orrery.learning.unpacking": "reads what torch has written as it is, or refuses it",
    "orrery.licences": "lists what packages say of themselves",
    "orrery.option_files": "reads options as files have them",
    "orrery.option_types": "refuses what is of another type, and changes no value",
    "orrery.own_files": "says which files are Orrery's",
    "orrery.repair": "has what is damaged made again by who made it",
    "orrery.results.ancestry": "follows fingerprints from a result to what it was made of",
    "orrery.results.binning_sections": "tells what `sweeps` compared",
    "orrery.results.kept_bins": "tells which bins are kept",
    "orrery.results.calibration_sections": "tells what `judging` found",
    "orrery.results.calibration_doubts": "tells what `judging` found",
    "orrery.results.collation.collate": "writes the collated files",
    "orrery.results.collation.curves": "rounds curves of runs to what a page can show",
    "orrery.results.collation.entries": "says what documents say",
    "orrery.results.collation.run_table": "has a row for each run, of values as they are",
    "orrery.results.collation.scalars": "writes values as text and back",
    "orrery.results.collation.site": "writes the collated page",
    "orrery.results.collation.trial_files": "reads trials as they are",
    "orrery.results.console": "prints what a run has found",
    "orrery.results.dashboard.calls": "makes calls of wandb's",
    "orrery.results.dashboard.connection": "asks whether W&B answers",
    "orrery.results.dashboard.contents": "says what a run's copy has, of its document",
    "orrery.results.dashboard.copies": "says whether a copy is whole",
    "orrery.results.dashboard.deliveries": "says what became of copies",
    "orrery.results.dashboard.deposits": "keeps a run's copy until it is sent",
    "orrery.results.dashboard.endings": "says whether a copy has its end",
    "orrery.results.dashboard.mirror": "copies a run's document",
    "orrery.results.dashboard.absences": "says what a copy is without",
    "orrery.results.dashboard.parts": "says whether what belongs to a copy is intact",
    "orrery.results.dashboard.reader": "copies a run while it grows",
    "orrery.results.dashboard.receipts": "asks what a server has of a copy",
    "orrery.results.dashboard.refusals": "says what of a copy was not taken",
    "orrery.results.dashboard.sending": "sends copies that wait, all or one by one",
    "orrery.results.dashboard.stalls": "says whether a server takes nothing any more",
    "orrery.results.dashboard.turns": "lets one process send the copies of a folder",
    "orrery.results.dashboard.sync": "sends copies that are there",
    "orrery.results.dashboard.trial_copies": "copies a trial",
    "orrery.results.dashboard.trials": "has trials of sweeps copied as they end",
    "orrery.results.dashboard.waiting": "finds copies that are to be sent",
    "orrery.results.dashboard.uploader": "sends copies from a process of its own",
    "orrery.results.dashboard.uploads": "says which copies were sent",
    "orrery.results.dataset_sections": "tells what `storage` counted",
    "orrery.results.encoding": "writes a figure's numbers and reads them back, the same",
    "orrery.results.ensemble_sections": "tells what `inference` found",
    "orrery.results.figures.binned": "draws what `judging` computed",
    "orrery.results.figures.checks": "draws what `judging` computed",
    "orrery.results.figures.comparisons": "draws intervals as they are given",
    "orrery.results.figures.maps": "draws stars where they are given",
    "orrery.results.figures.marginals": "draws histograms of draws; chooses the axes' ends",
    "orrery.results.figures.pointing": "says where axes are in a picture",
    "orrery.results.figures.readings": "holds intervals as they were drawn",
    "orrery.results.figures.presentation": "has widths, sizes and fonts",
    "orrery.results.figures.radial": "draws intervals as they are given",
    "orrery.results.figures.regression": "draws what `judging` computed",
    "orrery.results.figures.style": "has colours, sizes and fonts",
    "orrery.results.inventory": "lists the files of a run",
    "orrery.results.answers": "says which ends of intervals are numbers",
    "orrery.results.keys": "names parts and numbers",
    "orrery.results.late_readers": "draws the page of a run that was killed before that",
    "orrery.results.lineage": "says what a run rests on, by its fingerprints",
    "orrery.results.notebook": "reads a run; of a prior's draws as they are 16 and 84 %",
    "orrery.results.notebook_html": "shows what a run's document says",
    "orrery.results.page": "writes a run's page",
    "orrery.results.panels": "holds what figures show; names the epoch of the smallest loss",
    "orrery.results.posterior_sections": "tells what `judging` found",
    "orrery.results.recording": "writes a run's document as it grows",
    "orrery.results.result": "reads a run's document",
    "orrery.results.section_files": "writes tables, figures and draws as they are",
    "orrery.results.sections": "holds parts of a result; shows values to four digits",
    "orrery.results.sweep_sections": "tells what `sweeps` compared",
    "orrery.results.views": "holds what figures show; of a prior the first points",
    "orrery.results.wording": "says words of a document as people write them",
    "orrery.runs": "starts a study and tells what it found",
    "orrery.sentences": "keeps a sentence and the names of its numbers together",
    "orrery.storage.card": "describes a dataset to its readers",
    "orrery.storage.documents": "writes documents as they are, and their checksums",
    "orrery.storage.files": "writes bytes safely",
    "orrery.storage.findings": "says what is wrong with a file",
    "orrery.storage.walking": "goes through folders",
    "orrery.storage.inputs": "hashes the files that a run reads",
    "orrery.storage.lease": "keeps other writers away",
    "orrery.storage.outages": "waits for a store that is away",
    "orrery.storage.parquet": "writes tables as they are, and their checksums",
    "orrery.storage.run": "finds a run's folder",
    "orrery.storage.shard_cache": "keeps copies of shards as they are",
    "orrery.storage.store": "sends and fetches bytes as they are",
    "orrery.storage.work_log": "says how long simulations took",
    "orrery.tables.binary_tables": "reads tables as files have them",
    "orrery.tables.hdf5_rows": "reads rows as files have them",
    "orrery.tables.opening": "opens files as they are",
    "orrery.tables.other_layouts": "names layouts that are not read",
    "orrery.tables.parquet_footer": "refuses files that would break their reader",
    "orrery.tables.reading": "reads tables as files have them",
    "orrery.tables.separate_process": "hands on what another process reads",
    "orrery.tables.text_tables": "reads tables as files have them",
    "orrery.tables.yaml_headers": "refuses headers that would grow without bound",
    "orrery.studies": "makes options of values by their names",
    "orrery.terminal": "tells how far work has come",
    "orrery.versions": "asks which software is installed",
    "orrery.verification": "compares files with checksums",
}

# Modules of which a number may depend, but on none of their own constants.
CONSTANTS_OF_MACHINES = {
    "halomass.catalogues.text_table": "memory, and lines that no catalogue has",
    "halomass.observed.spelling": "which names are one, and what nobody is called",
    "halomass.study.wording": "words on pages",
    "mwlmc.model.step_libraries": "files of a compiled step, and how many stars it takes",
    "mwlmc.study.wording": "words on pages",
    "orrery.execution.actors": "deaths, and looks at what is alive",
    "orrery.execution.certificates": "keys, times of validity, and lengths of tokens",
    "orrery.execution.cluster": "how long a start may take",
    "orrery.execution.local_session": "memory, and lengths of paths",
    "orrery.execution.node_facts": "how much room a cache must have",
    "orrery.execution.nodes": "how long nodes may take to answer",
    "orrery.execution.readiness": "clocks, memory and files of nodes",
    "orrery.execution.record_checks": "which numbers the type of a column can hold",
    "orrery.execution.same_code": "how many files a message names",
    "orrery.execution.tokens": "modes of files",
    "orrery.learning.trainer": "after how many epochs a training is kept",
    "orrery.learning.workers": "how often a training is begun again",
    "orrery.storage.journal": "how long a file may take to be seen, and threads",
    "orrery.storage.writing": "how often a manifest is written",
    "orrery.sweeps.tuning": "how often a trial may die",
}


@cache
def platform() -> Path:
    """Returns the folder of the packages that Python finds."""
    spec = find_spec("orrery")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


@memory.once
def path(module: str) -> Path | None:
    """Returns the file of one of our modules; None if there is none of this name."""
    # by text, since it is asked some thousand times
    place = f"{platform()}/{module.replace('.', '/')}"
    for found in (f"{place}.py", f"{place}/__init__.py"):
        if os.path.isfile(found):
            return Path(found)
    return None


@memory.once
def source(module: str) -> str:
    """Returns a module's text.

    Raises:
        FileNotFoundError: If there is no such module.
    """
    found = path(module)
    if found is None:
        raise FileNotFoundError(
            f"no module {module} in {platform()}: correct its name in tests/golden/components.py"
        )
    return found.read_text()


@memory.once
def hash_of(module: str) -> str:
    """Returns the syntax hash of a module."""
    return _syntax(source(module)).digits


@dataclass(frozen=True)
class Syntax:
    """What a module's text says: all that is asked of it, since reading it takes longest.

    Arguments:
        digits: Its syntax hash.
        imports: Our modules that it imports, each with what it imports from it, if anything.
    """

    digits: str
    imports: tuple[tuple[str, str], ...]


def _syntax(text: str) -> Syntax:
    digits, imports = memory.recall("syntax", text, lambda: _read(text))
    return Syntax(digits, tuple((name, inside) for name, inside in imports))


# by text, not by name: a test changes modules, and most of them stay as they are
@cache
def _read(text: str) -> list[Any]:
    module = _tree(text)
    return [syntax_hash(module), _imports(module)]


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def tree(module: str) -> ast.Module:
    """Returns the syntax of a module."""
    return _tree(source(module))


@memory.unchanging()
def wholes(modules: Iterable[str]) -> list[tuple[str, str]]:
    """Returns modules, each with a text that says what it is and what all its imports are.

    Whatever its names stand for is decided there: packages are a docstring alone.
    """
    return [(module, _whole(module)) for module in modules]


@memory.once
def _whole(module: str) -> str:
    found, waiting = {module}, [module]
    while waiting:
        new = set(_imported_files(waiting.pop())) - found
        found |= new
        waiting += new
    return " ".join((module, *(f"{name} {_digest(name)}" for name in sorted(found))))


@memory.once
def _imported_files(module: str) -> tuple[str, ...]:
    return tuple(name for name in _imported(module) if path(name))


@memory.once
def _digest(module: str) -> str:
    return hashlib.sha256(source(module).encode()).hexdigest()


def syntax_hash(module: ast.Module) -> str:
    """Returns 16 hexadecimal digits of what a module does: no comment, docstring or layout."""
    text = json.dumps(_plain(module), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """Returns syntax as JSON; what is empty goes, because Pythons differ in what they list."""
    if isinstance(node, ast.AST):
        fields = {}
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name != "kind":
                fields[name] = _plain(_body(value) if name == "body" else value)
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return repr(node)


def _body(statements: Any) -> Any:
    if not isinstance(statements, list):  # a lambda's
        return statements
    first = statements[0]
    return statements[1:] if is_docstring(first) else statements


def is_docstring(node: Any) -> bool:
    """Returns whether a statement is a text alone."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def version(module: str) -> int:
    """Returns the VERSION that a module declares.

    Raises:
        ValueError: If there is none, or it is no positive integer.
    """
    text = source(module)
    found: int = memory.recall("version", text, lambda: _version(_tree(text)))
    if found:
        return found
    raise ValueError(f"{module} declares no version: write VERSION = 1 in it")


def _version(module: ast.Module) -> int:
    for node in module.body:
        match node:
            case ast.Assign([ast.Name("VERSION")], ast.Constant(int(found))):
                return max(found, 0)  # which is none
    return 0


@memory.once
def modules(root: str, others: frozenset[str]) -> tuple[str, ...]:
    """Returns the modules that decide a component's numbers, sorted by name.

    Arguments:
        root: The module that declares its version.
        others: Modules of other versions, where the search ends: a component's
            fingerprint holds the versions of those that it builds on.
    """
    found, waiting = {root}, [root]
    while waiting:
        for name in _imported(waiting.pop()):
            if name not in found and name not in others and name not in NO_NUMBERS:
                found.add(name)
                waiting.append(name)
    return tuple(sorted(found))


@memory.once
def _imported(module: str) -> tuple[str, ...]:
    return tuple(
        # what stands after `import` may be a module, or something that one declares
        f"{name}.{inside}" if inside and path(f"{name}.{inside}") else name
        for name, inside in _syntax(source(module)).imports
    )


def _imports(module: ast.Module) -> tuple[tuple[str, str], ...]:
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found += [(a.name, "") for a in node.names if is_ours(a.name)]
        elif isinstance(node, ast.ImportFrom) and node.module and is_ours(node.module):
            found += [(node.module, alias.name) for alias in node.names]
    return tuple(found)


def is_ours(module: str) -> bool:
    """Returns whether a module is one of our packages'."""
    return module.partition(".")[0] in PACKAGES
