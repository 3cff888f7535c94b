"""A binned table for people: what the selection kept, and the binned velocities."""

from typing import NamedTuple

from astropy.table import Table

from mwlmc.observed.binned_table import BinnedTable, as_ecsv
from mwlmc.observed.columns import BINNED
from mwlmc.observed.left_out_bins import (
    FEW_MOTIONS,
    SPARSE_PATCH,
    TOO_FEW,
    left_out_bins,
)
from mwlmc.observed.options import Measurement, Sampling
from mwlmc.observed.star_tables import check_lines
from mwlmc.sky.moment_errors import FEW_STARS
from mwlmc.sky.patches import PATCHES
from mwlmc.sky.selection_function import Bin
from orrery.identity import JSON
from orrery.sentences import Sentence

# Stars whose mean sin(b) is this many times that of their patch see a vertical reflex
# that much larger than simulations that fill the patch.
UNEVEN = 1.25
_FILLED = Measurement()
_SAMPLING_NOTES: dict[Sampling, str] = {
    "full-footprint": "All simulated stars of a patch represent them; training adds what these "
    "errors are larger, in quadrature, than those of so many stars.",
    "survey-like": "As many simulated stars represent them, drawn in the same cells of the sky and "
    "with errors like theirs: their noise is in the simulations, and none is added in training.",
}


def summary_tables(
    table: BinnedTable, measurement: Measurement = _FILLED
) -> dict[str, Table]:
    """Returns the selection and the binned velocities as tables for people, by title.

    Arguments:
        table: The observed stars' moments.
        measurement: Which simulated stars represent them.
    """
    provenance = table.provenance
    steps = Table(rows=provenance["steps"], names=["step", "stars"])
    left_out = _left_out(provenance)
    checks = "; ".join(check_lines(provenance.get("checks", {}))) or "nothing"
    steps.meta["key"] = "selection"
    # names of bins and files may hold numbers, which are none of the run's
    steps.meta["metrics"] = {
        "selection.file": provenance["source"]["file"],
        **left_out.metrics,
        "selection.checks": checks,
    }
    steps.meta["shows"] = list(steps.meta["metrics"])
    steps.meta |= _warned(provenance)
    steps.meta["caption"] = (
        f"{provenance['source']['file']}: stars left after each step. {left_out.text} Found while "
        f"the stars were read: {checks}.{_spaced(motions_note(table))}"
    )
    velocities = as_ecsv(table)
    for name, (unit, _) in BINNED.items():
        velocities[name].info.format = "%.1f" if unit else None
    velocities["mean_sin_b"].info.format = "%+.2f"
    full_footprint = measurement.sampling == "full-footprint"
    uneven = uneven_bins(table) if full_footprint else []
    velocities.meta["misses"] = [one.sentence for one in uneven]
    velocities.meta["metrics"] = {
        "binned_velocities.name": table.name,
        "binned_velocities.few_stars": FEW_STARS,
        **{k: v for one in uneven for k, v in one.metrics.items()},
    }
    velocities.meta["shows"] = ["binned_velocities.name", "binned_velocities.few_stars"]
    velocities.meta["key"] = "binned_velocities"
    velocities.meta["caption"] = (
        f"{table.name}: mean and dispersion after clipping. In bins of fewer than "
        f"{FEW_STARS} stars, errors follow from the dispersion of the nearest bins, because "
        f"a bootstrap of so few means nothing. {_SAMPLING_NOTES[measurement.sampling]}"
    )
    return {"Selection": steps, "Binned velocities": velocities}


def motions_note(table: BinnedTable) -> str:
    """Returns why stars give no posterior with v_tb; nothing where they give one.

    Arguments:
        table: The observed stars' moments.

    Example:
        >>> from pathlib import Path
        >>> from mwlmc.observed.binned_table import read_binned
        >>> from orrery.tables.bundled import find_table
        >>> motions_note(read_binned(find_table(Path("desi_dr1_bhb.ecsv"))))
        ''
    """
    if any(b.quantity == "v_tb" for b in table.bins):
        return ""
    if any(one.startswith("v_tb ") for one in table.provenance["left_out"]):
        return "There is no posterior with v_tb: all of its bins are left out."
    return (
        f"There is no posterior with v_tb: {table.name} were binned without proper motions. The "
        "table of the stars themselves has one, if it has proper motions; so has a binned table "
        "that is made with --proper-motions."
    )


