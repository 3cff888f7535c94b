"""Engines: what integrates the stars' orbits, and where."""

import torch

from mwlmc.model import agama_engine, compiled_step, stellar_halo
from mwlmc.model.options import Device, Engine


def check_engine(
    engine: Engine, device: Device, accuracy: str, tracer: str = "dehnen"
) -> None:
    """Checks what integrates, before anything is drawn.

    Arguments:
        engine: What does: `torch`, embedded, or `agama`.
        device: Where the embedded one does: `cpu` or `cuda`.
        accuracy: How finely, by its name.
        tracer: The density of the halo stars, by its name.

    Raises:
        ValueError: If one is unknown, or they do not go together.
        ImportError: If agama is wanted, and missing or too old.

    Example:
        >>> check_engine("torch", "cpu", "survey")
    """
    if accuracy not in stellar_halo.STEP_SHARES:
        raise ValueError(
            f"no accuracy {accuracy!r}: choose one of {sorted(stellar_halo.STEP_SHARES)}"
        )
    if engine not in ("torch", "agama"):
        raise ValueError(f"no engine {engine!r}: choose 'torch' or 'agama'")
    if engine == "agama" and tracer != "dehnen":
        raise ValueError(
            f"agama simulates no tracer {tracer!r}: choose dehnen, or the engine torch"
        )
    if engine == "agama":
        agama_engine.agama_version()
    if device not in ("cpu", "cuda"):
        raise ValueError(f"no device {device!r}: choose 'cpu' or 'cuda'")
    if engine == "agama" and device != "cpu":
        raise ValueError(f"agama cannot use device {device!r}: choose 'cpu'")


def rounding(engine: Engine, device: Device) -> str:
    """Returns what decides the last bits of stars here, next to processor and torch.

    Arguments:
        engine: What integrates.
        device: Where the embedded engine does.

    Example:
        >>> rounding("torch", "cpu") in ("compiled", "not compiled")
        True
    """
    if engine == "agama":
        return "agama"
    if device == "cuda":
        return torch.cuda.get_device_name()
    return "compiled" if compiled_step.can_compile() else "not compiled"


def first_use(engine: Engine, device: Device) -> str:
    """Returns what this machine has still to do before its first simulation, if it lasts.

    Arguments:
        engine: What integrates.
        device: Where the embedded engine does.

    Example:
        >>> first_use("torch", "cuda")
        ''
    """
    is_compiled = engine == "torch" and device == "cpu"
    if not (is_compiled and compiled_step.must_compile()):
        return ""
    return (
        "compiling the step of the orbits for this processor: half a minute, once, before the "
        "first simulation"
    )
