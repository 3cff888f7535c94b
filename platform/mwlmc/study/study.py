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
    DESI_FOOTPRINT,
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
    record_others_stars,
    say_motions,
    star_source,
)
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.options import Desi, Quadrants, SimulationCampaign, Table2
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
from orrery.judging import calibration
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter
from orrery.results import lineage, posterior_sections
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import Corner, CoverageCurves, Intervals, thinned
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
        _record_mass_ratio(recording, found, rows, campaign)
        recording.add(_relation(found.prior))
    return recording.result


def _record_mass_ratio(
    recording: Recording,
    found: Posteriors,
    rows: Sequence[DataRow],
    campaign: SimulationCampaign,
) -> None:
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
        _record_mass_ratio(recording, found, rows, campaign)
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


def table2(options: Table2) -> Result:
    """Returns the six posteriors of Table 2 of Brooks et al. (2025b), and their figures.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = forecast.rows(stars, options.measurement, campaign.seed, campaign.simulator)
    with (
        cluster.connect(),
        record("table2", options, campaign.reports, VERSIONS, SUMMARIES) as recording,
    ):
        recording.words(table_words())
        record_others_stars(recording, {"DESI": [stars]})
        halos = simulate_campaign(recording, campaign)
        rows = data_rows(data, stars=stars)
        found = infer_rows(
            recording, rows, halos, options.measurement, options.inference, campaign
        )
        recording.tables(comparison.compare_with_table2(found.draws, found.prior))
        _record_mass_ratio(recording, found, rows, campaign)
        _record_calibrations(recording, found)
        _record_joint(recording, found)
        _record_travel_velocity(recording, found)
        _record_full(recording, found, options.measurement)
    return recording.result


def _record_calibrations(recording: Recording, found: Posteriors) -> None:
    judged = {row: one.calibration for row, one in found.inferred.items()}
    recording.tables({"Calibration of all": calibration.calibration_table(judged)})
    curves = {quantities.row_key(row): one.coverage for row, one in judged.items()}
    legend = {quantities.row_key(row): row for row in judged}
    recording.add(
        FigureSection(
            "coverage",
            "Coverage of all",
            CoverageCurves(curves, legend),
            "Expected coverage of each posterior.",
        )
    )


def _record_joint(recording: Recording, found: Posteriors) -> None:
    """Records the joint posteriors of the surveys, with others' values."""
    # with v_tb alone, as in the paper's figures: both would hide each other
    draws = {
        quantities.survey_key(survey): found.draws[f"{survey}, with v_tb"]
        for survey in SURVEYS
    }
    ours = {quantities.survey_key(one): quantities.labelled(one) for one in SURVEYS}
    for key, title, wanted in (
        ("masses", "Masses", MASSES),
        ("reflex", "Reflex motion", REFLEX),
    ):
        joint = {
            survey: quantities.selected_quantities(some, wanted)
            for survey, some in draws.items()
        }
        view = Corner(
            joint,
            quantities.quantity_axes(wanted),
            thinned(quantities.selected_quantities(found.prior, wanted)),
            published_views.published_points(wanted),
            legend={**ours, **published_views.published_legend()},
        )
        caption = "Posteriors with v_tb, the prior in grey, and others' values."
        recording.add(FigureSection(key, title, view, caption))


def _record_travel_velocity(recording: Recording, found: Posteriors) -> None:
    view = Intervals(
        published_views.constraints(found.draws, "v_travel"),
        "travel velocity [km/s]",
        published_views.bands("v_travel"),
        quantities.prior_interval(found.prior, "v_travel"),
    )
    caption = "Ours, published, the prior (dashed), and others'."
    recording.add(FigureSection("travel_velocity", "Travel velocity", view, caption))


def _record_full(
    recording: Recording, found: Posteriors, measurement: Measurement
) -> None:
    for survey in SURVEYS:
        both = {
            key: found.draws[f"{survey}, {label}"]
            for label, key in quantities.VELOCITY_KEYS.items()
        }
        legend = {key: label for label, key in quantities.VELOCITY_KEYS.items()}
        prior = thinned(found.prior)
        view = Corner(both, measurement.parameters, prior, legend=legend)
        recording.add(
            FigureSection(
                f"full.{quantities.survey_key(survey)}",
                f"Full posterior, {survey}",
                view,
                "All parameters, with and without v_tb.",
            )
        )
