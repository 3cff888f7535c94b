"""Failures: what a user reads of an error, in one line that says what helps."""

import errno

from orrery.option_types import shortened

LONGEST_NAME = 255  # letters between two slashes, of all usual file systems


def error_line(error: BaseException) -> str:
    """Returns what is printed of an error that the user can mend.

    Example:
        >>> error_line(ValueError("3 trials are too few: give 4 or more"))
        '3 trials are too few: give 4 or more'
        >>> line = error_line(OSError(errno.ENAMETOOLONG, "File name too long", "a" * 5000))
        >>> line.partition(" is ")[2].partition(":")[0]
        'no name that a file can have'
    """
    too_long = _name_too_long(error)
    if too_long is not None:
        return too_long
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        text = error.strerror
    return " ".join([text, *(f"({note})" for note in getattr(error, "__notes__", ()))])


def _name_too_long(error: BaseException | None) -> str | None:
    """Returns what helps where the cause of an error is a name that is too long."""
    while error is not None:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            name = shortened(str(error.filename)) if error.filename else "this"
            return (
                f"{name} is no name that a file can have: give a shorter one, of at most "
                f"{LONGEST_NAME} letters between two slashes"
            )
        error = error.__cause__ or error.__context__
    return None
