"""Names of functions that summarise, by which kept summaries are found again.

A name must belong to one function alone: what another one has kept would be returned as
its own. So it has the module before it, and what has no name of its own is refused.
"""

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

# A module's constant with what stands before its functions' names, in place of its own name.
_NAMESPACE = "NAMESPACE"
_NOTEBOOK = "JPY_SESSION_NAME"  # a kernel's variable: the path of its notebook


def summary_name(summarise: Callable[..., Any]) -> str:
    """Returns the name of a function that summarises: its module's, and its own.

    Of a script or a notebook, whose module is `__main__`, it is the file's name. A module
    that has moved, or whose summaries were kept before names had modules, says with
    `NAMESPACE = "..."` what stands there instead.

    Arguments:
        summarise: The function; of a decorated one, what was decorated.

    Raises:
        ValueError: If others may have its name: a lambda, a function inside of another,
            a method of an object, or a call with some of its arguments given.

    Example:
        >>> from statistics import fmean
        >>> summary_name(fmean)
        'statistics.fmean'
    """
    own = _undecorated(summarise)
    name = getattr(own, "__qualname__", None)
    alone = name and "<" not in name and not inspect.ismethod(own)
    if not alone or not hasattr(own, "__globals__"):
        raise ValueError(
            f"{name or repr(own)} has no name that is its own, by which kept summaries are "
            "found: define it with `def` at the top of a module, a script or a notebook, and "
            "let the binning hold what it depends on"
        )
    namespace = _namespace(own)
    return f"{namespace}.{name}" if namespace else str(name)


def summary_version(summarise: Callable[..., Any]) -> int:
    """Returns the version of a function that summarises: `VERSION` of its module.

    Functions of a script or of a notebook have one too: a global variable there.

    Arguments:
        summarise: The function.

    Raises:
        ValueError: If there is none, or it is no positive integer, or the function has no
            name of its own, see `summary_name`.

    Example:
        >>> from orrery.judging.calibration import VERSION, calibrate
        >>> summary_version(calibrate) == VERSION
        True
    """
    name = summary_name(summarise)
    # a decorator's module says nothing of the decorated function's numbers
    found = _undecorated(summarise).__globals__.get("VERSION")
    if type(found) is not int or found < 1:
        raise ValueError(
            f"{name} has VERSION {found!r} in its file, not a positive integer, "
            "so that kept summaries could be another version's: write VERSION = 1 in the file or "
            "notebook that defines it, and raise it whenever its numbers change"
        )
    return found


def _undecorated(summarise: Callable[..., Any]) -> Any:
    # Given arguments are no decoration: they decide numbers.
    return inspect.unwrap(summarise, stop=_is_partial)


def _is_partial(function: Callable[..., Any]) -> bool:
    return isinstance(function, functools.partial)


def _namespace(function: Any) -> str:
    scope = function.__globals__
    declared = scope.get(_NAMESPACE)
    if isinstance(declared, str):
        return declared
    if function.__module__ != "__main__":
        return str(function.__module__)
    # The same whether a script runs or another one imports it.
    file = scope.get("__file__") or os.environ.get(_NOTEBOOK) or function.__module__
    return PurePath(file).stem
