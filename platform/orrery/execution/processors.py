"""What computes here: the kind of processor, and what compiles code for it.

It decides the last bits of a record and how fast it is made, nothing else.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_COMPILER_PATIENCE = 10  # [s]


def describe_processor(rounding: str = "") -> str:
    """Returns what decides how sums round here: processor, torch, and what else does.

    Torch is named where it is in use, and is not imported for this.

    Arguments:
        rounding: What else decides it, such as compiled code.

    Example:
        >>> describe_processor("a compiled step").endswith(", a compiled step")
        True
    """
    torch = sys.modules.get("torch")
    parts = [processor_model()]
    if torch is not None:
        # A newer processor may be told to compute like an older one.
        parts.append(torch.backends.cpu.get_cpu_capability())
        parts.append(f"torch {torch.__version__}")
    if rounding:
        parts.append(rounding)
    return ", ".join(parts)


@cache
def processor_model() -> str:
    """Returns the processor's model as the system names it; its family where it does not."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        lines = []  # not Linux
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine() or "unknown processor"


def compiler() -> str | None:
    """Returns the C++ compiler that extends Python here; None without it or Python's headers."""
    found = shutil.which(os.environ.get("CXX", "g++"))
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if found is None or not headers.is_file():
        return None
    try:
        said = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            timeout=_COMPILER_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.partition("\n")[0].strip() or Path(found).name
