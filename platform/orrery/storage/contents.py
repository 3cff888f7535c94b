"""The bytes of a file, and of nothing else that has a path.

A name in a folder may be a pipe, on which reading waits for ever, or a device, which never
ends: whoever is given a folder decides what lies in it.
"""

from pathlib import Path

from orrery.storage.store import Address, Location


def content_of(path: Location) -> bytes:
    """Returns all bytes of a file, or of an object in a bucket.

    Arguments:
        path: The file, or a link to one.

    Raises:
        ValueError: If it is something else, such as a pipe or a device.
        OSError: If it cannot be read, or is not there.
    """
    if not isinstance(path, Address):
        check_file(path)
    content: bytes = path.read_bytes()
    return content


def check_file(path: Path) -> None:
    """Checks that what is read under a name is a file, if it is there.

    Raises:
        ValueError: If it is a pipe, a device or a folder.

    Example:
        >>> check_file(Path("/dev/zero"))
        Traceback (most recent call last):
        ValueError: /dev/zero is no file, but a pipe, a device or a folder: put the file there
    """
    if path.exists() and not path.is_file():
        raise ValueError(
            f"{path} is no file, but a pipe, a device or a folder: put the file there"
        )
