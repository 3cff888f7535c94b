"""`orrery figures`: the figures of a run as files, for a page, a paper or a talk."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orrery.terminal import progress, say

if TYPE_CHECKING:  # reading results takes a second that --help must not
    from orrery.results.result import Result

# As on the run's page, and what `figures.presentation` has: it is not imported for --help.
STYLES = ("page", "mnras", "apj", "talk")


def add(commands: Any) -> None:
    """Adds the command to those of `orrery`."""
    figures = commands.add_parser(
        "figures", help="draws a run's figures for a paper or a talk"
    )
    figures.add_argument(
        "run", type=Path, help="its folder, an attempt's, or its run.json"
    )
    figures.add_argument(
        "--style",
        choices=STYLES,
        default="page",
        help="mnras and apj have the widths and typeface of these journals, talk larger text",
    )
    figures.add_argument(
        "--only", nargs="+", metavar="KEY", help="keys of figures; all when left out"
    )
    figures.add_argument(
        "--into", type=Path, default=Path("figures"), help="the folder of the files"
    )
    figures.set_defaults(command=_draw)


def _draw(options: argparse.Namespace) -> None:
    """Prints the path of each file: PDF, PNG and SVG of each figure."""
    from orrery.results.result import Result

    result = Result.open(options.run)
    written = draw_figures(result, options.into, options.style, options.only)
    for path in written:
        sys.stdout.write(f"{path}\n")
    if not written:
        say(f"{result.folder} has no figures: its page may have tables")


def draw_figures(
    result: "Result",
    folder: Path,
    style: str = "page",
    only: Sequence[str] | None = None,
) -> list[Path]:
    """Returns the files of a run's figures, written for a page, a paper or a talk.

    Arguments:
        result: The run.
        folder: Where the files go; made if it is not there, and older files of the same
            names are replaced.
        style: One of `STYLES`.
        only: The keys of its figures; all of them when None.

    Raises:
        ValueError: If a key is of no figure or leaves the folder, that is a file, there is no
            such style, or the arrays of a figure are damaged.
        OSError: If a file cannot be read or written.
    """
    from orrery.results import figures
    from orrery.storage import files
    from orrery.storage.documents import own_file

    known = {one["key"]: one for one in result.sections if one["kind"] == "figure"}
    unknown = [key for key in only or () if key not in known]
    if unknown:
        raise ValueError(
            f"{result.folder} has no figure {unknown[0]!r}: take of {[*known]}"
        )
    keys = list(known if only is None else dict.fromkeys(only))
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"--into {folder} is a file, and figures go into a folder: give another path"
        )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with progress("drawing", len(keys), "figures") as advance:
        for key in keys:
            drawn = figures.draw(result.view(known[key]))
            figure, box = figures.presented(drawn, style)
            for kind in figures.FILE_KINDS:
                path = own_file(folder, f"{key}.{kind}")
                content = figures.file_content(figure, kind, figures.PRINT_DPI, box)
                files.write_atomically(path, content)
                written.append(path)
            advance(1)
    return written
