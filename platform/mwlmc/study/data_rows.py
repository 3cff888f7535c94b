"""Data vectors from which posteriors are inferred, and what was inferred from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mwlmc.observed.binned_table import BinnedTable, are_desi
from mwlmc.observed.summary_tables import motions_note
from mwlmc.sky.binning import SkyBinning
from mwlmc.study import quantities
from orrery.inference.posteriors import Inferred
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.results.recording import Recording
from orrery.results.sections import Caution
from orrery.sentences import Sentence
from orrery.terminal import say


@dataclass(frozen=True, eq=False)
class DataRow:
    """One data vector from which a posterior is inferred.

    Arguments:
        label: What it is called, such as `DESI, without v_tb`.
        key: The same in keys of files and numbers, such as `desi.v_gsr`.
        published: The row of Table 2 that it is compared with.
        binning: How stars became summaries.
        observation: The data vector.
        stars: How many stars it is of; None where they are simulated ones, or not counted.

    Example:
        >>> import numpy as np
        >>> from mwlmc.sky.binning import DESI_FOOTPRINT
        >>> v, error = np.ones(1), np.eye(1)
        >>> vector = Observation("DESI", ("v",), ("km / s",), v, error, "0f", {})
        >>> (row,) = data_rows({"DESI, with v_tb": (DESI_FOOTPRINT, vector)})
        >>> row.key
        'desi.v_gsr_v_tb'
    """

    label: str
    key: str
    published: str
    binning: SkyBinning
    observation: Observation
    stars: int | None = None


def star_source(row: DataRow) -> tuple[Sentence, dict[str, float]]:
    """Returns which stars a data vector is of, and the numbers in that by stable key.

    Arguments:
        row: The data vector.

    Example:
        >>> import numpy as np
        >>> from mwlmc.sky.binning import DESI_FOOTPRINT
        >>> v, error = np.ones(1), np.eye(1)
        >>> seen = Observation("BHB stars", ("v",), ("km / s",), v, error, "0f", {})
        >>> row = DataRow("DESI", "desi.v_gsr", "DESI", DESI_FOOTPRINT, seen, 856)
        >>> said, numbers = star_source(row)
        >>> print(said, numbers["stars.desi.v_gsr.count"])
        BHB stars: 856 of them at 30 to 100 kpc 856
    """
    bins = row.binning.bins
    ends = {
        "inner": min(one.lower for one in bins),
        "outer": max(one.upper for one in bins),
    }
    where = f"at {ends['inner']:.3g} to {ends['outer']:.3g} kpc"
    counted = {} if row.stars is None else {"count": row.stars}
    many = "stars" if row.stars is None else f"{row.stars} of them"
    numbers = {f"stars.{row.key}.{k}": v for k, v in (counted | ends).items()}
    shows = (f"data_vector.{row.key}.name", *numbers)
    return Sentence(f"{row.observation.name}: {many} {where}", shows), numbers


def count_stars(stars: BinnedTable, binning: SkyBinning) -> int:
    """Returns how many stars are in the bins of a binning.

    Those with v_t,b are in bins of v_GSR, too, and count once.

    Arguments:
        stars: The stars in bins.
        binning: Which bins are meant.
    """
    counts = zip(binning.bins, stars.counts(binning), strict=True)
    return sum(count for one, count in counts if one.quantity == "v_gsr")


def data_rows(
    data: Mapping[str, tuple[SkyBinning, Observation]],
    survey: str = "",
    called: str = "",
    stars: BinnedTable | None = None,
) -> list[DataRow]:
    """Returns the data vectors of rows of Table 2.

    Arguments:
        data: Binning and data vector, by the name of the row.
        survey: Key and label of the data if they are others than the row's.
        called: Their label alone, if it is another than that.
        stars: Whose they are; those of other rows than DESI's are a survey's, or simulated.
    """
    rows = []
    for published, (binning, observation) in data.items():
        label, key = published, quantities.row_key(published)
        velocities = published.partition(", ")[2]
        # other stars than the row's are compared with it, but keep their own name
        if survey or called:
            label = f"{called or survey}, {velocities}"
        if survey:
            key = f"{survey}.{quantities.VELOCITY_KEYS[velocities]}"
        seen = stars is not None and (survey or not quantities.is_forecast(published))
        count = count_stars(stars, binning) if stars is not None and seen else None
        rows.append(DataRow(label, key, published, binning, observation, count))
    return rows


def desi_rows(
    stars: BinnedTable, data: Mapping[str, tuple[SkyBinning, Observation]]
) -> list[DataRow]:
    """Returns the data vectors of stars in DESI's fields, called as whose stars they are.

    Arguments:
        stars: The stars in bins.
        data: Binning and data vector, by which velocities there are.
    """
    # labels of the binnings are the ends of the names of Table 2's rows
    rows = {f"DESI, {label}": row for label, row in data.items()}
    called = "" if are_desi(stars) else f"{stars.name} in DESI's fields"
    return data_rows(rows, called=called, stars=stars)


def record_others_stars(
    recording: Recording, called: Mapping[str, Iterable[BinnedTable | Observation]]
) -> None:
    """Records which stars are others than those after which the run calls its data.

    Arguments:
        recording: The run.
        called: Stars in bins, or data vectors of stars, by the survey after which they
            are called.
    """
    others = [
        f"what is called {survey} here is of the table {name!r}"
        for survey, stars in called.items()
        for name in sorted({one.name for one in stars if not _are_of(survey, one)})
    ]
    if others:
        text = (
            f"By their names, {', and '.join(others)}: values published of a survey are of other "
            "stars than these."
        )
        recording.add(Caution("others_stars", "Stars of others", text))


def _are_of(survey: str, stars: BinnedTable | Observation) -> bool:
    return are_desi(stars) if survey == "DESI" else survey in stars.name


@dataclass(frozen=True, eq=False)
class Posteriors:
    """What was inferred from several data vectors with one set of simulations.

    Arguments:
        inferred: By label.
        prior: The inferred parameters of the training simulations, `[n, P]`.

    Example:
        >>> import numpy as np
        >>> Posteriors({}, prior=np.zeros((8, 6))).draws
        {}
    """

    inferred: Mapping[str, Inferred]
    prior: FloatArray

    @property
    def draws(self) -> dict[str, FloatArray]:
        """Draws `[n, P]` of each posterior."""
        return {label: one.draws for label, one in self.inferred.items()}


def say_motions(stars: BinnedTable, motion_floor: float = 0.0) -> None:
    """Says at once, not on the page alone, that there will be one posterior instead of two.

    Raises:
        ValueError: If proper motions have a floor, and none is used.
    """
    if motion_floor and not any(b.quantity == "v_tb" for b in stars.bins):
        raise ValueError(
            f"motion_floor {motion_floor:g} would be ignored: {stars.name!r} has no bins of "
            "v_tb; leave it out, or give stars with proper motions"
        )
    if note := motions_note(stars):
        say(note)
