"""Every session of tests is sealed: nothing else on the machine decides how it ends.

What this file imports is imported outside: only pytest and the standard library.
"""

import contextlib
import gc
import importlib.util
import io
import json
import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Beginnings of the names of variables that stay: programs are found by them, and sessions
# of tests and those who start them are told. Whatever else a machine or its user has set
# steers something that we use, or will.
OWN = (
    *("PATH", "LD_LIBRARY_PATH", "LANG", "USER", "LOGNAME", "SHELL", "PWD"),
    *("PIP_", "COV", "PYTEST_CURRENT_TEST", "PYTEST_XDIST", "OMP_NUM_THREADS"),
    *("VIRTUAL_ENV", "ORRERY_SHARED", "WHEELHOUSE"),
)
FORGOTTEN = (
    "ORRERY_FORGOTTEN_PATHS"  # where workers of xdist shall find no packages either
)
LONGEST = 20  # characters: Ray's sockets lie far below, and their paths end at 107


def seal():
    """Seals the session and returns its folder."""
    folder = Path(tempfile.mkdtemp(prefix="orrery-", dir=short_temporary_folder()))
    users = users_packages()
    forget(users)
    for name in [name for name in os.environ if not name.startswith(OWN)]:
        del os.environ[name]
    os.environ.update(sealed(folder))
    os.environ[FORGOTTEN] = os.pathsep.join(users)
    tempfile.tempdir = None  # found anew, inside
    keep_kernels(folder / "cache" / "orrery")
    return folder


def users_packages():
    """Returns where a user's own packages are, which may have the names of others."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    users = {Path(place).resolve() for place in places if place}
    pythons = {Path(place).resolve() for place in sysconfig.get_paths().values()}
    pythons.add(Path(sysconfig.get_path("stdlib"), "lib-dynload").resolve())
    return [str(p) for p in users - pythons if not p.is_relative_to(ROOT)]


def forget(places):
    """Lets Python find no packages in places."""
    sys.path[:] = [
        place for place in sys.path if str(Path(place).resolve()) not in places
    ]


def short_temporary_folder():
    """Returns the user's temporary folder, where Ray's sockets could lie in it.

    Nor do compilers bear spaces in a path.
    """
    given = tempfile.gettempdir()
    return given if len(given) <= LONGEST and " " not in given else "/tmp"


def sealed(folder):
    """Returns the environment of the session, after making its folders."""
    places = {"HOME": "home", "TMPDIR": "t", "XDG_CACHE_HOME": "cache"}
    made = {variable: folder / name for variable, name in places.items()}
    for place in made.values():
        place.mkdir()
    return {
        **{variable: str(place) for variable, place in made.items()},
        **{"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "RAY_USAGE_STATS_ENABLED": "0"},
    }


def keep_kernels(place):
    """Lets all workers, and the next session, find the kernels that one has compiled.

    They are named by a hash of what they were compiled from: an old one is never taken.
    """
    kept = ROOT / ".pytest_cache" / "orrery"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        place.symlink_to(kept)
    except OSError:
        place.mkdir()  # a checkout that cannot be written to: compiled once a session


# A killed process leaves what it wrote without it, and no test cuts the power: a disk takes
# longer for it than many tests for all else.
os.fsync = lambda descriptor: None
# Whatever a script starts in the background ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Now, since other conftests import libraries, which read their settings only once. The
# workers of xdist are born inside, but find packages where their parent did at its start.
SEALED = None
if "PYTEST_XDIST_WORKER" in os.environ and FORGOTTEN in os.environ:
    forget(os.environ[FORGOTTEN].split(os.pathsep))
else:
    SEALED = seal()

# After the sealing, since it finds its folders when it is imported. No deadlines: machines
# are shared. The same examples each time: a failure is a failure for all.
from hypothesis import settings  # noqa: E402

settings.register_profile("orrery", deadline=None, derandomize=True, database=None)
settings.load_profile("orrery")

# What imports and collection make lives as long as the session: to look through it for
# garbage, again and again, took a sixth of their time.
gc.disable()


def pytest_collection_finish():
    """Looks for garbage among what the tests make, from now on."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(700, 10, 100)  # seldom among what has lived for long: it is large


def pytest_collection_modifyitems(config, items):
    """Puts files with slow tests first, experiments before all: workers end together.

    Before these the compiled step, which one worker builds: tests of the simulations, which
    would wait for it, are not begun with. Another worker does all that shares a Ray session.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    of_experiments = Path(__file__).parent / "experiments"
    for path in slow:
        if Path(__file__).parent / "mwlmc" in path.parents:
            slow[path] = 1

    def rank(item):
        late = item.path.name != "test_compiled_step.py"
        alone = "connected" not in item.fixturenames
        return late, alone, of_experiments not in item.path.parents, -slow[item.path]

    items.sort(key=rank)
    is_shared_out = config.getoption("loadgroup", False)
    for item in items:
        if is_shared_out and "connected" in item.fixturenames:
            # not by xdist's mark: it renames the test where pytest 9.2 no longer looks
            item._id = type(item.id).parse(f"{item.nodeid}@ray")


OF_THE_LOCK = [
    f"tests/golden/test_{name}.py" for name in ("changes", "lock", "numbers")
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Gives workers one file after the other, and one of them all that shares Ray."""
    from xdist.scheduler import LoadGroupScheduling

    class FilesAndGroups(LoadGroupScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid).partition("::")[0]
            # what the lock needs of all modules takes seconds, and is kept in a process
            return "the lock" if file in OF_THE_LOCK else file

    return FilesAndGroups(config, log)


