"""What DESI's posterior depends on: how its stars are sampled, and what is used of v_t,b.

One entry of tangential velocity weighs as much as all line-of-sight velocities, and no
paper prints its edges. So each choice is made, with simulated stars that fill DESI's
fields, as the paper's do, and with as many as DESI has, where it has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from astropy.table import Table

from mwlmc.observed.binned_table import BinnedTable, load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import Sampling, StarSelection
from mwlmc.sky.binning import SkyBinning, desi_footprint
from mwlmc.sky.options import V_TB_EDGES
from mwlmc.study import published_views
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import DataRow, count_stars, record_others_stars
from mwlmc.study.literature import HALO_MASS, TABLE2
from mwlmc.study.options import DesiChoices
from mwlmc.study.quantities import KNOWN, interval_ends, quantities, quantity_key
from mwlmc.study.study import infer_rows
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster
from orrery.parameters import FloatArray
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import Intervals

OTHER_EDGES = (40.0, 60.0, 80.0, 100.0)  # [kpc]
LARGEST_MOTION_ERROR = 30.0  # [km/s]
MOTION_FLOOR = 0.02  # [mas/yr], Lindegren et al. (2021), section 5.6
CHOICE_QUANTITIES = ("v_travel", "v_x", "v_y", "v_z", "M_LMC(<50 kpc)", HALO_MASS)


@dataclass(frozen=True)
class MotionChoice:
    """What is used of DESI's tangential velocities.

    Arguments:
        key: In keys of files and numbers.
        label: What people call it.
        table: Which of the tables of `DesiChoices.stars` has its bins.
        edges: Of the distance bins [kpc]; none where none are used.
        largest_error: Proper motions with this error or a larger one are not used [km/s].
        floor: Systematic error that all proper motions share [mas/yr].

    Example:
        >>> MotionChoice("v_gsr", "without v_tb", edges=()).uses_motions
        False
    """

    key: str
    label: str
    table: int = 0
    edges: tuple[float, ...] = V_TB_EDGES
    largest_error: float | None = None
    floor: float = 0.0

    @property
    def uses_motions(self) -> bool:
        """Whether there are bins of tangential velocity."""
        return bool(self.edges)

    @property
    def footprint(self) -> SkyBinning:
        """DESI's binning, with these edges, or the usual ones where none are used."""
        return desi_footprint(self.edges or V_TB_EDGES)

    @property
    def published(self) -> str:
        """The row of Table 2 to compare with."""
        return f"DESI, {'with' if self.uses_motions else 'without'} v_tb"


MOTION_CHOICES = (
    MotionChoice("v_gsr", "without v_tb", edges=()),
    MotionChoice("usual", "v_tb in the usual bins"),
    MotionChoice("outer", "v_tb in bins further out", 1, OTHER_EDGES),
    MotionChoice(
        "well_measured", "well-measured v_tb", 2, largest_error=LARGEST_MOTION_ERROR
    ),
    MotionChoice("floor", "v_tb with a systematic floor", floor=MOTION_FLOOR),
)


