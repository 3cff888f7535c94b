"""Laws of the choice of survivors: each cut of a table is another mass, and is told."""

from dataclasses import dataclass

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.features import Features
from halomass.study.options import TargetHost
from halomass.study.survival_choices import SURVIVAL_BOUND, survival_table

N = 90
WANTED = {f"{count} neighbours": Features(count) for count in (25, 10)}


@dataclass(frozen=True)
class Distances:
    """An estimator that predicts the mean of what it sees of distances."""

    scale: float = 1.0

    def predict(self, observation):
        kinds = zip(observation.names, observation.value, strict=True)
        return self.scale * np.mean(
            [x for name, x in kinds if name.startswith("log_r")]
        )


@pytest.fixture
def read(tmp_path):
    """Returns a host of a table with some of the columns: the closer, the more is lost."""
    random = np.random.default_rng(3)
    r = np.linspace(20, 240, N)
    place = random.normal(size=(3, N))
    place *= r / np.linalg.norm(place, axis=0)
    left = np.linspace(0.4, 1.0, N)
    peak = 10 ** random.uniform(9, 11, N)
    infall = 40 * (peak / 1e10) ** 0.3
    columns = {
        **dict(zip("xyz", place, strict=True)),
        **{name: random.normal(0, 80, N) for name in ("vx", "vy", "vz")},
        "m_peak": peak,
        "vmax": left * infall,
        "v_infall": infall,
        "v_peak": 1.16 * infall,
        "log_m_star": np.linspace(9, 4, N)[random.permutation(N)],
    }

    def of(*names):
        path = tmp_path / "host.csv"
        kept = (*"xyz", "vx", "vy", "vz", "log_m_star", *names)
        Table({n: columns[n] for n in kept}).write(
            path, format="ascii.csv", overwrite=True
        )
        return TargetHost(path)

    return of


def moves(target, scale=1.0):
    host = target.read()
    found = dict.fromkeys(WANTED, Distances(scale))
    (table,) = survival_table(host, target.read_cut_otherwise(), WANTED, found).values()
    return table


def row(table, beginning):
    (one,) = [r for r in table if r["cut"].startswith(beginning)]
    return one


def test_a_table_with_both_velocities_is_cut_at_infall_and_tells_the_others(read):
    table = moves(read("vmax", "v_infall", "v_peak", "m_peak"))
    assert table["cut"][0] == "as used"
    assert "vmax over v_infall is not above 0.7," in table.meta["caption"]
    # the peak is 1.16 times the velocity at infall here: the equivalent cut is the same
    same = row(table, "V_max over V_peak > 0.603")
    assert (same["kept"], same["moved, 25 neighbours"]) == (table["kept"][0], 0)
    # taken for the velocity at infall it loses more, and the closest ones
    strict = row(table, "V_max over V_peak, taken for that at infall > 0.7")
    assert strict["kept"] < table["kept"][0]
    assert strict["stripped"] > table["stripped"][0]
    assert strict["moved, 25 neighbours"] > 0
    assert row(table, "nobody is lost")["moved, 25 neighbours"] < 0
    assert row(table, "V_max over that at infall > 0.63")["kept"] > table["kept"][0]
    assert row(table, "V_max over the usual V_peak")["kept"] > 0


@pytest.mark.slow
def test_what_is_not_in_the_table_is_no_choice(read):
    table = moves(read("vmax", "v_peak"))
    assert "vmax over v_peak is not above 0.6034," in table.meta["caption"]
    assert not [
        cut for cut in table["cut"] if "infall >" in cut and "over V_peak" not in cut
    ]
    table = moves(read("vmax", "v_infall"))
    assert not [cut for cut in table["cut"] if "V_peak" in cut]


def test_where_nobody_knows_who_survived_there_is_no_choice(read):
    target = read("vmax")
    host = target.read()
    assert (
        "none dropped as stripped by tides, which no columns identify" in host.summary
    )
    assert target.read_cut_otherwise() == {}
    assert survival_table(host, {}, WANTED, {}) == {}


@pytest.mark.slow
def test_large_moves_are_told_and_small_ones_are_not(read):
    table = moves(read("vmax", "v_infall", "v_peak"))
    largest = np.nanmax(
        np.abs([table[name] for name in table.colnames if name.startswith("moved")])
    )
    quiet, loud = (
        moves(read("vmax", "v_infall", "v_peak"), scale * SURVIVAL_BOUND / largest)
        for scale in (0.99, 1.01)
    )
    assert quiet.meta["misses"] == []
    assert len(loud.meta["misses"]) == 1


def test_ensembles_that_need_more_neighbours_than_are_left_say_nothing(read):
    table = moves(read("vmax", "v_infall", "v_peak"))
    few = table["kept"] < 25
    assert (np.isnan(table["25 neighbours"]) == few).all()


def test_the_threshold_is_an_option(read):
    target = read("vmax", "v_infall")
    one, two = (
        len(TargetHost(target.neighbours, threshold=t).read()) for t in (0.5, 0.8)
    )
    assert one > two
