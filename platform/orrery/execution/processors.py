"""Which kind of processor computes here: it decides the last bits of a record, nothing else."""

import platform
import sys
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


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
