"""The hosts that a study learns from: of catalogues, or of the mock universe."""

from collections.abc import Sequence

import numpy as np

from halomass.catalogues.catalogue import Catalogue
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.mock.structure import enclosed_mass
from halomass.study.ensembles import host_keys
from halomass.study.options import HostCampaign
from halomass.study.survival_choices import catalogue_cut_table
from halomass.universe import Universe
from orrery.execution import simulation
from orrery.results import dataset_sections, lineage
from orrery.results.recording import Number, Recording
from orrery.results.sections import Caution, Text
from orrery.storage.dataset import Dataset
from orrery.terminal import say

_EARLY = (
    0.05  # [dex] of virial mass that a halo gains until today: snapshots are warned of
)
_RADII = np.geomspace(1e-2, 1e2, 2001)  # [scale radii]


def gained_mass(universe: Universe, scale: float, concentration: float = 10.0) -> float:
    """Returns by how much more virial mass a halo has today, though its profile is the same [dex].

    Its radius reaches to a mean density that falls while space expands: Diemer, More &
    Kravtsov (2013), doi:10.1088/0004-637X/766/1/25.

    Arguments:
        universe: The halo's.
        scale: The scale factor before.
        concentration: Today's, of a profile of Navarro, Frenk & White (1997).

    Example:
        >>> [round(gained_mass(Universe(), scale), 2) for scale in (1.0, 0.9, 0.5)]
        [0.0, 0.02, 0.18]
    """
    density = np.log(enclosed_mass(_RADII) / _RADII**3)
    today = np.log(enclosed_mass(np.asarray(concentration)) / concentration**3)
    denser = np.log(universe.virial_density(scale) / universe.virial_density(1.0))
    # densities fall outwards, and tables are searched upwards
    then = np.exp(np.interp(-today - denser, -density, np.log(_RADII)))
    inner = enclosed_mass(np.array([concentration, then]))
    return float(np.log10(inner[0] / inner[1]))


def generate_hosts(recording: Recording, campaign: HostCampaign) -> Dataset:
    """Returns the hosts that networks are trained on, generated where missing."""
    readers = campaign.readers
    _record_catalogues(recording, readers)
    halos = [
        # a file has no randomness, and each of its chunks is a record
        simulation.generate(
            reader, reader.chunks, 0, campaign.datasets, name="halos", shard_size=1
        )
        for reader in readers
    ]
    for number, one in enumerate(halos):
        lineage.record_dataset_lineage(recording, f"halos.{number}", one)
    source, count = campaign.hosts_of(halos)
    if isinstance(source, CatalogueSystems):
        recording.tables(catalogue_cut_table(source.cuts))
    hosts = simulation.generate(
        source, count, campaign.seed, campaign.datasets, name="hosts"
    )
    dataset_sections.record_dataset(
        recording, "hosts", "Hosts", hosts, campaign.summary
    )
    return hosts


def _record_catalogues(recording: Recording, readers: Sequence[Catalogue]) -> None:
    """Records what the files of halos were taken for, and who says so."""
    named: dict[str, Number] = {}
    for number, reader in enumerate(readers):
        say(reader.account)
        values: dict[str, Number] = {
            "file": reader.path.name,
            "box_mpc_h": reader.box,
            "scale": reader.scale,
            "hubble": reader.universe.hubble,
            "omega_matter": reader.universe.omega_matter,
        }
        named |= {f"halos.{number}.{name}": value for name, value in values.items()}
    if readers:
        recording.metrics(named)
        accounts = "\n\n".join(f"{reader.account}." for reader in readers)
        recording.add(Text("catalogues", "Halo catalogues", accounts, tuple(named)))
    _record_early(recording, readers)


def _record_early(recording: Recording, readers: Sequence[Catalogue]) -> None:
    """Records which snapshots are of so early a time that masses were others."""
    said: list[str] = []
    shows: list[str] = []
    for number, reader in enumerate(readers):
        gained = gained_mass(reader.universe, reader.scale)
        if gained < _EARLY:
            continue
        key = f"halos.{number}.gained_mass_dex"
        recording.metrics({key: gained})
        shows += [f"halos.{number}.file", f"halos.{number}.scale", key]
        said.append(
            f"{reader.path.name} is of the scale factor {reader.scale:g}: a usual halo of the same "
            f"profile has {gained:.2f} dex more virial mass today."
        )
    if said:
        said.append(
            "Networks learn the masses of their time, and take a host that is seen today for one "
            "of it: its mass comes out too low by as much, or by a part where other snapshots are "
            "of today. Leave early ones out."
        )
        title = "Halos of another time"
        recording.add(Caution("early_halos", title, " ".join(said), tuple(shows)))


def generate_variants(
    recording: Recording, campaign: HostCampaign
) -> dict[str, Dataset]:
    """Returns hosts of other mock universes, by the universe's name."""
    found = {}
    for name, universe in campaign.variants.items():
        # half as many: one question is asked of them, not nine
        found[name] = simulation.generate(
            universe,
            campaign.hosts // 2,
            campaign.seed,
            campaign.datasets,
            name="hosts",
        )
        key = f"hosts.{host_keys()[name]}"
        lineage.record_dataset_lineage(recording, key, found[name])
    return found
