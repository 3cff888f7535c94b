"""How many CPUs are used."""

import pytest
import ray

from orrery.execution import cluster


def test_the_cluster_says_how_many_unless_the_user_does(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 6.0})
    monkeypatch.delenv("ORRERY_CPUS", raising=False)
    assert cluster.cpus() == 6
    monkeypatch.setenv("ORRERY_CPUS", "256")
    assert cluster.cpus() == 256


@pytest.mark.parametrize("wanted", ["0", "-3", "many", "1.5", ""])
def test_anything_but_a_number_is_refused(monkeypatch, wanted):
    monkeypatch.setenv("ORRERY_CPUS", wanted)
    with pytest.raises(ValueError, match="ORRERY_CPUS"):
        cluster.cpus()
