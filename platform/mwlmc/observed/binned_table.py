"""Observed stars reduced to counts, means and dispersions in bins: a small table with errors.

The table is kept with its provenance and becomes a data vector. Nothing is binned here:
observed stars take `kinematics`' one path. The table also says in which cells of the sky
the stars are and how well they are measured, so that simulated stars can be drawn like
them; it holds no single star's coordinates.

    python -m mwlmc.observed.binned_table desi MWS_BHB.fits desi_dr1_bhb.ecsv
    python -m mwlmc.observed.binned_table quadrants stars.csv binned_stars.ecsv
"""

import argparse
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import astropy
import numpy as np
import scipy
from astropy.table import Column, Table

from mwlmc.observed.columns import BINNED, SAMPLED, check_binned
from mwlmc.observed.left_out_bins import (
    describe_left_out,
    left_out_bins,
    supported_bins,
)
from mwlmc.observed.options import StarSelection
from mwlmc.observed.plausibility import check_errors
from mwlmc.observed.reduction_options import (
    as_command,
    chosen_binning,
    chosen_selection,
    missing_numbers,
    parser,
)
from mwlmc.observed.satellite_members import note_satellites
from mwlmc.observed.star_reading import read_stars
from mwlmc.observed.star_tables import READ, StarTable, check_lines, select
from mwlmc.observed.survey_sample import (
    mean_sine_latitude,
    note_errors,
    survey_sample,
)
from mwlmc.sky import frames, kinematics, moment_errors
from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.kinematics import RestFrameStars
from mwlmc.sky.moment_errors import MomentErrors, summary_errors
from mwlmc.sky.moments import VelocityMoments
from mwlmc.sky.selection_function import Bin, BinSample, Sample
from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.storage import files
from orrery.tables.bundled import find_table
from orrery.tables.opening import OpenedFile
from orrery.tables.options import MOST_MISSING
from orrery.tables.outputs import check_output
from orrery.tables.reading import guarded, read_table

VERSION = 20  # of reading, selecting and binning stars; raised whenever numbers change


@dataclass(frozen=True)
class BinnedTable:
    """Moments of observed stars in K bins, with errors.

    Arguments:
        name: What was observed, as a figure's legend would say it.
        bins: The K bins.
        moments: Their counts, means and dispersions [km/s].
        errors: The standard errors of those [km/s].
        mean_sin_b: Mean sine of Galactic latitude: where in a patch the stars are.
        sample: Where on the sky each bin's stars are, and how well they are measured.
        provenance: File, checksum, selection counts and definition, as plain JSON.

    Example:
        >>> from mwlmc.sky.binning import DESI_FOOTPRINT
        >>> table = BinnedTable(
        ...     name="giants",
        ...     bins=(Bin("north", "v_gsr", 30.0, 40.0),),
        ...     moments=VelocityMoments(
        ...         np.array([9]), np.array([9]), np.array([-1.4]), np.array([107.0])
        ...     ),
        ...     errors=MomentErrors(np.array([36.0]), np.array([25.0])),
        ...     mean_sin_b=np.array([0.8]),
        ...     sample=Sample(bins=(), stars=()),
        ...     provenance={},
        ... )
        >>> table.counts(DESI_FOOTPRINT)[:2]
        [9, 0]
    """

    name: str
    bins: tuple[Bin, ...]
    moments: VelocityMoments
    errors: MomentErrors
    mean_sin_b: FloatArray
    sample: Sample
    provenance: JSON

    def counts(self, binning: SkyBinning) -> list[int]:
        """Returns the number of stars in each of a binning's bins; 0 where the table lacks it."""
        known = dict(zip(self.bins, self.moments.count.tolist(), strict=True))
        return [known.get(b, 0) for b in binning.bins]


def are_desi(stars: BinnedTable | Observation) -> bool:
    """Returns whether stars are DESI's, by their catalogue's layout or what they are called."""
    table = stars.provenance.get("table", stars.provenance)  # of a data vector
    layout = str(table.get("source", {}).get("layout", ""))
    return layout.startswith("DESI") or "desi" in stars.name.lower()


def bin_stars(
    table: StarTable,
    stars: RestFrameStars,
    binning: SkyBinning,
    name: str,
    seed: int = 0,
) -> BinnedTable:
    """Returns the moments and errors of the stars in each bin.

    Arguments:
        table: The selected stars.
        stars: The same, as `StarTable.rest_frame` gives them.
        binning: How stars become summaries.
        name: What was observed.
        seed: Of the bootstrap.

    Raises:
        ValueError: If a bin has too few stars.
    """
    moments = kinematics.binned_moments(stars, binning)
    binned = kinematics.assign_to_bins(stars, binning)
    table = note_errors(table, binned, binning)
    across = {"v_tb": table.velocity_errors("v_tb")}  # those of v_gsr hardly count
    return BinnedTable(
        name,
        binning.bins,
        VelocityMoments(
            moments.count[0], moments.kept[0], moments.mean[0], moments.dispersion[0]
        ),
        summary_errors(stars, binning, seed, star_errors=across),
        mean_sine_latitude(stars, binned, binning),
        survey_sample(table, stars, binned, binning),
        _provenance(table, binning, seed),
    )


