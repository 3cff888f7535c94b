"""The prior of Brooks et al. (2025b), Table 1, and the six parameters that are inferred.

The wide prior of the LMC's sky coordinates puts most simulations far from where the LMC
is. The coordinates are data too, so a proposal that is broad against their measurement
errors and narrow against Table 1 hardly moves the posterior of the six and uses
simulations far better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from orrery.parameters import (
    Distribution,
    FloatArray,
    Normal,
    Parameter,
    Prior,
    Uniform,
)


@dataclass(frozen=True)
class Constant:
    """One value: the distribution of a parameter that does not vary.

    Arguments:
        value: The value.

    Example:
        >>> Constant(2.0).quantile(np.array([0.0, 0.5]))
        array([2., 2.])
    """

    value: float

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Returns the value once for each of the given fractions `[N]`."""
        return np.full_like(probability, self.value, dtype=np.float64)


Proposal = Literal["table1", "observed"]
LMCMass = Literal["table1", "wide"]
# without an LMC the Milky Way stays where it is: a model that is known to be wrong
AnyLMCMass = Literal[LMCMass, "none"]
Tracer = Literal["dehnen", "double-power-law"]

# Table 1 is normal in the LMC's mass, but a Hernquist LMC that holds 1.7e10 Msun within
# 8.7 kpc must be heavier than that in total, and a Milky Way below 2e11 Msun cannot
# reach 235 km/s.
LIGHTEST_LMC = 1.75e10  # [Msun]
LIGHTEST_MILKY_WAY = 2e11  # [Msun]
HEAVIEST_LMC = 5e11  # [Msun], of the wide prior: beyond every published measurement

MILKY_WAY_MASS: tuple[Parameter, Distribution] = (
    Parameter("m200_mw", "solMass", r"$M_{200,\rm MW}$", LIGHTEST_MILKY_WAY),
    Normal(15e11, 5e11, lower=LIGHTEST_MILKY_WAY),
)

LMC_MASS = Parameter("m_lmc", "solMass", r"$M_{\rm LMC}$", LIGHTEST_LMC)
LMC_MASS_PRIORS: dict[LMCMass, Distribution] = {
    "table1": Normal(15e10, 10e10, lower=LIGHTEST_LMC),
    "wide": Uniform(LIGHTEST_LMC, HEAVIEST_LMC),
}
NO_LMC: tuple[Parameter, Distribution] = (replace(LMC_MASS, lower=0.0), Constant(0.0))

FRICTION: tuple[Parameter, Distribution] = (
    Parameter("log10_lambda_df", "", r"$\log_{10}\lambda_{\rm DF}$", -3.0, 1.0),
    Uniform(-3.0, 1.0),
)

STELLAR_HALO: tuple[tuple[Parameter, Distribution], ...] = (
    (Parameter("beta0", "", r"$\beta_0$", 0.0, 0.9), Uniform(0.0, 0.9)),
    (
        Parameter("r_dehnen", "kpc", r"$r_{\rm Dehnen}$", 10.0, 15.0),
        Uniform(10.0, 15.0),
    ),
)

# Of the stars' density far out. Brooks et al. (2025b) fix it at 4, with which the density
# falls as r^-3.4 at 50 kpc; RR Lyrae fall as r^-4.4 from 20 to 131 kpc (Hernitschek et al.
# 2018), and at a given mass stars whose density falls more steeply move more slowly.
OUTER_SLOPE: tuple[Parameter, Distribution] = (
    Parameter("outer_slope", "", r"$\gamma_{\rm out}$", 4.0, 6.0),
    Uniform(4.0, 6.0),
)

SKY: tuple[Parameter, ...] = (
    Parameter("ra_lmc", "deg", r"$\alpha_{\rm LMC}$"),
    Parameter("dec_lmc", "deg", r"$\delta_{\rm LMC}$"),
    Parameter("d_lmc", "kpc", r"$d_{\rm LMC}$", 0.0),
    Parameter("vlos_lmc", "km / s", r"$v_{\rm los,LMC}$"),
    Parameter("pmra_lmc", "mas / yr", r"$\mu_{\alpha,\rm LMC}$"),
    Parameter("pmdec_lmc", "mas / yr", r"$\mu_{\delta,\rm LMC}$"),
)

PROPOSALS: dict[Proposal, tuple[Distribution, ...]] = {
    "table1": (
        Uniform(60.0, 90.0),
        Uniform(-80.0, -50.0),
        Normal(49.6, 5.0, lower=1.0),
        Normal(262.2, 10.0),
        Normal(1.9, 0.25),
        Normal(0.33, 0.25),
    ),
    "observed": (
        Normal(80.5, 3.0),
        Normal(-69.5, 1.5),
        Normal(49.6, 1.5, lower=1.0),
        Normal(262.0, 6.0),
        Normal(1.87, 0.12),
        Normal(0.34, 0.12),
    ),
}

