"""Laws of data vectors' names: they are called as whose stars they are."""

import re
from dataclasses import replace

import numpy as np
import pytest

from mwlmc.observed.binned_table import are_desi, load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import StarSelection
from mwlmc.sky.binning import DESI_FOOTPRINT, without_and_with_v_tb
from mwlmc.study import quantities
from mwlmc.study.data_rows import (
    data_rows,
    desi_rows,
    record_others_stars,
    star_source,
)
from mwlmc.study.options import DESI_BINNED
from mwlmc.study.wording import MEANINGS
from orrery.records import Observation


@pytest.fixture(scope="module")
def stars():
    return load_binned(DESI_BINNED, DESI_FOOTPRINT, StarSelection())


@pytest.fixture
def data():
    vector = Observation(
        "v", ("v",), ("km / s",), np.zeros(1), np.eye(1), "definition", {}
    )
    binnings = without_and_with_v_tb(DESI_FOOTPRINT)
    return {label: (binning, vector) for label, binning in binnings.items()}


def test_desis_stars_have_the_names_of_table_2(stars, data):
    assert are_desi(stars)
    rows = desi_rows(stars, data)
    assert [row.label for row in rows] == ["DESI, without v_tb", "DESI, with v_tb"]
    assert [row.label for row in rows] == [row.published for row in rows]


def test_others_have_their_own_name_and_the_same_keys(stars, data):
    others = replace(stars, name="my_giants")
    assert not are_desi(others)
    rows = desi_rows(others, data)
    assert [row.label for row in rows] == [
        "my_giants in DESI's fields, without v_tb",
        "my_giants in DESI's fields, with v_tb",
    ]
    usual = desi_rows(stars, data)
    assert [row.key for row in rows] == [row.key for row in usual]
    assert [row.published for row in rows] == [row.published for row in usual]


def test_desis_own_catalogue_is_known_by_its_layout(stars):
    source = {**stars.provenance["source"], "layout": "DESI MWS_BHB"}
    provenance = {**stars.provenance, "source": source}
    assert are_desi(replace(stars, name="download", provenance=provenance))


class Recorded(list):
    """What was added to a run."""

    def add(self, section):
        self.append(section)


def test_stars_that_are_called_after_others_are_told(stars):
    others = replace(stars, name="my_giants")
    of_catalogue = replace(
        others, provenance={"source": {"layout": "DESI MWS_BHB"}, "definition": {}}
    )
    footprint = {"v_gsr": DESI_FOOTPRINT.select(("v_gsr",))}
    ((_, vector),) = vectors(stars, footprint).values()
    ((_, other_vector),) = vectors(others, footprint).values()
    right = {
        "SDSS": [replace(stars, name="SDSS K giants")],
        "DESI": [stars, vector, of_catalogue],
    }
    recorded = Recorded()
    record_others_stars(recorded, right)
    assert recorded == []
    record_others_stars(
        recorded, {"SDSS": [stars], "DESI": [others, stars, other_vector]}
    )
    (caution,) = recorded
    assert f"called SDSS here is of the table {stars.name!r}, and" in caution.text
    assert caution.text.count("called DESI here is of the table 'my_giants'") == 1


def test_an_answer_is_from_the_stars_in_the_bins_of_v_gsr(stars, data):
    for row in desi_rows(stars, data):
        said, numbers = star_source(row)
        assert numbers == {
            f"stars.{row.key}.count": 856,
            f"stars.{row.key}.inner": 30.0,
            f"stars.{row.key}.outer": 100.0,
        }
        assert said.text == "v: 856 of them at 30 to 100 kpc"
        assert said.shows == (f"data_vector.{row.key}.name", *numbers)


def test_simulated_stars_are_not_counted(stars, data):
    (binning, vector), _ = data.values()
    label = "H3+SEGUE+MagE quadrants, without v_tb"
    (row,) = data_rows({label: (binning, vector)}, stars=stars)
    assert row.stars is None
    assert star_source(row)[0].text == "v: stars at 30 to 100 kpc"


def test_each_quantity_of_an_answer_has_a_meaning_without_numbers():
    assert {*MEANINGS} == {*quantities.KNOWN}
    assert not any(re.search(r"\d", meaning) for meaning in MEANINGS.values())