def _provenance(table: StarTable, binning: SkyBinning, seed: int) -> JSON:
    # another version of these may draw other bootstrap samples
    libraries = (np, scipy, astropy)
    versions = {library.__name__: library.__version__ for library in libraries}
    return {
        "source": table.source,
        **({"checks": table.checks} if table.checks else {}),
        "steps": [list(step) for step in table.steps],
        "with_proper_motions": int(np.isfinite(table.pm_b).sum()),
        "definition": definition(binning),
        "bootstrap_seed": seed,
        "versions": {
            "python": platform.python_version(),
            **versions,
            "binned_stars": VERSION,
            "moment_errors": moment_errors.VERSION,
        },
    }


def definition(binning: SkyBinning) -> JSON:
    """Returns what decides which bin a star is in, as plain JSON: patches, clipping, the Sun."""
    return {
        "clip": binning.clip,
        "sun_position": frames.SUN_POSITION.tolist(),
        "sun_velocity": frames.SUN_VELOCITY.tolist(),
        "patches": {
            p.patch.name: p.patch.describe()["windows"] for p in binning.profiles
        },
    }


def as_ecsv(table: BinnedTable) -> Table:
    """Returns the bins' numbers `[K]` as a table with units and descriptions."""
    columns = [np.array(column) for column in zip(*table.bins, strict=True)]
    moments = table.moments
    errors = table.errors
    columns += [moments.count, moments.kept, moments.mean, errors.mean]
    columns += [moments.dispersion, errors.dispersion, table.mean_sin_b]
    ecsv = Table(
        columns, names=list(BINNED), meta={"name": table.name, **table.provenance}
    )
    for name, (unit, description) in BINNED.items():
        ecsv[name].unit = unit
        ecsv[name].description = description
    return ecsv


def _with_sample(ecsv: Table, sample: Sample) -> Table:
    lists = zip(*((s.cells, s.counts, s.errors) for s in sample.stars), strict=True)
    for (name, (unit, description)), rows in zip(SAMPLED.items(), lists, strict=True):
        # lists of different lengths: numpy would try to make a matrix of equal ones
        column = np.empty(len(rows), dtype=object)
        column[:] = [np.array(row) for row in rows]
        ecsv[name] = Column(column, unit=unit, description=description)
    about = {"healpix_nside": sample.nside, "distance_error": sample.distance_error}
    ecsv.meta["sample"] = about
    return ecsv


def write_binned(table: BinnedTable, path: Path | str) -> None:
    """Writes a binned table as ECSV, with units and provenance; the file appears whole or not."""
    files.write_ecsv(Path(path), _with_sample(as_ecsv(table), table.sample))


def read_binned(path: Path | str) -> BinnedTable:
    """Returns a binned table that `write_binned` wrote.

    Raises:
        ValueError: If the file is damaged, a column is missing, empty, not finite, in
            another unit or beyond what can be, or an error is none of its bin's stars.
        OSError: If the file cannot be read.
    """
    return guarded(OpenedFile.read(path), _restored)


def _restored(file: OpenedFile) -> BinnedTable:
    table = read_table(file)
    check_binned(table, file.name)
    column = {name: table[name].tolist() for name in BINNED}
    rows = zip(
        column["patch"], column["quantity"], column["r_lo"], column["r_hi"], strict=True
    )
    bins = tuple(
        Bin(patch=patch, quantity=quantity, lower=lower, upper=upper)
        for patch, quantity, lower, upper in rows
    )
    numbers = {name: np.array(column[name]) for name in list(BINNED)[4:]}
    names = ("count", "count_clipped", "mean", "dispersion")
    count, kept, mean, dispersion = (numbers[name] for name in names)
    moments = VelocityMoments(count, kept, mean, dispersion)
    errors = MomentErrors(numbers["mean_error"], numbers["dispersion_error"])
    provenance = {k: v for k, v in table.meta.items() if k not in ("name", "sample")}
    check_errors(bins, moments, errors, file.name)
    sample = _read_sample(table, bins)
    latitudes = numbers["mean_sin_b"]
    return BinnedTable(
        table.meta["name"], bins, moments, errors, latitudes, sample, provenance
    )


