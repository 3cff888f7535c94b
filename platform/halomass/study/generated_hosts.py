"""The hosts that a study learns from: of catalogues, or of the mock universe."""

from collections.abc import Sequence

from halomass.catalogues.catalogue import Catalogue
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.study.ensembles import host_keys
from halomass.study.options import HostCampaign
from halomass.study.survival_choices import catalogue_cut_table
from orrery.execution import simulation
from orrery.results import dataset_sections, lineage
from orrery.results.recording import Number, Recording
from orrery.results.sections import Text
from orrery.storage.dataset import Dataset
from orrery.terminal import say


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
