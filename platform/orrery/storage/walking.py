"""Walks through folders: all that lies below one, behind links to other folders too.

Large things lie on other disks, with a link in their place: a walk that passes these by
calls sound what it has not seen.
"""

from collections.abc import Iterator
from pathlib import Path

_Node = tuple[int, int]


def below(folder: Path) -> Iterator[Path]:
    """Yields all files and folders below a folder, links among them, each folder's once.

    What lies in the folder itself comes before what links lead to. A link to a folder that
    was seen, or that is above, leads nowhere new.

    Arguments:
        folder: The folder.

    Raises:
        OSError: If a folder cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = Path(name)
        ...     (folder / "near").mkdir()
        ...     _ = (folder / "near" / "stars").write_text("8")
        ...     (folder / "link").symlink_to("near")
        ...     [path.relative_to(folder).as_posix() for path in below(folder)]
        ['link', 'near', 'near/stars']
    """
    if not folder.is_dir():
        return
    seen = {_node(above) for above in (folder.resolve(), *folder.resolve().parents)}
    waiting = [folder]
    while waiting:
        links: list[Path] = []
        for root in waiting:
            yield from _within(root, seen, links)
        waiting = [link for link in links if _is_new(link, seen)]


def _within(folder: Path, seen: set[_Node], links: list[Path]) -> Iterator[Path]:
    """Yields what is below a folder but behind no link, and collects links to folders."""
    for place in sorted(folder.iterdir()):
        yield place
        if not _is_folder(place):
            continue
        if place.is_symlink():
            links.append(place)
        elif _is_new(place, seen):
            yield from _within(place, seen, links)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # links in a ring
        return False


def _is_new(folder: Path, seen: set[_Node]) -> bool:
    """Returns whether a folder has not been seen, and remembers it."""
    node = _node(folder)
    if node in seen:
        return False
    seen.add(node)
    return True


def _node(folder: Path) -> _Node:
    found = folder.stat()
    return found.st_dev, found.st_ino
