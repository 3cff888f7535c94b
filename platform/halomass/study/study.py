"""A halo's mass from the orbits of its neighbours.

A study introduces the science to the machinery. It computes and records; whoever starts
it chooses who reads. Without readers it is a trial of a sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from halomass.cosmology import LOG_M200C_OVER_M_VIR
from halomass.observed.features import (
    Features,
    HostProperties,
    NeighbourSet,
    features,
)
from halomass.observed.host_neighbours import Neighbours, observation
from halomass.study import acceptance, accuracy, masses, robustness, similar_hosts
from halomass.study.accuracy import MASS_EDGES, MASS_LABEL
from halomass.study.domain_shift import compare_universes
from halomass.study.ensembles import (
    FIGURES,
    ensemble_features,
    ensemble_key,
    label_noisy,
    noisy_features,
)
from halomass.study.generated_hosts import generate_hosts, generate_variants
from halomass.study.host_warnings import warning_numbers
from halomass.study.likeness_sections import record_likeness, record_without
from halomass.study.options import FlowComparison, HaloMass, HostCampaign
from halomass.study.seen_host import SeenHost
from halomass.study.similar_hosts import SNAPSHOT_SCALE, HostLikeness, TrainingHosts
from halomass.study.survival_choices import survival_table
from halomass.study.unknown_intervals import record_unknown_intervals
from halomass.study.versions import SUMMARIES, VERSIONS
from halomass.study.wording import host_words
from halomass.systems import LOG_M_VIR
from orrery.execution import cluster, summaries
from orrery.execution.summaries import Binning
from orrery.inference import ensembles, posteriors
from orrery.inference.ensembles import EvaluatedEnsemble, Score
from orrery.inference.options import Inference
from orrery.judging import predictive
from orrery.judging.regression import PredictionInterval
from orrery.records import Observation
from orrery.results import (
    ensemble_sections,
    lineage,
    posterior_sections,
)
from orrery.results.recording import Number, Recording, record
from orrery.results.result import Result
from orrery.results.sections import Answer, FigureSection, Text
from orrery.results.views import Intervals
from orrery.storage.dataset import Dataset
from orrery.terminal import say

Estimators = Mapping[str, EvaluatedEnsemble]
# Which of an ensemble's two masses: the other is its predicted mean.
PREDICTED_ALIKE = "median of hosts predicted alike"
# What is said of a host's values, by whether they are true ones.
TAKEN_FOR = {
    False: "Its values are taken as observed ones, with errors (--values true if they are a "
    "simulation's).",
    True: "Its values are taken as a simulation's true ones, which mock surveys observe with "
    "errors (--values observed if they are measured).",
}

# The flows that the ensembles are compared with: what each is called, by its key.
FLOWS = {"flow": "flow", "flow_of_a_set": "flow of a set"}


def halo_mass(options: HaloMass) -> Result:
    """Returns the virial mass of a host by ensembles that were tested on other hosts.

    Raises:
        ValueError: If the host has too few neighbours, or a table is not as options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    host = options.host.read_for_ensembles()
    seen = SeenHost(host, options.host.has_true_values(host))
    # an ensemble cannot be given more neighbours than the host has
    wanted = ensemble_features(campaign.seed, len(host))
    # nothing is published of other hosts, nor of ensembles without 25 neighbours
    ours = options.host.is_milky_way and label_noisy(25) in wanted
    with (
        cluster.connect(),
        record(
            "halo_mass", options, campaign.reports, VERSIONS, SUMMARIES
        ) as recording,
    ):
        recording.words(host_words(options.flows.max_neighbours))
        hosts = generate_hosts(recording, campaign)
        _record_host(recording, seen, ours)
        found = _train_ensembles(recording, options, hosts, wanted)
        judged = _compare_with_training(recording, options, hosts, seen, wanted, found)
        if ours:
            variants = generate_variants(recording, campaign)
            others = _train_on_variants(recording, options, variants, len(host))
            wanted |= {name: binning for name, (binning, _) in others.items()}
            found |= {name: one for name, (_, one) in others.items()}
        answers = _predict_masses(seen, found, wanted)
        _record_answers(recording, seen, answers, found, campaign)
        own = campaign.name if ours else None
        recording.tables(masses.mass_tables(host, own, answers))
        record_without(
            recording, judged, wanted, lambda name, x: found[name].mean_prediction(x)
        )
        cut_otherwise = options.host.read_cut_otherwise()
        recording.tables(survival_table(host, cut_otherwise, wanted, found))
        if ours:
            domains = {campaign.name: hosts, **variants}
            compare_universes(recording, domains, answers, found, wanted, campaign.seed)
            _judge(recording, found, campaign)
            _record_published(recording, answers)
            one = found[label_noisy(25)]
            _compare_with_flows(recording, options.flows, campaign, hosts, host, one)
    return recording.result


