"""What no search can vary is refused by its options, before anything is simulated."""

import sys

import pytest

from halomass.study import architectures as of_halos
from halomass.study.options import EnsembleArchitectures
from mwlmc.study import architectures as of_flows
from mwlmc.study import binnings
from mwlmc.study.sweep_options import Binnings, FlowArchitectures
from orrery.inference.options import Prediction
from orrery.learning.options import Learning, Networks, Training
from orrery.sweeps.options import (
    FLOW_SPACE,
    TRIED_BATCHES,
    EnsembleArchitecture,
    FlowArchitecture,
)
from orrery.sweeps.space import Choice, SearchSpace


def flows(workers, batch_size):
    training = Training(batch_size=batch_size, workers=workers)
    return FlowArchitectures(architecture=FlowArchitecture(training=training))


@pytest.mark.parametrize("workers", [3, 5, 256])
def test_workers_that_cannot_share_a_batch_that_is_tried_are_refused(workers):
    words = f"workers {workers}: give a number that divides 128, the smallest batch"
    with pytest.raises(ValueError, match=words):
        flows(workers, batch_size=30 * 256)


@pytest.mark.parametrize("workers", [0, 1, 4, 128])
def test_workers_that_share_all_batches_are_searched_with(workers):
    FLOW_SPACE.check(flows(workers, batch_size=max(TRIED_BATCHES)).architecture)


@pytest.mark.parametrize(("members", "workers"), [(5, 8), (1, 2)])
def test_more_workers_than_members_are_refused_wherever_they_are_given(
    members, workers
):
    words = f"{workers} workers cannot share {members} members: use {members} workers"
    learning = Learning(workers=workers)
    with pytest.raises(ValueError, match=words):
        EnsembleArchitecture(members=members, learning=learning)
    with pytest.raises(ValueError, match=words):
        Prediction(Networks(members=members), learning)
    assert EnsembleArchitecture(members=workers, learning=learning).members == workers


class SimulatedError(Exception):
    """Something is simulated."""


@pytest.mark.slow  # two of them read stars
@pytest.mark.parametrize(
    ("module", "study", "options", "space"),
    [
        (of_flows, "flow_architectures", FlowArchitectures(), "FLOW_SPACE"),
        (of_halos, "ensemble_architectures", EnsembleArchitectures(), "ENSEMBLE_SPACE"),
        (binnings, "binnings", Binnings(), "SPACE"),
    ],
    ids=["flows", "ensembles", "binnings"],
)
def test_a_space_that_is_not_of_the_options_ends_a_study_before_it_records(
    module, study, options, space, monkeypatch
):
    def recorded(*arguments):
        raise SimulatedError

    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(module, "record", recorded)
    if module is not of_halos:
        monkeypatch.setattr(module, "load_binned", binned)
    with pytest.raises(SimulatedError):
        getattr(module, study)(options)
    monkeypatch.setattr(module, space, SearchSpace({"widht": Choice((1, 2))}))
    with pytest.raises(ValueError, match="no field 'widht'"):
        getattr(module, study)(options)


def binned(*arguments, **options):
    from mwlmc.observed.binned_table import read_binned

    return read_binned("desi_dr1_bhb.ecsv")