def pytest_terminal_summary(terminalreporter):
    """Says in one line for each reason how many tests were skipped."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(report.longrepr[2] for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(
            f"{count} skipped: {reason.removeprefix('Skipped: ')}"
        )


def pytest_unconfigure():
    if SEALED is not None:
        shutil.rmtree(SEALED, ignore_errors=True)


@pytest.fixture(scope="session")
def shared():
    """The folder with star tables that are too large or not ours to keep in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("ORRERY_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip("star tables not at hand: set ORRERY_SHARED to a folder with data/")
    return folder


@pytest.fixture(scope="session")
def load_script():
    """Returns a script of the tests, named by its path below this folder, as a module."""

    def load(name):
        place = Path(__file__).parent / f"{name}.py"
        spec = importlib.util.spec_from_file_location(place.stem, place)
        module = importlib.util.module_from_spec(spec)
        sys.modules[place.stem] = module  # where dataclasses, and others, look for it
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(place.parent)  # where it finds its neighbours
            spec.loader.exec_module(module)
        return module

    return load


# The Ray session that this process's tests share, from the first that asks for it.
SESSION = contextlib.ExitStack()


def pytest_runtest_setup(item):
    """Ends the session before a test that does not ask for it: work finds Ray by itself."""
    if "connected" not in item.fixturenames:
        SESSION.close()


def pytest_sessionfinish():
    SESSION.close()


@pytest.fixture(scope="session")
def page_numbers(load_script):
    """The module that compares the numbers of a page with its document."""
    load_script("experiments/page_parts")  # which it imports
    return load_script("experiments/page_numbers")


@pytest.fixture
def connected():
    """The number of CPUs of the shared Ray session."""
    from orrery.execution import cluster

    if not cluster.connected():
        SESSION.enter_context(cluster.connect())
    return cluster.cpus()


def command_line(experiment, options, place):
    folders = (
        ("--datasets", place / "datasets", "--reports", place / "runs") if place else ()
    )
    return [str(word) for word in (experiment, *options, *folders)]


@pytest.fixture(scope="session")
def run(load_script):
    """Runs an experiment as a user does, from the repository's root, but in this process.

    Libraries are imported once, and the compiled engine serves one run after the other:
    unless a test is `connected`, there is no Ray, whose actors would compile it again.
    `sketched` draws the first of several figures of one kind, and that coarsely: at full
    quality they take longer than everything else at toy size. `variables` are set in the
    environment.
    """
    sketching = load_script("experiments/sketching")

    def start(experiment, *options, place=None, sketched=False, variables=None):
        from orrery.execution import cluster
        from orrery.results import figures

        command = command_line(experiment, options, place)
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", command)
            patch.setenv("WANDB_MODE", "disabled")  # tried in the tests of reports
            # The other CPU has its own tests: a second actor would cost more than it does.
            patch.setenv("ORRERY_CPUS", "1")
            for name, value in (variables or {}).items():
                patch.setenv(name, value)
            patch.chdir(ROOT)
            if not cluster.connected():
                patch.setitem(sys.modules, "ray", None)  # as where it is not installed
            if sketched:
                sketches = sketching.Sketches(figures.draw)
                for name, function in sketches.functions.items():
                    patch.setattr(figures, name, function)
            code = exit_code(command[0])
        return subprocess.CompletedProcess(
            command, code, out.getvalue(), err.getvalue()
        )

    return start


def exit_code(script):
    """Runs a script to its end and returns what its process would have ended with."""
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        return end.code or 0
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@pytest.fixture(scope="session")
def run_alone():
    """Runs an experiment in a process of its own."""

    def start(experiment, *options, place=None):
        return subprocess.run(
            [sys.executable, *command_line(experiment, options, place)],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "WANDB_MODE": "disabled"},
        )

    return start


def in_fork(work, arguments, named):
    sys.modules["ray"] = None  # as where it is not installed
    if "torch" in sys.modules:
        # of the threads that shared its work none has come along
        sys.modules["torch"].set_num_threads(1)
    work(*arguments, **named)


@pytest.fixture(scope="session")
def forked():
    """Starts work in a fork of this process, which finds its libraries imported, but no Ray."""

    def start(work, *arguments, **named):
        fork = multiprocessing.get_context("fork")
        given = (work, arguments, named)
        process = fork.Process(target=in_fork, args=given, daemon=True)
        process.start()
        return process

    return start


@pytest.fixture(scope="session")
def page():
    """Returns the path of the report that an experiment has printed."""

    def found(result):
        assert result.returncode == 0, result.stderr
        return Path(result.stdout.splitlines()[-1])

    return found


@pytest.fixture(scope="session")
def shapes():
    """Returns the name and the number of rows of each table in a report's folder."""

    def counted(folder):
        tables = {p.name: p.read_text().splitlines() for p in folder.glob("*.ecsv")}
        # a line for each row, below comments and the columns' names
        return {
            name: sum(not line.startswith("#") for line in lines) - 1
            for name, lines in tables.items()
        }

    return counted


@pytest.fixture(scope="session")
def metrics():
    """Returns the numbers of a report's folder by their keys."""
    return lambda folder: json.loads((folder / "run.json").read_text())["metrics"]


@pytest.fixture(scope="session")
def check_help(run):
    """Checks that an experiment's help tells of options."""

    def check(experiment, *options):
        result = run(experiment, "--help")
        assert result.returncode == 0
        for option in (*options, "--seed", "--datasets", "--reports"):
            assert option in result.stdout

    return check
