"""Whether a host is like the training hosts of similar mass, asked before its mass is told.

Networks answer whatever they are asked, also about hosts that no simulation makes. So a
host's properties are looked for among those of the hosts that the same networks predict
to be as heavy: where it is one more of them, its rank among them is uniform. They were
observed with errors, and so the host must have been, too: a simulated one, whose true
values are known, is observed again and again.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from halomass.observed.features import Features, HostProperties
from halomass.study.seen_host import SeenHost
from halomass.systems import FloatArray
from orrery.judging import likeness, predictive
from orrery.judging.likeness import Likeness
from orrery.pairs import Splits
from orrery.parameters import Parameter

SNAPSHOT_SCALE = Parameter("scale", "", "$a$")  # of a host's snapshot
JUDGED = 25  # mock surveys of a simulated host, of which the median one counts
WORST = 3  # properties that are named of a kind that stands out


class MeanOfNetworks(Protocol):
    """Predicts log10 of virial masses [Msun] from rows of features.

    Example:
        >>> class Constant:
        ...     def mean(self, x): return np.full((len(x), 1), 12.0)
        >>> networks: MeanOfNetworks = Constant()
        >>> networks.mean(np.zeros((2, 78))).tolist()
        [[12.0], [12.0]]
    """

    def mean(self, x: FloatArray) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class TrainingHosts:
    """Hosts that an ensemble was trained and tested on, each once, and what it predicts of them.

    Arguments:
        binning: What they are compared by.
        properties: With shape `[n, S]`.
        predicted: log10 of their virial masses by the ensemble `[n]` [Msun].
        window: How far the prediction of a similar host may be [dex].

    Example:
        >>> binning = HostProperties(neighbours=1)
        >>> properties = np.random.default_rng(1).normal(size=(500, 7))
        >>> hosts = TrainingHosts(binning, properties, np.linspace(10, 14, 500), 0.4)
        >>> found = hosts.compare(np.zeros(7), 12.0)
        >>> found.others, found.unusual
        (100, False)
    """

    binning: HostProperties
    properties: FloatArray
    predicted: FloatArray
    window: float

    @classmethod
    def of(
        cls,
        binning: HostProperties,
        pairs: Splits,
        predicted: FloatArray,
        window: float,
    ) -> "TrainingHosts":
        """Returns those of the latest snapshot.

        Arguments:
            binning: What they are compared by.
            pairs: The properties of all hosts, with `SNAPSHOT_SCALE` as the one parameter.
            predicted: log10 of their virial masses by the ensemble `[N]` [Msun]: training,
                validation, tests.
            window: How far the prediction of a similar host may be [dex].
        """
        parts = (pairs.train, pairs.validation, pairs.test)
        scale = np.concatenate([part.theta[:, 0] for part in parts])
        latest = scale == scale.max()
        properties = predictive.all_summaries(pairs)[latest]
        return cls(binning, properties, predicted[latest], window)

    def similar(self, predicted: float) -> FloatArray:
        """Returns the properties `[k, S]` of hosts that are predicted to be as heavy."""
        return self.properties[np.abs(self.predicted - predicted) <= self.window]

    def compare(self, row: FloatArray, predicted: float) -> Likeness | None:
        """Returns where a host is among the similar ones; None if these are too few.

        Arguments:
            row: Its properties `[S]`.
            predicted: log10 of its virial mass by the ensemble [Msun].
        """
        similar = self.similar(predicted)
        if len(similar) < likeness.FEWEST_OTHERS:
            return None
        return likeness.compare_with_others(
            row, similar, self.binning.names, self.binning.kinds
        )


@dataclass(frozen=True, eq=False)
class HostLikeness:
    """A host among the similar hosts of one ensemble.

    Arguments:
        seen: The host.
        ensemble: The ensemble's name.
        binning: What was compared.
        window: How far predictions of similar hosts are from the host's, at most [dex].
        similar: How many there are.
        found: Where it is among them; None if they are too few.
        surveys: How many mock surveys were judged, of which this is the median one; 0 of
            an observed host.

    Example:
        >>> from halomass.observed.errors import Orbits
        >>> from halomass.observed.host_neighbours import HostEnvironment, Neighbours
        >>> orbits = Orbits(np.array([50.0, 90.0]), np.zeros(2), np.array([200.0, 150.0]))
        >>> around = HostEnvironment(91.7, 761.0, 17_000.0)
        >>> host = Neighbours("A host", ("a", "b"), orbits, np.array([6.0, 8.0]), around)
        >>> one = SeenHost(host, true_values=False)
        >>> judged = HostLikeness(one, "", HostProperties(1), 0.15, 3, None, 0)
        >>> judged.neighbour("v_r_1"), judged.passed
        ('b', None)
    """

    seen: SeenHost
    ensemble: str
    binning: HostProperties
    window: float
    similar: int
    found: Likeness | None
    surveys: int

    @property
    def passed(self) -> bool | None:
        """Whether it is like them; None where they are too few to say."""
        return None if self.found is None else self.found.passed

    @property
    def outlying(self) -> tuple[str, ...]:
        """The properties that stand out on their own, the worst first."""
        found = self.found
        return () if found is None else tuple(found.names[i] for i in found.outlying)

    @property
    def outlying_kinds(self) -> dict[str, tuple[str, ...]]:
        """The kinds of properties that stand out together, with the worst ones of each.

        These are the ones that stand out on their own, if there are any.
        """
        found = self.found
        if found is None:
            return {}
        order = np.argsort(-np.abs(found.scores), kind="stable").tolist()
        kinds = self.binning.kinds
        worst = {}
        for kind in found.outlying_groups:
            names = [found.names[i] for i in order if kinds[i] == kind]
            alone = [name for name in names if name in self.outlying]
            worst[kind] = tuple(alone or names[:WORST])
        return worst

    @property
    def named(self) -> tuple[str, ...]:
        """The properties that stand out, on their own or before others of their kind."""
        of_kinds = (name for worst in self.outlying_kinds.values() for name in worst)
        return tuple(dict.fromkeys((*self.outlying, *of_kinds)))

    def neighbour(self, name: str) -> str | None:
        """Returns whose property it is; None of the environment, and of a mock survey.

        Each mock survey finds other neighbours, so that a rank is nobody's.
        """
        rank = name.rpartition("_")[2]
        if self.surveys or not rank.isdecimal():
            return None
        return self.seen.host.ranked().names[int(rank) - 1]


def judge_host(
    seen: SeenHost,
    ensemble: str,
    binning: Features,
    networks: MeanOfNetworks,
    hosts: TrainingHosts,
) -> HostLikeness:
    """Returns where a host is among the training hosts of similar mass.

    Of a host with true values some mock surveys are judged, and the one whose p-value is
    the median of theirs is returned: a host with an ordinary orbit too many or one too
    few must not pass or fail by the luck of its errors.

    Arguments:
        seen: The host.
        ensemble: The ensemble's name.
        binning: The ensemble's features.
        networks: The ensemble.
        hosts: Those of the training.
    """
    x = seen.rows(binning)[:JUDGED]
    rows = seen.rows(hosts.binning)[:JUDGED]
    predicted = networks.mean(x)[:, 0] if len(x) else np.empty(0)
    pairs = zip(rows, predicted.tolist(), strict=True)
    each = [found for row, mass in pairs if (found := hosts.compare(row, mass))]
    each.sort(key=lambda found: found.pvalue)
    found = each[len(each) // 2] if each else None
    if found is not None:
        similar = found.others
    else:
        similar = max((len(hosts.similar(mass)) for mass in predicted), default=0)
    surveys = len(rows) if seen.true_values else 0
    return HostLikeness(
        seen, ensemble, hosts.binning, hosts.window, similar, found, surveys
    )
