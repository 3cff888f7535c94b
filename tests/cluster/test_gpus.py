"""Actors share a GPU. Ray only counts it: a machine without one can say that it has some."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import ray

from orrery.execution.simulation import generate
from orrery.records import Column, Records, Schema
from orrery.storage import work_log

pytestmark = pytest.mark.slow  # a Ray session of its own


@dataclass(frozen=True)
class Looking:
    """Simulates what its process sees of the GPUs: the number of the first, -1 for none."""

    gpus: float

    @property
    def schema(self) -> Schema:
        return Schema(
            (Column("index", "", "number", "int64"), Column("seen", "", "GPU", "int32"))
        )

    def describe(self) -> dict:
        return {"what": "looking", "gpus": self.gpus}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        seen = int(os.environ.get("CUDA_VISIBLE_DEVICES") or -1)
        return Records(
            {"index": np.array(indices), "seen": np.full(len(indices), seen)}
        )


@pytest.fixture(scope="module", autouse=True)
def _gpu(tmp_path_factory):
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with pytest.MonkeyPatch.context() as patch:
        # where Ray leaves a token, which other tests must not find in theirs
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        ray.init(
            address="local",
            num_cpus=3,  # more than shares of the GPU
            num_gpus=1,
            include_dashboard=False,
            log_to_driver=False,
        )
        yield
        ray.shutdown()
    os.environ.pop(
        "RAY_AUTH_MODE", None
    )  # which Ray has set: nobody is asked for it now
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def fill(folder, share, actors=None):
    made = generate(Looking(share), 40, 1, folder, actors=actors, shard_size=1)
    (session,) = work_log.sessions(made.folder)
    return session.actors, {
        int(made.records(s).scalars["seen"][0]) for s in made.shards
    }


@pytest.mark.parametrize(("share", "most"), [(0.5, 2), (1.0, 1)])
def test_there_are_as_many_actors_as_shares_of_the_gpu(tmp_path, share, most):
    actors, seen = fill(tmp_path, share)
    assert 1 <= actors <= most
    assert seen == {0}


def test_more_actors_than_shares_wait_and_hinder_nobody(tmp_path):
    actors, seen = fill(tmp_path, 1.0, actors=2)
    assert (actors, seen) == (1, {0})


def test_a_simulator_without_a_share_sees_no_gpu(tmp_path):
    _, seen = fill(tmp_path, 0.0, actors=1)
    assert seen == {-1}


def test_a_cluster_with_too_few_gpus_is_named(tmp_path):
    with pytest.raises(
        ValueError, match="needs 2 GPU for each actor and the cluster has 1"
    ):
        fill(tmp_path, 2.0)
