"""How heavy the LMC is beside the Milky Way: M_LMC / M_200 of posteriors, and the published one."""

from collections.abc import Mapping

import numpy as np
from astropy.table import Table

from mwlmc.model import total_masses
from mwlmc.study.literature import (
    HALO_MASS,
    LEAST_MASS_RATIO,
    QUANTITIES,
    TABLE2,
    PublishedRow,
)
from mwlmc.study.quantities import interval_ends, quantities
from orrery.parameters import FloatArray


def mass_ratio(draws: FloatArray, circular_velocity: float) -> FloatArray:
    """Returns M_LMC / M_200, `[n]`, of draws `[n, P]`: total masses, of the LMC and the halo.

    Arguments:
        draws: The first parameters are `INFERRED`.
        circular_velocity: Of the simulated Milky Ways at the Sun [km/s]: it decides
            which M_200 belongs to a mass within 50 kpc.

    Raises:
        ValueError: If no concentration reaches the circular velocity.

    Example:
        >>> one = np.zeros((1, 6))
        >>> one[0, :2] = np.log10([4.4e11, 9.2e10])
        >>> mass_ratio(one, 235.0).round(2).tolist()
        [0.14]
    """
    return _ratio(quantities(draws), circular_velocity)


def published_ratio(row: PublishedRow, circular_velocity: float) -> float:
    """Returns M_LMC / M_200 at the medians of a row of Table 2, in the model's profiles.

    Raises:
        ValueError: If no concentration reaches the circular velocity.
    """
    medians = {name: np.array([value.median]) for name, value in row.items()}
    return float(_ratio(medians, circular_velocity)[0])


def _ratio(values: Mapping[str, FloatArray], circular_velocity: float) -> FloatArray:
    lmc, halo = (QUANTITIES[n].scale * values[n] for n in ("M_LMC(<50 kpc)", HALO_MASS))
    # both ends of what the prior can draw bound what an untrained flow may say
    m200 = total_masses.milky_way_m200(halo, circular_velocity)
    return total_masses.lmc_total(lmc) / m200


def mass_ratio_table(
    found: Mapping[str, FloatArray],
    published: Mapping[str, str],
    prior: FloatArray,
    circular_velocity: float,
) -> dict[str, Table]:
    """Returns M_LMC / M_200 of each posterior, of the prior and of the paper, by title.

    Arguments:
        found: Draws `[n, P]`, by the name of the data.
        published: The row of Table 2 that belongs to each of them.
        prior: Draws from our prior, with shape `[m, P]`.
        circular_velocity: Of the simulated Milky Ways at the Sun [km/s].

    Raises:
        ValueError: If no concentration reaches the circular velocity.
    """
    rows = []
    for data, draws in {**found, "prior": prior}.items():
        low, median, high = interval_ends(mass_ratio(draws, circular_velocity))
        theirs = np.nan
        if data in published:
            theirs = published_ratio(TABLE2[published[data]], circular_velocity)
        rows.append((data, median, low, high, theirs))
    rows.append(("Brooks et al. (2025b), at least", np.nan, *LEAST_MASS_RATIO, np.nan))
    names = ["data", "median", "lower", "upper", "published"]
    table = Table(rows=rows, names=names)
    for name in names[1:]:
        table[name].info.format = "%.3f"
    table.meta["key"] = "mass_ratio"
    table.meta["caption"] = (
        "M_LMC / M_200: the LMC's total mass over the Milky Way's halo's (median, 16 and 84 %); "
        "published: at the medians of the row of Table 2, in our profiles."
    )
    return {"LMC mass over Milky Way mass": table}
