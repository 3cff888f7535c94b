"""The Milky Way's mass, as others found it.

Masses within a mean density of 200 times the critical one are 0.063 dex below virial
ones.
"""

import math
from dataclasses import dataclass
from typing import Literal

from halomass.cosmology import LOG_M200C_OVER_M_VIR

Definition = Literal["vir", "200c", "total"]


@dataclass(frozen=True)
class PublishedMass:
    """A published mass of the Milky Way.

    Arguments:
        label: Who and when, as a figure would say it.
        year: Of publication.
        mass: The mass [1e12 Msun].
        minus: The interval's length below it [1e12 Msun]; NaN where there is none.
        plus: Likewise above it.
        definition: Whether `mass` is virial, within 200 times the critical density, or
            just total.
        printed: The definition as printed.
        interval: What the interval holds.
        method: What was measured.
        reference: Its arXiv number or bibliographic code.

    Example:
        >>> one = PublishedMass(
        ...     "A et al. 2030", 2030, 1.0, 0.2, 0.3, "200c", "M200", "95%", "a way", "arXiv:0"
        ... )
        >>> one.label_with_interval, [round(number, 3) for number in one.log_m_vir()]
        ('A et al. 2030 (95 %)', [12.063, 0.097, 0.114])
    """

    label: str
    year: int
    mass: float
    minus: float
    plus: float
    definition: Definition
    printed: str
    interval: str
    method: str
    reference: str

    @property
    def label_with_interval(self) -> str:
        """The label, with what the interval holds unless that is 68 %."""
        usual = self.interval.startswith("68") or self.interval == "1 sigma"
        return (
            self.label
            if usual
            else f"{self.label} ({self.interval.replace('%', ' %')})"
        )

    def log_m_vir(self) -> tuple[float, float, float]:
        """Returns log10 of the virial mass [Msun], and its interval's lengths below and above.

        Total masses are taken to be virial ones.
        """
        # in dex the interval is lopsided even where it is not in Msun
        ends = (self.mass - self.minus, self.mass, self.mass + self.plus)
        low, middle, high = (math.log10(1e12 * mass) for mass in ends)
        virial = to_log_m_vir(middle) if self.definition == "200c" else middle
        return virial, middle - low, high - middle


_NONE = math.nan


