"""What observers measured: star tables reduced to the same summaries as simulations.

Selected stars become a small binned table with errors, which is kept with its
provenance, and that becomes a data vector. Nothing is binned here: observed stars take
`kinematics`' one path. The table also says in which cells of the sky the stars are and
how well they are measured, so that simulated stars can be drawn like them; it holds no
single star's coordinates.

    python -m mwlmc.observed.observations desi MWS_BHB.fits datasets/observed/desi_dr1_bhb.ecsv
    python -m mwlmc.observed.observations quadrants stars.csv datasets/observed/stars.ecsv
"""

import argparse
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import astropy
import numpy as np
import scipy
from astropy import units
from astropy.table import Column, Table
from scipy import linalg

from mwlmc.observed.star_tables import READ, Selection, StarTable, read_stars, select
from mwlmc.parameters import INFERRED, LMC_TODAY
from mwlmc.sky import frames, kinematics
from mwlmc.sky.selection_function import NSIDE, Bin, BinSample, Sample, occupancy
from mwlmc.sky.survey import (
    DESI_FOOTPRINT,
    GIANTS,
    LMC_NAMES,
    PATCHES,
    QUADRANTS,
    QUANTITIES,
    Binning,
    expected_counts,
    quadrants,
)
from orrery.identity import JSON
from orrery.parameters import FloatArray, Parameter, generator
from orrery.records import Observation
from orrery.storage import files

_BINNED = {
    "patch": (None, "piece of sky"),
    "quantity": (None, "velocity in the Galactic rest frame"),
    "r_lo": ("kpc", "smallest Galactocentric distance"),
    "r_hi": ("kpc", "largest Galactocentric distance, exclusive"),
    "count": (None, "stars"),
    "count_clipped": (None, "stars left after clipping"),
    "mean": ("km / s", "mean velocity after clipping"),
    "mean_error": ("km / s", "standard error of the mean"),
    "dispersion": (
        "km / s",
        "standard deviation after clipping, errors of measurement included",
    ),
    "dispersion_error": ("km / s", "standard error of the dispersion"),
    "mean_sin_b": (None, "mean sine of the stars' Galactic latitudes"),
}
# Lists of different lengths: where a bin's stars are on the sky, and how well they are
# measured.
_SAMPLED = {
    "cells": (None, "HEALPix cells with stars: nested order, Galactic axes"),
    "cell_counts": (None, "stars in each of these cells"),
    "errors": (
        "km / s",
        "root-mean-square errors of velocity, best to worst stars, 0 if unknown",
    ),
}

# Stars whose mean sin(b) is this many times that of their patch see a vertical reflex
# that much larger than simulations that fill the patch.
UNEVEN = 1.25


Sampling = Literal["full-footprint", "survey-like"]
Moments = Literal["mean", "mean+dispersion"]
LMCToday = Literal["data", "inferred"]


