"""Data vectors from which posteriors are inferred, and what was inferred from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from mwlmc.observed.binned_table import BinnedTable, are_desi
from mwlmc.sky.binning import SkyBinning
from mwlmc.study import quantities
from orrery.inference.posteriors import Inferred
from orrery.parameters import FloatArray
from orrery.records import Observation


@dataclass(frozen=True, eq=False)
class DataRow:
    """One data vector from which a posterior is inferred.

    Arguments:
        label: What it is called, such as `DESI, without v_tb`.
        key: The same in keys of files and numbers, such as `desi.v_gsr`.
        published: The row of Table 2 that it is compared with.
        binning: How stars became summaries.
        observation: The data vector.

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


def data_rows(
    data: Mapping[str, tuple[SkyBinning, Observation]],
    survey: str = "",
    called: str = "",
) -> list[DataRow]:
    """Returns the data vectors of rows of Table 2.

    Arguments:
        data: Binning and data vector, by the name of the row.
        survey: Key and label of the data if they are others than the row's.
        called: Their label alone, if it is another than that.
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
        rows.append(DataRow(label, key, published, binning, observation))
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
    return data_rows(rows, called=called)


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
