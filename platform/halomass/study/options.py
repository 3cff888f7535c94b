"""Options of the halo mass study: frozen dataclasses, whose docstrings are the help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from halomass.catalogues.options import Kind
from halomass.hosts.options import THRESHOLD, Criterion, HostSelection
from halomass.mock.options import (
    CATALOGUES,
    EQUILIBRIUM,
    FEWEST_JUDGED,
    STEEPER_BY,
    STEEPER_TIDES,
)
from halomass.observed.neighbour_counts import check_neighbour_count
from halomass.systems import LOG_M_PEAK
from orrery.identity import PLACE
from orrery.inference.options import Inference, Prediction
from orrery.learning.options import Flow, Training
from orrery.sweeps.options import Effort, EnsembleArchitecture
from orrery.tables.bundled import bundled_tables, find_table
from orrery.tables.options import MOST_MISSING
from orrery.terminal import say

if TYPE_CHECKING:  # seconds, which `--help` does not wait for
    from halomass.catalogues.catalogue import Catalogue
    from halomass.hosts.catalogue_systems import CatalogueSystems, HaloDataset
    from halomass.mock.mock_universe import MockUniverse
    from halomass.observed.host_neighbours import Neighbours
    from halomass.universe import Universe

MOCK_SUMMARY = (
    "These hosts are a MOCK: drawn one by one from relations measured in simulations, not from a "
    "simulation of structure formation. Groups that fall in together, mergers, planes of "
    "satellites and filaments are left out. Log masses are drawn almost uniformly, which is the "
    "prior of every answer; a real mass function, with more light hosts, would move it down a "
    "little. python -m halomass.study.acceptance compares the mock with published numbers; give "
    "--catalogue for simulated hosts."
)
# Of fewer, variants with half as many would have too few for validation and tests.
FEWEST_HOSTS = 200
CATALOGUE_SUMMARY = "These hosts are halos of the catalogues."


Values = Literal["guess", "observed", "true"]
VALUES = get_args(Values)
SATELLITES = Path("milky_way_satellites.ecsv")  # bundled with this package


@dataclass(frozen=True)
class TargetHost:
    """The host whose mass is predicted.

    Example:
        >>> TargetHost(Path("andromeda.ecsv")).is_milky_way
        False
    """

    neighbours: Path = SATELLITES
    """Table of neighbours; only the Milky Way is compared with published masses."""
    peculiar: bool = False
    """Whether velocities in the table are peculiar: the Hubble flow is then added."""
    most_missing: float = MOST_MISSING
    """The largest share of neighbours that may be left out because they lack a value."""
    threshold: float = THRESHOLD
    """V_max over that at infall, below which a row of the table is a remnant; 0: none is."""
    values: Values = "guess"
    """Whether the table holds observed values or a simulation's true ones, which mock surveys
    observe first; guessed by whether it knows masses of halos."""

    def __post_init__(self) -> None:
        if self.values not in VALUES:
            raise ValueError(f"values {self.values!r}: give one of {', '.join(VALUES)}")

    def has_true_values(self, host: "Neighbours") -> bool:
        """Returns whether a host's values are true ones, as the table or the option says.

        Arguments:
            host: As it was read from the table.
        """
        if self.values == "guess":
            return host.of_simulation
        return self.values == "true"

    @property
    def is_milky_way(self) -> bool:
        """Whether it is the Milky Way, by the satellites that are kept with this software."""
        # a copy elsewhere may have been edited, and is another host
        bundled = bundled_tables()[SATELLITES.name]
        return find_table(self.neighbours).resolve() == bundled.resolve()

    def read_for_ensembles(self) -> "Neighbours":
        """Returns its neighbours, as many as an ensemble needs.

        Raises:
            ValueError: If they are too few, or something is missing in the table.
            OSError: If it cannot be read.
        """
        host = self.read()
        check_neighbour_count(len(host), host.table)
        return host

    def read(
        self, threshold: float | None = None, criterion: Criterion | None = None
    ) -> "Neighbours":
        """Returns its neighbours.

        Arguments:
            threshold: Instead of the option's.
            criterion: By what rows count as remnants; the best that columns allow when
                None.

        Raises:
            ValueError: If something is missing in the table; it says what to do.
            OSError: If it cannot be read.
        """
        from halomass.observed.neighbour_tables import read_neighbours

        return read_neighbours(
            self.neighbours,
            peculiar=self.peculiar,
            most_missing=self.most_missing,
            threshold=self.threshold if threshold is None else threshold,
            criterion=criterion,
        )

    def read_cut_otherwise(self) -> "dict[str, Neighbours]":
        """Returns its neighbours if others of the table's rows count as remnants, by the cut.

        Cuts that leave nobody are left out; if no columns identify remnants there are
        none.
        """
        from halomass.study.survival_choices import survival_cuts

        found = {}
        for name, (threshold, criterion) in survival_cuts(self.read()).items():
            try:
                found[name] = self.read(threshold=threshold, criterion=criterion)
            except ValueError as error:
                # the table itself was read: what is refused is what is left of it
                say(f"without the cut by {name}: {error}")
        return found


@dataclass(frozen=True)
class HostCampaign:
    """The simulated hosts of an experiment.

    Example:
        >>> HostCampaign().name, list(HostCampaign().variants)[-1]
        ('ESMDPL/UM-SAGA', 'equilibrium velocities')
    """

    catalogue: tuple[Path, ...] = ()
    """Halo catalogues, successive snapshots of one box; a mock universe if none."""
    kind: Kind | None = None
    """What the catalogues are; by their headers, or names, if None."""
    box: float | None = None
    """The side of the catalogues' box [comoving Mpc/h]; by their headers, or 64, if None."""
    scale: tuple[float, ...] = ()
    """Their scale factors, one for each; by their headers, or names, if none is given."""
    cosmology: tuple[float, float] | None = None
    """Their h and matter density; by their headers, or 0.678 and 0.307, if None."""
    part_of_box: bool = False
    """Whether catalogues may hold only a part of their box, which is refused otherwise."""
    hosts: int = 12_288
    """Hosts of the mock universe; each of its variants has half as many. Whole shards of 64
    are made, and what the last one has too many is not used."""
    acceptance_hosts: int = 1024
    """Hosts of each catalogue by which the mock universe is compared with its aims."""
    selection: HostSelection = field(default_factory=HostSelection)
    """Which of the catalogues' halos are hosts and neighbours."""
    seed: int = 1
    """The root seed of all random numbers."""
    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    """Where hosts are kept."""
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    """Where runs are kept."""

    # refused before hours of reading catalogues
    def __post_init__(self) -> None:
        box = self.box
        if (
            self.hosts < FEWEST_HOSTS
            or self.seed < 0
            or (box is not None and not box > 0)
        ):
            raise ValueError(
                f"{self.hosts} hosts, seed {self.seed}, box {box} Mpc/h: give at least "
                f"{FEWEST_HOSTS} hosts, a seed from 0 on and a positive side"
            )
        if len(self.scale) not in (0, len(self.catalogue)):
            raise ValueError(
                f"{len(self.scale)} scale factors for {len(self.catalogue)} catalogues: give one "
                "for each, or none"
            )
        if self.acceptance_hosts < FEWEST_JUDGED:
            raise ValueError(
                f"acceptance_hosts = {self.acceptance_hosts}: give "
                f"{FEWEST_JUDGED} or more, or medians mean nothing"
            )
        own = {n: getattr(self, n) for n in ("kind", "box", "cosmology", "part_of_box")}
        given = {n: value for n, value in own.items() if value not in (None, False)}
        given |= self.selection.changed
        if given and not self.catalogue:
            raise ValueError(
                f"{_in_words(given)}: of catalogues alone; the mock universe has its own: give "
                "--catalogue, or leave this out"
            )

    @property
    def readers(self) -> "tuple[Catalogue, ...]":
        """The readers of the catalogues."""
        from halomass.catalogues.catalogue import open_catalogue

        scales = self.scale or (None,) * len(self.catalogue)
        return tuple(
            open_catalogue(
                path,
                self.box,
                kind=self.kind,
                scale=scale,
                universe=self._universe,
                log_m_peak=min(LOG_M_PEAK, self.selection.log_m_peak),
                part_of_box=self.part_of_box,
            )
            for path, scale in zip(self.catalogue, scales, strict=True)
        )

    @property
    def _universe(self) -> "Universe | None":
        if self.cosmology is None:
            return None
        from halomass.universe import Universe

        hubble, omega_matter = self.cosmology
        return Universe(hubble, omega_matter)

    def hosts_of(
        self, halos: "Sequence[HaloDataset]"
    ) -> "tuple[MockUniverse | CatalogueSystems, int]":
        """Returns what makes the hosts, and how many there are.

        Arguments:
            halos: What the readers have read, a dataset for each catalogue.
        """
        if not self.catalogue:
            return self.universe, self.hosts
        from halomass.hosts.catalogue_systems import CatalogueSystems

        systems = CatalogueSystems.of(halos, self.selection)
        return systems, systems.count

    @property
    def universe(self) -> "MockUniverse":
        """The mock universe of the default catalogue."""
        from halomass.mock.mock_universe import MockUniverse

        return MockUniverse()

    @property
    def variants(self) -> "dict[str, MockUniverse]":
        """Variants of the mock universe, by name; none where there are catalogues."""
        # one variant differs from the mock universe in one thing, so its effect is seen
        if self.catalogue:
            return {}
        from halomass.mock.mock_universe import MockUniverse

        others = [name for name in CATALOGUES if name != self.universe.catalogue]
        mocks: dict[str, MockUniverse] = {n: MockUniverse(catalogue=n) for n in others}
        return {
            **mocks,
            STEEPER_TIDES: MockUniverse(steeper_tides=STEEPER_BY),
            EQUILIBRIUM: MockUniverse(velocities="jeans"),
        }

    @property
    def name(self) -> str:
        """What the hosts are called in tables."""
        names = [path.name for path in self.catalogue] or [self.universe.catalogue]
        return (
            ", ".join(names)
            if len(names) < 3
            else f"{names[0]} and {len(names) - 1} more"
        )

    @property
    def summary(self) -> str:
        """What a reader must know of the hosts, in one paragraph."""
        return CATALOGUE_SUMMARY if self.catalogue else MOCK_SUMMARY


