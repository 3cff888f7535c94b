"""Laws of what is left out: it is named, and too much of it is refused unless it is allowed."""

import numpy as np
import pytest

from halomass.observed.left_out import LeftOut
from halomass.observed.milky_way import read_satellites
from halomass.observed.neighbour_tables import read_neighbours


def lacking(count, of):
    return LeftOut({f"s{i}": "v = -999" for i in range(count)}, of)


@pytest.mark.parametrize(("count", "of"), [(0, 0), (0, 4), (1, 4), (1, 5), (8, 40)])
def test_up_to_a_fifth_may_lack_something(count, of):
    lacking(count, of).check("a.csv", 0.2)


@pytest.mark.parametrize(("count", "of"), [(2, 4), (2, 5), (9, 40)])
def test_more_is_refused_unless_it_is_allowed(count, of):
    found = lacking(count, of)
    with pytest.raises(
        ValueError,
        match=rf"a.csv: {count} of {of} .*s0 \(v = -999\).* `--most-missing`",
    ):
        found.check("a.csv", 0.2)
    found.check("a.csv", 0.6)


def test_nothing_may_be_allowed_to_lack():
    with pytest.raises(ValueError, match="more than 0 %"):
        lacking(1, 100).check("a.csv", 0.0)
    with pytest.raises(
        ValueError, match=r"most_missing 1\.0 must be from 0 to below 1"
    ):
        lacking(0, 1).check("a.csv", 1.0)


def test_long_lists_are_cut_short():
    (sentence,) = lacking(30, 200).warnings
    assert sentence.endswith("s7 (v = -999) and 22 more")
    assert lacking(0, 3).warnings == ()
    assert (lacking(0, 3).counts, lacking(2, 30).counts) == ({}, {"missing": 2})


def test_only_candidates_count():
    candidates = np.array([True, True, False, True])
    incomplete = np.array([False, True, True, False])
    found = LeftOut.among(candidates, incomplete, "abcd", lambda row: f"row {row}")
    assert (dict(found.gaps), found.of) == ({"b": "row 1"}, 3)


@pytest.mark.parametrize("word", ["unnamed", "candidate", "x"])
def test_rows_of_one_name_count_each(word):
    names = [*"abc", *[word] * 5, "d"]
    incomplete = np.array([name == word for name in names])
    every = np.ones(len(names), bool)
    found = LeftOut.among(every, incomplete, names, lambda row: f"v{row} = -9")
    assert found.counts == {"missing": 5}
    assert list(found.gaps)[::4] == [f"{word}, row 4", f"{word}, row 8"]
    with pytest.raises(
        ValueError, match=f"5 of 9 .*{word}, row 4 .v3 = -9., {word}, row 5"
    ):
        found.check("a.csv", 0.2)


def test_a_name_that_a_sound_row_has_too_is_told_by_its_row():
    incomplete = np.array([False, False, True])
    found = LeftOut.among(~incomplete | incomplete, incomplete, ["s", "t", "s"], str)
    assert dict(found.gaps) == {"s, row 3": "2"}


def test_a_table_whose_neighbours_share_a_name_is_refused_if_many_lack_something(
    halos, tmp_path, saved
):
    lacks = np.arange(40) % 3 == 0
    columns = halos | {"vy": np.where(lacks, np.nan, halos["vy"])}
    names = [f"g{i}" for i in range(40)]
    around = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
    for called in (names, ["anon" if lacks[i] else names[i] for i in range(40)]):
        path = saved(tmp_path, {"name": called, **columns})
        with pytest.raises(ValueError, match="14 of 40 neighbours lack a value"):
            read_neighbours(path, **around)


def test_satellites_that_share_a_name_count_each(tmp_path, saved):
    random = np.random.default_rng(8)
    columns = {"name": ["anon"] * 6 + [f"S{i}" for i in range(9)]}
    columns |= {"ra_deg": random.uniform(0, 360, 15), "M_V": random.uniform(-9, -4, 15)}
    columns |= {"dec_deg": random.uniform(-60, 60, 15)}
    columns |= {"dist_kpc": random.uniform(30, 90, 15)}
    columns |= {"vlos_kms": [-999.0] * 6 + [*random.normal(0, 90, 9)]}
    columns |= {n: random.normal(0, 0.3, 15) for n in ("pmra_masyr", "pmdec_masyr")}
    with pytest.raises(ValueError, match="6 of 15 neighbours lack a value"):
        read_satellites(saved(tmp_path, columns))