def _read_sample(table: Table, bins: tuple[Bin, ...]) -> Sample:
    columns = [[tuple(row.tolist()) for row in table[name]] for name in SAMPLED]
    about = table.meta["sample"]
    stars = tuple(
        BinSample(cells=cells, counts=counts, errors=errors)
        for cells, counts, errors in zip(*columns, strict=True)
    )
    return Sample(bins, stars, about["healpix_nside"], about["distance_error"])


def load_binned(
    path: Path,
    binning: SkyBinning,
    selection: StarSelection,
    seed: int = 0,
    most_missing: float = MOST_MISSING,
) -> BinnedTable:
    """Returns the binned table of a file: a binned table as it is, or a star table reduced.

    Arguments:
        path: A table that `write_binned` wrote, or a star table.
        binning: How a star table is binned; bins with fewer than two stars are left
            out.
        selection: Which stars of a star table are kept.
        seed: Of the bootstrap.
        most_missing: See `read_stars`.

    Raises:
        ValueError: If the file is neither, something in it is wrong (see the readers),
            or a binned table was made with another selection.
        OSError: If it cannot be read.
    """
    path = find_table(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{'a folder' if path.is_dir() else 'no file'} {path}: say where the stars are, or "
            "name a bundled table, such as desi_dr1_bhb.ecsv"
        )
    if is_binned(path):
        return _selected(read_binned(path), binning, selection, path)
    return _reduce(path, binning, selection, None, seed, most_missing)


def is_binned(path: Path) -> bool:
    """Returns whether a file is a binned table, which alone says how it was bootstrapped."""
    return path.suffix == ".ecsv" and b"bootstrap_seed" in path.read_bytes()


def _reduce(
    stars: Path,
    binning: SkyBinning,
    selection: StarSelection,
    name: str | None,
    seed: int,
    most_missing: float = MOST_MISSING,
    missing: Mapping[str, Sequence[float]] | None = None,
) -> BinnedTable:
    _check_edges(binning, selection)
    across = any(b.quantity == "v_tb" for b in binning.bins)
    read = read_stars(
        stars, motions_needed=across, most_missing=most_missing, missing=missing
    )
    table = select(read, selection)
    # converted once: counts, moments, errors and the sample are of the same stars
    rest_frame = table.rest_frame()
    table = note_satellites(table, rest_frame.v_gsr)
    supported = supported_bins(rest_frame, binning, stars.name)
    result = bin_stars(table, rest_frame, supported, name or stars.stem, seed)
    check_errors(result.bins, result.moments, result.errors, stars.name)
    left_out = describe_left_out(rest_frame, binning, supported)
    return replace(result, provenance={**result.provenance, **left_out})


def _check_edges(binning: SkyBinning, selection: StarSelection) -> None:
    # cut by the selection and filled by simulated stars, a bin would be of other distances
    for edge in (selection.inner, selection.outer):
        for cut in binning.bins:
            if cut.lower < edge < cut.upper:
                raise ValueError(
                    f"a selection to {edge:g} kpc cuts through {cut}, which simulations fill "
                    f"wholly: choose {cut.lower:g} or {cut.upper:g} kpc"
                )


def _selected(
    table: BinnedTable, binning: SkyBinning, selection: StarSelection, path: Path
) -> BinnedTable:
    other = [str(b) for b in table.bins if b not in binning.bins]
    if other:
        raise ValueError(
            f"{path.name} holds other bins, such as {other[0]}: give the table of the stars "
            "themselves"
        )
    steps = [step for step, _ in table.provenance["steps"]]
    # what follows the last step of reading is the selection
    made = tuple(steps[steps.index(READ) + 1 :])
    if made != selection.steps:
        raise ValueError(
            f"{path.name} holds stars selected as {'; '.join(made)}, not as "
            f"{'; '.join(selection.steps)}: give the table of the stars themselves"
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Bins a star table and writes the result; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        check_output(options.out, options.stars)
        write_binned(_binned(options), options.out)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _binned(options: argparse.Namespace) -> BinnedTable:
    result = _reduce(
        options.stars,
        chosen_binning(options),
        chosen_selection(options),
        options.name,
        options.seed,
        options.most_missing,
        missing_numbers(options),
    )
    print("\n".join(selection_lines(result)))
    return replace(
        result, provenance={**result.provenance, "command": as_command(options)}
    )


def selection_lines(table: BinnedTable) -> list[str]:
    """Returns what the selection kept, step by step, what was missing, and what is left out."""
    steps = [f"{count:7d}  {step}" for step, count in table.provenance["steps"]]
    left_out = [
        f"left out, {why}: {one}"
        for why, bins in left_out_bins(table.provenance).items()
        for one in bins
    ]
    return steps + check_lines(table.provenance.get("checks", {})) + left_out


if __name__ == "__main__":
    sys.exit(main())
