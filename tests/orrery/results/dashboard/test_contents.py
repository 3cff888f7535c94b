"""What a dashboard shows of a document: numbers as numbers, each curve once."""

import numpy as np
import pytest

from orrery.results.dashboard.contents import (
    Series,
    named,
    section_series,
    sheets,
    summary_sheets,
)


def all_series(result):
    return {
        series.name: series
        for section in result.sections
        for series in section_series(result, section)
    }


def test_a_row_leaves_out_what_is_no_number():
    rmse = np.array([0.2, np.nan])
    series = Series("rmse/25", "truth", np.array([11.0, 12.0]), {"rmse": rmse})
    assert series.rows == [
        {"rmse/25/truth": 11.0, "rmse/25/rmse": 0.2},
        {"rmse/25/truth": 12.0},
    ]


def test_coverage_ranks_and_losses_are_series(recorded):
    result = recorded("mwlmc")
    found = all_series(result)
    assert set(found) == {
        "tarp/desi/posterior",
        "sbc/desi/desi",
        "training/desi/member_0",
    }
    view = result.view(result.section("tarp.desi")).curves["posterior"]
    coverage = found["tarp/desi/posterior"]
    assert coverage.step == "level"
    np.testing.assert_array_equal(coverage.curves["coverage"], view.coverage)
    assert set(found["sbc/desi/desi"].curves) == {"lower", "upper", "v_x", "m_lmc"}
    assert (
        found["training/desi/member_0"].rows[1]["training/desi/member_0/train"] == 1.0
    )


def test_an_ensemble_has_a_curve_for_each_network(recorded):
    found = all_series(recorded("halomass"))
    assert set(found) == {"rmse/25"}
    curves = found["rmse/25"].curves
    members = [name for name in curves if name.startswith("member_")]
    assert len(members) == 100
    spread = np.array([curves[name] for name in members])
    # a mean of networks errs less than each of them
    assert (curves["rmse"] < spread.min(axis=0)).all()


def test_tables_hold_numbers_and_units(recorded):
    result = recorded("halomass")
    (sheet,) = sheets(result, result.section("errors.25"))
    assert sheet.columns == ("mass", "rmse [dex]", "is")
    assert [type(cell) for cell in sheet.rows[0]] == [float, float, str]
    assert sheet.rows[1][1] is None


def test_draws_are_a_table_with_units(recorded):
    result = recorded("mwlmc")
    (sheet,) = sheets(result, result.section("draws.desi"))
    assert sheet.columns == ("v_x [km / s]", "m_lmc")
    assert len(sheet.rows) == 50


def test_answers_and_verdicts_are_tables(recorded):
    answers, verdicts = summary_sheets(recorded("mwlmc").document)
    assert answers.rows == (
        ("posterior.desi.v_x", "DESI", "v_x", "km / s", 1.0, 3.25, 6.0),
    )
    assert verdicts.rows == (("tarp.desi", "TARP", True, "p = 0.25."),)


def test_numbers_that_json_lacks_are_numbers_again_and_text_stays():
    answer = {"key": "nan", "data": "inf", "quantity": "q", "unit": ""}
    answers = [
        {**answer, "median": 1.0, "lower": "-inf", "upper": "inf"},
        {
            **answer,
            "data": "desi",
            "key": "a",
            "median": 1.0,
            "lower": 0.5,
            "upper": 2.0,
        },
    ]
    (sheet,) = summary_sheets({"answers": answers, "verdicts": []})
    assert sheet.rows == (
        ("nan", "inf", "q", "", float("-inf"), 1.0, float("inf")),
        ("a", "desi", "q", "", 0.5, 1.0, 2.0),
    )


@pytest.mark.parametrize("key", ["rmse.25.minimum", "seconds"])
def test_names_have_no_dots(key):
    assert "." not in named(key)
    assert named(key).replace("/", ".") == key
