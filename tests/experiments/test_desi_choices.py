"""What DESI's posterior depends on: each choice has its rows, and all are in one figure."""

import pytest

from mwlmc.study.desi_choices import CHOICE_QUANTITIES, MOTION_CHOICES
from mwlmc.study.options import DesiChoices
from orrery.results.result import Result


@pytest.mark.slow
@pytest.mark.walks("desi_choices")
def test_each_choice_is_made_with_both_ways_of_sampling(
    experiments, toy, place, run, page, shapes, unknown_numbers
):
    script = experiments["desi_choices"]
    fewer = ("--survey-draws", "2")
    folder = page(run(script, *toy, *fewer, place=place, sketched=True)).parent
    assert unknown_numbers(folder) == []
    rows = 2 * len(MOTION_CHOICES)
    assert shapes(folder)["choices.ecsv"] == rows * len(CHOICE_QUANTITIES)
    result = Result.open(folder)
    for quantity in ("v_travel", "m_lmc_50"):
        figure = result.view(result.section(f"choices.{quantity}"))
        assert len(figure.rows) == rows
    vectors = {
        key: result.content(result.section(key), f"{key}.ecsv").decode()
        for key in (
            f"data_vector.desi.{sampling}.{choice.key}"
            for sampling in ("full_footprint", "survey_like")
            for choice in MOTION_CHOICES
        )
    }
    assert len(set(vectors.values())) == rows
    assert [("v_tb" in text) for text in vectors.values()] == 2 * [
        choice.uses_motions for choice in MOTION_CHOICES
    ]


@pytest.mark.slow
def test_tables_of_other_choices_are_refused(experiments, place, run):
    script = experiments["desi_choices"]
    usual, other, few = (str(path) for path in DesiChoices().stars)
    result = run(script, "--stars", other, usual, few, place=place)
    assert result.returncode == 1
    assert "holds other bins" in result.stderr.splitlines()[-1]
    result = run(script, "--stars", usual, other, usual, place=place)
    assert result.returncode == 1
    assert "holds stars selected as" in result.stderr.splitlines()[-1]
    result = run(script, "--stars", usual, other, place=place)
    assert result.returncode == 2
    # in a box, whose lines end where the terminal's do
    assert "2 tables of stars" in result.stderr
