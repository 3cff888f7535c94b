"""The shape of the project: what may stand where, how long functions are, who imports whom."""

import ast
import itertools
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLATFORM, EXPERIMENTS = ROOT / "platform", ROOT / "experiments"
SOURCES = sorted([*PLATFORM.rglob("*.py"), *EXPERIMENTS.rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SCIENCE = sorted(
    path
    for name in ("halomass", "mwlmc")
    for path in (PLATFORM / name).rglob("*.py")
    if "study" not in path.parts and path.name != "commands.py"  # which starts studies
)
SCRIPTS = sorted(EXPERIMENTS.glob("*.py"))
MOST_LINES = 400
MOST_BODY_LINES = 40
MEDIAN_BODY_LINES = 6
MOST_EXPERIMENT_LINES = 60
FEWEST_EXPERIMENT_LINES = 15
WIDE = 90  # characters
MOST_WIDE = 0.04  # of all lines
MOST_PARALLEL = 3  # assignments of several names in 1,000 lines
VAGUE = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "core",
    "base",
    "misc",
    "tools",
    "stuff",
}
# What takes any number of things of one kind: to spread a list of them is no packing.
VARIADIC = {
    *("max", "min", "zip"),  # Python's
    *("new_zeros", "reshape", "view"),  # the axes of an array
    *("Progress", "add_row"),  # rich: columns, cells
    *("add", "read_by"),  # sections of a run, and its readers
    *("_column", "first"),  # the names that a column may have
    *("_check_lengths", "_row", "generator"),  # columns; entries; indices of a stream
}
# Where arguments are passed on in a bundle, and why.
_UNKNOWN_FUNCTION = "it calls a function that it does not know, with what it was given"
_NESTED_TENSORS = "a compiled step's nested arguments cost as much as 5,000 stars"
BUNDLES = {
    ("compiled_step", "of_full_rows"): _UNKNOWN_FUNCTION,
    ("cluster", "_call_checked"): _UNKNOWN_FUNCTION,
    ("cluster", "map_batches"): _UNKNOWN_FUNCTION,
    ("loop", "training_step"): _UNKNOWN_FUNCTION,
    ("loop", "validation_step"): _UNKNOWN_FUNCTION,
    ("orbits", "advance"): _NESTED_TENSORS,
    ("orbits", "begin_step"): _NESTED_TENSORS,
    ("orbits", "evaluate_stage"): _NESTED_TENSORS,
    ("orbits", "finish_step"): _NESTED_TENSORS,
    ("step_building", "forward"): _UNKNOWN_FUNCTION,
    ("step_libraries", "part"): _UNKNOWN_FUNCTION,
}
TOOLS = {
    "ray",
    "lightning",
    "pytorch_lightning",
    "sbi",
    "wandb",
    "matplotlib",
    "corner",
    "optuna",
}


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """Returns the full names of everything a file imports, at its top or inside of functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def functions(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(parse(path)) if isinstance(node, kinds)]


def body_length(function):
    """Returns the number of lines of a function's body, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_body_length_leaves_out_signature_and_docstring():
    source = 'def f(\n    a,\n):\n    """Returns.\n\n    Long.\n    """\n    c = a\n\n    return c'
    assert body_length(ast.parse(source).body[0]) == 3
    assert body_length(ast.parse('def f():\n    """Says."""').body[0]) == 0


def test_platform_does_not_shadow_the_standard_library():
    # With platform/__init__.py, the root on sys.path would answer `import platform`.
    assert not (PLATFORM / "__init__.py").exists()
    assert not (PLATFORM / "clusters" / "__init__.py").exists()


def test_root_is_not_on_the_path():
    # `datasets/` must not answer `import datasets`, nor `experiments/` be importable.
    # `-P` leaves out the current folder, which `python -m pytest` adds.
    code = """
import importlib.util, orrery, platform
assert platform.python_version()
for name in ("datasets", "experiments", "tests"):
    found = importlib.util.find_spec(name)
    print(*(found.submodule_search_locations or []) if found else [], sep="\\n")
"""
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert str(ROOT) not in {
        str(Path(line).parent) for line in done.stdout.splitlines() if line
    }


def those(paths, wrong):
    """Returns what is wrong with files, by name; nothing of those with nothing wrong."""
    # one test for all: three hundred tests of a rule took longer than the rule
    found = {str(path.relative_to(ROOT)): wrong(path) for path in paths}
    assert found
    return {name: what for name, what in found.items() if what}


def test_file_names_say_what_is_inside():
    def vague(path):
        parts = {
            part
            for name in path.relative_to(ROOT).with_suffix("").parts
            for part in name.split("_")
        }
        return parts & VAGUE

    assert those(SOURCES, vague) == {}, "find the concept's name"


def test_functions_are_short_those_of_tests_too():
    lengths = {
        path: [(function.name, body_length(function)) for function in functions(path)]
        for path in (*SOURCES, *TESTS)
    }
    long = {
        f"{path.relative_to(ROOT)} {name}": length
        for path, found in lengths.items()
        for name, length in found
        if length > MOST_BODY_LINES
    }
    assert long == {}
    of_sources = [length for path in SOURCES for _, length in lengths[path]]
    assert statistics.median(of_sources) <= MEDIAN_BODY_LINES


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_modules_hold_one_concept():
    long = {str(path): len(lines(path)) for path in (*SOURCES, *TESTS)}
    assert {path: count for path, count in long.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_experiment_fits_one_screen(path):
    assert FEWEST_EXPERIMENT_LINES <= len(lines(path)) <= MOST_EXPERIMENT_LINES


def test_width_is_not_used_to_save_lines():
    every = [line for path in SOURCES for line in lines(path)]
    wide = sum(len(line) >= WIDE for line in every)
    assert wide < MOST_WIDE * len(every)
    parallel = sum(
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Tuple)
        for path in SOURCES
        for node in ast.walk(parse(path))
    )
    assert parallel <= MOST_PARALLEL * len(every) / 1000


def own_nodes(function):
    """Returns the nodes of a function, without those of functions inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def bundles(tree):
    """Returns the functions that pack or spread arguments which have names of their own."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    scopes = [node for node in ast.walk(tree) if isinstance(node, kinds | ast.ClassDef)]
    for scope in (tree, *scopes):
        name = getattr(scope, "name", "")
        packed = getattr(scope, "args", None) and scope.args.vararg
        spread = any(
            isinstance(node, ast.Call)
            and any(isinstance(argument, ast.Starred) for argument in node.args)
            and not may_spread(ast.unparse(node.func))
            for node in own_nodes(scope)
        )
        if spread or (packed and name not in VARIADIC):
            yield name


def may_spread(function):
    return function.startswith("np.") or function.rpartition(".")[2] in VARIADIC


def test_arguments_keep_their_names():
    found = {(path.stem, name) for path in SOURCES for name in bundles(parse(path))}
    assert found == set(BUNDLES), "give each argument its name, or say here why not"


@pytest.mark.parametrize(
    ("source", "packs"),
    [
        ("def f(x):\n    return g(*x)", ["f"]),
        ("g(*x, 1)", [""]),
        ("class C:\n    value = g(*x)", ["C"]),
        ("def f(*x):\n    return x", ["f"]),
        ("def f(x):\n    def h():\n        return g(1, *x)\n    return h", ["h"]),
        ("def f(x):\n    return [g(*y) for y in x]", ["f"]),
        ("def f(x):\n    return np.hypot(*x), zip(*x), a.view(*x), [*x], {**x}", []),
        ("def generator(*indices):\n    return generator(0, *indices)", []),
    ],
)
def test_packed_arguments_are_seen(source, packs):
    assert list(bundles(ast.parse(source))) == packs


def test_science_imports_no_tools():
    allowed = (
        "orrery.parameters",
        "orrery.records",
        "orrery.sentences",
        "orrery.identity",
        "orrery.storage.files",
        "orrery.tables",
    )

    def tools(path):
        names = imported(parse(path))
        machinery = {name for name in names if name.split(".")[0] == "orrery"}
        forbidden = {name for name in machinery if not name.startswith(allowed)}
        return forbidden | {name.split(".")[0] for name in names} & TOOLS

    assert those(SCIENCE, tools) == {}


@pytest.mark.parametrize(
    ("tool", "homes"),
    # contracts know whole packages, and only those that somebody imports at all
    [("ray.tune", {"tuning"}), ("corner", {"marginals"}), ("pytorch_lightning", set())],
)
def test_a_tool_is_in_its_file_alone(tool, homes):
    users = {
        path.stem
        for path in SOURCES
        if any(f"{name}.".startswith(f"{tool}.") for name in imported(parse(path)))
    }
    assert users <= homes


def test_nobody_imports_experiments():
    def experiments(path):
        names = imported(parse(path))
        return {name for name in names if name.split(".")[0] == "experiments"}

    assert those(SOURCES, experiments) == {}


def test_files_say_what_they_are():
    silent = those(SOURCES, lambda path: not ast.get_docstring(parse(path)))
    assert silent == {}, "the module's docstring states its principle first"


def test_nothing_is_promised_only():
    marks = ["NotImplemented" + "Error", "TO" + "DO", "FIX" + "ME"]
    found = [
        (str(path.relative_to(ROOT)), mark)
        for path, mark in itertools.product(SOURCES, marks)
        if mark in path.read_text(encoding="utf-8")
    ]
    assert found == []


@pytest.mark.parametrize("name", ["Makefile", "README.md", "pyproject.toml"])
def test_no_merge_is_half_done(name):
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if line.startswith(("<" * 7, ">" * 7))]


