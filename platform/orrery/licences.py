"""Licences of the packages that the constraints name, as the installed ones tell them.

Known vulnerabilities are in no package: whoever wants to know them asks a server, which
`pip-audit` does.
"""

import importlib.metadata
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNNAMED = "not named"
NOT_INSTALLED = "not installed here"
AUDIT = "pip-audit"
_LONGEST = 60  # characters: some packages put the whole text where its name belongs


@dataclass(frozen=True)
class Licence:
    """The licence of a package.

    Arguments:
        package: Its name.
        version: The version that the constraints name.
        licence: What the installed package says.

    Example:
        >>> Licence("numpy", "2.4.1", "BSD-3-Clause").package
        'numpy'
    """

    package: str
    version: str
    licence: str


def licences(constraints: Path) -> list[Licence]:
    """Returns the licences of all packages of a file of constraints, in its order.

    Arguments:
        constraints: The file, with a line `name==version` for each.

    Raises:
        ValueError: If a line is no exact version.
        OSError: If it cannot be read.
    """
    found = []
    for number, line in enumerate(constraints.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, version = line.partition("==")
        if not version:
            raise ValueError(
                f"{constraints}, line {number}: {line!r} is no exact version: write name==version"
            )
        found.append(Licence(name.strip(), version.strip(), _licence(name.strip())))
    return found


def _licence(package: str) -> str:
    try:
        about = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        return NOT_INSTALLED
    # the newest way of telling it first (PEP 639)
    named = about["License-Expression"] or about["License"] or ""
    classified = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    short = " ".join(named.split())
    if not 0 < len(short) <= _LONGEST:
        short = ", ".join(one for one in classified if one != "OSI Approved")
    return re.sub(r"\s+", " ", short) or UNNAMED


def known_vulnerabilities(constraints: Path) -> Sequence[str]:
    """Returns what a server on the network knows of the constraints' versions, line by line.

    Arguments:
        constraints: The file.

    Raises:
        FileNotFoundError: If `pip-audit` is not installed.
        ConnectionError: If it could not ask its server.
    """
    program = shutil.which(AUDIT)
    if program is None:
        raise FileNotFoundError(
            f"{AUDIT} is not installed: `pip install {AUDIT}` where there is a network, which it "
            "needs to ask what is known"
        )
    asked = [program, "--no-deps", "--disable-pip", "--requirement", str(constraints)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    # 1 says that it has found some
    if done.returncode not in (0, 1) or not done.stdout.strip():
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise ConnectionError(
            f"{AUDIT} could not ask what is known ({said[0]}): it needs a network"
        )
    return done.stdout.strip().splitlines()