@dataclass(frozen=True)
class Measurement:
    """What is measured of stars, and which simulated stars stand for them."""

    moments: Moments = "mean"
    """Of velocities: their means, or also their dispersions (of v_tb only survey-like)."""
    sampling: Sampling = "full-footprint"
    """Simulated stars: all of a patch, the errors being added in training
    (full-footprint), or as many as the survey has, where it has them, with its errors
    (survey-like)."""
    distance_errors: bool = False
    """Whether simulated stars drawn survey-like also get the survey's errors of distance."""
    lmc_today: LMCToday = "data"
    """The LMC's place and motion: measured, as in the paper (data), or parameters like
    the masses, of which stars alone must tell (inferred)."""

    def __post_init__(self) -> None:
        if self.distance_errors and self.sampling == "full-footprint":
            raise ValueError(
                "only stars drawn survey-like get distance errors: choose this sampling"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The moments, one by one."""
        return tuple(self.moments.split("+"))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What is inferred, Table 2's quantities first."""
        return INFERRED + (LMC_TODAY if self.lmc_today == "inferred" else ())

    def entries(
        self, binning: Binning, quantities: Sequence[str] = QUANTITIES
    ) -> Binning:
        """Returns a binning with the moments of some quantities, and the LMC if it is data."""
        measured = binning.with_moments(self.kinds, quantities)
        return replace(measured, lmc=self.lmc_today == "data")

    def binning(self, binning: Binning) -> Binning:
        """Returns a binning with what is measured.

        Simulated stars that fill their patch have no errors, and those of proper
        motions are as large as the dispersion: there it stays with the mean of v_tb.
        """
        with_errors = QUANTITIES if self.sampling == "survey-like" else ("v_gsr",)
        return self.entries(binning, with_errors)

    def drawn(self, binning: Binning, sample: Sample, seed: int) -> Binning:
        """Returns the binning with the survey's sample, or as it is where patches are filled.

        Arguments:
            binning: Of stars that the survey has.
            sample: Where and how good they are.
            seed: Of the draw, together with the number of the simulation.
        """
        if self.sampling == "full-footprint":
            return binning
        error = sample.distance_error if self.distance_errors else 0.0
        return binning.survey_like(replace(sample, distance_error=error, seed=seed))


@dataclass(frozen=True)
class BinnedTable:
    """Moments of observed stars in K bins, with errors.

    Arguments:
        name: What was observed, as a figure's legend would say it.
        bins: The K bins.
        moments: Their counts, means and dispersions [km/s].
        errors: The standard errors of those [km/s].
        mean_sin_b: Mean sine of Galactic latitude, which tells where in a patch the
            stars are.
        sample: Where on the sky each bin's stars are, and how well they are measured.
        provenance: File, checksum, selection counts and definition, as plain JSON.
    """

    name: str
    bins: tuple[Bin, ...]
    moments: kinematics.Moments
    errors: kinematics.Errors
    mean_sin_b: FloatArray
    sample: Sample
    provenance: JSON

    def counts(self, binning: Binning) -> list[int]:
        """Returns the number of stars in each of a binning's bins; 0 where the table lacks it."""
        known = dict(zip(self.bins, self.moments.count.tolist(), strict=True))
        return [known.get(b, 0) for b in binning.bins]


def bin_stars(
    table: StarTable, binning: Binning, name: str, seed: int = 0
) -> BinnedTable:
    """Returns the moments and errors of the stars in each bin.

    Arguments:
        table: The selected stars.
        binning: How stars become summaries.
        name: What was observed.
        seed: Of the bootstrap.

    Raises:
        ValueError: If a bin has too few stars.
    """
    stars = table.stars()
    moments = kinematics.summarise(stars, binning)
    errors = kinematics.summary_errors(stars, binning, seed)
    provenance = {
        "source": table.source,
        "steps": [list(step) for step in table.steps],
        "with_proper_motions": int(np.isfinite(table.pm_b).sum()),
        "definition": _definition(binning),
        "bootstrap_seed": seed,
        "versions": {
            "python": platform.python_version(),
            **{
                library.__name__: library.__version__
                for library in (np, scipy, astropy)
            },
        },
    }
    moments = kinematics.Moments(*(column[0] for column in vars(moments).values()))
    latitudes, sample = _latitudes(stars, binning), sample_of(table, binning)
    return BinnedTable(
        name, binning.bins, moments, errors, latitudes, sample, provenance
    )


def _latitudes(stars: kinematics.Stars, binning: Binning) -> FloatArray:
    """Returns the mean sine of Galactic latitude of the stars in each bin, `[K]`."""
    star, _, bins = kinematics.placed(stars, binning)
    number = np.bincount(bins, minlength=len(binning.bins))
    sums = np.bincount(bins, stars.seen.galactic[star, 2], minlength=len(binning.bins))
    return sums / np.maximum(number, 1)


def sample_of(table: StarTable, binning: Binning) -> Sample:
    """Returns where on the sky the stars of each bin are, and with what errors.

    Arguments:
        table: The selected stars.
        binning: How stars become summaries.
    """
    stars = table.stars()
    star, _, bins = kinematics.placed(stars, binning)
    errors = {quantity: table.velocity_errors(quantity) for quantity in QUANTITIES}
    held = [star[bins == k] for k in range(len(binning.bins))]
    found = tuple(
        occupancy(stars.seen.galactic[these], errors[b.quantity][these])
        for b, these in zip(binning.bins, held, strict=True)
    )
    share = (table.distance_error / table.distance)[np.concatenate(held)]
    known = share[np.isfinite(share)]
    scatter = float(np.sqrt(np.mean(known**2))) if len(known) else 0.0
    return Sample(binning.bins, found, NSIDE, scatter)


def uneven(table: BinnedTable) -> list[str]:
    """Returns a sentence for each radial bin whose stars are not spread as its patch is."""
    radial = {b.patch for b in table.bins if b.quantity == "v_gsr"}
    filled = {p.name: p.mean_sin_b for p in PATCHES if p.name in radial}
    found = []
    for cell, sine in zip(table.bins, table.mean_sin_b, strict=True):
        if cell.quantity != "v_gsr" or cell.patch not in filled:
            continue
        ratio = sine / filled[cell.patch]
        if not 1 / UNEVEN < ratio < UNEVEN:
            found.append(
                f"{cell}: the stars' mean sin(b) is {sine:+.2f}, the patch's "
                f"{filled[cell.patch]:+.2f}: a vertical reflex looks {ratio:.1f} times as large as "
                "in simulations, which fill the patch."
            )
    return found


def counts(table: StarTable, binning: Binning) -> list[int]:
    """Returns how many of the stars, with the velocity in question, are in each bin."""
    return kinematics.summarise(table.stars(), binning).count[0].tolist()


def _definition(binning: Binning) -> JSON:
    return {
        "clip": binning.clip,
        "sun_position": frames.SUN_POSITION.tolist(),
        "sun_velocity": frames.SUN_VELOCITY.tolist(),
        "patches": {
            p.patch.name: p.patch.describe()["windows"] for p in binning.profiles
        },
    }


def _astropy(table: BinnedTable) -> Table:
    columns = [np.array(column) for column in zip(*table.bins, strict=True)]
    moments, errors = table.moments, table.errors
    columns += [moments.count, moments.kept, moments.mean, errors.mean]
    columns += [moments.dispersion, errors.dispersion, table.mean_sin_b]
    ecsv = Table(
        columns, names=list(_BINNED), meta={"name": table.name, **table.provenance}
    )
    for name, (unit, description) in _BINNED.items():
        ecsv[name].unit, ecsv[name].description = unit, description
    return ecsv


def _with_sample(ecsv: Table, sample: Sample) -> Table:
    lists = zip(*((s.cells, s.counts, s.errors) for s in sample.stars), strict=True)
    for (name, (unit, description)), rows in zip(_SAMPLED.items(), lists, strict=True):
        column = np.empty(len(rows), dtype=object)
        column[:] = [np.array(row) for row in rows]
        ecsv[name] = Column(column, unit=unit, description=description)
    about = {"healpix_nside": sample.nside, "distance_error": sample.distance_error}
    ecsv.meta["sample"] = about
    return ecsv


def write_binned(table: BinnedTable, path: Path | str) -> None:
    """Writes a binned table as ECSV, with units and provenance; the file appears whole or not."""
    ecsv = _with_sample(_astropy(table), table.sample)
    files.write_ecsv(Path(path), ecsv)


def read_binned(path: Path | str) -> BinnedTable:
    """Returns a binned table that `write_binned` wrote.

    Raises:
        ValueError: If a column is missing, empty, not finite, or in another unit.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    table = Table.read(path, format="ascii.ecsv")
    _check_binned(table, path.name)
    column = {name: table[name].tolist() for name in _BINNED}
    bins = tuple(
        Bin(*row) for row in zip(*(column[n] for n in list(_BINNED)[:4]), strict=True)
    )
    numbers = {name: np.array(column[name]) for name in list(_BINNED)[4:]}
    moments = kinematics.Moments(
        numbers["count"],
        numbers["count_clipped"],
        numbers["mean"],
        numbers["dispersion"],
    )
    errors = kinematics.Errors(numbers["mean_error"], numbers["dispersion_error"])
    provenance = {
        k: value for k, value in table.meta.items() if k not in ("name", "sample")
    }
    sample, latitudes = _read_sample(table, bins), numbers["mean_sin_b"]
    return BinnedTable(
        table.meta["name"], bins, moments, errors, latitudes, sample, provenance
    )


def _read_sample(table: Table, bins: tuple[Bin, ...]) -> Sample:
    lists = zip(*(map(_plain, table[name]) for name in _SAMPLED), strict=True)
    about = table.meta["sample"]
    stars = tuple(BinSample(*row) for row in lists)
    return Sample(bins, stars, about["healpix_nside"], about["distance_error"])


def _plain(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _check_binned(table: Table, where: str) -> None:
    remedy = "make it again with `python -m mwlmc.observed.observations`"
    columns, about = {*_BINNED, *_SAMPLED}, {"name", "definition", "sample"}
    missing = [*(columns - set(table.colnames)), *(about - set(table.meta))]
    if missing or len(table) == 0:
        raise ValueError(
            f"{where}: no {', '.join(missing) or 'rows'} in this binned table: {remedy}"
        )
    for name, (unit, _) in _BINNED.items():
        given = table[name].unit
        if given != (units.Unit(unit) if unit else None):
            raise ValueError(
                f"{where}: column {name} is in {given}, not {unit}: {remedy}"
            )
        bad = np.ma.getmaskarray(table[name])
        if unit:
            bad = bad | ~np.isfinite(np.ma.filled(table[name], np.nan))
        if bad.any():
            raise ValueError(
                f"{where}: column {name} has no value in row {bad.argmax()}: {remedy}"
            )


LMC_POSITION = np.array([-0.6, -41.3, -27.1])  # [kpc], Brooks et al. (2025b)
LMC_VELOCITY = np.array([-63.9, -213.8, 206.6])  # [km/s]


@dataclass(frozen=True)
class LMCErrors:
    """Standard errors of the LMC's centre as the sky shows it (Vasiliev 2023)."""

    ra: float = 0.5  # [deg]
    dec: float = 0.25  # [deg]
    distance: float = 0.5  # [kpc]
    v_los: float = 3.4  # [km/s]
    pm_ra_cosdec: float = 0.02  # [mas/yr]
    pm_dec: float = 0.05  # [mas/yr]


def lmc_covariance(errors: LMCErrors) -> FloatArray:
    """Returns the covariance `[6, 6]` of the LMC's Galactocentric position and velocity.

    The sky's errors are independent; the Jacobian of `sky_to_galactocentric` carries
    them over, so that an error of the distance moves all coordinates together.
    """
    sky = np.array(frames.galactocentric_to_sky(LMC_POSITION, LMC_VELOCITY))
    sigma = np.array(list(vars(errors).values()))
    sigma[:2] = np.radians(sigma[:2])
    step = 1e-4 * np.diag(sigma)
    ends = [
        np.concatenate(frames.sky_to_galactocentric(*(sky + s).T), 1)
        for s in (step, -step)
    ]
    moved = (ends[0] - ends[1]) / 2e-4  # one standard error of each [kpc, km/s]
    return moved.T @ moved


def observe(
    table: BinnedTable, binning: Binning, lmc: LMCErrors | None = None
) -> Observation:
    """Returns the data vector: the LMC's phase space today, then the stars' moments.

    Simulated stars drawn as a survey has its own bring the survey's noise with them:
    with such a binning the covariance has the LMC's errors only. Otherwise it has the
    moments' errors, and the root-mean-square error of velocity is taken from the
    dispersions, in quadrature.

    Arguments:
        table: The observed stars' moments; it may hold more bins than are asked for.
        binning: The bins and moments wanted.
        lmc: Errors of the LMC's centre; by default those of `LMCErrors`.

    Raises:
        ValueError: If the table lacks a bin, or defined its patches in another way, or
            the binning draws the stars of another survey, or wants dispersions of v_tb
            without their errors.
    """
    _check_definition(table, binning)
    _check_moments(table, binning)
    row = {b: i for i, b in enumerate(table.bins)}
    rows = [row[b] for b in binning.bins]
    dispersion, error = table.moments.dispersion[rows], table.errors
    if binning.sample is None:
        dispersion = _intrinsic(dispersion, table.sample.select(binning.bins))
        stellar = kinematics.entries(error.mean[rows], error.dispersion[rows], binning)
    else:
        stellar = np.zeros(sum(len(p.names) for p in binning.profiles))
    value = kinematics.entries(table.moments.mean[rows], dispersion, binning)
    provenance = {"table": table.provenance, "lmc_errors": vars(lmc or LMCErrors())}
    return _data_vector(
        table.name, binning, value, stellar, lmc or LMCErrors(), provenance
    )


def _intrinsic(dispersion: FloatArray, sample: Sample) -> FloatArray:
    """Returns dispersions `[K]` without the errors of velocity that they hold [km/s]."""
    variance = np.array([np.mean(np.square(stars.errors)) for stars in sample.stars])
    return np.sqrt(np.maximum(dispersion**2 - variance, 0.0))


def _check_moments(table: BinnedTable, binning: Binning) -> None:
    across = [
        p
        for p in binning.profiles
        if p.quantity == "v_tb" and "dispersion" in p.moments
    ]
    if across and binning.sample is None:
        raise ValueError(
            "dispersions of v_tb hold the errors of proper motions, which simulations do not have: "
            "use the mean of v_tb, or a binning with the survey's sample"
        )
    known = {
        b
        for b, s in zip(table.sample.bins, table.sample.stars, strict=True)
        if any(s.errors)
    }
    if across and not {b for b in binning.bins if b.quantity == "v_tb"} <= known:
        raise ValueError(
            f"{table.name!r} has no errors of proper motions in some bins: use the mean of v_tb"
        )


def _check_definition(table: BinnedTable, binning: Binning) -> None:
    _check_bins(table, binning)
    drawn = binning.sample
    if drawn is not None and drawn.stars != table.sample.select(drawn.bins).stars:
        raise ValueError(
            f"the binning draws another survey's stars than those of {table.name!r}: use "
            "binning.survey_like(table.sample)"
        )
    known, wanted = table.provenance["definition"], _definition(binning)
    patches = {name: known["patches"].get(name) for name in wanted["patches"]}
    for key, value in (known | {"patches": patches}).items():
        if value != wanted[key]:
            raise ValueError(
                f"{table.name!r} was binned with {key} {value}, not {wanted[key]}: make it again "
                "with `python -m mwlmc.observed.observations`"
            )


def _check_bins(table: BinnedTable, binning: Binning) -> None:
    lacking = [str(b) for b in binning.bins if b not in table.bins]
    if lacking:
        raise ValueError(
            f"{table.name!r} has nothing on {'; '.join(lacking)}: use "
            "binning.supported(table.counts(binning))"
        )


def _data_vector(
    name: str,
    binning: Binning,
    value: FloatArray,
    error: FloatArray,
    lmc: LMCErrors,
    provenance: JSON,
) -> Observation:
    covariance = np.diag(error**2)
    if binning.lmc:
        covariance = linalg.block_diag(lmc_covariance(lmc), covariance)
        value = np.concatenate([LMC_POSITION, LMC_VELOCITY, value])
    return Observation(
        name,
        binning.names,
        binning.units,
        value,
        covariance,
        binning.fingerprint,
        provenance,
    )


_VELOCITY_SPREAD = 95.0  # [km/s], of halo stars in the line of sight and across
_MOTION_ERROR = 0.1  # [mas/yr], of one star's proper motion in a forecast


def forecast_errors(binning: Binning, stars: int = GIANTS) -> FloatArray:
    """Returns the standard errors `[S]` that an all-sky survey of giants would reach.

    Halo stars scatter by 95 km/s about the mean, and proper motions add 0.1 mas/yr; a
    bin's error is that over sqrt(N), its dispersion's over sqrt(2 N), with
    `expected_counts` stars, but not fewer than two. A dispersion is that of the stars
    themselves: taking the known errors of motions out of the measured one, s^2 =
    measured^2 - known^2, enlarges its error by measured / s. The LMC's are the first
    six, if they are entries.

    Arguments:
        binning: Its patches must be named in `survey.SHARES`.
        stars: The number of stars at 30-100 kpc in the whole sky.
    """
    count = np.maximum(expected_counts(binning, stars), 2)
    distance = np.array([(b.lower + b.upper) / 2 for b in binning.bins])
    across = np.array([b.quantity == "v_tb" for b in binning.bins])
    spread = np.hypot(_VELOCITY_SPREAD, across * frames.K * _MOTION_ERROR * distance)
    own = spread / np.sqrt(2 * count) * (spread / _VELOCITY_SPREAD)
    stellar = kinematics.entries(spread / np.sqrt(count), own, binning)
    lmc = np.sqrt(np.diag(lmc_covariance(LMCErrors())))
    return np.concatenate([lmc, stellar]) if binning.lmc else stellar


def forecast(
    binning: Binning, truth: FloatArray, seed: int | None = None, stars: int = GIANTS
) -> Observation:
    """Returns a mock data vector of an all-sky survey of giants.

    Arguments:
        binning: How stars become summaries.
        truth: The summaries `[S]` without errors, such as the mean of simulations.
        seed: Draws the errors once; without it the data vector is the truth itself.
        stars: The number of stars at 30-100 kpc in the whole sky.

    Raises:
        ValueError: If the truth has another length, or is not finite, or if the binning
            draws the stars of a survey, which has no forecast.
    """
    if binning.sample is not None:
        raise ValueError(
            "a forecast has no observed stars to draw: use a binning without a sample"
        )
    truth = np.asarray(truth, dtype=float)
    if truth.shape != (len(binning.names),):
        raise ValueError(
            f"truth of shape {truth.shape} for {len(binning.names)} summaries"
        )
    first = len(LMC_NAMES) if binning.lmc else 0
    values, errors = truth[first:], forecast_errors(binning, stars)[first:]
    provenance = {"forecast_stars": stars, "seed": seed}
    mock = _data_vector("forecast", binning, values, errors, LMCErrors(), provenance)
    value = truth
    if seed is not None:
        value = generator(seed).multivariate_normal(truth, mock.covariance)
    return replace(mock, value=value)


_SELECTIONS = {
    "desi": Selection(sagittarius=True, inner=30.0, outer=100.0),
    "quadrants": Selection(sagittarius=False, inner=30.0, outer=160.0),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Bins a star table and writes the result; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        write_binned(_binned(options), options.out)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mwlmc.observed.observations",
        description="Reduces a star table to a binned table.",
    )
    parser.add_argument("survey", choices=list(_SELECTIONS), help="footprint and bins")
    parser.add_argument(
        "stars", type=Path, help="star table: MWS_BHB.fits, CSV, ECSV or FITS"
    )
    parser.add_argument("out", type=Path, help="the binned table to write (ECSV)")
    parser.add_argument(
        "--name", help="what was observed; default: the star table's name"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument(
        "--bins", type=int, help="distance bins of each quadrant; default: 5"
    )
    parser.add_argument(
        "--sagittarius-cut",
        action=argparse.BooleanOptionalAction,
        help="leave out the Sagittarius stream; default: for desi only",
    )
    parser.add_argument(
        "--proper-motions",
        action=argparse.BooleanOptionalAction,
        help="use proper motions; default: for desi only",
    )
    return parser


def _binned(options: argparse.Namespace) -> BinnedTable:
    binning, selection = _binning(options), _SELECTIONS[options.survey]
    for_desi = options.survey == "desi"
    if options.sagittarius_cut is not None:
        selection = replace(selection, sagittarius=options.sagittarius_cut)
    if not (for_desi if options.proper_motions is None else options.proper_motions):
        binning = binning.select(("v_gsr",))
    result = _reduce(options.stars, binning, selection, options.name, options.seed)
    print("\n".join(selection_lines(result)))
    return replace(
        result, provenance={**result.provenance, "command": _command(options)}
    )


def _binning(options: argparse.Namespace) -> Binning:
    if options.bins is None:
        return DESI_FOOTPRINT if options.survey == "desi" else QUADRANTS
    if options.survey == "desi":
        raise ValueError(
            f"--bins {options.bins}: desi has bins of its own; leave this out"
        )
    return quadrants(options.bins)


def _reduce(
    stars: Path, binning: Binning, selection: Selection, name: str | None, seed: int
) -> BinnedTable:
    _check_edges(binning, selection)
    table = select(read_stars(stars), selection)
    supported = binning.supported(counts(table, binning))
    left_out = [str(b) for b in binning.bins if b not in supported.bins]
    result = bin_stars(table, supported, name or stars.stem, seed)
    return replace(result, provenance={**result.provenance, "left_out": left_out})


def _check_edges(binning: Binning, selection: Selection) -> None:
    for edge in (selection.inner, selection.outer):
        for cut in binning.bins:
            if cut.lower < edge < cut.upper:
                raise ValueError(
                    f"a selection to {edge:g} kpc cuts through {cut}, which simulations fill "
                    f"wholly: choose {cut.lower:g} or {cut.upper:g} kpc"
                )


def selection_lines(table: BinnedTable) -> list[str]:
    """Returns what the selection kept, step by step, and which bins had no stars to speak of."""
    steps = [f"{count:7d}  {step}" for step, count in table.provenance["steps"]]
    left_out = table.provenance["left_out"]
    return steps + [f"left out, fewer than two stars: {bin_}" for bin_ in left_out]


_FILLED = Measurement()
_STAND_INS: dict[Sampling, str] = {
    "full-footprint": "All simulated stars of a patch stand for them; these errors are "
    "added in training.",
    "survey-like": "As many simulated stars stand for them, drawn in the same cells of the sky and "
    "with errors like theirs: their noise is in the simulations, and none is added in training.",
}


def reports(table: BinnedTable, measurement: Measurement = _FILLED) -> dict[str, Table]:
    """Returns the selection and the binned velocities as tables for people, by title.

    Arguments:
        table: The observed stars' moments.
        measurement: Which simulated stars stand for them.
    """
    provenance = table.provenance
    steps = Table(rows=provenance["steps"], names=["step", "stars"])
    left_out = "; ".join(provenance["left_out"]) or "none"
    steps.meta["key"] = "selection"
    steps.meta["caption"] = (
        f"{provenance['source']['file']}: stars left after each step. Bins left out because they "
        f"have fewer than two stars: {left_out}."
    )
    velocities = _astropy(table)
    for name, (unit, _) in _BINNED.items():
        velocities[name].info.format = "%.1f" if unit else None
    velocities["mean_sin_b"].info.format = "%+.2f"
    filled = measurement.sampling == "full-footprint"
    velocities.meta["misses"] = uneven(table) if filled else []
    velocities.meta["key"] = "binned_velocities"
    velocities.meta["caption"] = (
        f"{table.name}: mean and dispersion after clipping. In bins of fewer than ten stars, "
        "errors follow from the dispersion of the nearest bins, because a bootstrap of so few "
        f"means nothing. {_STAND_INS[measurement.sampling]}"
    )
    return {"Selection": steps, "Binned velocities": velocities}


def vectors(
    table: BinnedTable,
    binnings: Mapping[str, Binning],
    measurement: Measurement = _FILLED,
    seed: int = 0,
) -> dict[str, tuple[Binning, Observation]]:
    """Returns, by label, the supported part of each binning and the data vector in it.

    A binning is left out if the table has no bin at all of one of its quantities.

    Arguments:
        table: The observed stars' moments.
        binnings: How stars become summaries, by label.
        measurement: What is measured, and which simulated stars stand for the observed
            ones.
        seed: Of the draw of simulated stars.
    """
    found = {}
    for label, binning in binnings.items():
        supported = measurement.binning(binning.supported(table.counts(binning)))
        if {b.quantity for b in supported.bins} == {b.quantity for b in binning.bins}:
            drawn = measurement.drawn(supported, table.sample, seed)
            found[label] = (drawn, observe(table, drawn))
    return found


def load(
    path: Path, binning: Binning, selection: Selection, seed: int = 0
) -> BinnedTable:
    """Returns the binned table of a file: a binned table as it is, or a star table reduced.

    Arguments:
        path: A table that `write_binned` wrote, or a star table.
        binning: How a star table is binned; bins with fewer than two stars are left
            out.
        selection: Which stars of a star table are kept.
        seed: Of the bootstrap.

    Raises:
        ValueError: If the file is neither, something in it is wrong (see the readers),
            or a binned table was made with another selection.
        OSError: If it cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no file {path}: run from the project's folder, or say where the stars are"
        )
    if path.suffix == ".ecsv" and "bootstrap_seed" in path.read_text(encoding="utf-8"):
        return _selected(read_binned(path), binning, selection, path)
    return _reduce(path, binning, selection, None, seed)


def _selected(
    table: BinnedTable, binning: Binning, selection: Selection, path: Path
) -> BinnedTable:
    other = [str(b) for b in table.bins if b not in binning.bins]
    if other:
        raise ValueError(
            f"{path.name} holds other bins, such as {other[0]}: give the table of the stars "
            "themselves"
        )
    steps = [step for step, _ in table.provenance["steps"]]
    made = tuple(steps[steps.index(READ) + 1 :])
    if made != selection.steps:
        raise ValueError(
            f"{path.name} holds stars selected as {'; '.join(made)}, not as "
            f"{'; '.join(selection.steps)}: give the table of the stars themselves"
        )
    return table


def _command(options: argparse.Namespace) -> str:
    flags = [
        f"--{'' if value else 'no-'}{name.replace('_', '-')}"
        for name, value in vars(options).items()
        if isinstance(value, bool)
    ]
    named = [] if options.bins is None else [f"--bins {options.bins}"]
    named += [] if options.name is None else [f"--name {options.name!r}"]
    words = [
        options.survey,
        options.stars.name,
        options.out.name,
        f"--seed {options.seed}",
    ]
    return " ".join(["python -m mwlmc.observed.observations", *words, *named, *flags])


if __name__ == "__main__":
    sys.exit(main())
