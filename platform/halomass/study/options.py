"""What the question can be asked with: frozen choices, whose docstrings are the help."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from halomass.catalogues.catalogue import Catalogue, open_catalogue
from halomass.hosts.catalogue_systems import CatalogueSystems, HaloDataset
from halomass.hosts.selection import HostSelection
from halomass.mock.mock_universe import CATALOGUES, MockUniverse
from halomass.observed.host_neighbours import Neighbours
from halomass.observed.neighbour_tables import read_neighbours
from orrery.inference.ensembles import Prediction
from orrery.inference.posteriors import Inference
from orrery.learning.posterior import Flow
from orrery.learning.training import Training

# Where things are kept decides nothing: such fields are no part of a run's fingerprint.
PLACE = {"place": True}
ACCOUNT_OF_MOCK = (
    "These hosts are a MOCK: drawn one by one from what simulations have taught, not from a "
    "simulation of structure formation. Groups that fall in together, mergers, planes of "
    "satellites and filaments are left out. Log masses are drawn almost uniformly, which is the "
    "prior of every answer; a real mass function, with more light hosts, would move it down a "
    "little. What the mock was held to, and where it misses, is in its table; give --catalogue for "
    "real hosts."
)
FEWEST = (
    200  # hosts of which some are left for validation and for tests of every variant
)
ACCOUNT_OF_CATALOGUE = "These hosts are halos of the catalogues."


SATELLITES = Path("datasets/observed/milky_way_satellites.ecsv")


@dataclass(frozen=True)
class Host:
    """The host that is weighed."""

    neighbours: Path = SATELLITES
    """A table of a host's neighbours. Of other hosts than ours nothing published is compared."""
    peculiar: bool = False
    """Whether the table's velocities lack the expansion of space, which is then added to them."""

    @property
    def ours(self) -> bool:
        """Whether it is the Milky Way, by the satellites that are kept with this software."""
        return self.neighbours.resolve() == SATELLITES.resolve()

    def read(self) -> Neighbours:
        """Returns its neighbours.

        Raises:
            ValueError: If something is missing in the table; it says what to do.
            OSError: If it cannot be read.
        """
        return read_neighbours(self.neighbours, peculiar=self.peculiar)


@dataclass(frozen=True)
class Campaign:
    """The hosts of an experiment."""

    catalogue: tuple[Path, ...] = ()
    """Halo catalogues, snapshots of one box that follow one another; a mock universe if none."""
    box: float = 64.0
    """The side of the catalogues' box [comoving Mpc/h]."""
    hosts: int = 12_288
    """Hosts of the mock universe; the variants that are compared with it have half as many."""
    selection: HostSelection = field(default_factory=HostSelection)
    """Which of the catalogues' halos are hosts and neighbours."""
    seed: int = 1
    """Decides everything random."""
    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    """Where hosts are kept."""
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    """Where reports are kept."""

    def __post_init__(self) -> None:
        if self.hosts < FEWEST or self.seed < 0 or not self.box > 0:
            raise ValueError(
                f"{self.hosts} hosts, seed {self.seed}, box {self.box} Mpc/h: give at least "
                f"{FEWEST} hosts, a seed from 0 on and a positive side"
            )

    @property
    def readers(self) -> tuple[Catalogue, ...]:
        """What reads the catalogues."""
        return tuple(open_catalogue(path, self.box) for path in self.catalogue)

    def hosts_of(
        self, halos: Sequence[HaloDataset]
    ) -> tuple[MockUniverse | CatalogueSystems, int]:
        """Returns what makes the hosts, and how many there are.

        Arguments:
            halos: What the readers have read, a dataset for each catalogue.
        """
        if not self.catalogue:
            return self.universe, self.hosts
        systems = CatalogueSystems.of(halos, self.selection)
        return systems, systems.count

    @property
    def universe(self) -> MockUniverse:
        """The mock universe of the default catalogue."""
        return MockUniverse()

    @property
    def variants(self) -> dict[str, MockUniverse]:
        """What the mock universe is compared with, by name; nothing where there are catalogues."""
        if self.catalogue:
            return {}
        others = [name for name in CATALOGUES if name != self.universe.catalogue]
        mocks: dict[str, MockUniverse] = {n: MockUniverse(catalogue=n) for n in others}
        return {**mocks, "equilibrium velocities": MockUniverse(velocities="jeans")}

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
        return ACCOUNT_OF_CATALOGUE if self.catalogue else ACCOUNT_OF_MOCK


# Of one parameter an affine flow can only learn a normal distribution: splines.
_SPLINE = Flow(transforms=1, hidden=(64, 64), kind="nsf")


@dataclass(frozen=True)
class FlowComparison:
    """The flows that the ensemble is compared with, on the same test hosts."""

    realisations: int = 8
    """How often the errors of each host are drawn for training: hosts are few."""
    most: int = 50
    """Neighbours of a host that the flow of a set sees at most."""
    fewest: int = 25
    """Neighbours that it needs at least."""
    ranked: Inference = field(
        default_factory=lambda: Inference(
            _SPLINE, Training(learning_rate=1e-3, max_epochs=5), members=5
        )
    )
    """How the flow of the ensemble's own features is learned."""
    unordered: Inference = field(
        default_factory=lambda: Inference(
            _SPLINE, Training(learning_rate=3e-3, max_epochs=8)
        )
    )
    """How the flow of a set of neighbours is learned."""

    def __post_init__(self) -> None:
        if self.realisations < 1 or not 1 <= self.fewest <= self.most:
            raise ValueError(
                f"{self.realisations} realisations, {self.fewest} to {self.most} "
                "neighbours: give at least 1 of each, the most not below the fewest"
            )


@dataclass(frozen=True)
class HaloMass:
    """The Milky Way's mass from 25 and from 10 of its neighbours."""

    host: Host = field(default_factory=Host)
    """The host that is weighed."""
    campaign: Campaign = field(default_factory=Campaign)
    """The hosts that networks learn from, and where they and the reports are kept."""
    ensemble: Prediction = field(default_factory=Prediction)
    """How ensembles are trained and judged."""
    flows: FlowComparison = field(default_factory=FlowComparison)
    """The flows that ensembles are compared with."""
