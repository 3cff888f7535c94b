"""Stable keys: what files, numbers and curves are found by, whatever they are called."""

import re

_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def is_key(text: str) -> bool:
    """Returns whether a text can be a key: it names files, and nobody would read it aloud.

    Example:
        >>> is_key("desi.v_gsr"), is_key("DESI, without v_tb")
        (True, False)
    """
    return bool(_KEY.fullmatch(text))
