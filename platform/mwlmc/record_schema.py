"""The columns of a simulation's record: parameters, what follows from them, and stars."""

from collections.abc import Sequence

from mwlmc.model import reflex
from orrery.parameters import Parameter
from orrery.records import Column, Schema

PHASE_SPACE = ("x", "y", "z", "vx", "vy", "vz")
# Everything that an inference or a check may need, so that stars are read only to bin.
_DERIVED = (
    Column("c200", "", "concentration of the Milky Way's NFW halo"),
    Column("a_lmc", "kpc", "Hernquist scale radius of the LMC"),
    Column(
        "log10_m_mw_halo_50",
        "dex(solMass)",
        "mass of the Milky Way's halo within 50 kpc, without disc and bulge",
    ),
    Column(
        "log10_m_mw_total_50",
        "dex(solMass)",
        "Milky Way mass within 50 kpc: halo, disc and bulge",
    ),
    Column("log10_m_lmc_50", "dex(solMass)", "LMC mass within 50 kpc of its centre"),
    Column(
        "df_clipped_share", "", "share of the stars that a non-negative f cannot make"
    ),
    Column("df_clipped", "", "1 if that share is above 0.001", "int32"),
    Column("runaways", "", "draws before this one whose rewind ran away", "int32"),
    Column(
        "integrated",
        "",
        "stars that could reach the survey, whose orbits were integrated",
        "int32",
    ),
)
_LMC = tuple(
    Column(
        f"lmc_{name}",
        "km / s" if name.startswith("v") else "kpc",
        "LMC today, Galactocentric",
    )
    for name in PHASE_SPACE
)
_REFLEX = tuple(
    Column(name, "km / s", "reflex motion, Petersen & Penarrubia (2021)")
    for name in reflex.Reflex.__dataclass_fields__
)
# Half precision halves the largest files; its rounding moves no binned mean (tested).
_PARTICLES = tuple(
    Column(
        name,
        "km / s" if name.startswith("v") else "kpc",
        "star, Galactocentric",
        "float16",
    )
    for name in PHASE_SPACE
)


def schema(parameters: Sequence[Parameter]) -> Schema:
    """Returns the columns of the records of simulations that draw some parameters."""
    drawn = tuple(Column(p.name, p.unit, "model parameter") for p in parameters)
    index = Column("index", "", "number of the simulation", "int64")
    return Schema((index, *drawn, *_DERIVED, *_LMC, *_REFLEX), _PARTICLES)
