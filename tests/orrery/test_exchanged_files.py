"""Whatever file of a dataset or of a run another one replaces, it is named."""

import shutil
from itertools import permutations

import pytest

from orrery.execution.simulation import generate
from orrery.results import page
from orrery.results.result import Result
from orrery.verification import verify


@pytest.fixture
def place(toy, tmp_path, write_run):
    generate(toy, 16, seed=3, folder=tmp_path / "datasets", actors=0, shard_size=8)
    page.write(Result.open(write_run(tmp_path / "runs")))
    return tmp_path


@pytest.mark.slow
def test_a_file_that_lies_in_the_place_of_another_is_named(place):
    assert verify(place) == []
    files = [path for path in sorted(place.rglob("*")) if path.is_file()]
    own = [path for path in files if not path.name.startswith(".")]
    assert len(own) == 15
    for one, other in permutations(own, 2):
        if one.suffix == other.suffix:
            content = one.read_bytes()
            shutil.copy(other, one)
            named = {finding.file for finding in verify(place) if finding.is_damage}
            assert one.relative_to(place).as_posix() in named, other
            one.write_bytes(content)
