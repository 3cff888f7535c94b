"""Which networks learn best what neighbours say about a halo's mass: a study of architectures."""

from halomass.observed.features import features
from halomass.study.ensembles import ensemble_features, label_noisy
from halomass.study.generated_hosts import generate_hosts
from halomass.study.options import EnsembleArchitectures
from halomass.study.versions import SUMMARIES, VERSIONS
from halomass.study.wording import host_words
from halomass.systems import LOG_M_VIR
from orrery.execution import cluster, summaries
from orrery.results.lineage import record_summary_lineage
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sweep_sections import record_comparison
from orrery.sweeps.architectures import EnsembleTask
from orrery.sweeps.comparison import compare
from orrery.sweeps.effects import VERSIONS_OF_EFFECTS
from orrery.sweeps.options import ENSEMBLE_SHAPE, ENSEMBLE_SPACE

_VERSIONS = {**VERSIONS, **VERSIONS_OF_EFFECTS}
NEIGHBOURS = 25


def ensemble_architectures(options: EnsembleArchitectures) -> Result:
    """Returns which networks learn best the mass of a halo, and how much it matters.

    Raises:
        ValueError: If a catalogue is not what the options say, or no search can vary the
            architecture; nothing is simulated then.
        OSError: If a file cannot be read or written.
    """
    ENSEMBLE_SPACE.check(options.architecture)
    campaign = options.campaign
    binning = ensemble_features(campaign.seed, NEIGHBOURS)[label_noisy(NEIGHBOURS)]
    with (
        cluster.connect(),
        record(
            "architectures", options, campaign.reports, _VERSIONS, SUMMARIES
        ) as recording,
    ):
        recording.words(host_words())
        hosts = generate_hosts(recording, campaign)
        pairs = summaries.compute(features, hosts, binning, (LOG_M_VIR,))
        record_summary_lineage(recording, "architectures", pairs)
        task = EnsembleTask(pairs, LOG_M_VIR, tuple(binning.groups))
        found = compare(
            "halomass",
            task,
            ENSEMBLE_SPACE,
            options.architecture,
            pairs.test,
            options.effort,
            campaign.reports / "sweeps",
            campaign.seed,
            ENSEMBLE_SHAPE,
            options.architecture.learning.workers,
        )
        record_comparison(recording, "architectures", found)
    return recording.result
