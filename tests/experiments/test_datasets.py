"""Simulations that experiments share: whole, and for one binning."""

import pytest

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.data_vectors import observe
from mwlmc.parameters import INFERRED
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT
from orrery.execution import simulation, summaries
from orrery.learning import posterior
from orrery.learning.options import Flow, Training
from orrery.storage.dataset import Dataset


@pytest.mark.slow
def test_a_posterior_refuses_another_binning(toy_halos, tmp_path):
    table = read_binned("desi_dr1_bhb.ecsv")
    radial = DESI_FOOTPRINT.select(("v_gsr",))
    pairs = summaries.compute(kinematics.velocity_moments, toy_halos, radial, INFERRED)
    covariance = observe(table, radial).covariance
    options = Training(max_epochs=1)
    estimate = posterior.fit(
        pairs,
        INFERRED,
        covariance,
        Flow(transforms=1),
        options,
        1,
        tmp_path / "posterior",
    )
    with pytest.raises(ValueError, match="binning"):
        estimate.sample(observe(table, DESI_FOOTPRINT), 10, 1)


# after those, so that the engine is compiled once on this machine, not by two at a time
@pytest.mark.usefixtures("toy_datasets")
@pytest.mark.slow
def test_a_truncated_shard_is_refused_by_readers_and_made_again(tmp_path):
    simulator = Simulator(stars=500)
    halos = simulation.generate(simulator, 4, 1, tmp_path, actors=0, shard_size=2)
    shard = sorted(halos.folder.glob("shards/*.arrow"))[1]
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=shard.name):
        Dataset.open(halos.folder).verify()
    simulation.generate(simulator, 4, 1, tmp_path, actors=0, shard_size=2)
    assert shard.read_bytes() == whole
