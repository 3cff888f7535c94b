"""Quantities of draws, as Table 2 prints them: values, stable keys, and what to call them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mwlmc.model import disc_and_bulge, total_masses
from mwlmc.parameters import INFERRED
from mwlmc.study.literature import (
    DERIVED_QUANTITIES,
    HALO_MASS,
    QUANTITIES,
    TOTAL_MASS,
    Quantity,
)
from mwlmc.study.wording import MEANINGS
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.results.panels import Interval
from orrery.results.sections import Answer
from orrery.sentences import Sentence

_UNTOLD = Sentence("")
VERSION = 11  # of answers, comparisons and checks; raised whenever they change

# Table 2's, and what follows from them.
KNOWN: dict[str, Quantity] = {**QUANTITIES, **DERIVED_QUANTITIES}

_LARGEST = 300.0  # [dex] a double ends at 308


def quantities(draws: FloatArray) -> dict[str, FloatArray]:
    """Returns the quantities of `KNOWN`, each `[n]` and in its unit, of draws `[n, P]`.

    The first parameters are `INFERRED`, whatever else is inferred after them, such as the
    LMC's place; the model's own eleven parameters are others.
    """
    column = dict(zip(parameter_names(INFERRED), draws.T[: len(INFERRED)], strict=True))
    # of each draw: the length of the median vector would be another, smaller number
    v_travel = np.sqrt(column["v_x"] ** 2 + column["v_y"] ** 2 + column["v_z"] ** 2)
    values = {"v_travel": v_travel}
    for name, quantity in QUANTITIES.items():
        if quantity.parameter:
            value = column[quantity.parameter]
            values[name] = (
                value if quantity.scale == 1.0 else _power(value) / quantity.scale
            )
    # the same disc and bulge in all simulations
    stars = disc_and_bulge.stellar_mass_within(total_masses.MASS_EDGE)
    values[TOTAL_MASS] = values[HALO_MASS] + stars / KNOWN[TOTAL_MASS].scale
    return values


def _power(logarithm: FloatArray) -> FloatArray:
    """Returns ten to a power, which stays finite."""
    # a flow that has learned nothing yet may draw any logarithm
    return 10.0 ** np.minimum(logarithm, _LARGEST)


# How data are called in keys of files and numbers, which outlive their headings.
_SURVEY_KEYS = {
    "DESI": "desi",
    "H3+SEGUE+MagE on DESI's sky": "h3_desi",
    "H3+SEGUE+MagE quadrants": "h3_quadrants",
}


VELOCITY_KEYS = {"without v_tb": "v_gsr", "with v_tb": "v_gsr_v_tb"}


_QUANTITY_KEYS = {
    "v_travel": "v_travel",
    "v_x": "v_x",
    "v_y": "v_y",
    "v_z": "v_z",
    "M_LMC(<50 kpc)": "m_lmc_50",
    HALO_MASS: "m_mw_halo_50",
    TOTAL_MASS: "m_mw_total_50",
    "log10 lambda_DF": "log10_lambda_df",
}


def row_key(row: str) -> str:
    """Returns the stable key of a row of Table 2: its survey and its velocities.

    Example:
        >>> row_key("DESI, without v_tb")
        'desi.v_gsr'
    """
    survey, _, label = row.partition(", ")
    return f"{survey_key(survey)}.{VELOCITY_KEYS[label]}"


def survey_key(survey: str) -> str:
    """Returns the stable key of a survey of Table 2.

    Example:
        >>> survey_key("H3+SEGUE+MagE quadrants")
        'h3_quadrants'
    """
    return _SURVEY_KEYS[survey]


def quantity_key(name: str) -> str:
    """Returns the stable key of a quantity of `KNOWN`.

    Example:
        >>> quantity_key("M_LMC(<50 kpc)"), quantity_key("v_x")
        ('m_lmc_50', 'v_x')
    """
    return _QUANTITY_KEYS[name]


def answers(
    key: str,
    data: str,
    draws: FloatArray,
    prior: FloatArray,
    source: Sentence = _UNTOLD,
) -> list[Answer]:
    """Returns medians and 16-84 % of the quantities of `KNOWN`.

    Arguments:
        key: Of the data, such as `desi.v_gsr`.
        data: The same, as people say it.
        draws: Draws of the posterior, with shape `[n, P]`.
        prior: Draws of the prior, with shape `[N, P]`.
        source: Which stars the data are, see `data_rows.star_source`.
    """
    before = quantities(prior)
    found = []
    for name, values in quantities(draws).items():
        place = f"posterior.{key}.{quantity_key(name)}"
        unit = KNOWN[name].unit
        one = answer(place, data, name, unit, values, before[name])
        found.append(replace(one, source=source.text, shows=source.shows))
    return found


def answer(
    key: str, data: str, name: str, unit: str, values: FloatArray, prior: FloatArray
) -> Answer:
    """Returns median and 16-84 % of a quantity.

    Arguments:
        key: Of the answer, such as `posterior.desi.v_gsr.v_x`.
        data: Whose answer it is, as people say it.
        name: The quantity.
        unit: Its unit.
        values: Of the posterior's draws, with shape `[n]`.
        prior: Of the prior's, with shape `[N]`.
    """
    low, median, high = interval_ends(values)
    before, _, after = interval_ends(prior)
    meaning = MEANINGS.get(name, "")
    return Answer(
        key, data, name, unit, median, low, high, (before, after), meaning=meaning
    )


def is_forecast(row: str) -> bool:
    """Returns whether a row's, or a survey's, data are a mock: only DESI's stars are public."""
    return not row.startswith("DESI")


def labelled(row: str) -> str:
    """Returns a row's or a survey's name for a figure, which says where its data are a mock."""
    return f"{row} (forecast)" if is_forecast(row) else row


def quantity_axes(wanted: Sequence[str]) -> tuple[Parameter, ...]:
    """Returns quantities of `KNOWN` as the axes of a figure, in their units."""
    return tuple(Parameter(n, KNOWN[n].unit, KNOWN[n].label) for n in wanted)


def selected_quantities(draws: FloatArray, wanted: Sequence[str]) -> FloatArray:
    """Returns the wanted quantities `[n, K]` of draws `[n, P]`, in their printed units."""
    ours = quantities(draws)
    return np.stack([ours[name] for name in wanted], axis=1)


def prior_interval(prior: FloatArray, name: str) -> tuple[float, float]:
    """Returns the 16 and 84 % of one quantity over draws `[n, P]` from the prior."""
    low, _, high = interval_ends(quantities(prior)[name])
    return low, high


def interval_ends(values: FloatArray) -> Interval:
    """Returns 16, 50 and 84 % of values `[n]`."""
    low, median, high = np.percentile(values, [16, 50, 84]).tolist()
    return low, median, high
