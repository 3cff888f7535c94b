"""Posteriors of the Milky Way and the LMC from stars: one function for each question.

A study introduces the science to the machinery. It computes and records; whoever starts
it chooses who reads. Without readers it is a trial of a sweep.
"""

from collections.abc import Sequence
from dataclasses import replace

from astropy.table import Table

from mwlmc.observed.binned_table import are_desi, load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import Measurement
from mwlmc.observed.summary_tables import summary_tables
from mwlmc.sky.binning import (
    desi_footprint,
    quadrants,
    without_and_with_v_tb,
)
from mwlmc.study import (
    comparison,
    forecast,
    mass_ratio,
    published_views,
    quantities,
)
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import (
    DataRow,
    Posteriors,
    data_rows,
    desi_rows,
    say_motions,
    star_source,
)
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.options import Desi, Quadrants, SimulationCampaign
from mwlmc.study.panels import profile_panels
from mwlmc.study.rigid_limit import record_rigid_limit
from mwlmc.study.simulation_noise import with_simulation_error
from mwlmc.study.survey_draws import survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import entry_words, table_words
from orrery.execution import cluster
from orrery.inference import posteriors
from orrery.inference.options import Inference
from orrery.inference.posteriors import Inferred
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter
from orrery.results import lineage, posterior_sections
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import thinned
from orrery.storage.dataset import Dataset

SURVEYS = ("DESI", "H3+SEGUE+MagE on DESI's sky", "H3+SEGUE+MagE quadrants")
QUADRANT_ROWS = "H3+SEGUE+MagE quadrants"
MASSES = ("M_LMC(<50 kpc)", HALO_MASS)
REFLEX = ("v_x", "v_y", "v_z")