def _warned(provenance: JSON) -> JSON:
    """Returns what a table of the selection says of numbers that may be wrong."""
    warnings = provenance.get("checks", {}).get("warnings", ())
    ended = [one if one.endswith("?") else f"{one}." for one in warnings]
    return {
        "misses_are": "Warnings of the table",
        "misses": [Sentence(one, ("selection.checks",)) for one in ended],
    }


def _spaced(note: str) -> str:
    return f" {note}" if note else ""


class _LeftOut(NamedTuple):
    """Which bins are left out, in words, and these names by stable key."""

    text: str
    metrics: dict[str, str]


def _left_out(provenance: JSON) -> _LeftOut:
    bins = left_out_bins(provenance)
    few = "; ".join(bins[TOO_FEW]) or "none"
    text = f"Bins left out because they have {TOO_FEW}: {few}."
    metrics = {"selection.left_out": few}
    for reason, key in (
        (FEW_MOTIONS, "without_motions"),
        (SPARSE_PATCH, "in_sparse_patches"),
    ):
        if bins[reason]:
            others = "; ".join(bins[reason])
            text += f" Because they have {reason}: {others}."
            metrics[f"selection.{key}"] = others
    return _LeftOut(text, metrics)


class UnevenBin(NamedTuple):
    """A radial bin whose stars are not spread over the sky as its patch is.

    Arguments:
        cell: The bin.
        mean_sin_b: The mean sine of Galactic latitude of its stars.
        filled: The same of its patch.

    Example:
        >>> one = UnevenBin(Bin("south", "v_gsr", 90.0, 100.0), -0.9, filled=-0.6)
        >>> one.metrics["binned_velocities.south.filled_mean_sin_b"]
        -0.6
    """

    cell: Bin
    mean_sin_b: float
    filled: float

    @property
    def ratio(self) -> float:
        """How many times as large as in a filled patch a vertical reflex looks."""
        # a vertical reflex adds v_z sin(b) to the line-of-sight velocity
        return self.mean_sin_b / self.filled

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of its sentence, by stable key."""
        patch = f"binned_velocities.{self.cell.patch}"
        distances = f"{self.cell.lower:g}_{self.cell.upper:g}"
        return {
            f"{patch}.{distances}.lower": self.cell.lower,
            f"{patch}.{distances}.upper": self.cell.upper,
            f"{patch}.{distances}.mean_sin_b": self.mean_sin_b,
            f"{patch}.filled_mean_sin_b": self.filled,
            f"{patch}.{distances}.reflex_ratio": self.ratio,
        }

    @property
    def sentence(self) -> Sentence:
        """What it means, in words."""
        return Sentence(
            f"{self.cell}: the stars' mean sin(b) is {self.mean_sin_b:+.2f}, the patch's "
            f"{self.filled:+.2f}: a vertical reflex looks {self.ratio:.1f} times as large "
            "as in simulations, which fill the patch.",
            tuple(self.metrics),
        )


def uneven_bins(table: BinnedTable) -> list[UnevenBin]:
    """Returns the radial bins whose stars are not spread as their patch is."""
    radial = {b.patch for b in table.bins if b.quantity == "v_gsr"}
    filled = {p.name: p.mean_sin_b for p in PATCHES if p.name in radial}
    found = [
        UnevenBin(cell, sine, filled[cell.patch])
        for cell, sine in zip(table.bins, table.mean_sin_b.tolist(), strict=True)
        if cell.quantity == "v_gsr" and cell.patch in filled
    ]
    return [one for one in found if not 1 / UNEVEN < one.ratio < UNEVEN]
