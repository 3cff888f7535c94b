"""Laws of the bundled tables of stars: their command makes them again."""

import numpy as np
import pytest

from mwlmc.observed.binned_table import main, read_binned
from mwlmc.sky import selection_function
from orrery.tables.bundled import bundled_tables

OBSERVED = bundled_tables()["desi_dr1_bhb.ecsv"].parent
COMMITTED = {
    "desi_dr1_bhb": ["desi"],
    "desi_dr1_bhb_v_tb_40_100": ["desi", "--v-tb-edges", "40,60,80,100"],
    "desi_dr1_bhb_v_tb_30_kms": ["desi", "--largest-motion-error", "30"],
    "sdss_kgiants": ["quadrants"],
}


@pytest.fixture
def eighths(monkeypatch):
    """As committed tables tell errors, with which what is published was found: of eighths."""
    monkeypatch.setattr(selection_function, "_PARTS", 1)
    monkeypatch.setattr(selection_function, "_middle", lambda errors: errors)


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_tables_are_what_the_command_makes(
    name, shared, tmp_path, capsys, eighths, clipped_once
):
    table = read_binned(OBSERVED / f"{name}.ecsv")
    source = shared / "data" / table.provenance["source"]["file"]
    kind, *choices = COMMITTED[name]
    out = tmp_path / "table.ecsv"
    assert main([kind, str(source), str(out), "--name", table.name, *choices]) == 0
    assert "rows" in capsys.readouterr().out
    again = read_binned(out)
    assert again.bins == table.bins
    assert again.provenance["source"] == table.provenance["source"]
    for ours, theirs in zip(_numbers(again), _numbers(table), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    for ours, theirs in zip(again.sample.stars, table.sample.stars, strict=True):
        assert (ours.cells, ours.counts) == (theirs.cells, theirs.counts)
        np.testing.assert_allclose(ours.errors, theirs.errors, rtol=1e-6)


def _numbers(table):
    return [*vars(table.moments).values(), *vars(table.errors).values()]


def test_other_choices_of_proper_motions_are_in_a_tables_command():
    for name, choices in COMMITTED.items():
        command = read_binned(OBSERVED / f"{name}.ecsv").provenance["command"]
        assert " ".join(choices[1:]) in command
