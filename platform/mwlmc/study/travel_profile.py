"""How fast the disc moves against stars at which distance, and whereto.

The stored stars of each simulation tell its reflex motion in any shell. A flow learns
these motions, of all shells together, from what a survey sees, as others learn one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mwlmc.model.reflex_shells import ReflexShells, reflex_motions, shell_errors
from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import StarSelection
from mwlmc.sky import frames
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    SkyBinning,
    without_and_with_v_tb,
)
from mwlmc.study import figure_data, forecast, published_views, shell_profiles
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import DataRow, data_rows, record_others_stars
from mwlmc.study.figure_data import SkyPath
from mwlmc.study.quantities import labelled
from mwlmc.study.shell_options import SurveyName, TravelProfile
from mwlmc.study.shell_profiles import ShellMotions, shell_intervals, shell_motions
from mwlmc.study.simulation_noise import SAMPLED_SHARDS
from mwlmc.study.study import QUADRANT_ROWS, conditioned, infer_row
from mwlmc.study.survey_draws import SIMULATION_NUMBER, survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster, summaries
from orrery.labels import relabelled
from orrery.pairs import Splits
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.results.lineage import record_summary_lineage
from orrery.results.panels import SkyPanel, SkyRegion, Track
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import RadialBands, SkyMaps
from orrery.storage.dataset import Dataset

MAPPED_APEXES = 2000  # draws, from which regions of a map are made
MEAN_V_R = r"$\langle v_r \rangle$ [km/s]"
SHOWN_APEXES = 60  # of these, as points: more would hide the regions


def travel_profile(options: TravelProfile) -> Result:
    """Returns the posterior of the reflex motion in shells of distance, from each survey.

    Raises:
        ValueError: If the stars are not what the options say, or no simulation has
            enough stars in every shell.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    rows = [_row(survey, options) for survey in options.surveys]
    files = {"quadrants": "stars", "desi": "desi_stars"}
    with (
        cluster.connect(),
        record(
            "travel_profile",
            options,
            campaign.reports,
            {**VERSIONS, **shell_profiles.VERSIONS},
            {**SUMMARIES, **shell_profiles.SUMMARIES},
            unread=[
                file for name, file in files.items() if name not in options.surveys
            ],
        ) as recording,
    ):
        recording.words(table_words())
        named = zip(options.surveys, rows, strict=True)
        observed = [row.observation for survey, row in named if survey == "desi"]
        record_others_stars(recording, {"DESI": observed})
        halos = simulate_campaign(recording, campaign)
        labels = summaries.compute(
            reflex_motions, halos, options.shells, (SIMULATION_NUMBER,)
        )
        record_summary_lineage(recording, "shells", labels)
        found = {
            row.label: _infer(recording, row, halos, labels, options) for row in rows
        }
        _record_profile(recording, rows, found, labels.train.x, halos, options)
    return recording.result


def _row(survey: SurveyName, options: TravelProfile) -> DataRow:
    """Returns the data vector of one survey."""
    label = "with v_tb" if options.velocities == "v_gsr+v_tb" else "without v_tb"
    published = f"{'DESI' if survey == 'desi' else QUADRANT_ROWS}, {label}"
    if survey == "forecast-h3":
        found = _forecast(published, label, options)
    else:
        found = _observed(survey, label, options)
    name = "quadrants" if survey == "quadrants" else ""
    (row,) = data_rows({published: found}, name)
    return row


def _forecast(
    published: str, label: str, options: TravelProfile
) -> tuple[SkyBinning, Observation]:
    campaign = options.campaign
    whole = without_and_with_v_tb(QUADRANTS)[label]
    binning = forecast.forecast_binning(whole, options.measurement)
    mock = forecast.forecast(published, binning, campaign.seed, campaign.simulator)
    return binning, mock


def _observed(
    survey: SurveyName, label: str, options: TravelProfile
) -> tuple[SkyBinning, Observation]:
    giants = survey == "quadrants"
    whole = QUADRANTS if giants else DESI_FOOTPRINT
    stars = load_binned(
        options.stars if giants else options.desi_stars,
        whole,
        options.selection if giants else StarSelection(),
        most_missing=options.most_missing,
    )
    wanted = {label: without_and_with_v_tb(whole)[label]}
    found = vectors(stars, wanted, options.measurement, options.campaign.seed)
    if label not in found:
        raise ValueError(
            f"{stars.name!r} has no bin of some velocity: give stars with proper motions, or "
            "choose velocities v_gsr"
        )
    return found[label]


def _infer(
    recording: Recording,
    row: DataRow,
    halos: Dataset,
    labels: Splits,
    options: TravelProfile,
) -> FloatArray:
    """Returns draws `[n, 4 K]` of the motions in all shells, after recording them."""
    draws = options.measurement.survey_draws
    pairs = survey_pairs(halos, row.binning, (SIMULATION_NUMBER,), draws)
    inferred = infer_row(
        recording,
        conditioned(row, halos),
        relabelled(pairs, labels),
        options.shells.parameters,
        options.inference,
        options.campaign.seed,
    )
    found = inferred.draws
    recording.answers(
        shell_profiles.shell_answers(
            row.key, row.label, found, labels.train.x, options.shells
        )
    )
    rising = float(np.mean(shell_motions(found, options.shells).rise > 0))
    recording.metrics({f"profile.{row.key}.rising": rising})
    return found