# Which halos are neighbours: tables of a host are cut by the usual numbers.
_NEIGHBOURS = ("radius", "log_m_peak")
_SHARED = ("kind", "threshold")  # others have such options: they are called by whose


def _in_words(given: Mapping[str, object]) -> str:
    """Returns what is given as one writes it on the command line."""
    options = {n: f"campaign.{n}" if n in _SHARED else n for n in given}
    words = {n: f"--{option.replace('_', '-')}" for n, option in options.items()}
    return ", ".join(
        w if given[n] is True else f"{w} {given[n]}" for n, w in words.items()
    )


# Of one parameter an affine flow can only learn a normal distribution: splines.
_SPLINE = Flow(transforms=1, hidden=(64, 64), kind="nsf")


@dataclass(frozen=True)
class FlowComparison:
    """The flows that the ensemble is compared with, on the same test hosts.

    Example:
        >>> FlowComparison(realisations=2).ranked.flow.kind
        'nsf'
    """

    realisations: int = 8
    """Noise realisations of each host in training: hosts are few."""
    max_neighbours: int = 50
    """The largest number of neighbours in the set of the second flow."""
    min_neighbours: int = 25
    """The smallest number of neighbours in that set."""
    ranked: Inference = field(
        default_factory=lambda: Inference(
            _SPLINE, Training(learning_rate=1e-3, max_epochs=5), members=5
        )
    )
    """Training and sampling of the flow of the ensemble's own features."""
    unordered: Inference = field(
        default_factory=lambda: Inference(
            _SPLINE, Training(learning_rate=3e-3, max_epochs=8)
        )
    )
    """Training and sampling of the flow of a set of neighbours."""

    def __post_init__(self) -> None:
        if self.realisations < 1 or not 1 <= self.min_neighbours <= self.max_neighbours:
            raise ValueError(
                f"{self.realisations} realisations, {self.min_neighbours} to "
                f"{self.max_neighbours} neighbours: give at least 1 of each, the largest "
                "number not below the smallest"
            )


