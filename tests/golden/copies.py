"""Copies of the code that tests change, and Python started in them.

Started as a program, this file imports the libraries once, and then starts Python in a
copy as often as it is asked to, each time in a fork of its own: what takes seconds is
there already, and nothing of ours.
"""

import gc
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

# What our modules import, or nearly: those that take longest.
LIBRARIES = (
    *("numpy", "scipy.stats", "scipy.interpolate", "scipy.spatial"),
    *("torch", "torch.nn", "pyarrow.parquet", "astropy.table", "astropy_healpix"),
    *("colossus.cosmology.cosmology", "sbi.inference", "lightning", "optuna"),
    "torch._inductor.compile_fx",
)


class ForkServer:
    """A process in which the libraries are imported, and which forks for each program."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, root: Path, code: str) -> subprocess.CompletedProcess:
        """Returns how a program ended that finds our packages below a folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(root), code]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(code, *answer)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


@dataclass(frozen=True)
class Copy:
    """A copy of the code, with Python started in it.

    Arguments:
        root: Its folder.
        server: Starts Python.
        memory: The file of what copies have read of modules: see `memory`.
    """

    root: Path
    server: ForkServer
    memory: Path

    def file(self, module: str) -> Path:
        return self.root / "platform" / Path(*module.split(".")).with_suffix(".py")

    def edit(self, module: str, pattern: str, replacement: str) -> None:
        """Replaces the only place in a module that matches a pattern."""
        text, count = re.subn(
            pattern, replacement, self.file(module).read_text(), flags=re.MULTILINE
        )
        assert count == 1, f"{count} places of {module} match {pattern}"
        self.file(module).write_text(text)

    def golden(self, *words: str) -> subprocess.CompletedProcess:
        """Returns how `python -m tests.golden` ends in the copy."""
        # without a compiler nothing waits for it, and the numbers must agree all the same
        is_compiled = not self._has_other_steps()
        compiler = "" if is_compiled else "os.environ['CXX'] = '/no/compiler'\n"
        return self.server.run(
            self.root,
            f"sys.argv = ['golden', *{words!r}]\n{compiler}"
            "from tests.golden import memory\n"
            f"with memory.kept_in({str(self.memory)!r}):\n"
            "    runpy.run_module('tests.golden', run_name='__main__')",
        )

    def _has_other_steps(self) -> bool:
        """Returns whether the step of the orbits would have to be compiled for this copy."""
        # here, since the program that this file is imports nothing of ours
        from mwlmc.model.step_libraries import SOURCES

        from . import syntax

        names = [f"mwlmc.model.{name}" for name in SOURCES]
        return any(self.file(n).read_text() != syntax.source(n) for n in names)

    @property
    def lock(self) -> list[str]:
        return (self.root / "tests" / "golden" / "lock.json").read_text().splitlines()

    def describe(self) -> Any:
        """Returns how the simulator describes itself, in which fingerprints are rooted."""
        done = self.server.run(
            self.root,
            "import json, mwlmc.simulator as simulator\n"
            f"assert simulator.__file__.startswith({str(self.root)!r})\n"
            "print(json.dumps(simulator.Simulator().describe()))",
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def serve() -> None:
    """Starts a program for each line of standard input, and prints how it ended."""
    sys.path.pop(0)  # this folder
    for name in LIBRARIES:
        import_module(name)
    os.fsync = lambda descriptor: None  # as in all tests: no power is cut
    gc.disable()  # forks live for seconds, in which syntax trees only grow
    for line in sys.stdin:
        root, code = json.loads(line)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = os.fork()
            if process == 0:
                _become(root, code, out, err)
            _, status = os.waitpid(process, 0)
            told = [_written(out), _written(err)]
        print(json.dumps([os.waitstatus_to_exitcode(status), *told]), flush=True)


def _become(root: str, code: str, out: IO[str], err: IO[str]) -> None:
    """Runs a program to its end, which is this process's too."""
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.chdir(root)
    sys.path[:0] = [root, f"{root}/platform"]
    ended = 1
    try:
        exec(code, {"os": os, "sys": sys, "runpy": runpy})
        ended = 0
    except SystemExit as end:
        ended = end.code if isinstance(end.code, int) else int(end.code is not None)
        print(end.code or "", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)


def _written(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        serve()
