"""Reads a file by a process of its own, where a library breaks on some damaged files.

Some write beyond their memory, and what they break there ends the process at any later
moment, or changes what others have in it; some end it at once. A process that does
nothing else takes nobody with it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from orrery.identity import JSON
from orrery.tables.opening import ALLOWANCE, MOST_RATIO, OpenedFile

ReadAlone = Callable[[OpenedFile], tuple[JSON, bytes]]
"""Reads a file: what is said of it as plain JSON, and bytes."""

_LONGEST = 600.0  # [s]: who takes longer goes in circles
_OWN_MEMORY = 4 * 2**30  # bytes of addresses that libraries take without a file
_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; from orrery.tables import separate_process; "
    "from {module} import read_alone; separate_process.write_answer(read_alone, {name!r})"
)


def read_separately(
    module: str, file: OpenedFile, library: str, remedy: str
) -> tuple[dict[str, Any], bytes]:
    """Returns what `read_alone(file)` of a module returns in a process of its own.

    Arguments:
        module: The module's full name, whose function `read_alone` reads a file.
        file: The file.
        library: What reads it, for messages.
        remedy: What helps where it is damaged.

    Raises:
        ValueError: If the function raises anything, with its message; if the process ends
            otherwise, or takes longer than ten minutes.
    """
    program = _PROGRAM.format(path=sys.path, module=module, name=file.name)
    # many threads would take many addresses, of which it has no more than it needs
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=file.content,
            capture_output=True,
            env=alone,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(
            f"{file.name} takes longer than {_LONGEST:.0f} s: {remedy}"
        ) from None
    line, _, content = done.stdout.partition(b"\n")
    # one that broke at its end had broken its memory before
    if done.returncode or not line:
        raise ValueError(
            f"{file.name}: {library} ended with status {done.returncode}: {remedy}"
        )
    said = json.loads(line)
    if "error" in said:
        raise ValueError(said["error"])
    return said["about"], content


def write_answer(read_alone: ReadAlone, name: str) -> None:
    """Writes what is read in the file on standard input to standard output.

    A line of JSON has what is said of it, or the error; the bytes follow.

    Arguments:
        read_alone: The function that reads it.
        name: The file's name.
    """
    file = OpenedFile(name, sys.stdin.buffer.read())
    _limit_memory(len(file.content))
    content = b""
    try:
        about, content = read_alone(file)
        said: dict[str, Any] = {"about": about}
    except Exception as error:  # whatever a library meets in a damaged file
        said = {"error": str(error) or type(error).__name__}
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + content)
    sys.stdout.buffer.flush()


def _limit_memory(size: int) -> None:
    """Has this process take no more memory than a file of this size may become, a few times."""
    with suppress(ImportError, ValueError, OSError):  # where there are no limits
        import resource

        most = _OWN_MEMORY + 4 * (MOST_RATIO * size + ALLOWANCE)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