def test_files_import_only_lower_layers():
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-cache",
        "--no-logo",
    ]
    environment = {
        "PYTHONPATH": str(PLATFORM),
        "PATH": str(Path(sys.executable).parent),
    }
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_class_shows_its_use():
    def without_example(path):
        classes = [
            node
            for node in parse(path).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ]
        docstrings = {node.name: ast.get_docstring(node) or "" for node in classes}
        return [
            name
            for name, docstring in docstrings.items()
            if ">>> " not in docstring.partition("\nExample:\n")[2]
        ]

    assert those(SOURCES, without_example) == {}


FACADE = PLATFORM / "orrery" / "__init__.py"


def test_nobody_inside_goes_through_the_facade():
    """It leads to every room, and import contracts do not see what it loads when asked."""
    facade = {
        element.value
        for node in parse(FACADE).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
        for element in node.value.elts
    }
    assert facade
    # and who wants a module of ours imports the module itself
    rooms = {"orrery", *(f"orrery.{name}" for name in facade)}
    inside = [path for path in SOURCES if path != FACADE]
    assert those(inside, lambda path: imported(parse(path)) & rooms) == {}
    assert those(inside, looked_for_by_name) == {}


def looked_for_by_name(path):
    """Returns what of ours, and which frameworks, a file imports by a call.

    An optional package may be looked for by its name, but no room of ours, which a
    relative name would be, and no framework: contracts see neither.
    """
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    wanted = {
        ast.literal_eval(call.args[0]).partition(".")[0]
        for call in calls
        if ast.unparse(call.func).rpartition(".")[2] in ("import_module", "__import__")
    }
    return wanted & {"", "orrery", "mwlmc", "halomass", "rich", "jinja2", *TOOLS}
