"""What is inferred, chosen by name: columns of the records, and the travel velocity of a shell.

The paper infers six parameters. Others, such as the anisotropy of the stellar halo, stand
in the records too, and the travel velocity against stars of any shell is fitted to the
stars that are stored: none of them needs a new simulation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mwlmc.model import reflex_shells
from mwlmc.model.reflex_shells import ReflexShells
from mwlmc.parameters import (
    FRICTION,
    INFERRED,
    LMC_MASS,
    LMC_TODAY,
    MILKY_WAY_MASS,
    OUTER_SLOPE,
    SKY,
    STELLAR_HALO,
)
from orrery.identity import JSON, fingerprint
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.records import Records

VERSION = 2  # of these labels; raised whenever their numbers change
NAMESPACE = ""  # summaries were kept before names had modules

_COLUMNS = (
    *(one for one in INFERRED if one.name.startswith("log10_m_")),
    Parameter(
        "log10_m_mw_total_50", "dex(solMass)", r"$\log_{10} M_{\rm MW,total}(<50)$"
    ),
    MILKY_WAY_MASS[0],
    LMC_MASS,
    FRICTION[0],
    *(parameter for parameter, _ in (*STELLAR_HALO, OUTER_SLOPE)),
    *SKY,
    *LMC_TODAY,
)
# Columns of the records that may be inferred, by name.
INFERABLE: dict[str, Parameter] = {one.name: one for one in _COLUMNS}
# Of these, those that mean nothing where there is no LMC.
OF_THE_LMC = frozenset(
    (
        *("log10_m_lmc_50", LMC_MASS.name, FRICTION[0].name),
        *parameter_names(SKY + LMC_TODAY),
    )
)
# The components of the travel velocity: the first motions of a shell.
_COMPONENTS = 3


@dataclass(frozen=True)
class InferredQuantities:
    """Which quantities of a simulation are inferred.

    Arguments:
        columns: Columns of the records, names of `INFERABLE`.
        shell: The one shell whose stars the travel velocity is about, if it is inferred.

    Raises:
        ValueError: If nothing is inferred, something twice or that cannot be, or there
            are several shells.

    Example:
        >>> some = InferredQuantities(("beta0",), ReflexShells((80.0, 120.0)))
        >>> some.names
        ('beta0', 'v_x_80_120', 'v_y_80_120', 'v_z_80_120')
        >>> some.without_lmc.names
        ('beta0',)
    """

    columns: tuple[str, ...]
    shell: ReflexShells | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in INFERABLE]
        if unknown or len(set(self.columns)) < len(self.columns):
            raise ValueError(
                f"infer {' '.join(self.columns)}: choose from {' '.join(INFERABLE)}, once"
            )
        if self.shell is not None and len(self.shell.shells) != 1:
            raise ValueError(
                f"edges {self.shell.edges}: the travel velocity is about one shell, of two edges"
            )
        if not self.names:
            raise ValueError(f"nothing is inferred: choose from {' '.join(INFERABLE)}")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The P quantities, columns first."""
        found = tuple(INFERABLE[name] for name in self.columns)
        motions = () if self.shell is None else self.shell.parameters[:_COMPONENTS]
        return found + motions

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return parameter_names(self.parameters)

    @property
    def units(self) -> tuple[str, ...]:
        """Their units."""
        return tuple(one.unit for one in self.parameters)

    @property
    def without_lmc(self) -> "InferredQuantities":
        """Those that a model without an LMC has too.

        Raises:
            ValueError: If there are none.
        """
        left = tuple(name for name in self.columns if name not in OF_THE_LMC)
        return InferredQuantities(left)

    def describe(self) -> JSON:
        """Returns everything that decides the labels, as plain JSON."""
        shell = {} if self.shell is None else {"shell": self.shell.describe()}
        return {
            "columns": list(self.columns),
            "motions": reflex_shells.VERSION,
            **shell,
        }

    @property
    def fingerprint(self) -> str:
        """The definition of the labels: equal for quantities that give equal ones."""
        return fingerprint(self.describe())

    def selected(self, draws: FloatArray, wanted: Sequence[str]) -> FloatArray:
        """Returns the columns `[n, K]` of some of the quantities of draws `[n, P]`."""
        return draws[:, [self.names.index(name) for name in wanted]]


def inferred_labels(records: Records, wanted: InferredQuantities) -> FloatArray:
    """Returns the inferred quantities of simulations, with shape `[B, P]`.

    NaN where a simulation has too few stars in the shell.

    Arguments:
        records: B records with columns, and the stars' Galactocentric positions [kpc] and
            velocities [km/s] as particles.
        wanted: Which quantities.
    """
    columns = [np.asarray(records.scalars[name], float) for name in wanted.columns]
    found = np.array(columns).reshape(len(columns), len(records)).T
    if wanted.shell is None:
        return found
    motions = reflex_shells.reflex_motions(records, wanted.shell)
    return np.concatenate([found, motions[:, :_COMPONENTS]], axis=1)
