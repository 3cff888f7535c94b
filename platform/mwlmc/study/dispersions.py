"""What means and dispersions of velocities say of both galaxies and of the stellar halo.

Dispersions weigh the Milky Way, and those along and across the line of sight together tell
the anisotropy of the stars' orbits. Real stars of two surveys are one data vector; a mock
of a third, whose stars are not public, forecasts the row of Brooks et al. (2026). The same
dispersions are then given to a model that has no LMC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mwlmc.observed.binned_table import BinnedTable, load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.joint_surveys import joint_binning, joint_table
from mwlmc.observed.options import StarSelection
from mwlmc.simulator import Simulator
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS, SkyBinning
from mwlmc.study import follow_up, forecast, lmc_less
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import DataRow, record_others_stars
from mwlmc.study.follow_up import FOLLOW_UP
from mwlmc.study.inferred_quantities import InferredQuantities, inferred_labels
from mwlmc.study.literature import HALO_COLUMN, HALO_MASS, TABLE2
from mwlmc.study.lmc_less import MassShift
from mwlmc.study.rigid_limit import record_rigid_limit
from mwlmc.study.shell_options import DataName, Dispersions
from mwlmc.study.study import conditioned, infer_row
from mwlmc.study.survey_draws import SIMULATION_NUMBER, survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster, simulation, summaries
from orrery.inference.posteriors import Inferred
from orrery.labels import relabelled
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.results.dataset_sections import record_dataset
from orrery.results.lineage import record_summary_lineage
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.storage.dataset import Dataset

DATA_LABELS: Mapping[DataName, str] = {
    "forecast-h3": "H3+SEGUE+MagE (forecast)",
    "sdss+desi": "SDSS K giants and DESI",
    "sdss": "SDSS K giants",
    "desi": "DESI",
}
# The row of Table 2 whose bins, of both velocities, the follow-up's are.
BINNED_AS = "H3+SEGUE+MagE quadrants, with v_tb"
RIGID_COLUMNS = (HALO_COLUMN, "log10_m_lmc_50")


def dispersions(options: Dispersions) -> Result:
    """Returns the posteriors from means and dispersions, and what forgetting the LMC changes.

    Raises:
        ValueError: If the stars are not what the options say, or no simulation has
            enough stars in the shell.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    real = [name for name in options.data if name != "forecast-h3"]
    tables = _surveys(options) if real else ()
    rows = [_row(name, tables, options) for name in options.data]
    with (
        cluster.connect(),
        record(
            "dispersions",
            options,
            campaign.reports,
            {**VERSIONS, **follow_up.VERSIONS},
            {**SUMMARIES, **follow_up.SUMMARIES},
            unread=() if real else ("stars",),
        ) as recording,
    ):
        recording.words(table_words())
        named = zip(("SDSS", "DESI"), tables, strict=False)
        record_others_stars(recording, {survey: [table] for survey, table in named})
        halos = simulate_campaign(recording, campaign)
        found, prior = _infer(recording, rows, halos, options.inferred, options)
        _record_answers(recording, rows, found, prior, options)
        if options.without_lmc:
            _compare_without_lmc(recording, rows, found, options)
    return recording.result


# --- the data vectors ------------------------------------------------------------------------


def _surveys(options: Dispersions) -> tuple[BinnedTable, BinnedTable]:
    """Returns the bins of SDSS's stars, then DESI's."""
    sdss, desi = options.stars
    return (
        load_binned(
            sdss,
            QUADRANTS.select(("v_gsr",)),
            StarSelection(inner=30.0, outer=160.0),
            most_missing=options.most_missing,
        ),
        load_binned(
            desi,
            DESI_FOOTPRINT,
            StarSelection(largest_motion_error=options.largest_motion_error),
            most_missing=options.most_missing,
        ),
    )


def _row(
    name: DataName, tables: Sequence[BinnedTable], options: Dispersions
) -> DataRow:
    if name == "forecast-h3":
        binning, seen = _forecast(options)
    else:
        binning, seen = _observed(name, tables, options)
    key = name.replace("+", "_").replace("-", "_")
    return DataRow(DATA_LABELS[name], key, BINNED_AS, binning, seen)


def _forecast(options: Dispersions) -> tuple[SkyBinning, Observation]:
    """Returns the mock data vector at the follow-up's medians, with Table 2's friction."""
    binning = forecast.forecast_binning(QUADRANTS, options.measurement)
    simulator = options.campaign.simulator
    theta = truth(simulator)
    mock = forecast.mock_at(theta, binning, options.campaign.seed, simulator)
    return binning, replace(mock, name=DATA_LABELS["forecast-h3"])


def truth(simulator: Simulator) -> FloatArray:
    """Returns the model's parameters `[P]` at the follow-up's medians.

    It prints no friction: that of the first paper's row with the same bins is taken.
    """
    medians = {name: value.median for name, value in FOLLOW_UP.items()}
    friction = {"log10 lambda_DF": TABLE2[BINNED_AS]["log10 lambda_DF"].median}
    return forecast.model_with({**friction, **medians}, simulator)