PUBLISHED_MASSES: tuple[PublishedMass, ...] = (
    PublishedMass(
        "Zaritsky et al. 1989",
        1989,
        1.25,
        0.32,
        0.84,
        "total",
        "total (isotropic orbits)",
        "statistical",
        "remote satellites",
        "1989ApJ...345..759Z",
    ),
    PublishedMass(
        "Patel et al. 2018b",
        2018,
        0.96,
        0.28,
        0.29,
        "vir",
        "Mvir",
        "68%",
        "satellite angular momentum; no Sgr",
        "arXiv:1803.01878",
    ),
    PublishedMass(
        "Sohn et al. 2018",
        2018,
        2.05,
        0.79,
        0.97,
        "vir",
        "Mvir",
        "68%",
        "HST globular cluster PMs",
        "arXiv:1804.01994",
    ),
    PublishedMass(
        "Eadie & Jurić 2019",
        2019,
        0.7,
        0.08,
        0.11,
        "200c",
        "M200",
        "50%",
        "globular clusters Gaia DR2",
        "arXiv:1810.10036",
    ),
    PublishedMass(
        "Watkins et al. 2019",
        2019,
        1.28,
        0.48,
        0.97,
        "vir",
        "Mvir",
        "68%",
        "Gaia DR2 globular clusters",
        "arXiv:1804.11348",
    ),
    PublishedMass(
        "Grand et al. 2019",
        2019,
        1.29,
        0.47,
        0.37,
        "200c",
        "total/M200 (revision of Deason+2019)",
        "68%",
        "high-velocity tail corrected",
        "arXiv:1905.09834",
    ),
    PublishedMass(
        "Deason et al. 2019",
        2019,
        1.0,
        0.24,
        0.31,
        "200c",
        "M200 total",
        "68%",
        "local escape speed",
        "arXiv:1901.02016",
    ),
    PublishedMass(
        "Posti & Helmi 2019",
        2019,
        1.3,
        0.3,
        0.3,
        "vir",
        "Mvir",
        "68%",
        "globular cluster DF",
        "arXiv:1805.01408",
    ),
    PublishedMass(
        "Callingham et al. 2019",
        2019,
        1.17,
        0.15,
        0.21,
        "200c",
        "M200c",
        "68%",
        "satellite dynamics EAGLE DF",
        "arXiv:1808.10456",
    ),
    PublishedMass(
        "Karukes et al. 2020",
        2020,
        0.89,
        0.08,
        0.1,
        "200c",
        "total (M200 DM 0.83 -0.09 +0.12; syst +-0.25 dex)",
        "68% stat",
        "rotation curve",
        "arXiv:1912.04296",
    ),
    PublishedMass(
        "Cautun et al. 2020",
        2020,
        1.08,
        0.14,
        0.2,
        "200c",
        "M200c total (DM 0.97 -0.19 +0.24)",
        "68%",
        "rotation curve + contracted halo",
        "arXiv:1911.04557",
    ),
    PublishedMass(
        "Li et al. 2020",
        2020,
        1.23,
        0.18,
        0.21,
        "200c",
        "halo M (M200c)",
        "68%",
        "28 satellites phase-space DF",
        "arXiv:1912.02086",
    ),
    PublishedMass(
        "Fritz et al. 2020",
        2020,
        1.51,
        0.4,
        0.45,
        "vir",
        "Mvir (Delta=97)",
        "68%",
        "45 satellite PMs Watkins estimator",
        "arXiv:2001.02651",
    ),
    PublishedMass(
        "Zaritsky et al. 2020",
        2020,
        1.4,
        _NONE,
        _NONE,
        "200c",
        "M200 most likely; lower limit >0.91 at 90%",
        "lower limit",
        "H3 timing argument",
        "arXiv:1909.02025",
    ),
    PublishedMass(
        "Deason et al. 2021",
        2021,
        1.01,
        0.24,
        0.24,
        "200c",
        "M200c pre-LMC infall (post-LMC 1.16 +-0.24)",
        "68%",
        "halo stars to 100 kpc",
        "arXiv:2010.13801",
    ),
    PublishedMass(
        "Necib & Lin 2022",
        2022,
        0.7,
        0.12,
        0.19,
        "200c",
        "M200",
        "68%",
        "escape speed Gaia DR2",
        "arXiv:2102.02211",
    ),
    PublishedMass(
        "Slizewski et al. 2022",
        2022,
        1.19,
        0.32,
        0.49,
        "200c",
        "M200",
        "95%",
        "dwarf galaxies GME",
        "arXiv:2108.12474",
    ),
    PublishedMass(
        "Shen et al. 2022",
        2022,
        1.08,
        0.11,
        0.12,
        "200c",
        "M200",
        "68%",
        "H3 halo stars",
        "arXiv:2111.09327",
    ),
    PublishedMass(
        "Rodriguez Wimberly et al. 2022",
        2022,
        1.1,
        0.1,
        0.1,
        "total",
        "M halo approx range 1-1.2",
        "range",
        "satellite kinematics Phat ELVIS",
        "arXiv:2109.00633",
    ),
    PublishedMass(
        "Carlesi Hoffman Libeskind 2022",
        2022,
        1.15,
        0.22,
        0.25,
        "total",
        "MW mass",
        "68%",
        "gradient boosted trees LG pair",
        "arXiv:2204.03334",
    ),
    PublishedMass(
        "Sylos Labini et al. 2023",
        2023,
        0.65,
        0.03,
        0.03,
        "vir",
        "Mvir (NFW)",
        "1 sigma",
        "Gaia DR3 rotation curve",
        "arXiv:2302.01379",
    ),
    PublishedMass(
        "Hayati et al. 2025",
        2025,
        1.58,
        0.43,
        0.72,
        "vir",
        "Mvir (log10 12.20 -0.138 +0.163)",
        "68%",
        "neural networks 25 neighbours ESMDPL/UM-SAGA",
        "arXiv:2509.25362",
    ),
)


def to_log_m_200c(log_m_vir: float) -> float:
    """Returns log10 of the mass within 200 times the critical density, from the virial one."""
    return log_m_vir + LOG_M200C_OVER_M_VIR


def to_log_m_vir(log_m_200c: float) -> float:
    """Returns log10 of the virial mass, from that within 200 times the critical density."""
    return log_m_200c - LOG_M200C_OVER_M_VIR