def _record_host(recording: Recording, seen: SeenHost, known: bool) -> None:
    """Records what the host is.

    Arguments:
        recording: Where it goes.
        seen: The host.
        known: Whether it needs no saying that its values are observed ones.
    """
    host = seen.host
    around = host.environment
    taken = "" if known else f" {TAKEN_FOR[seen.true_values]}"
    described: dict[str, Number] = {
        "host.name": host.name,
        **{f"host.{name}": number for name, number in host.counts.items()},
        "host.vmax_km_s": around.vmax,
        "host.distance_larger_mpc": around.distance_larger / 1e3,
        "host.distance_cluster_mpc": around.distance_cluster / 1e3,
        **warning_numbers(host),
    }
    recording.metrics({"host.neighbours": len(host), **described})
    recording.add(Text("host", "Host", host.summary + taken, tuple(described)))


def _train_ensembles(
    recording: Recording,
    options: HaloMass,
    hosts: Dataset,
    wanted: Mapping[str, Features],
) -> dict[str, EvaluatedEnsemble]:
    """Returns a tested ensemble for each set of features, by its name."""
    found = {}
    for name, binning in wanted.items():
        key = ensemble_key(name)
        pairs = summaries.compute(features, hosts, binning, (LOG_M_VIR,))
        lineage.record_summary_lineage(recording, key, pairs)
        found[name] = ensembles.train_and_evaluate(
            name,
            pairs,
            LOG_M_VIR,
            options.ensemble,
            options.campaign.seed,
            binning.groups,
            MASS_EDGES,
            hosts.folder / "ensembles" / key,  # where other runs find it
            _epoch_logger(recording, key),
        )
        ensemble_sections.record_ensemble(recording, key, found[name], LOG_M_VIR, pairs)
    return found


def _epoch_logger(recording: Recording, name: str) -> "ensembles.OnEpoch":
    def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
        recording.epoch(name, epoch, losses)

    return on_epoch


def _train_on_variants(
    recording: Recording,
    options: HaloMass,
    variants: Mapping[str, Dataset],
    most: int,
) -> dict[str, tuple[Features, EvaluatedEnsemble]]:
    """Returns ensembles that learned from other mock universes, with their features."""
    found: dict[str, tuple[Features, EvaluatedEnsemble]] = {}
    for name, hosts in variants.items():
        wanted = ensemble_features(options.campaign.seed, most, name)
        learned = _train_ensembles(recording, options, hosts, wanted)
        found |= {label: (wanted[label], learned[label]) for label in wanted}
    return found


def _compare_with_training(
    recording: Recording,
    options: HaloMass,
    hosts: Dataset,
    seen: SeenHost,
    wanted: Mapping[str, Features],
    found: Estimators,
) -> list[HostLikeness]:
    """Returns where the host is among the training hosts of similar mass, recorded."""
    judged = []
    for name, binning in noisy_features(wanted).items():
        networks = found[name].ensemble
        properties = HostProperties.behind(binning)
        pairs = summaries.compute(features, hosts, binning, (LOG_M_VIR,))
        compared = summaries.compute(features, hosts, properties, (SNAPSHOT_SCALE,))
        predicted = networks.mean(predictive.all_summaries(pairs))[:, 0]
        training = TrainingHosts.of(
            properties, compared, predicted, options.ensemble.window
        )
        judged.append(similar_hosts.judge_host(seen, name, binning, networks, training))
    record_likeness(recording, judged)
    return judged


def _predict_masses(
    seen: SeenHost, found: Estimators, wanted: Mapping[str, Features]
) -> dict[str, PredictionInterval]:
    """Returns the host's mass by each ensemble, first what it was trained for."""
    answers = {}
    # true values have no errors, but networks were trained on values that have
    if seen.true_values:
        for name, rows in robustness.mock_observations(seen.host, wanted).items():
            label = robustness.mock_observation_label(name, rows)
            answers[label] = found[name].predict_rows(rows)
    return answers | {
        name: one.predict_observation(observation(seen.host, wanted[name]))
        for name, one in found.items()
    }


def _record_answers(
    recording: Recording,
    seen: SeenHost,
    answers: Mapping[str, PredictionInterval],
    found: Estimators,
    campaign: HostCampaign,
) -> None:
    recording.answers(
        replace(one, source=seen.host.name, shows=("host.name",))
        for one in _answers(answers, found, seen.true_values)
    )
    asked = robustness.asked_for(answers, seen.true_values)
    named = {key: (name, answers[name]) for name, key in asked.items()}
    record_unknown_intervals(recording, seen.host.name, named, campaign)