def _record_profile(
    recording: Recording,
    rows: Sequence[DataRow],
    found: Mapping[str, FloatArray],
    prior: FloatArray,
    halos: Dataset,
    options: TravelProfile,
) -> None:
    """Records tables and figures of all surveys."""
    shells = options.shells
    legend = {row.key: _name(row) for row in rows}
    named = {legend[row.key]: found[row.label] for row in rows}
    errors = _label_errors(halos, shells)
    recording.tables(
        shell_profiles.profile_tables({**named, "prior": prior}, shells, errors)
    )
    recording.metrics(shell_profiles.LI_2026)
    motions = {row.key: shell_motions(found[row.label], shells) for row in rows}
    of_prior = shell_motions(prior, shells)
    recording.add(
        _speed_figure(motions, of_prior, legend, shells),
        _radial_figure(motions, of_prior, legend, shells),
    )
    simulator = options.campaign.simulator
    lmc = figure_data.lmc_path(
        simulator, forecast.model_at(rows[0].published, simulator)
    )
    for key, one in motions.items():
        recording.add(_apex_figure(key, legend[key], (one, of_prior), lmc, shells))


def _name(row: DataRow) -> str:
    """Returns what a figure calls a survey, and whether its data are a mock."""
    return row.label if row.observation.simulated is None else labelled(row.label)


def _label_errors(halos: Dataset, shells: ReflexShells) -> FloatArray:
    """Returns the errors `[4 K]` of simulated motions: the root of their mean square."""
    each = [
        shell_errors(halos.records(shard), shells)
        for shard in halos.in_turn(halos.shards[:SAMPLED_SHARDS])
    ]
    return np.asarray(np.sqrt(np.nanmean(np.square(np.concatenate(each)), axis=0)))


def _speed_figure(
    motions: Mapping[str, ShellMotions],
    prior: ShellMotions,
    legend: Mapping[str, str],
    shells: ReflexShells,
) -> FigureSection:
    speeds = {key: one.v_travel for key, one in motions.items()}
    view = replace(
        _bands(speeds, prior.v_travel, r"$v_{\rm travel}$ [km/s]", shells),
        points=shell_profiles.published_speeds(),
        legend={**legend, **published_views.published_legend()},
    )
    li_2026 = shell_profiles.LI_2026
    source, slowest, fastest, _ = li_2026
    return FigureSection(
        "profile.v_travel",
        "Travel velocity against distance",
        view,
        "Median and 68 % of each posterior in each shell, the prior, and what others found for "
        f"stars at these distances. {li_2026[source]}: growing from {li_2026[slowest]:g} to "
        f"{li_2026[fastest]:g} km/s. Beyond the stars of a survey the model alone speaks.",
        (source, slowest, fastest),
    )


def _radial_figure(
    motions: Mapping[str, ShellMotions],
    prior: ShellMotions,
    legend: Mapping[str, str],
    shells: ReflexShells,
) -> FigureSection:
    speeds = {key: one.mean_v_r for key, one in motions.items()}
    bands = _bands(speeds, prior.mean_v_r, MEAN_V_R, shells)
    view = replace(bands, legend=legend)
    li_2026 = shell_profiles.LI_2026
    source, _, _, radial = li_2026
    return FigureSection(
        "profile.mean_v_r",
        "Mean radial velocity against distance",
        view,
        "Median and 68 % of each posterior in each shell, and the prior; a halo that contracts is "
        f"below zero. {li_2026[source]}: {li_2026[radial]:g} km/s at all distances.",
        (source, radial),
    )


def _bands(
    speeds: Mapping[str, FloatArray],
    prior: FloatArray,
    label: str,
    shells: ReflexShells,
) -> RadialBands:
    """Returns a figure of draws `[n, K]` of a speed in all shells, by the keys of the data."""
    return RadialBands(
        np.array(shells.edges),
        {key: shell_intervals(values) for key, values in speeds.items()},
        label,
        shell_intervals(prior),
    )


def _apex_figure(
    key: str,
    label: str,
    both: tuple[ShellMotions, ShellMotions],
    lmc: SkyPath,
    shells: ReflexShells,
) -> FigureSection:
    maps = tuple(
        _apex_map(f"{shell} kpc", both, k, lmc) for k, shell in enumerate(shells.labels)
    )
    return FigureSection(
        f"apex.{key}",
        f"Apex in each shell, {label}",
        SkyMaps(maps, MEAN_V_R),
        "Where the disc moves against the stars of each shell: the densest 68 % of posterior and "
        "prior, some draws of the posterior in the colour of their mean radial velocity, and the "
        "LMC's path at the published medians.",
    )


def _apex_map(
    title: str, both: tuple[ShellMotions, ShellMotions], k: int, lmc: SkyPath
) -> SkyPanel:
    regions = tuple(
        SkyRegion(
            f"{name}, 68 %",
            shell_profiles.credible_region(one.apex[:MAPPED_APEXES, k]),
        )
        for name, one in zip(("posterior", "prior"), both, strict=True)
    )
    longitude, latitude = frames.angles(both[0].apex[:SHOWN_APEXES, k])
    values = both[0].mean_v_r[:SHOWN_APEXES, k]
    track = Track("LMC", lmc.longitude, lmc.latitude)
    return SkyPanel(title, longitude, latitude, values, regions, (track,))