def desi(options: Desi) -> Result:
    """Returns the posteriors of both galaxies from DESI's blue horizontal branch stars.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    footprint = desi_footprint(options.v_tb_edges)
    stars = load_binned(
        options.stars,
        footprint,
        options.selection,
        most_missing=options.most_missing,
    )
    binnings = without_and_with_v_tb(footprint)
    say_motions(stars, options.measurement.motion_floor)
    data = vectors(stars, binnings, options.measurement, campaign.seed)
    # what the user can mend in the tables is refused before Ray starts
    with (
        cluster.connect(),
        record("desi", options, campaign.reports, VERSIONS, SUMMARIES) as recording,
    ):
        recording.words(table_words())
        recording.tables(summary_tables(stars, options.measurement))
        halos = simulate_campaign(recording, campaign)
        rows = desi_rows(stars, data)
        found = infer_rows(
            recording, rows, halos, options.measurement, options.inference, campaign
        )
        whose: comparison.StellarSample = "same" if are_desi(stars) else "other"
        for row in rows:
            draws = found.draws[row.label]
            recording.tables(
                comparison.compare_with_published(
                    draws, row.published, found.prior, whose
                )
            )
        recording.tables(comparison.prior_tables(found.prior))
        record_mass_ratio(recording, found, rows, campaign)
        recording.add(_relation(found.prior))
    return recording.result


def record_mass_ratio(
    recording: Recording,
    found: Posteriors,
    rows: Sequence[DataRow],
    campaign: SimulationCampaign,
) -> None:
    """Records the ratio of both masses by each posterior, beside the published one."""
    published = {row.label: row.published for row in rows}
    velocity = campaign.simulator.circular_velocity
    recording.tables(
        mass_ratio.mass_ratio_table(found.draws, published, found.prior, velocity)
    )


def _relation(prior: FloatArray) -> FigureSection:
    relation = published_views.mass_velocity_relation(thinned(prior))
    return FigureSection(
        "prior.relation",
        "Travel velocity and LMC mass",
        relation,
        "Simulations and published rows.",
    )


def infer_rows(
    recording: Recording,
    rows: Sequence[DataRow],
    halos: Dataset,
    measurement: Measurement,
    inference: Inference,
    campaign: SimulationCampaign,
) -> Posteriors:
    """Returns the posterior of each data vector, after recording all of them.

    Arguments:
        recording: Where they are recorded.
        rows: The data vectors.
        halos: The simulations.
        measurement: What is inferred.
        inference: How the posteriors are learned and sampled.
        campaign: Whose seed decides training, draws and tests.
    """
    found = {}
    for row in rows:
        # another binning needs other summaries, but no other simulations
        pairs = survey_pairs(
            halos, row.binning, measurement.parameters, measurement.survey_draws
        )
        inferred = infer_row(
            recording,
            conditioned(row, halos),
            pairs,
            measurement.parameters,
            inference,
            campaign.seed,
        )
        draws = inferred.draws
        prior = pairs.each_once.train.theta
        source, numbers = star_source(row)
        recording.metrics(numbers)
        recording.answers(quantities.answers(row.key, row.label, draws, prior, source))
        record_rigid_limit(recording, row.key, row.label, draws)
        found[row.label] = inferred
    return Posteriors(found, prior)


def conditioned(row: DataRow, halos: Dataset) -> DataRow:
    """Returns a data vector with the errors that its simulations have of themselves."""
    known = with_simulation_error(row.observation, row.binning, halos)
    return replace(row, observation=known)


def infer_row(
    recording: Recording,
    row: DataRow,
    pairs: Splits,
    parameters: tuple[Parameter, ...],
    inference: Inference,
    seed: int,
) -> Inferred:
    """Returns the posterior of one data vector, after recording it.

    What it answers is for those to record who know what its parameters are.

    Arguments:
        recording: Where it is recorded.
        row: The data vector.
        pairs: Simulated summaries of the same binning.
        parameters: What is inferred.
        inference: How the posterior is learned and sampled.
        seed: Decides training, draws and tests.
    """
    recording.words(entry_words(row.observation.names))
    lineage.record_summary_lineage(recording, row.key, pairs)
    inferred = posteriors.infer(
        row.label,
        pairs,
        parameters,
        row.observation,
        inference,
        seed,
        # all attempts find them: the next one after a kill continues the training
        recording.run.shared / "posteriors" / row.key,
        posterior_sections.epoch_logger(recording, row.key),
        posterior_sections.check_logger(recording, row.key, row.label),
    )
    posterior_sections.record_posterior(
        recording, row.key, row.label, inferred, pairs, profile_panels(row.binning)
    )
    return inferred


def quadrants_posteriors(options: Quadrants) -> Result:
    """Returns the posteriors of both galaxies from giants in four quadrants of the sky.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    mock = options.observation == "forecast-h3"
    rows, tables = _forecast_rows(options) if mock else _observed_rows(options)
    with (
        cluster.connect(),
        record(
            "quadrants",
            options,
            campaign.reports,
            VERSIONS,
            SUMMARIES,
            unread=("stars",) if mock else (),
        ) as recording,
    ):
        recording.words(table_words())
        recording.tables(tables)
        halos = simulate_campaign(recording, campaign)
        found = infer_rows(
            recording, rows, halos, options.measurement, options.inference, campaign
        )
        # the paper's giants are not public, so that only widths, or nothing, is judged
        stars: comparison.StellarSample = "mock" if mock else "other"
        for row in rows:
            draws = found.draws[row.label]
            recording.tables(
                comparison.compare_with_published(
                    draws, row.published, found.prior, stars
                )
            )
        recording.tables(comparison.prior_tables(found.prior))
        record_mass_ratio(recording, found, rows, campaign)
    return recording.result


def _forecast_rows(options: Quadrants) -> tuple[list[DataRow], dict[str, Table]]:
    """Returns the mock data vectors of H3+SEGUE+MagE, of which there are no tables."""
    rows = {}
    for label, whole in without_and_with_v_tb(quadrants(options.bins)).items():
        row = f"{QUADRANT_ROWS}, {label}"
        binning = forecast.forecast_binning(whole, options.measurement)
        campaign = options.campaign
        mock = forecast.forecast(row, binning, campaign.seed, campaign.simulator)
        rows[row] = (binning, mock)
    return data_rows(rows), {}


def _observed_rows(options: Quadrants) -> tuple[list[DataRow], dict[str, Table]]:
    """Returns the data vectors of real stars, and what was selected as tables."""
    whole = quadrants(options.bins)
    stars = load_binned(
        options.stars, whole, options.selection, most_missing=options.most_missing
    )
    say_motions(stars, options.measurement.motion_floor)
    found = vectors(
        stars,
        without_and_with_v_tb(whole),
        options.measurement,
        options.campaign.seed,
    )
    rows = {f"{QUADRANT_ROWS}, {label}": row for label, row in found.items()}
    found_rows = data_rows(rows, "quadrants", stars=stars)
    return found_rows, summary_tables(stars, options.measurement)
