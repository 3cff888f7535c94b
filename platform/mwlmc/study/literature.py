"""Published values: Tables 1 and 2 of Brooks et al. (2025b), and what others measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Published:
    """A published median with its 1 sigma interval.

    Arguments:
        median: In the unit in which it is printed.
        plus: The interval's length above it; NaN where none is printed.
        minus: Likewise below it.

    Example:
        >>> Published(20.4, plus=7.5, minus=6.2).shift(27.9)
        1.0
    """

    median: float
    plus: float
    minus: float

    def shift(self, value: float) -> float:
        """Returns how many published sigma a value lies above the median."""
        difference = value - self.median
        return difference / (self.plus if difference > 0.0 else self.minus)

    @property
    def width(self) -> float:
        """The length of the interval."""
        return self.plus + self.minus


@dataclass(frozen=True)
class Quantity:
    """A quantity of Table 2: unit, label, scale of the printed numbers, and its inferred parameter.

    The travel velocity is none of the inferred parameters, but the length of three.

    Example:
        >>> QUANTITIES["M_LMC(<50 kpc)"].parameter
        'log10_m_lmc_50'
    """

    unit: str
    label: str
    scale: float = 1.0
    parameter: str = ""


# Table 1 and 2 print the mass of the halo alone: with 235 km/s at the Sun the prior of
# Table 1 gives 4.76 +- 0.84 of it, as printed (4.8 +- 0.8), and 5.38 +- 0.84 with disc and
# bulge; only so is the LMC's share of M200 near the 10 to 15 % of that paper's abstract.
# Others print what disc and bulge are part of.
HALO_MASS = "M_MW,halo(<50 kpc)"
TOTAL_MASS = "M_MW,total(<50 kpc)"
HALO_COLUMN = "log10_m_mw_halo_50"  # of records, in which the halo's mass is

QUANTITIES: dict[str, Quantity] = {
    "v_travel": Quantity("km / s", r"$v_{\rm travel}$"),
    "v_x": Quantity("km / s", r"$v_x$", parameter="v_x"),
    "v_y": Quantity("km / s", r"$v_y$", parameter="v_y"),
    "v_z": Quantity("km / s", r"$v_z$", parameter="v_z"),
    "M_LMC(<50 kpc)": Quantity(
        "1e10 solMass", r"$M_{\rm LMC}(<50\,{\rm kpc})$", 1e10, "log10_m_lmc_50"
    ),
    HALO_MASS: Quantity(
        "1e11 solMass",
        r"$M_{\rm MW,halo}(<50\,{\rm kpc})$",
        1e11,
        "log10_m_mw_halo_50",
    ),
    "log10 lambda_DF": Quantity(
        "", r"$\log_{10}\lambda_{\rm DF}$", parameter="log10_lambda_df"
    ),
}

# What Table 2 does not print, but follows from what it does.
DERIVED_QUANTITIES: dict[str, Quantity] = {
    TOTAL_MASS: Quantity("1e11 solMass", r"$M_{\rm MW,total}(<50\,{\rm kpc})$", 1e11)
}

PublishedRow = Mapping[str, Published]


def _row(*columns: tuple[float, float, float]) -> PublishedRow:
    return {
        name: Published(median, plus, minus)
        for name, (median, plus, minus) in zip(QUANTITIES, columns, strict=True)
    }


TABLE2: dict[str, PublishedRow] = {
    "DESI, without v_tb": _row(
        (20.4, 7.5, 6.2),
        (3.2, 2.0, 1.9),
        (-1.0, 2.7, 2.7),
        (-20.0, 6.3, 7.6),
        (7.3, 2.8, 2.5),
        (4.4, 0.8, 1.0),
        (0.1, 0.6, 1.6),
    ),
    "DESI, with v_tb": _row(
        (19.7, 6.8, 5.7),
        (3.2, 1.7, 1.7),
        (-1.1, 2.5, 2.6),
        (-19.2, 5.8, 6.8),
        (7.0, 2.7, 2.4),
        (4.5, 0.8, 1.0),
        (0.2, 0.6, 1.7),
    ),
    "H3+SEGUE+MagE on DESI's sky, without v_tb": _row(
        (24.9, 6.7, 5.7),
        (3.8, 1.8, 1.7),
        (-0.5, 3.1, 3.1),
        (-24.4, 5.8, 6.6),
        (8.9, 2.5, 2.2),
        (4.5, 0.8, 0.7),
        (0.1, 0.7, 1.6),
    ),
    "H3+SEGUE+MagE on DESI's sky, with v_tb": _row(
        (20.9, 5.6, 4.7),
        (2.9, 1.6, 1.6),
        (-1.5, 2.9, 2.7),
        (-20.4, 4.7, 5.6),
        (7.8, 2.5, 2.2),
        (4.4, 0.8, 0.9),
        (0.3, 0.5, 1.8),
    ),
    "H3+SEGUE+MagE quadrants, without v_tb": _row(
        (31.2, 6.4, 5.7),
        (4.6, 1.7, 1.6),
        (-0.1, 2.6, 3.4),
        (-30.5, 5.9, 6.6),
        (10.2, 2.1, 1.9),
        (4.2, 0.8, 0.7),
        (-0.2, 0.7, 1.5),
    ),
    "H3+SEGUE+MagE quadrants, with v_tb": _row(
        (26.4, 5.5, 4.4),
        (4.2, 1.4, 1.3),
        (-1.0, 2.7, 3.6),
        (-25.3, 4.5, 5.4),
        (9.2, 2.3, 1.9),
        (4.4, 0.7, 0.7),
        (-0.1, 0.7, 1.6),
    ),
}

# Medians of M_LMC(<50 kpc) [1e10 Msun] and v_travel [km/s] of five rows of Table 2: how
# the travel velocity depends on the LMC's mass in that paper's simulations.
MASS_AND_TRAVEL_VELOCITY: tuple[tuple[float, float], ...] = (
    (7.0, 19.7),
    (7.8, 20.9),
    (8.9, 24.9),
    (9.2, 26.4),
    (10.2, 31.2),
)

# Table 1: mean and standard deviation of the masses that the prior implies.
TABLE1: dict[str, tuple[float, float]] = {
    HALO_MASS: (4.8, 0.8),
    "M_LMC(<50 kpc)": (8.6, 2.9),
}


# The same paper's abstract: the LMC's total mass over the Milky Way's is at least this.
LEAST_MASS_RATIO = (0.10, 0.15)


@dataclass(frozen=True)
class PublishedMeasurement:
    """What others measured by other means.

    Arguments:
        key: Who and when, in keys.
        label: Who, as a legend would say it.
        source: Where it is printed.
        values: Quantities of Table 2, in their printed units, as far as they were
            measured.

    Example:
        >>> speed = {"v_travel": Published(32.0, plus=4.0, minus=4.0)}
        >>> one = PublishedMeasurement("a_2021", "A et al. 2021", "arXiv:0", speed)
        >>> one.values["v_travel"].width
        8.0
    """

    key: str
    label: str
    source: str
    values: Mapping[str, Published]


def _lmc_within_50(total: float) -> float:
    """Returns the mass [1e10 Msun] within 50 kpc of an LMC of a total mass [1e10 Msun]."""
    # torch takes seconds, for which options that name rows of the table need not wait
    from mwlmc.model import total_masses

    return float(total_masses.lmc_within(np.array([1e10 * total]))[0]) / 1e10


def published_measurements() -> tuple[PublishedMeasurement, ...]:
    """Returns measurements by others, in the order of their years.

    Travel velocities are those of the disc against stars beyond 40 or 50 kpc; where an
    apex is printed instead of components, these are its. An LMC whose total mass is
    printed has the mass within 50 kpc of our profile.
    """
    erkal = [_lmc_within_50(mass) for mass in (13.8, 13.8 + 2.7, 13.8 - 2.4)]
    lmc = Published(erkal[0], erkal[1] - erkal[0], erkal[0] - erkal[2])
    return (
        PublishedMeasurement(
            "erkal_2019",
            "Erkal+19, Orphan stream",
            "MNRAS 487, 2685",
            {"M_LMC(<50 kpc)": lmc, TOTAL_MASS: Published(3.80, 0.14, 0.11)},
        ),
        PublishedMeasurement(
            "petersen_2021",
            "Petersen & Penarrubia 21",
            "Nature Astronomy 5, 251",
            _travel(Published(32.0, 4.0, 4.0), (14.8, 22.0, -17.9)),
        ),
        PublishedMeasurement(
            "yaaqib_2024",
            "Yaaqib+24, r > 50 kpc",
            "arXiv:2402.10841",
            _travel(Published(40.0, 7.0, 7.0), (25.2, 19.7, -24.1)),
        ),
        PublishedMeasurement(
            "brooks_2026",
            "Brooks+26, means and dispersions",
            "arXiv:2603.08788v2",
            {
                "v_travel": Published(38.6, 8.3, 7.8),
                "M_LMC(<50 kpc)": Published(8.76, 1.94, 1.77),
                # the same model, and the same words for it, as in Table 2
                HALO_MASS: Published(3.36, 0.15, 0.15),
            },
        ),
    )


def _travel(
    speed: Published, components: tuple[float, float, float]
) -> Mapping[str, Published]:
    # an apex and a speed give the components, but not their errors
    parts = dict(zip(("v_x", "v_y", "v_z"), components, strict=True))
    return {
        "v_travel": speed,
        **{k: Published(v, np.nan, np.nan) for k, v in parts.items()},
    }