def _observed(
    name: DataName, tables: Sequence[BinnedTable], options: Dispersions
) -> tuple[SkyBinning, Observation]:
    binnings = (QUADRANTS.select(("v_gsr",)), DESI_FOOTPRINT)
    surveys = [("sdss", "desi").index(survey) for survey in name.split("+")]
    table = joint_table(DATA_LABELS[name], [tables[i] for i in surveys])
    whole = joint_binning(name, [binnings[i] for i in surveys])
    # a dispersion of two stars is hardly one
    enough = whole.supported(table.counts(whole), options.fewest_stars)
    seed = options.campaign.seed
    return vectors(table, {name: enough}, options.measurement, seed)[name]


# --- the posteriors --------------------------------------------------------------------------


def _infer(
    recording: Recording,
    rows: Sequence[DataRow],
    halos: Dataset,
    wanted: InferredQuantities,
    options: Dispersions,
) -> tuple[dict[str, Inferred], FloatArray]:
    """Returns the posterior of each data vector, after recording it, and what is known before.

    Returns:
        Posteriors by the key of their data, and draws `[N, P]` of their common prior.
    """
    labels = summaries.compute(inferred_labels, halos, wanted, (SIMULATION_NUMBER,))
    found = {}
    for row in rows:
        record_summary_lineage(recording, f"labels.{row.key}", labels)
        pairs = survey_pairs(
            halos, row.binning, (SIMULATION_NUMBER,), options.measurement.survey_draws
        )
        found[row.key] = infer_row(
            recording,
            conditioned(row, halos),
            relabelled(pairs, labels),
            wanted.parameters,
            options.inference,
            options.campaign.seed,
        )
    return found, labels.train.x


def _record_answers(
    recording: Recording,
    rows: Sequence[DataRow],
    found: Mapping[str, Inferred],
    prior: FloatArray,
    options: Dispersions,
) -> None:
    wanted = options.inferred
    velocity = options.campaign.circular_velocity
    before = follow_up.follow_up_quantities(prior, wanted, velocity)
    printed = {}
    for row in rows:
        draws = found[row.key].draws
        values = follow_up.follow_up_quantities(draws, wanted, velocity)
        recording.answers(
            follow_up.follow_up_answers(row.key, row.label, values, before)
        )
        printed[row.label] = values
        if set(RIGID_COLUMNS) <= set(wanted.columns):
            masses = wanted.selected(draws, RIGID_COLUMNS)
            record_rigid_limit(
                recording, row.key, row.label, np.pad(masses, ((0, 0), (0, 4)))
            )
    recording.tables(follow_up.follow_up_table(printed, options.travel_edges))


# --- without an LMC --------------------------------------------------------------------------


def _compare_without_lmc(
    recording: Recording,
    rows: Sequence[DataRow],
    found: Mapping[str, Inferred],
    options: Dispersions,
) -> None:
    """Records what a model without an LMC makes of the same data, and how its mass differs."""
    wanted = options.inferred.without_lmc
    halos = _simulate_without_lmc(recording, options)
    alone = [lmc_less.dispersions_alone(row) for row in rows]
    biased, prior = _infer(recording, alone, halos, wanted, options)
    velocity = options.campaign.circular_velocity
    before = follow_up.follow_up_quantities(prior, wanted, velocity)
    shifts = []
    for row, other in zip(rows, alone, strict=True):
        draws = biased[other.key].draws
        values = follow_up.follow_up_quantities(draws, wanted, velocity)
        recording.answers(
            follow_up.follow_up_answers(other.key, other.label, values, before)
        )
        both = found[row.key], biased[other.key]
        compared = _shifts(both, options)
        shifts += [(row.label, what, shift) for what, shift in compared.items()]
    recording.tables(lmc_less.mass_shift_table(shifts))


def _shifts(
    both: tuple[Inferred, Inferred], options: Dispersions
) -> dict[str, MassShift]:
    """Returns how far the halo's masses are from each other, and from the truth of a mock."""
    columns = (
        options.inferred.names.index(HALO_COLUMN),
        options.inferred.without_lmc.names.index(HALO_COLUMN),
    )
    if both[0].observation.simulated is None:
        return lmc_less.observed_shift(both, columns)
    known = np.log10(1e11 * FOLLOW_UP[HALO_MASS].median)
    return lmc_less.mock_shifts(
        both,
        columns,
        float(known),
        options.inference.calibration_draws,
        options.campaign.seed,
    )


def _simulate_without_lmc(recording: Recording, options: Dispersions) -> Dataset:
    campaign = options.campaign
    halos = simulation.generate(
        replace(campaign.simulator, lmc_mass="none"),
        options.without_lmc,
        campaign.seed,
        campaign.datasets,
        name="mwlmc",
    )
    record_dataset(
        recording,
        "simulations_without_lmc",
        "Simulations without an LMC",
        halos,
        "They have no LMC; else they are as the others: with the same seed, of the same Milky "
        "Ways and stars.",
    )
    return halos
