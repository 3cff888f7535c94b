"""What the orbits of its neighbours say about the Milky Way's halo mass.

python experiments/halo_mass.py                                 # a mock universe, a laptop
python experiments/halo_mass.py --catalogue sfr_catalog_1.000000.bin --box 64
python experiments/halo_mass.py --neighbours my_host.ecsv       # weighs another host
"""

from dataclasses import dataclass, field
from functools import partial

from halomass.observed.features import Features, NeighbourSet, features
from halomass.observed.host_neighbours import Neighbours, observation
from halomass.study import acceptance, accuracy, masses, robustness
from halomass.study.accuracy import EDGES, LABEL
from halomass.study.campaign import Campaign, Host
from halomass.study.ensembles import FIGURES, ensemble_features, label_noisy
from halomass.study.robustness import mock_observation_label
from halomass.systems import LOG_M_VIR
from orrery import runs
from orrery.execution import cluster, simulation
from orrery.inference import ensembles
from orrery.inference.ensembles import Asked, EvaluatedEnsemble, Prediction
from orrery.inference.posteriors import Inference
from orrery.learning.flow import Flow
from orrery.learning.training import Training
from orrery.results import figures, reports
from orrery.results.reports import Report
from orrery.storage import card
from orrery.storage.dataset import Dataset


@dataclass(frozen=True)
class HaloMass:
    """The Milky Way's mass from 25 and from 10 of its neighbours."""

    host: Host = field(default_factory=Host)
    """The host that is weighed."""
    campaign: Campaign = field(default_factory=Campaign)
    """The hosts that networks learn from, and where they and the reports are kept."""
    prediction: Prediction = field(default_factory=Prediction)
    """How ensembles are trained and judged."""
    realisations: int = 8
    """How often the errors of each host are drawn for the flows that the ensemble meets."""


def main(options: HaloMass) -> None:
    """Trains and tests the ensembles, weighs the host, and writes the report."""
    campaign, host = options.campaign, options.host.read()
    made = partial(simulation.generate, seed=campaign.seed, folder=campaign.datasets)
    how, wanted = (
        (options.prediction, campaign.seed, EDGES),
        ensemble_features(campaign.seed, len(host)),
    )
    ours = options.host.ours and label_noisy(25) in wanted
    with (
        cluster.connect(),
        reports.open_run("halo_mass", options, campaign.reports) as report,
    ):
        learn = partial(ensembles.learn_all, report, features, LOG_M_VIR, *how)
        read = partial(
            made, seed=0, name="halos", shard_size=1
        )  # a file has no randomness
        halos = [read(one, one.chunks) for one in campaign.readers]
        source, count = campaign.hosts_of(halos)
        hosts = made(source, count, name="hosts")
        report.text("Hosts", f"{card.summary(hosts)} {campaign.summary}")
        report.text("Host", host.summary)
        found = learn(hosts, wanted)
        for name, universe in campaign.variants.items() if ours else ():
            others = ensemble_features(campaign.seed, len(host), name)
            found |= learn(made(universe, campaign.hosts // 2, name="hosts"), others)
            wanted |= others
        answers = {
            name: one.predict_observation(observation(host, wanted[name]))
            for name, one in found.items()
        }
        seen = {} if ours else robustness.mock_observations(host, wanted)
        answers |= {
            mock_observation_label(name, x): found[name].predict_rows(x)
            for name, x in seen.items()
        }
        report.tables(
            masses.mass_tables(host, campaign.name if ours else None, answers)
        )
        report.tables(robustness.leave_one_out(host, wanted, found))
        if ours:
            judge(report, found, campaign)
            rows = [
                figures.Constraint(*row) for row in masses.published_intervals(answers)
            ]
            figure = figures.intervals(rows, masses.AXIS)
            report.figure("Published masses", figure, masses.PUBLISHED_CAPTION)
            rivals(report, options, hosts, host, found[label_noisy(25)])


def judge(
    report: Report, found: dict[str, EvaluatedEnsemble], campaign: Campaign
) -> None:
    """Reports how exact the ensembles are, and how good the mock universe is."""
    ratios = ensembles.variance_ratios(found, label_noisy(25), campaign.seed)
    report.tables(accuracy.accuracy_tables(found, ratios))
    ensembles.compare(report, found, FIGURES, LABEL, accuracy.published_rmse())
    report.tables(
        {} if campaign.catalogue else acceptance.acceptance_tables(campaign.seed)
    )


def rivals(
    report: Report,
    options: HaloMass,
    hosts: Dataset,
    host: Neighbours,
    one: EvaluatedEnsemble,
) -> None:
    """Reports how flows fare on the tests of an ensemble: one that sees the same, one a set."""
    seed, spline = (
        options.campaign.seed,
        Flow(transforms=1, hidden=(64, 64), kind="nsf"),
    )
    # few hosts, but each with errors drawn many times
    seeds = range(seed, seed + options.realisations)
    ranked, every = (
        [b(seed=s) for s in seeds] for b in (Features, partial(NeighbourSet, 50, 25))
    )
    slow = Training(learning_rate=1e-3, max_epochs=5)
    fast = Training(learning_rate=3e-3, max_epochs=8)
    flows: Asked = {
        "flow": (ranked, observation(host, ranked[0]), Inference(spline, slow, 5))
    }
    flows |= {
        "flow of a set": (every, observation(host, every[0]), Inference(spline, fast))
    }
    scores = ensembles.infer_all(report, hosts, features, flows, LOG_M_VIR, seed)
    scores["ensemble"] = (one.score, one.predict_observation(flows["flow"][1]))
    report.tables(masses.estimator_table(scores))


if __name__ == "__main__":
    runs.main(main, HaloMass)