@dataclass(frozen=True)
class HaloMass:
    """The Milky Way's mass from 25 and from 10 of its neighbours.

    Example:
        >>> HaloMass(campaign=HostCampaign(hosts=300)).ensemble.networks.members
        100
    """

    host: TargetHost = field(default_factory=TargetHost)
    """The host whose mass is predicted."""
    campaign: HostCampaign = field(default_factory=HostCampaign)
    """The hosts that networks are trained on, and where they and the runs are kept."""
    ensemble: Prediction = field(default_factory=Prediction)
    """How ensembles are trained and evaluated."""
    flows: FlowComparison = field(default_factory=FlowComparison)
    """The flows that ensembles are compared with."""

    # networks that learned of other neighbours would answer, and nobody would see it
    def __post_init__(self) -> None:
        names: tuple[str, ...] = _NEIGHBOURS
        if self.host.is_milky_way:
            names = (*names, "log_m_cluster")  # its nearest one is Virgo
        changed = self.campaign.selection.changed
        if other := {name: changed[name] for name in names if name in changed}:
            usual = ", ".join(f"{n} {getattr(HostSelection(), n):g}" for n in names)
            raise ValueError(
                f"{_in_words(other)}: hosts of the training would be seen otherwise than that of "
                f"{self.host.neighbours.name}, of which what counts has {usual}: leave this out"
            )


@dataclass(frozen=True)
class EnsembleArchitectures:
    """Which networks learn a halo's mass best, and how much that matters.

    `orrery flow-architectures` asks the same of flows that learn both galaxies' masses.

    Example:
        >>> EnsembleArchitectures().architecture.networks.hidden
        (10, 8, 6, 4, 2)
    """

    campaign: HostCampaign = field(default_factory=lambda: HostCampaign(hosts=4096))
    """The hosts that networks are trained on, and where they and the runs are kept."""
    architecture: EnsembleArchitecture = field(default_factory=EnsembleArchitecture)
    """The networks and training of which trials vary some options, and seeds are
    compared."""
    effort: Effort = field(default_factory=Effort)
    """How much is tried."""
