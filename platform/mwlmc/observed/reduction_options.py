"""Options with which a star table is reduced: the survey, its selection, and its bins."""

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from mwlmc.observed.options import StarSelection
from mwlmc.sky.binning import QUADRANTS, SkyBinning, desi_footprint, quadrants
from mwlmc.sky.options import V_TB_EDGES
from orrery.tables.options import MOST_MISSING

COMMAND = "python -m mwlmc.observed.binned_table"

_SELECTIONS: dict[str, StarSelection] = {
    "desi": StarSelection(inner=30.0, outer=100.0),
    "quadrants": StarSelection(inner=30.0, outer=160.0),
}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    options = argparse.ArgumentParser(
        prog=COMMAND,
        description="Reduces a star table to a binned table.",
    )
    options.add_argument("survey", choices=list(_SELECTIONS), help="footprint and bins")
    options.add_argument(
        "stars", type=Path, help="star table: MWS_BHB.fits, CSV, ECSV, FITS or others"
    )
    options.add_argument("out", type=Path, help="the binned table to write (ECSV)")
    options.add_argument(
        "--name", help="what was observed; default: the star table's name"
    )
    options.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    options.add_argument(
        "--bins", type=int, help="distance bins of each quadrant; default: 5"
    )
    options.add_argument(
        "--v-tb-edges",
        type=_edges,
        metavar="KPC,KPC,...",
        help="edges of desi's distance bins of v_tb; default: 30,50,70,90",
    )
    options.add_argument(
        "--largest-motion-error",
        type=float,
        help="leave out proper motions whose error is this at the star's distance [km/s], or more",
    )
    options.add_argument(
        "--sagittarius-cut",
        action=argparse.BooleanOptionalAction,
        help="leave out the Sagittarius stream; this is the default",
    )
    options.add_argument(
        "--proper-motions",
        action=argparse.BooleanOptionalAction,
        help="bin v_tb too, without which there is no posterior with v_tb; default: for desi only",
    )
    _add_missing(options)
    return options


def _add_missing(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--most-missing",
        type=float,
        default=MOST_MISSING,
        help="the largest share of rows without a position, distance or velocity, or proper "
        "motion where these are used",
    )
    options.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="COLUMN=NUMBERS",
        help="what stands for no value in a column, instead of what is guessed, such as "
        "vlos_kms=-500,0; with vlos_kms=none all of its numbers are values",
    )


def missing_numbers(options: argparse.Namespace) -> dict[str, tuple[float, ...]]:
    """Returns by a column's title the numbers that stand for no value there.

    Raises:
        ValueError: If one is no number.

    Example:
        >>> words = ["desi", "a.csv", "b.ecsv", "--missing", "rv_kms=-500,0", "--missing", "d=none"]
        >>> missing_numbers(parser().parse_args(words))
        {'rv_kms': (-500.0, 0.0), 'd': ()}
    """
    return dict(_missing_in(word) for word in options.missing)


def _missing_in(word: str) -> tuple[str, tuple[float, ...]]:
    # a title may have an equals sign, numbers have none
    title, _, numbers = word.rpartition("=")
    try:
        found = () if numbers == "none" else tuple(map(float, numbers.split(",")))
    except ValueError:
        found = None
    if not title or found is None:
        raise ValueError(
            f"--missing {word}: say a column and its numbers, such as vlos_kms=-500,0, or "
            "vlos_kms=none"
        )
    return title, found


def chosen_selection(options: argparse.Namespace) -> StarSelection:
    """Returns which stars are kept: the survey's own selection, unless an option changes it.

    Raises:
        ValueError: If errors of proper motions are chosen, but none is to be binned.
    """
    selection = _SELECTIONS[options.survey]
    if options.sagittarius_cut is not None:
        selection = replace(selection, sagittarius=options.sagittarius_cut)
    if options.largest_motion_error is not None:
        error = options.largest_motion_error
        if not _bins_motions(options):
            raise ValueError(
                f"--largest-motion-error {error:g} would be ignored: no proper motions are "
                "binned; add --proper-motions, or leave this out"
            )
        selection = replace(selection, largest_motion_error=error)
    return selection


def chosen_binning(options: argparse.Namespace) -> SkyBinning:
    """Returns the survey's binning, with proper motions where they are to be used.

    Raises:
        ValueError: If a number of bins, or edges of v_tb, are given for a survey with its
            own, or edges where no v_tb is binned.
    """
    binning = _survey_binning(options)
    return binning if _bins_motions(options) else binning.select(("v_gsr",))


def _bins_motions(options: argparse.Namespace) -> bool:
    if options.proper_motions is None:
        # as the bundled tables are: of SDSS's giants only radial velocities are used
        return bool(options.survey == "desi")
    return bool(options.proper_motions)


def _survey_binning(options: argparse.Namespace) -> SkyBinning:
    if options.survey == "desi":
        if options.bins is not None:
            raise ValueError(
                f"--bins {options.bins}: desi has bins of its own; leave this out"
            )
        if options.v_tb_edges is not None and not _bins_motions(options):
            raise ValueError(
                f"--v-tb-edges {options.v_tb_edges} would be ignored: no proper motions are "
                "binned; leave this out, or --no-proper-motions"
            )
        return desi_footprint(options.v_tb_edges or V_TB_EDGES)
    if options.v_tb_edges is not None:
        raise ValueError(
            f"--v-tb-edges {options.v_tb_edges}: {options.survey} has bins of its own; leave "
            "this out"
        )
    return QUADRANTS if options.bins is None else quadrants(options.bins)


def _edges(words: str) -> tuple[float, ...]:
    return tuple(map(float, words.split(",")))


def as_command(options: argparse.Namespace) -> str:
    """Returns the command that makes the same table again, with file names but no folders."""
    flags = [
        f"--{'' if value else 'no-'}{name.replace('_', '-')}"
        for name, value in vars(options).items()
        if isinstance(value, bool)
    ]
    named = [] if options.bins is None else [f"--bins {options.bins}"]
    if options.v_tb_edges is not None:
        named.append(f"--v-tb-edges {','.join(f'{e:g}' for e in options.v_tb_edges)}")
    if options.largest_motion_error is not None:
        named.append(f"--largest-motion-error {options.largest_motion_error:g}")
    if options.most_missing != MOST_MISSING:
        named.append(f"--most-missing {options.most_missing:g}")
    named += [f"--missing {shlex.quote(word)}" for word in options.missing]
    named += [] if options.name is None else [f"--name {shlex.quote(options.name)}"]
    words = [
        options.survey,
        shlex.quote(options.stars.name),
        shlex.quote(options.out.name),
        f"--seed {options.seed}",
    ]
    return " ".join([COMMAND, *words, *named, *flags])
