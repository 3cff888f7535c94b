"""A binned table for people: what the selection kept, and the binned velocities."""

from astropy.table import Table

from mwlmc.observed.binned_table import BinnedTable, as_ecsv
from mwlmc.observed.columns import BINNED
from mwlmc.observed.data_vectors import Measurement, Sampling
from mwlmc.sky.patches import PATCHES

# Stars whose mean sin(b) is this many times that of their patch see a vertical reflex
# that much larger than simulations that fill the patch.
UNEVEN = 1.25
_FILLED = Measurement()
_SAMPLING_NOTES: dict[Sampling, str] = {
    "full-footprint": "All simulated stars of a patch represent them; these errors are "
    "added in training.",
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
    left_out = "; ".join(provenance["left_out"]) or "none"
    steps.meta["key"] = "selection"
    steps.meta["caption"] = (
        f"{provenance['source']['file']}: stars left after each step. Bins left out because they "
        f"have fewer than two stars: {left_out}."
    )
    velocities = as_ecsv(table)
    for name, (unit, _) in BINNED.items():
        velocities[name].info.format = "%.1f" if unit else None
    velocities["mean_sin_b"].info.format = "%+.2f"
    full_footprint = measurement.sampling == "full-footprint"
    velocities.meta["misses"] = uneven_bins(table) if full_footprint else []
    velocities.meta["key"] = "binned_velocities"
    velocities.meta["caption"] = (
        f"{table.name}: mean and dispersion after clipping. In bins of fewer than ten stars, "
        "errors follow from the dispersion of the nearest bins, because a bootstrap of so few "
        f"means nothing. {_SAMPLING_NOTES[measurement.sampling]}"
    )
    return {"Selection": steps, "Binned velocities": velocities}


def uneven_bins(table: BinnedTable) -> list[str]:
    """Returns a sentence for each radial bin whose stars are not spread as its patch is."""
    radial = {b.patch for b in table.bins if b.quantity == "v_gsr"}
    filled = {p.name: p.mean_sin_b for p in PATCHES if p.name in radial}
    found = []
    for cell, sine in zip(table.bins, table.mean_sin_b, strict=True):
        if cell.quantity != "v_gsr" or cell.patch not in filled:
            continue
        # a vertical reflex adds v_z sin(b) to the line-of-sight velocity
        ratio = sine / filled[cell.patch]
        if not 1 / UNEVEN < ratio < UNEVEN:
            found.append(
                f"{cell}: the stars' mean sin(b) is {sine:+.2f}, the patch's "
                f"{filled[cell.patch]:+.2f}: a vertical reflex looks {ratio:.1f} times as large as "
                "in simulations, which fill the patch."
            )
    return found
