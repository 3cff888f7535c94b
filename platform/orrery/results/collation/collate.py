"""Everything that a folder's runs and trials found, as one table and one page.

Both are readers of `run.json` and of trials' files: they can be made again at any time,
and deleted without a loss.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from orrery.results.collation import run_table, site
from orrery.results.collation.entries import Entry, all_entries, count
from orrery.results.collation.scalars import text
from orrery.storage import files
from orrery.terminal import progress

_MANY = 200  # entries from which the terminal says how far it is


@dataclass(frozen=True)
class Collated:
    """What was collated.

    Arguments:
        table: The Parquet file.
        page: The page.
        runs: How many attempts of runs are in both.
        trials: How many trials.
        problems: For each entry of which something could not be read, what.

    Example:
        >>> Collated(Path("runs/collated.parquet"), Path("runs/index.html"), 3, 0, {}).runs
        3
    """

    table: Path
    page: Path
    runs: int
    trials: int
    problems: dict[str, tuple[str, ...]]


def collate(root: Path, into: Path | None = None) -> Collated:
    """Returns what was collated, after writing table and page, each whole or not at all.

    Arguments:
        root: The folder of all runs, of one experiment, or of one set of options.
        into: The folder of table and page; `root` when missing.

    Raises:
        FileNotFoundError: If there is no run and no trial.
        OSError: If a file cannot be written.
    """
    total = count(root)
    if not total:
        raise FileNotFoundError(
            f"no run and no trial in {root}: start an experiment, or name another folder"
        )
    folder = files.ensure_writable(into or root)
    found = _read(root, total)
    table = folder / run_table.TABLE
    files.write_atomically(table, run_table.parquet(found))
    page = folder / site.SITE
    above = _way(root.absolute(), folder)
    files.write_atomically(
        page, site.render_site(found, text(root.absolute().name), above)
    )
    kinds = [entry.kind for entry in found]
    problems = {entry.place: entry.problems for entry in found if entry.problems}
    return Collated(table, page, kinds.count("run"), kinds.count("trial"), problems)


def _read(root: Path, total: int) -> list[Entry]:
    if total < _MANY:
        return list(all_entries(root))
    found = []
    with progress("collating", total, unit="runs and trials") as advance:
        for entry in all_entries(root):
            found.append(entry)
            advance()
    return found


def _way(root: Path, page: Path) -> str:
    """Returns the relative way from the page's folder to that of all runs."""
    way = Path(os.path.relpath(root, page)).as_posix()
    return "" if way == "." else f"{way}/"
