"""Which software decides results: versions of Python and packages, and the commit."""

import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from orrery.identity import JSON

PACKAGES = (
    "orrery", "numpy", "torch", "ray", "sbi", "zuko", "lightning", "pyarrow", "astropy",
)  # fmt: skip


def software() -> JSON:
    """Returns the versions of Python and of the packages that decide results, and the commit."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "commit": _commit(), **packages}


@functools.cache
def version(package: str) -> str | None:
    """Returns the version of an installed package, or None.

    It is looked up once: of what a process has imported it cannot change.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    # Of the checkout that this file lies in, wherever the process was started, by a hook
    # of another repository perhaps, and whoever owns it.
    own = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    command = ["git", "-c", "safe.directory=*", "describe"]
    command += ["--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(
            command,
            cwd=Path(__file__).parent,
            env=own,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
