"""Imports of large libraries, without looking for garbage in what lives as long as the process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Returns a context for imports whose modules are used until the process ends.

    Python looks for garbage the more often the more is made, and imports make millions of
    objects that are none: that took a quarter of the time which a study, or a process that
    trains, needs to begin and to end.

    Example:
        >>> with lasting_imports():
        ...     import json
        >>> gc.isenabled()
        True
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # nor are they looked through later on, or when the process ends
        gc.freeze()
        if collects:
            gc.enable()
