"""Compares the mock universe with what it imitates: numbers that it must meet.

    python -m halomass.study.acceptance

A miss is called a miss. Passing says that the mock gives these numbers, and not that it
is a simulation: what it leaves out stands in `mock_universe`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from astropy.table import Table

from halomass.cosmology import hubble
from halomass.mock import stellar_mass
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.options import CATALOGUES, FEWEST_JUDGED, CatalogueName
from halomass.mock.populations import Population
from halomass.study import literature
from halomass.study.acceptance_checks import AcceptanceCheck, checks_by_zoom_hosts
from halomass.study.mock_statistics import (
    ResolvedUniverse,
    detected_counts,
    hosts_of_mass,
    mass_function_weights,
    satellites_of,
    weighted_median,
)
from orrery.sentences import Sentence, cell

TITLE = "MOCK universe, not a simulation"
NUMBERS = ("aim", "tolerance", "mock", "deviation")

# An aim that is not from a publication.
ORDINARY = "ordinary"
_HOSTS = "Hayati et al. (2025), Table 1"
_GALAXIES = "Behroozi et al. (2019), doi:10.1093/mnras/stz1182"
_INFALL = "Li et al. (2020), arXiv:2008.05710"

MILKY_WAY_LOG_MASS = (
    12.1  # log10 of the mass [Msun] of hosts whose satellites are counted
)
_DWARF = 11.2  # log10 of the mass of hosts whose surroundings are compared
_MILKY_WAY_ENVIRONMENT = (761.0, 17e3)  # [kpc] M31 and Virgo
_SATELLITE_HOSTS = 200  # at most: their satellites are many
# Published hosts are of any mass: in a simulation that resolves small halos, one in eight
# to ten of those with 10 neighbours is lighter than the hosts that networks learn from.
_LIGHTEST_COUNTED = 10.0
_COUNTED_MORE = 2  # times as many hosts as are asked for: few of them are typical
_SNAPSHOTS_TOLERANCE = 0.2

# N(> psi) within R_vir, with its scatter between hosts.
_ABUNDANCE = (
    (1e-4, 244.0, 29.0),
    (10**-3.5, 87.0, 12.0),
    (1e-3, 29.2, 6.4),
    (1e-2, 3.35, 1.8),
)
_STARS = ((8.0, 2.68), (9.0, 4.64), (10.0, 6.60), (11.0, 8.56))


def acceptance_table(
    catalogue: CatalogueName = "ESMDPL/UM-SAGA",
    hosts: int = 2048,
    seed: int = 0,
    velocities: str = "orbits",
) -> Table:
    """Returns the mock's numbers, and those that they must meet.

    Columns: quantity, aim, tolerance, mock, deviation, verdict (met, MISS, not
    comparable), source. A source `recipe` means that the aim is a number of the mock's
    own recipe, and `ordinary` that the Milky Way's surroundings shall be neither rare
    nor common among such hosts.

    Arguments:
        catalogue: Which catalogue is imitated.
        hosts: How many hosts are drawn.
        seed: The root seed.
        velocities: Of satellites: `orbits` or `jeans`.

    Raises:
        ValueError: If the catalogue is unknown, or there are fewer than 100 hosts.
    """
    if hosts < FEWEST_JUDGED:
        raise ValueError(
            f"hosts = {hosts}: draw {FEWEST_JUDGED} or more, or medians mean nothing"
        )
    universe = MockUniverse(catalogue, velocities)  # type: ignore[arg-type]
    # what is known of satellites was measured where all of them are resolved
    resolved = ResolvedUniverse(catalogue, velocities)  # type: ignore[arg-type]
    rows = [*_of_satellites(resolved, hosts, seed), *_of_systems(universe, hosts, seed)]
    columns = {
        "quantity": [row.quantity for row in rows],
        "aim": [row.aim for row in rows],
        "tolerance": [row.tolerance for row in rows],
        "mock": [row.mock for row in rows],
        "deviation": [row.mock - row.aim for row in rows],
        "verdict": [row.verdict for row in rows],
        "source": [row.source for row in rows],
    }
    model = universe.describe()["about"]["model"]
    return Table(columns, meta={"title": TITLE, "model": model})


# --- satellites of hosts like the Milky Way -------------------------------------------------


def _of_satellites(
    universe: MockUniverse, hosts: int, seed: int
) -> Iterator[AcceptanceCheck]:
    around = hosts_of_mass(MILKY_WAY_LOG_MASS, min(hosts, _SATELLITE_HOSTS), seed)
    found = satellites_of(universe, around, seed)
    x = found.r / around.radius[found.host]
    inside = found[x < 1]
    ratio = 10 ** (inside.log_m_peak - MILKY_WAY_LOG_MASS)
    for psi, aim, error in _ABUNDANCE:
        counted = np.count_nonzero(ratio > psi) / len(around.mass)
        yield AcceptanceCheck(
            f"N(M_peak/M > {psi:.2g}) within R_vir", aim, error, counted
        )
    yield from _of_galaxies(found)
    # in equilibrium nobody has fallen in: there is no infall to compare
    if universe.velocities == "orbits":
        speed = np.log(found.infall_speed)
        median = float(np.exp(np.median(speed)))
        yield AcceptanceCheck("median v/V_vir at infall", 1.20, 0.03, median, _INFALL)
        yield AcceptanceCheck(
            "scatter of ln v/V_vir at infall", 0.20, 0.02, float(speed.std()), _INFALL
        )
    # of 200 hosts the anisotropy far out is known to 0.02 only, of 1,024 to 0.008
    yield from checks_by_zoom_hosts(universe, hosts, seed)


def _of_galaxies(found: Population) -> Iterator[AcceptanceCheck]:
    log_v = np.log10(found.v_peak)
    mass = found.log_m_peak - 10
    slope, height = np.polyfit(mass, log_v, 1)
    scatter = float(np.std(log_v - slope * mass - height))
    yield AcceptanceCheck("log V_peak at 1e10 Msun", 1.679, 0.01, float(height))
    yield AcceptanceCheck("slope of log V_peak", 0.293, 0.005, float(slope))
    yield AcceptanceCheck("scatter of log V_peak [dex]", 0.052, 0.003, scatter)
    # halos around a mass are shifted to it along the published slope, 1.96 for dwarfs
    for at, published in _STARS:
        near = np.abs(found.log_m_peak - at) < 0.2
        if np.count_nonzero(near) >= 50:
            shifted = found.log_m_star[near] - 1.96 * (found.log_m_peak[near] - at)
            median = float(np.median(shifted))
            yield AcceptanceCheck(
                f"log M* at 1e{at:g} Msun", published, 0.1, median, _GALAXIES
            )
    residual = found.log_m_star - stellar_mass.median_log_stellar_mass(found.log_m_peak)
    light = found.log_m_peak < 9
    heavy = found.log_m_peak > 10
    yield AcceptanceCheck(
        "scatter of log M* below 1e9 Msun [dex]",
        0.4,
        0.02,
        float(residual[light].std()),
    )
    yield AcceptanceCheck(
        "scatter of log M* above 1e10 Msun [dex]",
        0.2,
        0.02,
        float(residual[heavy].std()),
    )


# --- systems --------------------------------------------------------------------------------


def _of_systems(
    universe: MockUniverse, hosts: int, seed: int
) -> Iterator[AcceptanceCheck]:
    implied = {}
    for needed, counted, typical, number, median in _hosts(universe, hosts, seed):
        implied[needed] = number / counted
        yield AcceptanceCheck(
            f"median log M, >= {needed} neighbours", median, 0.15, typical, _HOSTS
        )
        title = f"hosts, >= {needed} neighbours, one snapshot"
        yield AcceptanceCheck(title, number, np.nan, counted, _HOSTS)
    many, few = max(implied), min(implied)
    title = f"snapshots by hosts, >= {many} over >= {few} neighbours"
    ratio = implied[many] / implied[few]
    yield AcceptanceCheck(title, 1.0, _SNAPSHOTS_TOLERANCE, ratio, _HOSTS)
    yield from _of_surroundings(universe, seed, hosts)


def _hosts(
    universe: MockUniverse, hosts: int, seed: int
) -> Iterator[tuple[int, float, float, int, float]]:
    """Returns for each number of neighbours the hosts, their median mass, and both as published.

    Published numbers count the hosts of several snapshots.
    """
    universe = replace(universe, lightest=_LIGHTEST_COUNTED)
    records = universe.records(seed, range(_COUNTED_MORE * hosts))
    weight = mass_function_weights(universe, records)
    count = detected_counts(records, seed)
    published = literature.VARIANTS[universe.catalogue]
    for needed, number in published.hosts.items():
        enough = count >= needed
        typical = weighted_median(records.scalars["log_m_vir"][enough], weight[enough])
        median = published.median_log_m_vir[needed]
        yield needed, float(weight[enough].sum()), typical, number, median


def _of_surroundings(
    universe: MockUniverse, seed: int, hosts: int
) -> Iterator[AcceptanceCheck]:
    # hosts of nearly one mass, so that all velocities have nearly one unit
    narrow = replace(universe, lightest=_DWARF - 0.1, heaviest=_DWARF + 0.1)
    dwarfs, found = narrow.neighbours(seed + 1, range(hosts))
    # on first infall: backsplash halos, which have been inside, may move outwards
    first = found[np.isnan(found.infall_speed) & (found.r > dwarfs.radius[found.host])]
    unit = dwarfs.velocity[first.host]
    x = first.r / dwarfs.radius[first.host]
    # without the expansion of space, as simulations state it
    falling = (first.v_r - hubble() * first.r) / unit
    yield AcceptanceCheck(
        "mean peculiar v_r/V_vir, 1-2 R_vir", -0.45, 0.15, float(falling[x < 2].mean())
    )
    yield AcceptanceCheck("its dispersion", 0.6, 0.1, float(falling[x < 2].std()))
    alike = replace(
        universe, lightest=MILKY_WAY_LOG_MASS - 0.1, heaviest=MILKY_WAY_LOG_MASS + 0.1
    )
    scalars = alike.records(seed + 2, range(min(hosts, 512))).scalars
    names = ("distance_larger", "distance_cluster")
    for name, observed in zip(names, _MILKY_WAY_ENVIRONMENT, strict=True):
        fraction = float(np.mean(scalars[name] < observed))
        title = f"share of Milky Ways with {name} < {observed:g} kpc"
        yield AcceptanceCheck(title, 0.5, 0.45, fraction, ORDINARY)


def acceptance_tables(seed: int, hosts: int) -> dict[str, Table]:
    """Returns the mock's acceptance for a report, by title; the captions call it a mock.

    Arguments:
        seed: The root seed.
        hosts: How many hosts are drawn of each catalogue.
    """
    table = acceptance_table(hosts=hosts, seed=seed)
    for name in NUMBERS:
        table[name].info.format = "%.4g"
    missed = [row["quantity"] for row in table if row["verdict"] == "MISS"]
    table.meta["key"] = "mock.acceptance"
    table.meta["caption"] = (
        f"{table.meta['model']}. What it aims at, and where that is from (recipe: a number of its "
        "own recipe), and what it gives; not comparable is what the mock, one snapshot without "
        "structure formation, cannot have."
    )
    names = tuple(cell("mock.acceptance", name, "quantity") for name in missed)
    miss = Sentence(f"The mock universe misses {', '.join(missed)}.", names)
    table.meta["misses"] = [miss] if missed else []
    return {
        TITLE: table,
        "Hosts of the mock compared with Table 1": _table1(seed, hosts),
    }


def _table1(seed: int, hosts: int) -> Table:
    rows = [
        (catalogue, needed, counted, typical, number, median, number / counted)
        for catalogue in CATALOGUES
        for needed, counted, typical, number, median in _hosts(
            MockUniverse(catalogue), hosts, seed
        )
    ]
    names = [
        "catalogue",
        "neighbours",
        "hosts",
        "median",
        "published_hosts",
        "published_median",
        "implied_snapshots",
    ]
    table = Table(rows=rows, names=names)
    for name, form in (
        ("hosts", "%.0f"),
        ("median", "%.2f"),
        ("published_median", "%.2f"),
        ("implied_snapshots", "%.1f"),
    ):
        table[name].info.format = form
    table.meta["key"] = "mock.hosts"
    table.meta["caption"] = (
        "Hosts with enough detectable neighbours in the simulated box, and the median log10 of "
        "their mass, if the mock's hosts are weighted to a real mass function; the published "
        "numbers, of Hayati et al. (2025), Table 1, add up several snapshots: as many as "
        "implied_snapshots by either, if the mock were right."
    )
    return table


# --- the command ----------------------------------------------------------------------------


def acceptance_text(table: Table) -> str:
    """Returns an acceptance table as text, beginning with what it is about."""
    misses = int(np.sum(table["verdict"] == "MISS"))
    shown = table.copy()
    for name in NUMBERS:
        shown[name].info.format = ".4g"
    lines = shown.pformat(max_lines=-1, max_width=-1, align="<")
    return "\n".join(
        [table.meta["title"], table.meta["model"], *lines, f"{misses} misses", ""]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the mock universe's numbers and those it imitates; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m halomass.study.acceptance", description=main.__doc__
    )
    parser.add_argument(
        "--hosts", type=int, default=2048, help="how many hosts are drawn"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--velocities", choices=("orbits", "jeans"), default="orbits")
    options = parser.parse_args(arguments)
    for catalogue in CATALOGUES:
        print(
            acceptance_text(
                acceptance_table(
                    catalogue, options.hosts, options.seed, options.velocities
                )
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
