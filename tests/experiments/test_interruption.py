"""An experiment that is interrupted while it loads ends in a line, and has written nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.py"))
# Sends a signal when the first large library is about to be loaded, and runs a script.
INTERRUPTED = """
import runpy, signal, sys

class Sender:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "torch"):
            sys.meta_path.remove(sender)
            signal.raise_signal(int(sys.argv[2]))

sender = Sender()
sys.meta_path.insert(0, sender)
sys.argv = [sys.argv[1], *sys.argv[1:]]
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_libraries_are_loaded_where_an_interruption_is_told(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    names = {
        getattr(one, "module", None) or name.name
        for one in imports
        for name in one.names
    }
    assert names - sys.stdlib_module_names == {"orrery.termination"}


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)])
def test_an_interruption_of_the_imports_is_told_in_a_line(number, status, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, EXPERIMENTS[2], str(number)]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == status
    assert done.stderr.count("\n") == 1
    assert "the same command continues" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
