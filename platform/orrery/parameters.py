"""Parameters of a model: their names, units and bounds, and the prior they are drawn from.

Randomness is seeded by index: simulation i draws from the i-th child of one root seed,
so that results do not depend on how the work was shared out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy  # whose parts are imported where they are used
from numpy.typing import NDArray

from orrery.named_units import check_unit

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]


def generator(seed: int, *indices: int) -> np.random.Generator:
    """Returns the random generator of one index below a root seed.

    Arguments:
        seed: The root seed, 0 or larger.
        indices: The path below the root, such as the number of a simulation. The same
            path always gives the same stream, and different paths give independent
            streams.

    Raises:
        ValueError: If the seed or an index is negative.
    """
    if seed < 0 or any(index < 0 for index in indices):
        raise ValueError(f"seed {seed} and indices {indices} must be 0 or larger")
    # As if spawned, but without the siblings: child i costs the same for every i.
    sequence = np.random.SeedSequence(
        entropy=seed, spawn_key=tuple(int(i) for i in indices)
    )
    # Named, because numpy may change what its default generator is.
    return np.random.Generator(np.random.PCG64(sequence))


@dataclass(frozen=True)
class Parameter:
    """One number of a model, or one that is inferred.

    Arguments:
        name: The column's name in tables, such as `m200_mw`.
        unit: The unit in astropy's generic format, such as `km / s`; empty when
            dimensionless.
        label: The name in figures, in mathtext.
        lower: The smallest possible value.
        upper: The largest possible value.

    Raises:
        ValueError: If the unit cannot be read, or the bounds do not ascend.

    Example:
        >>> Parameter("v_z", "km / s", "$v_z$", lower=-100.0).upper
        inf
    """

    name: str
    unit: str
    label: str
    lower: float = -np.inf
    upper: float = np.inf

    def __post_init__(self) -> None:
        check_unit(self.name, self.unit)
        if not self.lower < self.upper:
            raise ValueError(
                f"{self.name}: lower bound {self.lower} must be below {self.upper}"
            )

    def describe(self) -> dict[str, Any]:
        """Returns as plain JSON what decides numbers: name, unit, bounds, but no label."""
        bounds = finite({"lower": self.lower, "upper": self.upper})
        return {"name": self.name, "unit": self.unit, **bounds}


class Distribution(Protocol):
    """A one-dimensional distribution, given by its quantile function.

    Example:
        >>> class Exponential:
        ...     def quantile(self, probability):
        ...         return -np.log1p(-probability)
        >>> age = Parameter("age", "Gyr", "$t$", lower=0.0)
        >>> Prior((age,), (Exponential(),)).draw(generator(1), count=3).shape
        (3, 1)
    """

    def quantile(self, probability: FloatArray) -> FloatArray: ...


@dataclass(frozen=True)
class Uniform:
    """The uniform distribution between two bounds.

    Arguments:
        lower: The lower bound.
        upper: The upper bound.

    Example:
        >>> Uniform(-1.0, 3.0).quantile(np.array([0.0, 0.5, 1.0]))
        array([-1.,  1.,  3.])
    """

    lower: float
    upper: float

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Returns the values below which the given fractions `[N]` of the distribution lie."""
        return self.lower + (self.upper - self.lower) * probability


@dataclass(frozen=True)
class Normal:
    """The normal distribution, truncated to `lower` and `upper`.

    Arguments:
        mean: The mean before truncation.
        sigma: The standard deviation before truncation.
        lower: The lower bound.
        upper: The upper bound.

    Example:
        >>> Normal(mean=12.0, sigma=0.3).quantile(np.array([0.5]))
        array([12.])
    """

    mean: float
    sigma: float
    lower: float = -np.inf
    upper: float = np.inf

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Returns the values below which the given fractions `[N]` of the distribution lie."""
        low = scipy.special.ndtr((self.lower - self.mean) / self.sigma)
        high = scipy.special.ndtr((self.upper - self.mean) / self.sigma)
        # Far in a tail the quantile of a rounded fraction may lie beyond the bound.
        value = self.mean + self.sigma * scipy.special.ndtri(
            low + (high - low) * probability
        )
        return np.clip(value, self.lower, self.upper)


@dataclass(frozen=True)
class Prior:
    """Independent distributions of a model's parameters.

    Arguments:
        parameters: The P parameters.
        distributions: One distribution for each.

    Raises:
        ValueError: If there are not as many.

    Example:
        >>> prior = Prior((Parameter("scale", "kpc", "$s$"),), (Uniform(10.0, 20.0),))
        >>> prior.draw(generator(1, 0), count=3).shape
        (3, 1)
    """

    parameters: tuple[Parameter, ...]
    distributions: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        if len(self.parameters) != len(self.distributions):
            raise ValueError(
                f"{len(self.parameters)} parameters need as many distributions, "
                f"not {len(self.distributions)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return parameter_names(self.parameters)

    def draw(self, random: np.random.Generator, count: int = 1) -> FloatArray:
        """Returns independent draws, with shape `[count, P]`."""
        probability = random.random((count, len(self.parameters)))
        columns = [
            d.quantile(probability[:, i]) for i, d in enumerate(self.distributions)
        ]
        return np.stack(columns, axis=1)

    def describe(self) -> dict[str, Any]:
        """Returns the prior as plain JSON: one entry for each parameter."""
        return {
            p.name: {
                "unit": p.unit,
                "distribution": type(d).__name__,
                **finite(vars(d)),
            }
            for p, d in zip(self.parameters, self.distributions, strict=True)
        }


def parameter_names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Returns the names of the parameters, in order."""
    return tuple(p.name for p in parameters)


def finite(values: dict[str, float]) -> dict[str, float]:
    """Returns the entries that are finite: JSON has no infinity."""
    return {key: value for key, value in values.items() if np.isfinite(value)}
