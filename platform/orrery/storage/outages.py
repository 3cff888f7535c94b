"""Outages of a store: how long it is asked again before the work that needs it ends.

A campaign of days should not end since a bucket, or the network to it, was away for some
minutes. obstore repeats a request by itself, for some seconds; here it is asked anew, with
new credentials, until the patience ends that `ORRERY_STORE_PATIENCE` says.
"""

import logging
import math
import os
import time
from collections.abc import Callable
from typing import TypeVar

LONGEST_OUTAGE = 300.0  # [s] unless the environment says otherwise
PAUSE = 1.0  # [s] between two requests

# Of Python's own: science that reads files may be without terminal.
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def patience() -> float:
    """Returns for how long a store that gives no answer is asked again [s].

    Raises:
        ValueError: If `ORRERY_STORE_PATIENCE` is no time.
    """
    text = os.environ.get("ORRERY_STORE_PATIENCE") or str(LONGEST_OUTAGE)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise ValueError(
            f"ORRERY_STORE_PATIENCE is {text!r}: give the longest outage in seconds, such "
            "as 300"
        )
    return seconds


def outlast(request: Callable[[], _T], passing: type[Exception], seconds: float) -> _T:
    """Returns the answer to a request, which is asked again while errors may pass.

    Arguments:
        request: What to ask; whatever it has begun, it begins anew.
        passing: The kind of error that may pass.
        seconds: For how long [s]; what was asked last is waited for in any case.

    Example:
        >>> outlast(lambda: b"8 stars", ConnectionError, 300.0)
        b'8 stars'
    """
    deadline = time.monotonic() + seconds
    warned = False
    while True:
        try:
            return request()
        except passing as error:
            if time.monotonic() >= deadline:
                raise
            if not warned:
                _log.warning("%s. It is asked again for %g s", error, seconds)
                warned = True
            time.sleep(PAUSE)
