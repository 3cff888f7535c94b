"""Each number in a host's warnings has a name."""

from dataclasses import dataclass

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.neighbour_tables import read_neighbours
from halomass.study import masses, study
from halomass.study.host_warnings import warning_numbers
from halomass.study.seen_host import SeenHost
from orrery.results import page
from orrery.results.recording import record


def host(path, edit):
    """Writes and reads a host with 30 neighbours, whose table was changed."""
    random = np.random.default_rng(2)
    position = random.normal(size=(3, 30))
    position *= random.uniform(30, 220, 30) / np.linalg.norm(position, axis=0)
    velocity = random.normal(0, 100, (3, 30))
    names = ("x", "y", "z", "vx", "vy", "vz")
    columns = dict(zip(names, (*position, *velocity), strict=True))
    columns["m"] = 10 ** random.uniform(9.5, 11, 30)
    columns["name"] = [f"Sat {i}" for i in range(30)]
    around = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
    table = Table(columns, meta={"name": "A host", **around})
    edit(table)
    table.write(path)
    return read_neighbours(path)


def fast(table):
    table["vx"][3] = 1150.0


def absurd(table):
    table["vx"][3] = 5000.0


def missing(table):
    table["vx"][4] = -999.0


@pytest.mark.parametrize(
    ("edit", "names", "numbers"),
    [
        (lambda table: None, [], []),
        (fast, ["Sat 3"], [1151, 8]),
        (absurd, ["Sat 3"], [1, 30, 5000, 35]),
        (missing, ["Sat 4"], [1, 30, -999.0]),
    ],
)
def test_numbers_in_warnings_have_names_in_their_order(tmp_path, edit, names, numbers):
    found = warning_numbers(host(tmp_path / "host.ecsv", edit))
    by_name = {
        **{f"host.warnings.1.neighbour.{i}": n for i, n in enumerate(names, 1)},
        **{f"host.warnings.1.number.{i}": n for i, n in enumerate(numbers, 1)},
    }
    assert found == by_name


@dataclass(frozen=True)
class Options:
    seed: int = 1


@pytest.mark.parametrize("edit", [fast, absurd, missing])
def test_the_page_shows_each_number_by_its_name(tmp_path, edit, page_numbers):
    neighbours = host(tmp_path / "host.ecsv", edit)
    with record("toy", Options(), tmp_path / "reports") as recording:
        study._record_host(recording, SeenHost(neighbours, False), known=False)
        recording.tables(masses.mass_tables(neighbours, None, {}))
    folder = recording.result.folder
    page.write(recording.result)
    assert page_numbers.unknown(folder) == []
    strength = page_numbers.accepted_mutations(folder)
    assert [accepted for accepted, _ in strength.values()] == [0, 0, 0]
    sections = {one["key"]: one for one in recording.result.document["sections"]}
    for key in ("host", "misses.mass"):
        assert "host.warnings.1.number.1" in sections[key]["shows"]
