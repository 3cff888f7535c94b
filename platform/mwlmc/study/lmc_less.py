"""What a model without an LMC makes of data: another mass of the Milky Way.

The LMC has stirred the halo that it moved the disc against: its stars are faster than
those of a halo at rest, and who forgets the LMC takes that for mass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table

from mwlmc.study.data_rows import DataRow
from orrery.inference.posteriors import Inferred
from orrery.parameters import FloatArray
from orrery.records import Observation


@dataclass(frozen=True)
class MassShift:
    """How far masses are from others, as shares of these.

    Arguments:
        mean: That of the mean logarithm.
        error: Its standard error; NaN of a single mass.
        number: Of how many masses.

    Example:
        >>> shift = mass_shift(np.log10([1.1, 1.2]), np.zeros(2))
        >>> round(shift.mean, 3), round(shift.error, 3)
        (0.149, 0.05)
    """

    mean: float
    error: float
    number: int


def mass_shift(ours: FloatArray, reference: FloatArray) -> MassShift:
    """Returns the mean shift between masses, given by their logarithms `[N]` to base ten.

    Logarithms are averaged: of masses that scatter, the mean ratio to each other is above
    one whichever is divided by which.
    """
    shifts = np.log(10.0) * (np.asarray(ours) - reference)
    number = len(shifts)
    mean = float(np.expm1(shifts.mean()))
    # one alone has no scatter
    error = float(shifts.std(ddof=1) / np.sqrt(number)) if number > 1 else np.nan
    return MassShift(mean, (1.0 + mean) * error, number)


def mass_shift_table(shifts: Sequence[tuple[str, str, MassShift]]) -> dict[str, Table]:
    """Returns what forgetting the LMC does to the Milky Way's mass, by title.

    Arguments:
        shifts: The data, what is compared, and the shift.
    """
    rows = [
        (data, compared, one.mean, one.error, one.mean / one.error, one.number)
        for data, compared, one in shifts
    ]
    names = ["data", "comparison", "shift", "error", "significance", "number"]
    table = Table(rows=rows, names=names)
    for name in names[2:5]:
        table[name].info.format = "%+.3f" if name == "shift" else "%.3f"
    table.meta["key"] = "without_lmc"
    table.meta["caption"] = (
        "M_MW,halo(<50 kpc) by models with and without an LMC, medians of posteriors: shift of "
        "the mean logarithm as a share of the mass, its standard error over the mocks, and how "
        "many of them there are. Mocks are galaxies with an LMC. The model without one sees the "
        "dispersions alone: in it no mean velocity depends on a mass."
    )
    return {"Without an LMC": table}


def dispersions_alone(row: DataRow) -> DataRow:
    """Returns the dispersions alone of a data vector, as a model without an LMC sees it.

    In such a model no mean velocity depends on what is inferred, and means that an LMC has
    made are beyond all that its flow has learned.

    Arguments:
        row: The data vector, with dispersions.
    """
    profiles = tuple(
        replace(profile, moments=("dispersion",))
        for profile in row.binning.profiles
        if "dispersion" in profile.moments
    )
    binning = replace(row.binning, profiles=profiles, lmc=False)
    seen = row.observation
    kept = _places(seen.names, binning.names)
    observation = Observation(
        seen.name,
        binning.names,
        binning.units,
        seen.value[kept],
        seen.covariance[np.ix_(kept, kept)],
        binning.fingerprint,
        seen.provenance,
        simulated=None if seen.simulated is None else seen.simulated[:, kept],
    )
    return DataRow(
        f"{row.label}, without an LMC",
        f"{row.key}.without_lmc",
        row.published,
        binning,
        observation,
    )


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return [names.index(name) for name in wanted]


def observed_shift(
    both: tuple[Inferred, Inferred], columns: tuple[int, int]
) -> dict[str, MassShift]:
    """Returns how far the mass without an LMC is from that with one, of one observation.

    Arguments:
        both: The posteriors of the model with an LMC, and of that without one.
        columns: Where each of them has the logarithm of the mass.
    """
    right, wrong = (
        np.median(one.draws[:, [column]], axis=0)
        for one, column in zip(both, columns, strict=True)
    )
    return {"without an LMC, against with one": mass_shift(wrong, right)}


def mock_shifts(
    both: tuple[Inferred, Inferred],
    columns: tuple[int, int],
    truth: float,
    count: int,
    seed: int,
) -> dict[str, MassShift]:
    """Returns how far the masses of mocks with an LMC are from the truth, and from each other.

    Both models see the same mocks with the same errors, so that only the models differ.

    Arguments:
        both: The posteriors of the model with an LMC, and of that without one.
        columns: Where each of them has the logarithm of the mass.
        truth: The logarithm of the mocks' mass.
        count: Draws of each mock's posterior.
        seed: Of errors and draws.
    """
    first, second = both
    seen = first.observation.realisations(seed)
    kept = _places(first.observation.names, second.observation.names)
    right, wrong = (
        np.median(one.posterior.sample_each(x, count, seed)[..., column], axis=0)
        for one, x, column in zip(both, (seen, seen[:, kept]), columns, strict=True)
    )
    known = np.full_like(right, truth)
    return {
        "with an LMC, against the truth": mass_shift(right, known),
        "without an LMC, against the truth": mass_shift(wrong, known),
        "without an LMC, against with one": mass_shift(wrong, right),
    }
