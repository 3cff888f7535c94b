"""What means and dispersions say, beside the follow-up paper, and what forgetting the LMC does.

Pure numbers: draws in, tables and answers out. The follow-up is Brooks et al. (2026).
"""

from collections.abc import Mapping

import numpy as np
from astropy.table import Table

from mwlmc.model import reflex_shells, total_masses
from mwlmc.study import inferred_quantities
from mwlmc.study.inferred_quantities import INFERABLE, InferredQuantities
from mwlmc.study.literature import (
    HALO_COLUMN,
    HALO_MASS,
    QUANTITIES,
    Published,
    PublishedRow,
    published_measurements,
)
from mwlmc.study.quantities import answer, interval_ends
from orrery.parameters import FloatArray
from orrery.results.sections import Answer

VERSION = 7  # of these answers; raised whenever their numbers change
# Of what decides them beside what decides all answers: see `versions`.
VERSIONS = {"follow_ups": VERSION}
SUMMARIES = {
    "inferred_labels": inferred_quantities.VERSION,
    "reflex_motions": reflex_shells.VERSION,
}

LMC_WITHIN_50 = "M_LMC(<50 kpc)"
MASS_RATIO = "M_LMC / M_200"
# Brooks et al. (2026), abstract of the second version. The travel velocity is that against
# stars at 100 kpc, and the anisotropy that of the halo before the LMC came.
FOLLOW_UP: PublishedRow = {
    **next(o.values for o in published_measurements() if o.key == "brooks_2026"),
    "beta0": Published(0.68, 0.02, 0.02),
}
FOLLOW_UP_RADIUS = 100.0  # [kpc] of those stars
LEAST_FOLLOW_UP_RATIO = 0.20  # likewise: of the total masses
PUBLISHED_SOURCE = "published.brooks_2026.source"
PUBLISHED: dict[str, float | str] = {
    PUBLISHED_SOURCE: "Brooks et al. (2026), arXiv:2603.08788",
    "published.brooks_2026.least_mass_ratio": LEAST_FOLLOW_UP_RATIO,
    "published.brooks_2026.travel_radius": FOLLOW_UP_RADIUS,
}

# Of each quantity: its column, its unit, and its scale if the column is a logarithm.
_MASSES = {
    HALO_MASS: HALO_COLUMN,
    LMC_WITHIN_50: "log10_m_lmc_50",
}
_KEYS = {
    HALO_MASS: "m_mw_halo_50",
    LMC_WITHIN_50: "m_lmc_50",
    MASS_RATIO: "mass_ratio",
}
_LARGEST = 300.0  # [dex] a double ends at 308
_UNKNOWN = Published(np.nan, np.nan, np.nan)


def follow_up_quantities(
    draws: FloatArray, wanted: InferredQuantities, circular_velocity: float
) -> dict[str, FloatArray]:
    """Returns what is printed of draws: each quantity `[n]` in its unit, by name.

    Masses within 50 kpc are no logarithms, the components of the travel velocity become
    its magnitude, and the masses of both galaxies their ratio, as far as they are there.

    Arguments:
        draws: Of the quantities, with shape `[n, P]`.
        wanted: The quantities.
        circular_velocity: Of the simulated Milky Ways at the Sun [km/s].

    Raises:
        ValueError: If no concentration reaches the circular velocity.
    """
    column = dict(zip(wanted.names, np.asarray(draws).T, strict=True))
    found: dict[str, FloatArray] = {}
    if wanted.shell is not None:
        components = draws[:, len(wanted.columns) :]
        # of each draw: the length of the median vector would be another, smaller number
        found["v_travel"] = np.linalg.norm(components, axis=1)
    for name, logarithm in _MASSES.items():
        if logarithm in column:
            # a flow that has learned nothing yet may draw any logarithm
            mass = 10.0 ** np.minimum(column[logarithm], _LARGEST)
            found[name] = mass / QUANTITIES[name].scale
    if HALO_MASS in found and LMC_WITHIN_50 in found:
        lmc, halo = (QUANTITIES[n].scale * found[n] for n in (LMC_WITHIN_50, HALO_MASS))
        m200 = total_masses.milky_way_m200(halo, circular_velocity)
        found[MASS_RATIO] = total_masses.lmc_total(lmc) / m200
    others = [name for name in wanted.columns if name not in _MASSES.values()]
    return {**found, **{name: column[name] for name in others}}


def unit_of(name: str) -> str:
    """Returns the unit of a quantity of `follow_up_quantities`.

    Example:
        >>> unit_of("v_travel"), unit_of("r_dehnen")
        ('km / s', 'kpc')
    """
    if name in QUANTITIES:
        return QUANTITIES[name].unit
    return INFERABLE[name].unit if name in INFERABLE else ""


def follow_up_answers(
    key: str,
    data: str,
    values: Mapping[str, FloatArray],
    prior: Mapping[str, FloatArray],
) -> list[Answer]:
    """Returns medians and 16-84 % of quantities.

    Arguments:
        key: Of the data, such as `sdss_desi`.
        data: The same, as people say it.
        values: What `follow_up_quantities` returns of the posterior's draws.
        prior: What it returns of the prior's.
    """
    found = []
    for name, column in values.items():
        place = f"posterior.{key}.{_KEYS.get(name, name)}"
        found.append(answer(place, data, name, unit_of(name), column, prior[name]))
    return found


def follow_up_table(
    values: Mapping[str, Mapping[str, FloatArray]], travel_edges: tuple[float, ...]
) -> dict[str, Table]:
    """Returns medians and 16-84 % beside the published ones, by title.

    Arguments:
        values: What `follow_up_quantities` returns, by the name of the data.
        travel_edges: Nearest and furthest stars that the travel velocity is about [kpc].
            Where those of the published one are not among them, it has none beside it.
    """
    nearest, furthest = travel_edges
    published_ones = dict(FOLLOW_UP)
    if not nearest <= FOLLOW_UP_RADIUS <= furthest:
        del published_ones["v_travel"]
    rows = []
    for data, each in values.items():
        for name, column in each.items():
            low, median, high = interval_ends(column)
            half = (high - low) / 2
            theirs = published_ones.get(name, _UNKNOWN)
            shift = theirs.shift(median)
            published = (theirs.median, theirs.minus, theirs.plus, shift)
            unit = unit_of(name)
            rows.append(
                (data, name, unit, median, low, high, half, half / median, *published)
            )
    names = ["data", "quantity", "unit", "median", "lower", "upper", "half_width"]
    names += ["relative_error", "published", "minus", "plus", "shift"]
    table = Table(rows=rows, names=names)
    for name in names[3:]:
        table[name].info.format = "%.3f"
    table["shift"].info.format = "%+.2f"
    table.meta["key"] = "follow_up"
    table.meta["caption"] = (
        f"Medians, 16 and 84 %, beside what {PUBLISHED[PUBLISHED_SOURCE]} found; half_width is "
        "half of the interval, relative_error that over the median, shift in published sigma. "
        f"v_travel is against stars at {nearest:g} to {furthest:g} kpc, theirs against those at "
        f"{FOLLOW_UP_RADIUS:g} kpc. That paper's LMC has at least "
        f"{100 * LEAST_FOLLOW_UP_RATIO:g} % of the Milky Way's mass."
    )
    edges = {
        "follow_up.travel_nearest": nearest,
        "follow_up.travel_furthest": furthest,
    }
    table.meta["metrics"] = {**PUBLISHED, **edges}
    source, least_ratio, radius = PUBLISHED
    # in the caption's order
    table.meta["shows"] = [source, *edges, radius, least_ratio]
    return {"Means and dispersions": table}