def desi_choices(options: DesiChoices) -> Result:
    """Returns DESI's posterior under each choice of sampling and of tangential velocities.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    rows = choice_rows(options)
    with (
        cluster.connect(),
        record(
            "desi_choices", options, campaign.reports, VERSIONS, SUMMARIES
        ) as recording,
    ):
        recording.words(table_words())
        every = [row.observation for some in rows.values() for row in some]
        record_others_stars(recording, {"DESI": every})
        halos = simulate_campaign(recording, campaign)
        draws: dict[str, FloatArray] = {}
        for sampling, some in rows.items():
            measurement = replace(options.measurement, sampling=sampling)
            found = infer_rows(
                recording, some, halos, measurement, options.inference, campaign
            )
            draws |= found.draws
        published = {row.label: row.published for some in rows.values() for row in some}
        recording.tables({**motion_table(), **choice_table(draws, published)})
        for name in ("v_travel", "M_LMC(<50 kpc)"):
            recording.add(_figure(name, draws, published))
    return recording.result


def choice_rows(options: DesiChoices) -> dict[Sampling, list[DataRow]]:
    """Returns the data vectors of each sampling, one for each choice of what is used of v_tb.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a table cannot be read.
    """
    tables = [_stars(choice, options) for choice in MOTION_CHOICES]
    samplings: tuple[Sampling, ...] = get_args(Sampling)
    return {
        sampling: [
            _row(sampling, choice, stars, options)
            for choice, stars in zip(MOTION_CHOICES, tables, strict=True)
        ]
        for sampling in samplings
    }


def _stars(choice: MotionChoice, options: DesiChoices) -> BinnedTable:
    # one star table is binned as each choice says
    path = options.stars[choice.table if len(options.stars) > 1 else 0]
    return load_binned(
        path,
        choice.footprint,
        StarSelection(largest_motion_error=choice.largest_error),
        most_missing=options.most_missing,
    )


def _row(
    sampling: Sampling, choice: MotionChoice, stars: BinnedTable, options: DesiChoices
) -> DataRow:
    whole = choice.footprint
    binning = whole if choice.uses_motions else whole.select(("v_gsr",))
    measurement = replace(
        options.measurement, sampling=sampling, motion_floor=choice.floor
    )
    label = f"DESI {sampling}, {choice.label}"
    found = vectors(stars, {label: binning}, measurement, options.campaign.seed)
    if label not in found:
        raise ValueError(
            f"{stars.name!r} has nothing for {choice.label}: give DESI's stars"
        )
    drawn, observation = found[label]
    key = f"desi.{sampling.replace('-', '_')}.{choice.key}"
    count = count_stars(stars, drawn)
    return DataRow(label, key, choice.published, drawn, observation, count)


def motion_table() -> dict[str, Table]:
    """Returns what is used of tangential velocities by each choice, by title."""
    rows = [
        (
            choice.label,
            " ".join(f"{edge:g}" for edge in choice.edges),
            np.nan if choice.largest_error is None else choice.largest_error,
            choice.floor,
        )
        for choice in MOTION_CHOICES
    ]
    table = Table(rows=rows, names=["choice", "edges", "largest_error", "floor"])
    for name, unit in (
        ("edges", "kpc"),
        ("largest_error", "km/s"),
        ("floor", "mas/yr"),
    ):
        table[name].unit = unit
    table["largest_error"].info.format = "%.0f"
    table["floor"].info.format = "%.2f"
    table.meta["key"] = "motion_choices"
    table.meta["caption"] = (
        "Edges of the distance bins of v_tb, the error from which on a proper motion is not "
        "used, and the systematic error that all share. Well-measured stars are the nearest "
        "of their bin: simulated ones are drawn, or fill it, at all of its distances."
    )
    return {"Choices of tangential velocities": table}


def choice_table(
    draws: Mapping[str, FloatArray], published: Mapping[str, str]
) -> dict[str, Table]:
    """Returns medians and 16-84 % of each posterior beside the published ones, by title.

    Arguments:
        draws: Draws `[n, P]`, by the label of the data.
        published: The row of Table 2 to compare with, by the same.
    """
    lines = []
    for label, some in draws.items():
        ours = quantities(some)
        for name in CHOICE_QUANTITIES:
            theirs = TABLE2[published[label]][name]
            low, median, high = interval_ends(ours[name])
            shift = theirs.shift(median)
            unit = KNOWN[name].unit
            lines.append((label, name, unit, median, low, high, theirs.median, shift))
    names = [
        "data",
        "quantity",
        "unit",
        "median",
        "lower",
        "upper",
        "published",
        "shift",
    ]
    table = Table(rows=lines, names=names)
    for name in names[3:]:
        table[name].info.format = "%.1f"
    table["shift"].info.format = "%+.2f"
    table.meta["key"] = "choices"
    table.meta["caption"] = (
        "Each posterior's median, 16 and 84 %, beside the row of Table 2 of Brooks et al. "
        "(2025b) with or without v_tb; shift in published sigma."
    )
    return {"Choices": table}


def _figure(
    name: str, draws: Mapping[str, FloatArray], published: Mapping[str, str]
) -> FigureSection:
    rows = published_views.constraints(draws, name, published)
    return FigureSection(
        f"choices.{quantity_key(name)}",
        f"{name} under each choice",
        Intervals(rows, f"{name} [{KNOWN[name].unit}]"),
        "Ours, and published with or without v_tb.",
    )
