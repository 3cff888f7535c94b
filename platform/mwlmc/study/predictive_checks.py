"""Can the model make the data? Draws of each posterior are simulated again.

Masses and friction alone do not make stars: here the flows learn all eleven parameters
of the model.
"""

from dataclasses import replace

from mwlmc import replay
from mwlmc.observed.binned_table import load_binned
from mwlmc.replay import Replay
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study import forecast
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import DataRow, data_rows
from mwlmc.study.options import PredictiveChecks, SimulationCampaign
from mwlmc.study.panels import profile_panels
from mwlmc.study.study import conditioned, infer_row
from mwlmc.study.survey_draws import survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster, simulation, summaries
from orrery.judging import predictive
from orrery.judging.predictive import Predictive
from orrery.pairs import Splits
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.results.lineage import record_dataset_lineage, record_summary_lineage
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.results.sections import FigureSection, Text, Verdict
from orrery.results.views import Violins


def predictive_checks(options: PredictiveChecks) -> Result:
    """Returns what draws of each posterior predict, beside what was observed.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    model = campaign.simulator.prior.parameters
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = forecast.rows(
        stars, options.measurement, campaign.seed, campaign.simulator, options.rows
    )
    with (
        cluster.connect(),
        record(
            "predictive", options, campaign.reports, VERSIONS, SUMMARIES
        ) as recording,
    ):
        recording.words(table_words())
        halos = simulate_campaign(recording, campaign)
        for found in data_rows({name: data[name] for name in options.rows}):
            row = conditioned(found, halos)
            # masses and friction alone do not fix a simulation: all parameters do
            pairs = survey_pairs(
                halos, row.binning, model, options.measurement.survey_draws
            )
            inferred = infer_row(
                recording, row, pairs, model, options.inference, campaign.seed
            )
            draws = inferred.draws[: options.replicates]
            again = _simulated_again(recording, row, draws, campaign)
            check = predictive.check(
                predictive.all_summaries(again),
                as_measured(row.observation, campaign.seed),
                campaign.seed,
            )
            _record_check(recording, row, check)
    return recording.result


def as_measured(observation: Observation, seed: int) -> Observation:
    """Returns an observation with what a survey measured: of a mock one of its realisations.

    Expected data have no scatter. They are in the middle of whatever predicts them, and
    would pass any check.

    Arguments:
        observation: What is checked.
        seed: Draws a mock's errors.
    """
    if observation.simulated is None:
        return observation
    return replace(observation, value=observation.realisations(seed)[0])


def _simulated_again(
    recording: Recording,
    row: DataRow,
    draws: FloatArray,
    campaign: SimulationCampaign,
) -> Splits:
    """Returns the summaries of simulations of a posterior's draws `[n, P]`."""
    simulator = campaign.simulator
    # flows leak a little beyond the prior, where the model has no galaxy to simulate
    possible = replay.simulable(simulator, draws)
    key = f"replayed.{row.key}"
    recording.metrics(
        {
            f"{key}.draws": len(draws),
            f"{key}.kept": len(possible.theta),
            f"{key}.outside": possible.outside,
            f"{key}.runaway": possible.runaway,
        }
    )
    shows = tuple(f"{key}.{name}" for name in ("draws", "kept", "outside", "runaway"))
    recording.add(Text(key, f"Simulated draws, {row.label}", str(possible), shows))
    # other stars than those that the posterior was trained on
    seed = campaign.seed + 1
    again = simulation.generate(
        Replay(simulator, possible.theta),
        len(possible.theta),
        seed,
        campaign.datasets,
        name="replay",
    )
    record_dataset_lineage(recording, key, again)
    parameters = simulator.prior.parameters
    pairs = summaries.compute(
        kinematics.velocity_moments, again, row.binning, parameters
    )
    record_summary_lineage(recording, key, pairs)
    return pairs


def _record_check(recording: Recording, row: DataRow, check: Predictive) -> None:
    key = f"predictive.{row.key}"
    observation = check.observation
    table = predictive.predictive_table(check, key)
    table.meta["shows"] += [f"data_vector.{row.key}.name"]
    recording.tables({f"Predictive check, {row.label}": table})
    recording.verdicts([_verdict(key, row.label, check)])
    view = Violins(
        profile_panels(row.binning),
        {row.key: observation},
        {row.key: check.predicted},
        {row.key: check.tails},
        legend={row.key: observation.name},
    )
    recording.add(
        FigureSection(
            f"predictions.{row.key}",
            f"Predictions, {row.label}",
            view,
            "What draws of the posterior predict, with errors of measurement, and the "
            "data.",
        )
    )


def _verdict(key: str, label: str, check: Predictive) -> Verdict:
    passed: bool | None = check.smallest >= predictive.DOUBTFUL
    whole = f"p = {check.whole_vector:.2g} for the whole vector, "
    shows = [f"{key}.whole_vector_pvalue"]
    if not check.is_whole_tested:
        # what its entries pass may still be missed by all together
        passed = None if passed else False
        whole = f"The whole vector is {predictive.untested(check)}; p = "
        shows = [f"{key}.replicates", f"{key}.entries"]
    return Verdict(
        key,
        f"Predictive check, {label}",
        passed,
        f"{whole}{check.worst_entry:.3f} for its most unusual entry.",
        (*shows, f"{key}.worst_entry_pvalue"),
    )