INFERRED: tuple[Parameter, ...] = (
    # the halo alone, which is what Brooks et al. (2025b) print: without disc and bulge
    Parameter(
        "log10_m_mw_halo_50", "dex(solMass)", r"$\log_{10} M_{\rm MW,halo}(<50)$"
    ),
    Parameter("log10_m_lmc_50", "dex(solMass)", r"$\log_{10} M_{\rm LMC}(<50)$"),
    Parameter("v_x", "km / s", r"$v_x$"),
    Parameter("v_y", "km / s", r"$v_y$"),
    Parameter("v_z", "km / s", r"$v_z$"),
    Parameter("log10_lambda_df", "", r"$\log_{10}\lambda_{\rm DF}$", -3.0, 1.0),
)


# What is known of the LMC itself, for those who infer it instead of giving it as data.
LMC_TODAY: tuple[Parameter, ...] = (
    Parameter("lmc_x", "kpc", r"$x_{\rm LMC}$"),
    Parameter("lmc_y", "kpc", r"$y_{\rm LMC}$"),
    Parameter("lmc_z", "kpc", r"$z_{\rm LMC}$"),
    Parameter("lmc_vx", "km / s", r"$v_{x,\rm LMC}$"),
    Parameter("lmc_vy", "km / s", r"$v_{y,\rm LMC}$"),
    Parameter("lmc_vz", "km / s", r"$v_{z,\rm LMC}$"),
)


def prior(
    proposal: Proposal, lmc_mass: AnyLMCMass = "table1", tracer: Tracer = "dehnen"
) -> Prior:
    """Returns the prior of the model's parameters, eleven of them where the tracer is Dehnen's.

    Arguments:
        proposal: How the LMC's sky coordinates are drawn: `table1`, the paper's wide
            prior, or `observed`, near the observed place.
        lmc_mass: The prior of the LMC's total mass: `table1`, the paper's, `wide`,
            uniform from the lightest possible LMC to 5e11 Msun, independent of
            published measurements, or `none`: zero.
        tracer: The density of the halo stars: `dehnen`, which falls as r^-4 far out, or
            `double-power-law`, whose outer slope is a twelfth parameter.

    Raises:
        ValueError: If there is no such proposal, prior of the LMC's mass, or tracer.
    """
    if proposal not in PROPOSALS:
        raise ValueError(
            f"no LMC proposal {proposal!r}: choose one of {sorted(PROPOSALS)}"
        )
    sky = tuple(zip(SKY, PROPOSALS[proposal], strict=True))
    model = (MILKY_WAY_MASS, _lmc_mass(lmc_mass), FRICTION)
    stars = _stellar_halo(tracer)
    parameters, distributions = zip(*(model + sky + stars), strict=True)
    return Prior(parameters, distributions)


def _stellar_halo(tracer: Tracer) -> tuple[tuple[Parameter, Distribution], ...]:
    if tracer not in get_args(Tracer):
        raise ValueError(f"no tracer {tracer!r}: choose one of {get_args(Tracer)}")
    return STELLAR_HALO if tracer == "dehnen" else (*STELLAR_HALO, OUTER_SLOPE)


def _lmc_mass(name: AnyLMCMass) -> tuple[Parameter, Distribution]:
    if name == "none":
        return NO_LMC
    if name not in LMC_MASS_PRIORS:
        raise ValueError(
            f"no LMC mass prior {name!r}: choose one of {sorted([*LMC_MASS_PRIORS, 'none'])}"
        )
    return LMC_MASS, LMC_MASS_PRIORS[name]


# From this many simulations on, the paper's wide prior leaves enough of them near the
# observed LMC.
PAPER_SCALE = 100_000


def proposal(name: Literal["auto", "table1", "observed"], simulations: int) -> Proposal:
    """Returns how the LMC's sky coordinates are drawn.

    Arguments:
        name: `table1` or `observed`; `auto` takes `table1` where there are enough
            simulations.
        simulations: How many there are.
    """
    if name == "auto":
        return "table1" if simulations >= PAPER_SCALE else "observed"
    return name


def columns(
    theta: NDArray[np.floating[Any]], names: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Returns the columns of parameters `theta` with shape `[N, P]` by name."""
    if theta.ndim != 2 or theta.shape[1] != len(names):
        raise ValueError(
            f"theta has shape {theta.shape}, but there are {len(names)} names"
        )
    return {name: theta[:, i] for i, name in enumerate(names)}
