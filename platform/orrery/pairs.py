"""Pairs: parameters theta and summaries x of the same simulations, in their splits.

Pairs are plain arrays. Training, judging and drawing take them without knowing where
they were computed, on a cluster or in this process.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from orrery.covariances import check_covariance
from orrery.named_units import same_unit
from orrery.parameters import FloatArray, Parameter, parameter_names

_NEGLIGIBLE = 1e-4  # of the scatter of simulations: an error that hardly adds to it


@dataclass(frozen=True)
class Pairs:
    """Parameters and summaries of N simulations.

    Arguments:
        theta: The parameters, with shape `[N, P]`.
        x: The summaries, with shape `[N, S]`.

    Raises:
        ValueError: If the shapes do not belong together.

    Example:
        >>> pairs = Pairs(theta=np.zeros((3, 1)), x=np.ones((3, 4)))
        >>> len(pairs)
        3
    """

    theta: FloatArray
    x: FloatArray

    def __post_init__(self) -> None:
        # Checked here once, so that whoever learns or judges need not.
        if self.theta.ndim != 2 or self.x.ndim != 2 or len(self.theta) != len(self.x):
            raise ValueError(
                f"theta of shape {self.theta.shape} and x of shape {self.x.shape} must be "
                "[N, P] and [N, S]"
            )

    def __len__(self) -> int:
        return len(self.theta)


@dataclass(frozen=True)
class SummaryOrigin:
    """Which kept summaries of a dataset pairs are.

    Arguments:
        fingerprint: Of the summaries: what they are of, and what made them.
        function: The function that summarised.
        version: Its version.
        definition: Fingerprint of the binning.
        dataset: Fingerprint of the dataset.

    Example:
        >>> SummaryOrigin("0a1b", "velocity_moments", 1, "2c3d", "4e5f").version
        1
    """

    fingerprint: str
    function: str
    version: int
    definition: str
    dataset: str


@dataclass(frozen=True)
class Splits:
    """The pairs of a dataset, and what they are.

    Arguments:
        train: Pairs for training.
        validation: Pairs for early stopping.
        test: Pairs that training never sees.
        parameters: The P parameters' names.
        names: The S summaries' names.
        units: The S summaries' units.
        definition: Fingerprint of the summaries' definition.
        dataset: Fingerprint of the dataset.
        dropped: The number of simulations left out because a number was not finite.
        layout: If a row of summaries holds a set, the numbers of its places, of each
            entry (with a flag, last, which says whether it is there) and of what
            follows the set; None if not.
        origins: The kept summaries that the pairs are, in the order in which they were
            joined; none where nothing was kept.
        draws: How many pairs for training each simulation has: see `pooled`.
        parameter_units: The P parameters' units; empty where they are not known.
        first_draw: How many pairs for training and for validation, which come first, are
            of the first draw; None if there is one alone.

    Example:
        >>> some = Pairs(np.zeros((8, 1)), np.ones((8, 2)))
        >>> few = Pairs(np.zeros((2, 1)), np.ones((2, 2)))
        >>> splits = Splits(
        ...     train=some,
        ...     validation=few,
        ...     test=few,
        ...     parameters=("mass",),
        ...     names=("count", "spread"),
        ...     units=("", "km / s"),
        ...     definition="by hand",
        ...     dataset="toy",
        ...     dropped=0,
        ... )
        >>> splits.check_parameters([Parameter("mass", "dex(solMass)", "$m$")])
        >>> splits.check_parameters([Parameter("age", "Gyr", "$t$")])
        Traceback (most recent call last):
        ...
        ValueError: the pairs have the parameters ('mass',), not ('age',): compute the \
summaries with the same parameters
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    parameters: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    dropped: int
    layout: tuple[int, int, int] | None = None
    origins: tuple[SummaryOrigin, ...] = ()
    draws: int = 1
    parameter_units: tuple[str, ...] = ()
    first_draw: tuple[int, int] | None = None

    @property
    def each_once(self) -> "Splits":
        """The pairs with each simulation once: of several draws the first.

        Parameters do not tell simulations apart: halos of one mass are many.
        """
        if self.first_draw is None or self.draws == 1:
            return self
        train, validation = (
            Pairs(part.theta[:count], part.x[:count])
            for part, count in zip(
                (self.train, self.validation), self.first_draw, strict=True
            )
        )
        return dataclasses.replace(
            self, train=train, validation=validation, draws=1, first_draw=None
        )

    def check_parameters(self, parameters: Sequence[Parameter]) -> None:
        """Raises ValueError if the pairs are not of these parameters, their units and order."""
        wanted = parameter_names(parameters)
        if wanted != self.parameters:
            raise ValueError(
                f"the pairs have the parameters {self.parameters}, not {wanted}: "
                "compute the summaries with the same parameters"
            )
        for unit, one in zip(self.parameter_units, parameters, strict=False):
            if not same_unit(unit, one.unit):
                raise ValueError(
                    f"the pairs have the parameter {one.name!r} in {unit!r}, not in "
                    f"{one.unit!r}: give it the unit that the pairs have"
                )


