"""Published values of Hayati et al. (2025): their hosts, errors and masses."""

from dataclasses import dataclass

SOURCE = "Hayati et al. (2025), arXiv:2509.25362"


@dataclass(frozen=True)
class PublishedVariant:
    """One simulation with one galaxy model, in Tables 1 and 3 of Hayati et al. (2025).

    Arguments:
        hosts: Hosts with enough neighbours, by the number of neighbours.
        median_log_m_vir: Median log10 of their virial masses [Msun], likewise.
        milky_way: log10 of the Milky Way's virial mass [Msun], likewise.

    Example:
        >>> VARIANTS[PREFERRED].milky_way[25]
        12.2
    """

    hosts: dict[int, int]
    median_log_m_vir: dict[int, float]
    milky_way: dict[int, float]


VARIANTS: dict[str, PublishedVariant] = {
    "ESMDPL/UM-SAGA": PublishedVariant(
        {25: 29_733, 10: 83_270}, {25: 11.82, 10: 11.14}, {25: 12.20, 10: 12.07}
    ),
    "ESMDPL/UM": PublishedVariant(
        {25: 35_293, 10: 94_234}, {25: 11.70, 10: 11.07}, {25: 12.18, 10: 12.03}
    ),
    "VSMDPL/UM": PublishedVariant(
        {25: 165_862, 10: 679_802}, {25: 13.07, 10: 11.68}, {25: 11.98, 10: 11.70}
    ),
    "VSMDPL/UM-SAGA": PublishedVariant(
        {25: 140_392, 10: 541_594}, {25: 13.23, 10: 11.91}, {25: 12.09, 10: 11.93}
    ),
}
PREFERRED = "ESMDPL/UM-SAGA"
# Below and above, 68 %: of 25 neighbours and the preferred variant alone.
MILKY_WAY_INTERVAL = (0.138, 0.163)  # [dex]

# Root-mean-square errors [dex] where they are smallest, by the number of neighbours.
RMSE: dict[int, float] = {25: 0.160, 10: 0.199}
RMSE_WITHOUT_ERRORS: dict[int, float] = {25: 0.118, 10: 0.165}
LARGEST_MEDIAN_BIAS = 0.05  # [dex]
SCATTER_OF_SEEDS = 0.05  # [dex] between single trainings
NETWORKS = 100  # of an ensemble
SCATTER_OF_ENSEMBLES = 0.005  # [dex] between averages of these, as they expect it

# Appendix C: how many times the variance grows when features are left out; about.
VARIANCE_RATIOS: dict[tuple[str, ...], float] = {
    ("satellites",): 3.0,
    ("r",): 2.0,
    ("v_t",): 2.0,
    ("v_r",): 2.0,
}
