"""Options by which experiments take seconds or minutes, and mean nothing.

The gallery draws figures by them, and the tests run experiments and tutorials by them.
"""

from collections.abc import Mapping

Options = Mapping[str, int | float]

SIMULATIONS = 32
FLOW: Options = {
    "max_epochs": 2,
    "workers": 0,
    "transforms": 2,
    "draws": 200,
    "calibration_draws": 50,
}
"""Of one flow."""
STARS: Options = {"simulations": SIMULATIONS, **FLOW}
"""Of an experiment with simulated stars."""
HOSTS: Options = {
    "ensemble.members": 3,
    "ensemble.max_epochs": 15,
    "realisations": 1,
    "window": 2,
    "flows.ranked.members": 1,
    "flows.ranked.training.max_epochs": 2,
    "flows.unordered.training.max_epochs": 2,
    "flows.ranked.calibration_draws": 200,
    "flows.ranked.draws": 1000,
    "flows.unordered.calibration_draws": 200,
    "flows.unordered.draws": 1000,
}
"""Of the halo mass, by whatever hosts."""
MOCK_HOSTS: Options = {**HOSTS, "hosts": 1536, "acceptance_hosts": 128}
"""Of the halo mass by hosts of a mock universe."""


def words(options: Options) -> tuple[str, ...]:
    """Returns options as the command line has them.

    Example:
        >>> words({"flows.ranked.draws": 9})
        ('--flows.ranked.draws', '9')
    """
    return tuple(
        word
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", f"{value}")
    )


def arguments(options: Options) -> dict[str, int | float]:
    """Returns options as `orrery.study` has them.

    Example:
        >>> arguments({"flows.ranked.draws": 9})
        {'flows_ranked_draws': 9}
    """
    return {name.replace(".", "_"): value for name, value in options.items()}
