"""The components that decide numbers, each with its version and its record."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from . import syntax
from .quantities import Record

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Component:
    """Code that decides numbers.

    Arguments:
        name: In the lock, and the function that computes its record.
        root: The module that declares its version.
        cases: The module here whose function computes its record.
        readers: Modules that build on the root and decide numbers with it.
    """

    name: str
    root: str
    cases: str
    readers: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The version that the code declares today."""
        return syntax.version(self.root)

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that decide its numbers, up to those of other versions."""
        roots = (self.root, *self.readers)
        others = frozenset(
            module
            for component in COMPONENTS
            if component.name != self.name
            for module in (component.root, *component.readers)
        )
        found = (syntax.modules(root, others) for root in roots)
        return tuple(sorted(set().union(*found)))

    @property
    def path(self) -> Path:
        """The kept record."""
        return FOLDER / "records" / f"{self.name}.json"

    def parts(self) -> Iterator[Record]:
        """Returns the record that today's code computes, in parts if it takes long."""
        made = getattr(import_module(f".{self.cases}", __package__), self.name)()
        yield from [made] if isinstance(made, dict) else made

    def record(self) -> Record:
        """Returns the whole record that today's code computes."""
        return {name: q for part in self.parts() for name, q in part.items()}


COMPONENTS = (
    Component(
        "engine",
        "mwlmc.simulator",
        "milky_way",
        readers=("mwlmc.model.step_building",),
    ),
    Component("distribution", "mwlmc.model.distribution", "milky_way"),
    Component("agama_engine", "mwlmc.model.agama_engine", "agama_stand_in"),
    Component("replay", "mwlmc.replay", "milky_way"),
    Component("velocity_moments", "mwlmc.sky.kinematics", "milky_way"),
    Component("moment_errors", "mwlmc.sky.moment_errors", "milky_way"),
    Component("sampling_noise", "mwlmc.sky.sampling_noise", "milky_way"),
    Component("reflex_motions", "mwlmc.model.reflex_shells", "shells"),
    Component("inferred_labels", "mwlmc.study.inferred_quantities", "dispersions"),
    Component("mock", "halomass.mock.mock_universe", "halo_mass"),
    Component("catalogue", "halomass.catalogues.catalogue", "halo_mass"),
    Component("hosts", "halomass.hosts.catalogue_systems", "halo_mass"),
    Component("features", "halomass.observed.features", "halo_mass"),
    Component(
        "flow",
        "orrery.learning.flow_training",
        "learning",
        readers=("orrery.learning.posterior",),
    ),
    Component("ensemble", "orrery.learning.ensemble", "learning"),
    Component("mixture", "orrery.learning.mixture", "learning"),
    Component(
        "datasets",
        "orrery.storage.dataset",
        "simulated",
        readers=("orrery.execution.simulation", "orrery.execution.actors"),
    ),
    Component(
        "summaries",
        "orrery.execution.summaries",
        "simulated",
        readers=("orrery.execution.cluster",),
    ),
    Component("observations", "orrery.data_vector", "simulated"),
    Component(
        "binned_stars",
        "mwlmc.observed.binned_table",
        "observed_stars",
        readers=(
            "mwlmc.observed.star_reading",
            "orrery.tables.cleaning",
            "orrery.tables.duplicates",
        ),
    ),
    Component(
        "data_vectors",
        "mwlmc.observed.data_vectors",
        "observed_stars",
        readers=(
            "mwlmc.observed.joint_surveys",
            "mwlmc.observed.mock_survey",
            "mwlmc.observed.summary_tables",
        ),
    ),
    Component("planned_survey", "mwlmc.observed.planned_survey", "planned"),
    Component(
        "observed_hosts",
        "halomass.observed.neighbour_tables",
        "observed_hosts",
        readers=("halomass.observed.milky_way",),
    ),
    Component(
        "judging",
        "orrery.judging.calibration",
        "judgements",
        readers=(
            "orrery.judging.contours",
            "orrery.judging.distributions",
            "orrery.judging.likeness",
            "orrery.judging.local_calibration",
            "orrery.judging.misspecification",
            "orrery.judging.regression",
        ),
    ),
    Component(
        "inference",
        "orrery.inference.posteriors",
        "inferences",
        readers=("orrery.inference.ensembles",),
    ),
    Component(
        "sweeps",
        "orrery.sweeps.search",
        "sweeping",
        readers=(
            "orrery.sweeps.comparison",
            "orrery.sweeps.binning_comparison",
            # its digits seed the points that are tried
            "orrery.identity",
            "mwlmc.study.architectures",
            "halomass.study.architectures",
        ),
    ),
    Component("effects", "orrery.sweeps.effects", "trained"),
    Component("binning_choices", "mwlmc.study.binnings", "sweeping"),
    Component("forecast", "mwlmc.study.forecast", "milky_way_study"),
    Component(
        "answers",
        "mwlmc.study.quantities",
        "milky_way_study",
        readers=(
            "mwlmc.study.comparison",
            "mwlmc.study.desi_choices",
            "mwlmc.study.mass_ratio",
            "mwlmc.study.predictive_checks",
            "mwlmc.study.published_views",
            "mwlmc.study.surveys",
            "mwlmc.study.table2",
        ),
    ),
    Component(
        "travel_profiles",
        "mwlmc.study.shell_profiles",
        "shells",
        readers=("mwlmc.study.travel_profile", "orrery.labels"),
    ),
    Component(
        "follow_ups",
        "mwlmc.study.follow_up",
        "dispersions",
        readers=("mwlmc.study.dispersions", "mwlmc.study.lmc_less"),
    ),
    Component(
        "live_orbits",
        "mwlmc.study.validation",
        "live",
        readers=("mwlmc.study.live_orbits",),
    ),
    Component(
        "masses",
        "halomass.study.masses",
        "halo_mass_study",
        readers=("halomass.study.study", "halomass.study.survival_calibration"),
    ),
)
NAMES = tuple(component.name for component in COMPONENTS)


def named(names: Iterable[str]) -> list[Component]:
    """Returns components by name.

    Raises:
        ValueError: If there is none of a name.
    """
    for name in names:
        if name not in NAMES:
            raise ValueError(f"no component {name!r}: choose of {', '.join(NAMES)}")
    return [component for component in COMPONENTS if component.name in set(names)]
