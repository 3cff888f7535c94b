"""Laws of published masses: definitions convert both ways, and the copies agree with the papers."""

import csv
import math

import pytest

from halomass.study import literature, published_masses
from halomass.study.literature import VARIANTS
from halomass.study.published_masses import PUBLISHED_MASSES


def test_definitions_convert_both_ways():
    assert published_masses.to_log_m_200c(12.20) == pytest.approx(12.137)
    assert published_masses.to_log_m_vir(
        published_masses.to_log_m_200c(12.0)
    ) == pytest.approx(12.0)


@pytest.mark.parametrize("study", PUBLISHED_MASSES, ids=lambda study: study.label)
def test_masses_are_the_same_halo_in_both_definitions(study):
    virial = study.log_m_vir()[0]
    critical = published_masses.to_log_m_200c(virial)
    assert virial - critical == pytest.approx(0.063)
    assert 11.7 < virial < 12.4
    printed = 10 ** (critical if study.definition == "200c" else virial)
    assert printed == pytest.approx(1e12 * study.mass)


def test_intervals_that_are_not_68_percent_are_marked():
    marked = {
        study.label_with_interval
        for study in PUBLISHED_MASSES
        if study.label_with_interval != study.label
    }
    assert marked == {
        "Zaritsky et al. 1989 (statistical)",
        "Eadie & Jurić 2019 (50 %)",
        "Zaritsky et al. 2020 (lower limit)",
        "Slizewski et al. 2022 (95 %)",
        "Rodriguez Wimberly et al. 2022 (range)",
    }


def test_intervals_become_dex():
    paper = next(study for study in PUBLISHED_MASSES if study.year == 2025)
    middle, below, above = paper.log_m_vir()
    assert middle == pytest.approx(
        VARIANTS[literature.PREFERRED].milky_way[25], abs=0.005
    )
    assert (below, above) == pytest.approx(literature.MILKY_WAY_INTERVAL, abs=0.005)


def test_a_study_without_an_interval_has_none():
    lower_limit = next(
        study for study in PUBLISHED_MASSES if study.label == "Zaritsky et al. 2020"
    )
    middle, below, above = lower_limit.log_m_vir()
    assert math.isfinite(middle)
    assert math.isnan(below)
    assert math.isnan(above)


def test_studies_are_in_the_order_of_their_years():
    years = [study.year for study in PUBLISHED_MASSES]
    assert years == sorted(years)


def test_copies_agree_with_the_collected_table(shared):
    with (shared / "data/mw_mass_literature.csv").open() as stream:
        rows = {row["arxiv_or_bibcode"]: row for row in csv.DictReader(stream)}
    found = {
        study.reference.removeprefix("arXiv:"): study for study in PUBLISHED_MASSES
    }
    assert found.keys() == rows.keys()
    for reference, row in rows.items():
        if row["study"].startswith("Hayati"):
            continue
        study = found[reference]
        assert study.mass == float(row["mass_1e12Msun"])
        assert study.year == int(row["year"])
        for value, printed in (
            (study.minus, row["err_minus"]),
            (study.plus, row["err_plus"]),
        ):
            assert math.isnan(value) if printed == "" else value == float(printed)
