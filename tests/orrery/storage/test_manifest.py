import numpy as np
import pytest

from orrery.storage import manifest
from orrery.storage.dataset import counters


def test_the_manifest_adds_up(stars):
    everything = [stars.records(shard) for shard in stars.shards[:2]]
    values = np.concatenate([records.scalars["a"] for records in everything])
    rows = stars.rows[:2]
    assert manifest.total("a", rows) == pytest.approx(values.sum(), rel=1e-12)
    assert manifest.mean("a", rows) == pytest.approx(values.mean(), rel=1e-12)
    assert manifest.total("tries", rows) == sum(i % 3 for i in range(16))
    assert sum(row.particles for row in rows) == sum(i % 4 for i in range(16))
    assert counters(stars.metadata) == ("tries",)
