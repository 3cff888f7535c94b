"""Data vectors: the observed LMC and the moments of observed stars, with their covariance.

A `Measurement` says which moments are measured, and which simulated stars represent the
observed ones: the binning of the simulations follows from it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import linalg

from mwlmc.model.lmc import LMC_POSITION, LMC_VELOCITY, LMCErrors, lmc_covariance
from mwlmc.observed.binned_table import BinnedTable, definition
from mwlmc.observed.options import Measurement
from mwlmc.sky import frames, kinematics
from mwlmc.sky.binning import LMC_NAMES, SkyBinning
from mwlmc.sky.moments import clipped_moments
from mwlmc.sky.selection_function import Sample
from orrery.identity import JSON
from orrery.parameters import FloatArray, IntArray, generator
from orrery.records import Observation

VERSION = 5  # of data vectors, observed and mock; raised whenever they change


_FILLED = Measurement()
_MANY = 300  # stars, about as many as simulations have in most bins
_SETS = 2000  # of stars that tell a usual dispersion to a fortieth of one set's scatter


def observe(
    table: BinnedTable,
    binning: SkyBinning,
    lmc: LMCErrors | None = None,
    motion_floor: float = 0.0,
) -> Observation:
    """Returns the data vector: the LMC's phase space today, then the stars' moments.

    Simulated stars drawn as a survey has its own bring the survey's noise with them:
    with such a binning the covariance has the LMC's errors only. Otherwise it has the
    moments' errors, the root-mean-square error of velocity is taken from the
    dispersions, in quadrature, and these are what they would be of many stars.

    Arguments:
        table: The observed stars' moments; it may hold more bins than the binning.
        binning: The bins and moments wanted.
        lmc: Errors of the LMC's centre; by default those of `LMCErrors`.
        motion_floor: Systematic error that all proper motions share [mas/yr].

    Raises:
        ValueError: If the table lacks a bin, or defined its patches in another way, or
            the binning draws the stars of another survey, or wants dispersions of v_tb
            without their errors.
    """
    _check_definition(table, binning)
    _check_moments(table, binning)
    row = {b: i for i, b in enumerate(table.bins)}
    rows = [row[b] for b in binning.bins]
    dispersion = table.moments.dispersion[rows]
    error = table.errors
    # Observed dispersions hold the errors of velocity. Simulated stars that fill their
    # patch have none, so the errors are taken out; survey-like stars have them too, and
    # are as few.
    if binning.sample is None:
        larger = _of_many(table.moments.count[rows], binning)
        sample = table.sample.select(binning.bins)
        dispersion = _intrinsic(larger * dispersion, sample)
        own = larger * error.dispersion[rows]
        stellar = kinematics.entries(error.mean[rows], own, binning)
    else:
        stellar = np.zeros(sum(len(p.names) for p in binning.profiles))
    value = kinematics.entries(table.moments.mean[rows], dispersion, binning)
    provenance = {"table": table.provenance, "lmc_errors": vars(lmc or LMCErrors())}
    seen = data_vector(
        table.name, binning, value, stellar, lmc or LMCErrors(), provenance
    )
    if motion_floor == 0.0:
        return seen
    shared = _shared_motion_covariance(binning, motion_floor)
    return replace(
        seen,
        covariance=seen.covariance + shared,
        provenance={**provenance, "motion_floor": motion_floor},
    )


def _shared_motion_covariance(binning: SkyBinning, floor: float) -> FloatArray:
    """Returns the covariance `[S, S]` of entries whose stars share an error of proper motion.

    It moves all means of v_tb together, each by as much as its distance says; dispersions
    it leaves as they are. Gaia's systematic errors change over some degrees (Lindegren et
    al. 2021, section 5.6): over a whole survey they average out in part, so that a floor of
    their size for single stars is a cautious one.

    Arguments:
        binning: How stars become summaries.
        floor: The shared error [mas/yr].
    """
    means = np.array(
        [sum(b[2:]) / 2 if b.quantity == "v_tb" else 0.0 for b in binning.bins]
    )
    # of bins, whose distance from the Sun is nearly that from the centre, beyond 30 kpc
    shift = kinematics.entries(frames.K * floor * means, np.zeros(len(means)), binning)
    if binning.lmc:
        shift = np.concatenate([np.zeros(len(LMC_NAMES)), shift])
    return np.outer(shift, shift)


def vectors(
    table: BinnedTable,
    binnings: Mapping[str, SkyBinning],
    measurement: Measurement = _FILLED,
    seed: int = 0,
) -> dict[str, tuple[SkyBinning, Observation]]:
    """Returns, by label, the supported part of each binning and the data vector in it.

    A binning is left out if the table has no bin at all of one of its quantities.

    Arguments:
        table: The observed stars' moments.
        binnings: How stars become summaries, by label.
        measurement: What is measured, and which simulated stars represent the observed
            ones.
        seed: Of the draw of simulated stars.

    Raises:
        ValueError: If errors of distance are wanted and as large as the distances.
    """
    part = table.sample.distance_error
    if measurement.distance_errors and part >= 1.0:
        raise ValueError(
            f"{table.name!r}: errors of distance are {100 * part:.3g} % of the distances, which "
            "simulated stars cannot get: are they in per cent, or the bounds themselves? mend "
            "their column in the star table, or leave --distance-errors out"
        )
    found = {}
    for label, binning in binnings.items():
        supported = measurement.binning(binning.supported(table.counts(binning)))
        if {b.quantity for b in supported.bins} == {b.quantity for b in binning.bins}:
            drawn = measurement.drawn(supported, table.sample, seed)
            floor = measurement.motion_floor
            found[label] = (drawn, observe(table, drawn, motion_floor=floor))
    return found


def _of_many(counts: IntArray, binning: SkyBinning) -> FloatArray:
    """Returns by what dispersions of so many stars are too small on average, `[K]`.

    About their own mean a few stars scatter less than many do, as simulated ones are: two
    by 1.75, twelve by 1.05, fifty by 1.01.
    """
    if not any("dispersion" in profile.moments for profile in binning.profiles):
        return np.ones(len(counts))
    many = _usual_dispersion(_MANY, binning.clip)
    few = [_usual_dispersion(min(int(n), _MANY), binning.clip) for n in counts]
    return many / np.array(few)


@lru_cache(maxsize=1024)
def _usual_dispersion(count: int, clip: float) -> float:
    """Returns the mean dispersion, after clipping, of so many standard normal numbers."""
    values = generator(0, count).standard_normal(_SETS * count)
    bins = np.repeat(np.arange(_SETS), count)
    return float(clipped_moments(values, bins, _SETS, clip).dispersion.mean())


def _intrinsic(dispersion: FloatArray, sample: Sample) -> FloatArray:
    """Returns dispersions `[K]` without the errors of velocity that they hold [km/s]."""
    variance = np.array([np.mean(np.square(stars.errors)) for stars in sample.stars])
    # few stars may scatter less than their errors: zero is then the best estimate
    return np.sqrt(np.maximum(dispersion**2 - variance, 0.0))


def _check_moments(table: BinnedTable, binning: SkyBinning) -> None:
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


def _check_definition(table: BinnedTable, binning: SkyBinning) -> None:
    _check_bins(table, binning)
    drawn = binning.sample
    if drawn is not None and drawn.stars != table.sample.select(drawn.bins).stars:
        raise ValueError(
            f"the binning draws another survey's stars than those of {table.name!r}: use "
            "binning.survey_like(table.sample)"
        )
    known = table.provenance["definition"]
    wanted = definition(binning)
    patches = {name: known["patches"].get(name) for name in wanted["patches"]}
    for key, value in (known | {"patches": patches}).items():
        if value != wanted[key]:
            raise ValueError(
                f"{table.name!r} was binned with {key} {value}, not {wanted[key]}: make it again "
                "with `python -m mwlmc.observed.binned_table`"
            )


def _check_bins(table: BinnedTable, binning: SkyBinning) -> None:
    lacking = [str(b) for b in binning.bins if b not in table.bins]
    if lacking:
        raise ValueError(
            f"{table.name!r} has nothing on {'; '.join(lacking)}: use "
            "binning.supported(table.counts(binning))"
        )


def data_vector(
    name: str,
    binning: SkyBinning,
    value: FloatArray,
    error: FloatArray,
    lmc: LMCErrors,
    provenance: JSON,
) -> Observation:
    """Returns a data vector with independent errors of the stars' entries.

    Arguments:
        name: What was observed.
        binning: How stars become summaries, and whether the LMC is among the entries.
        value: The stars' entries `[S]`, or those after the LMC's.
        error: Their standard errors, likewise.
        lmc: Errors of the LMC's centre.
        provenance: Where the numbers come from, as plain JSON.
    """
    # Bins share no star in one quantity, and the line of sight and the tangential
    # velocity of a star are almost independent: so are the entries.
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