def _answers(
    answers: Mapping[str, PredictionInterval],
    found: Estimators,
    true_values: bool = False,
) -> list[Answer]:
    """Returns the mass by the ensembles with the plain features, of a host that is observed."""
    asked = robustness.asked_for(answers, true_values)
    # the first one, the paper's of as many neighbours as there are, is to be used
    return [
        masses.mass_answer(
            key,
            _called(name, answers[name]),
            answers[name],
            found[robustness.ensemble_behind(name)].truth,
            [f"similar_hosts.{key}"],
            alternative=name != next(iter(asked)),
        )
        for name, key in asked.items()
    ]


def _called(name: str, interval: PredictionInterval) -> str:
    """Returns what an answer is called: a predicted mean without an interval as its ensemble."""
    return name if np.isnan(interval.median) else f"{name}, {PREDICTED_ALIKE}"


def _judge(recording: Recording, found: Estimators, campaign: HostCampaign) -> None:
    """Records how exact the ensembles are, and how good the mock universe is."""
    ratios = ensembles.variance_ratios(found, label_noisy(25), campaign.seed)
    recording.tables(accuracy.accuracy_tables(found, ratios))
    published = {ensemble_key(n): rmse for n, rmse in accuracy.published_rmse().items()}
    for key, (title, names) in FIGURES.items():
        shown = {ensemble_key(name): found[name] for name in names}
        ensemble_sections.record_predictions(
            recording, f"predictions.{key}", title, shown, MASS_LABEL, published
        )
    # simulated halos need not be compared with simulations
    if not campaign.catalogue:
        count = campaign.acceptance_hosts
        say(f"comparing {count} mock hosts of each catalogue with published numbers")
        recording.tables(acceptance.acceptance_tables(campaign.seed, count))


def _record_published(
    recording: Recording, answers: Mapping[str, PredictionInterval]
) -> None:
    rows = masses.published_intervals(answers)
    # by how much those within 200 times the critical density are shifted [dex]
    shift = "published_masses.shift_of_m200c"
    recording.metrics({shift: -LOG_M200C_OVER_M_VIR})
    recording.add(
        FigureSection(
            "published_masses",
            "Published masses, and medians of hosts predicted alike",
            Intervals(rows, masses.AXIS),
            masses.PUBLISHED_CAPTION,
            (shift,),
        )
    )


def _compare_with_flows(
    recording: Recording,
    options: FlowComparison,
    campaign: HostCampaign,
    hosts: Dataset,
    host: Neighbours,
    one: EvaluatedEnsemble,
) -> None:
    """Records how flows fare on the tests of an ensemble: of the same features, of a set."""
    # hosts are few, noise is cheap: each is observed several times with new errors
    seeds = range(campaign.seed, campaign.seed + options.realisations)
    ranked = [Features(seed=seed) for seed in seeds]
    unordered = [
        NeighbourSet(options.max_neighbours, options.min_neighbours, seed=seed)
        for seed in seeds
    ]
    flows: dict[str, tuple[Sequence[Binning], Observation, Inference]] = {
        "flow": (ranked, observation(host, ranked[0]), options.ranked),
        "flow_of_a_set": (
            unordered,
            observation(host, unordered[0]),
            options.unordered,
        ),
    }
    scores: dict[str, tuple[Score, PredictionInterval]] = {}
    for key, (binnings, observed, how) in flows.items():
        scores[FLOWS[key]] = _flow_score(
            recording, key, hosts, binnings, observed, how, campaign.seed
        )
    own = one.predict_observation(observation(host, ranked[0]))
    scores["ensemble"] = (one.score, own)
    recording.tables(masses.estimator_table(scores, options.max_neighbours))


def _flow_score(
    recording: Recording,
    key: str,
    hosts: Dataset,
    binnings: Sequence[Binning],
    observed: Observation,
    inference: Inference,
    seed: int,
) -> tuple[Score, PredictionInterval]:
    """Returns how a flow fares on the test hosts, and what it says of the host."""
    name = FLOWS[key]
    # one estimator for all realisations, tested on the first: as the ensemble is
    pairs = ensembles.pooled_pairs(hosts, features, binnings, (LOG_M_VIR,))
    lineage.record_summary_lineage(recording, key, pairs)
    inferred = posteriors.infer(
        name,
        pairs,
        (LOG_M_VIR,),
        observed,
        inference,
        seed,
        recording.run.shared / "posteriors" / key,
        posterior_sections.epoch_logger(recording, key),
        posterior_sections.check_logger(recording, key, name),
    )
    posterior_sections.record_posterior(recording, key, name, inferred, pairs)
    interval = ensembles.drawn_interval(inferred.draws)
    prior = pairs.each_once.train.theta[:, 0]
    tests = [f"{test}.{key}" for test in ("calibration", "prior_predictive", "leakage")]
    recording.answers([masses.mass_answer(key, name, interval, prior, tests)])
    return ensembles.posterior_score(inferred.posterior, pairs, seed), interval
