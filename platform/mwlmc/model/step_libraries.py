"""The compiled parts of the step: a library for each, built once for a kind of processor.

A process that finds them loads them in milliseconds; tracing the parts and looking up
what was compiled took it four seconds of its CPU.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from orrery.identity import fingerprint
from orrery.storage.files import checksum, write_atomically

WIDTH = 128  # stars in a row of a compiled step: several vectors of any processor
PARTS = ("begin", "stage", "finish")

# The modules that a step is made of and what builds it: a library is found again only
# where all of them are the same.
SOURCES = (
    "centres",
    "constants",
    "disc_and_bulge",
    "orbits",
    "potentials",
    "step_building",
    "trajectories",
    "vectors",
)

CHECKSUMS = "sha256.json"

_CPUINFO = Path("/proc/cpuinfo")


def libraries_folder() -> Path:
    """Returns the folder of compiled steps between sessions, for the vectors in use.

    Code for vectors of one width must not be found by processors of another: where
    several kinds share a home, stars went nowhere.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "orrery" / "kernels" / torch.backends.cpu.get_cpu_capability().lower()


def key() -> str:
    """Returns 16 hexadecimal digits of all that decides the libraries on this machine."""
    here = Path(__file__)
    code = {name: here.with_name(f"{name}.py").read_text() for name in SOURCES}
    return fingerprint(
        {
            "code": code,
            "width": WIDTH,
            "torch": torch.__version__,
            "compiler": os.environ.get("CXX"),
            "machine": platform.machine(),
            "library": platform.libc_ver(),
            "processor": _processor_flags(),
        }
    )


def _processor_flags() -> str:
    """Returns what the processor can do: the compiler uses more of it than its vectors."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return platform.processor()  # not Linux
    named = [line for line in lines if line.startswith(("flags", "Features"))]
    return named[0] if named else platform.processor()


def load() -> dict[str, Callable[..., Any]]:
    """Returns the compiled parts of the step by their names; they are built where need be.

    Raises:
        OSError: If their folder cannot be written.
        RuntimeError: If the compiler cannot build them.
    """
    place = libraries_folder() / key()
    if _missing(place):
        _build_once(place)
    return {name: _library(place, name) for name in PARTS}


def are_built() -> bool:
    """Returns whether this machine has the libraries of today's code, whole."""
    return not _missing(libraries_folder() / key())


def _missing(place: Path) -> list[str]:
    """Returns the parts whose libraries are not there, or not as they were built."""
    try:
        kept = json.loads((place / CHECKSUMS).read_text())
    except (OSError, ValueError):
        return [*PARTS]
    return [name for name in PARTS if not _is_sound(place, name, kept)]


def _is_sound(place: Path, name: str, kept: Any) -> bool:
    try:
        return bool(checksum(place / f"{name}.so") == kept[name])
    except (OSError, KeyError, TypeError):
        return False


def _library(place: Path, name: str) -> Callable[..., Any]:
    # A call is refused whose arguments have not the precision and layout that a library
    # is built for; it would read other memory.
    os.environ["AOTI_RUNTIME_CHECK_INPUTS"] = "1"
    runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(place / f"{name}.so"), 1)

    def part(*tensors: Tensor) -> Any:
        results = runner.run(list(tensors))
        return results[0] if len(results) == 1 else results

    return part


def _build_once(place: Path) -> None:
    """Builds what is missing or damaged; who else comes meanwhile waits for it."""
    lock = FileLock(_writable(place) / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        _tell("waiting for another process, which compiles the step of the orbits")
        lock.acquire()
    try:
        wanted = _missing(place)
        if wanted:
            _tell(
                "compiling the step of the orbits for this processor: once, half a minute"
            )
            _build_in(place, wanted)
    finally:
        lock.release()


def _tell(message: str) -> None:
    # not by the platform's terminal: physics runs where there is only PyTorch
    print(message, file=sys.stderr, flush=True)


def _writable(place: Path) -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
        Path(place, ".lock").touch()
    except OSError as error:
        raise OSError(
            error.errno or 0,
            f"cannot write {place}, where the compiled step of the orbits is kept "
            f"({error.strerror}): name a folder that you may write to in XDG_CACHE_HOME",
        ) from error
    return place


def _build_in(place: Path, names: list[str]) -> None:
    # Not in the place itself, whose path may have spaces, which the compiler's commands
    # do not bear.
    with tempfile.TemporaryDirectory(prefix="orrery-step-") as scratch:
        _build(names, Path(scratch))
        for name in names:
            built = Path(scratch, f"{name}.so").read_bytes()
            write_atomically(place / f"{name}.so", built)
    checksums = {name: checksum(place / f"{name}.so") for name in PARTS}
    write_atomically(place / CHECKSUMS, json.dumps(checksums))


def _build(names: list[str], scratch: Path) -> None:
    """Builds libraries in a program of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "compiler"),
        # The compiler asks about GPUs, which its forks then cannot use; none is built for.
        "CUDA_VISIBLE_DEVICES": "",
    }
    # -P: modules are those of this process, whatever lies in its working folder
    command = [sys.executable, "-P", "-m", "mwlmc.model.step_building"]
    # Into a file: forks of a builder that was killed would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        ended = subprocess.call(
            [*command, str(scratch), *names],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    if ended:
        raise RuntimeError(_why_not(ended, said, scratch))


def _why_not(ended: int, said: str, scratch: Path) -> str:
    if ended < 0:
        return (
            f"the program that compiles the step of the orbits was ended by signal {-ended}: "
            "where nobody did, memory was short: it needs 2 GB, once"
        )
    return (
        f"the step of the orbits cannot be compiled in {scratch.parent}: free some space "
        "there, name another temporary folder in TMPDIR, whose path has no spaces, or a "
        f"C++ compiler that works in CXX. It says:\n{said[-2000:]}"
    )
