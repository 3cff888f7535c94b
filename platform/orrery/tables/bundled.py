"""Tables that come bundled with an installed package: found by name, in any folder.

A package that has some names itself, or one of its own packages, as an entry point of the
group `orrery.tables`; they lie in its folder `tables`. What an option says of such a table
is its file name alone, which is the same on every machine.
"""

from functools import cache
from pathlib import Path

TABLE_GROUP = "orrery.tables"
_FOLDER = "tables"


def find_table(path: Path) -> Path:
    """Returns the file that a path means.

    Arguments:
        path: A file; or the name of a bundled table, where no file here has that name.

    Returns:
        The path itself, or where the bundled table lies.

    Example:
        >>> find_table(Path("elsewhere/sdss_kgiants.ecsv")).parent.name
        'elsewhere'
    """
    if path.parent != Path():
        return path
    bundled = bundled_tables().get(path.name)
    return path if bundled is None or path.exists() else bundled


@cache
def bundled_tables() -> dict[str, Path]:
    """Returns where each bundled table lies, by its file name.

    Raises:
        ValueError: If two packages bundle tables of the same name.
    """
    # processes that read one table import this module, and have no need of these
    from importlib import metadata, resources

    found: dict[str, Path] = {}
    for package in metadata.entry_points(group=TABLE_GROUP):
        folder = Path(str(resources.files(package.value))) / _FOLDER
        for path in sorted(folder.glob("*.ecsv")):
            if path.name in found:
                raise ValueError(
                    f"{path} and {found[path.name]} have one name, by which both would be "
                    "found: rename one of them"
                )
            found[path.name] = path
    return found