def check_learned(learned: object, splits: Splits) -> None:
    """Raises ValueError if what knows of what it was learned is asked about other columns.

    In another order of them a right posterior is rejected.

    Example:
        >>> from types import SimpleNamespace
        >>> few = Pairs(np.zeros((2, 1)), np.ones((2, 1)))
        >>> pairs = Splits(few, few, few, ("a",), ("v",), ("km / s",), "", "", 0)
        >>> check_learned(SimpleNamespace(names=("r",)), pairs)
        Traceback (most recent call last):
        ...
        ValueError: what was learned has summaries of the names ('r',), the pairs those of \
('v',): take pairs of the summaries that it was trained on
    """
    if _is_of(parameters := getattr(learned, "parameters", None), Parameter):
        splits.check_parameters(parameters)
    for what in ("names", "units"):
        wanted = getattr(learned, what, None)
        given = getattr(splits, what)
        if _is_of(wanted, str) and tuple(wanted) != given:
            raise ValueError(
                f"what was learned has summaries of the {what} {tuple(wanted)}, the pairs those of "
                f"{given}: take pairs of the summaries that it was trained on"
            )


def _is_of(values: Any, kind: type) -> TypeGuard[Sequence[Any]]:
    # of somebody's own estimate these names may mean other things
    return isinstance(values, (tuple, list)) and all(
        isinstance(one, kind) for one in values
    )


def pooled(parts: Sequence[Splits]) -> Splits:
    """Returns several summaries of one dataset as one: all pairs for training, the first's tests.

    For summaries that hold random errors, which each part drew anew: a network that
    sees a simulation with many errors learns less of each.

    Arguments:
        parts: Of the same simulations; their definitions differ in a seed at most, and
            the first one's is kept.

    Raises:
        ValueError: If they are of other simulations, parameters or summaries.
    """
    first = parts[0]
    once = first.each_once
    for part in parts[1:]:
        for what in ("dataset", "parameters", "parameter_units", "names", "units"):
            if getattr(part, what) != getattr(first, what):
                raise ValueError(
                    f"summaries of {what} {getattr(part, what)} cannot join those of "
                    f"{getattr(first, what)}: let them differ in their seed alone"
                )
    # The tests stay the first part's: a simulation that is tested twice would count twice.
    return dataclasses.replace(
        first,
        train=_joined([part.train for part in parts]),
        validation=_joined([part.validation for part in parts]),
        origins=tuple(origin for part in parts for origin in part.origins),
        draws=sum(part.draws for part in parts),
        first_draw=(len(once.train), len(once.validation)),
    )


def _joined(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.theta for part in parts]),
        np.concatenate([part.x for part in parts]),
    )


def convolve(
    pairs: Pairs, covariance: FloatArray, random: np.random.Generator
) -> Pairs:
    """Returns the pairs with measurement noise added to their summaries.

    Arguments:
        pairs: N pairs without noise.
        covariance: The measurement covariance, with shape `[S, S]`.
        random: Draws the noise, independently for each pair.

    Raises:
        ValueError: If the covariance has another shape, or no errors can have it.
    """
    size = pairs.x.shape[1]
    if covariance.shape != (size, size):
        raise ValueError(
            f"covariance of shape {covariance.shape} does not fit {size} summaries: "
            "use the same binning for the observation and the simulations"
        )
    check_error_covariance(covariance, pairs.x)
    # Unlike Cholesky's, this decomposition allows entries measured without error.
    noise = random.multivariate_normal(
        np.zeros(size), covariance, len(pairs), check_valid="raise", method="eigh"
    )
    return dataclasses.replace(pairs, x=pairs.x + noise)


def check_error_covariance(
    covariance: FloatArray, x: FloatArray, names: Sequence[str] | None = None
) -> None:
    """Raises ValueError if errors that summaries get cannot have their covariance.

    What is left of errors that simulations have of themselves, see `added_covariance`, may
    be the rounding of a zero, and matters as little as what simulations hardly scatter by.

    Arguments:
        covariance: With shape `[S, S]`.
        x: Summaries without these errors, with shape `[N, S]`.
        names: Of the S summaries; their numbers when None.
    """
    if not np.isfinite(covariance).all():
        raise ValueError(
            "the covariance of the measurement errors has numbers that are not finite: leave "
            "out what has no error"
        )
    names = [f"summary {i}" for i in range(x.shape[1])] if names is None else names
    scatter = x.std(axis=0) if len(x) else np.zeros(x.shape[1])
    negligible = _NEGLIGIBLE * np.nan_to_num(scatter)
    check_covariance("the measurement error", covariance, names, negligible)
