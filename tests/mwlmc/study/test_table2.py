"""Errors counted once and twice: each beside the published values, whatever is drawn."""

import numpy as np
import pytest

from mwlmc.parameters import INFERRED
from mwlmc.study.literature import HALO_MASS, TABLE2
from mwlmc.study.quantities import quantities
from mwlmc.study.table2 import errors_twice_table

ROWS = ("DESI, without v_tb", "DESI, with v_tb")


@pytest.fixture(scope="module")
def draws():
    random = np.random.default_rng(1)
    return {row: random.normal(11.0, 0.1, (400, len(INFERRED))) for row in ROWS}


def test_medians_and_shifts_are_those_of_the_draws(draws):
    other = {row: some + 0.05 for row, some in draws.items()}
    table = errors_twice_table(draws, other, {row: row for row in ROWS})
    assert len(table) == sum(len(TABLE2[row]) for row in ROWS)
    for line in table:
        published = TABLE2[line["data"]][line["quantity"]]
        for times, some in (("once", draws), ("twice", other)):
            values = quantities(some[line["data"]])[line["quantity"]]
            median, low, high = np.percentile(values, [50, 16, 84])
            assert line[f"median_{times}"] == pytest.approx(median)
            assert line[f"shift_{times}"] == pytest.approx(published.shift(median))
            assert (line[f"lower_{times}"], line[f"upper_{times}"]) == (low, high)


def test_the_caption_says_what_becomes_of_the_halos_mass(draws):
    row = ROWS[0]
    table = errors_twice_table({row: draws[row]}, {row: draws[row]}, {row: row})
    (line,) = (line for line in table if line["quantity"] == HALO_MASS)
    said = f"{row}: {line['shift_once']:+.2f} and {line['shift_twice']:+.2f}."
    assert table.meta["caption"].endswith(said)
    keys = [
        f"table2.errors_twice.desi.v_gsr.halo_mass.{c}"
        for c in ("shift_once", "shift_twice")
    ]
    assert table.meta["shows"] == keys
    assert table.meta["metrics"] == dict.fromkeys(keys, line["shift_once"])
