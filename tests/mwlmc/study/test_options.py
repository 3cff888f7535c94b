"""Laws of options: what may be missing of a star table is said once, and reaches its reader."""

import sys
from pathlib import Path

import pytest

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.study import architectures, study
from mwlmc.study.architectures import flow_architectures
from mwlmc.study.binnings import binnings
from mwlmc.study.desi_choices import desi_choices
from mwlmc.study.dispersions import dispersions
from mwlmc.study.options import (
    SDSS_BINNED,
    Desi,
    DesiChoices,
    PredictiveChecks,
    Quadrants,
    SimulationCampaign,
    Surveys,
    Table2,
)
from mwlmc.study.predictive_checks import predictive_checks
from mwlmc.study.shell_options import Dispersions, TravelProfile
from mwlmc.study.study import desi, quadrants_posteriors
from mwlmc.study.surveys import surveys
from mwlmc.study.sweep_options import Binnings, FlowArchitectures
from mwlmc.study.table2 import table2
from mwlmc.study.travel_profile import travel_profile
from orrery.storage.run import identify_run
from orrery.tables.bundled import find_table

STUDIES = {
    Desi: desi,
    DesiChoices: desi_choices,
    Dispersions: dispersions,
    Quadrants: quadrants_posteriors,
    Table2: table2,
    PredictiveChecks: predictive_checks,
    Surveys: surveys,
    FlowArchitectures: flow_architectures,
    Binnings: binnings,
    TravelProfile: travel_profile,
}


class ReadingError(Exception):
    """Stars are read."""


@pytest.mark.parametrize(
    ("options", "study"), STUDIES.items(), ids=lambda one: one.__name__
)
def test_every_study_reads_its_stars_with_the_share_that_may_be_missing(
    options, study, monkeypatch
):
    def read(path, binning, selection, *, most_missing):
        raise ReadingError(path, most_missing)

    monkeypatch.setattr(sys.modules[study.__module__], "load_binned", read)
    chosen = options(most_missing=0.35)
    with pytest.raises(ReadingError) as reading:
        study(chosen)
    stars = chosen.stars
    first = stars[0] if isinstance(stars, tuple) else stars
    assert reading.value.args == (first, 0.35)


def test_another_share_is_another_run():
    usual, other = (
        identify_run("desi", Desi(most_missing=share)).fingerprint
        for share in (0.2, 0.35)
    )
    assert usual == identify_run("desi", Desi()).fingerprint
    assert other != usual


def test_a_row_that_is_named_twice_is_refused():
    with pytest.raises(ValueError, match="name each once"):
        PredictiveChecks(rows=("DESI, with v_tb", "DESI, with v_tb"))


INNER = StarSelection(inner=40.0, outer=90.0)
DRAWN_FILLED = Measurement(survey_draws=8)
DRAWN = Measurement(sampling="survey-like", survey_draws=8)
FLOORED = Measurement(sampling="survey-like", motion_floor=0.02)
ACROSS_MOCK = {"surveys": ("forecast-h3",), "velocities": "v_gsr+v_tb"}
MOCK_ROWS = ("H3+SEGUE+MagE quadrants, with v_tb",)


@pytest.mark.parametrize(
    ("options", "chosen", "ignored"),
    [
        (TravelProfile, {"surveys": ("desi",)}, {"selection": INNER}),
        (
            TravelProfile,
            {"surveys": ("desi", "forecast-h3")},
            {"stars": Path("a.csv")},
        ),
        (TravelProfile, {"surveys": ("quadrants",)}, {"desi_stars": Path("a.csv")}),
        (TravelProfile, {"surveys": ("forecast-h3",)}, {"most_missing": 0.4}),
        (Quadrants, {"observation": "forecast-h3"}, {"selection": INNER}),
        (Quadrants, {"observation": "forecast-h3"}, {"stars": Path("a.csv")}),
        (PredictiveChecks, {"rows": MOCK_ROWS}, {"selection": INNER}),
        (Dispersions, {"data": ("sdss",)}, {"largest_motion_error": 45.0}),
        (Dispersions, {"data": ("forecast-h3",)}, {"fewest_stars": 7}),
        (Binnings, {"surveys": ("desi",)}, {"h3_stars": 900}),
        (Binnings, {"surveys": ("h3",)}, {"most_missing": 0.4}),
        (DesiChoices, {}, {"measurement": Measurement(motion_floor=0.01)}),
        (DesiChoices, {}, {"measurement": Measurement(sampling="survey-like")}),
        *(
            (one, {}, {"measurement": DRAWN_FILLED})
            for one in (Desi, Quadrants, Table2)
        ),
        (PredictiveChecks, {}, {"measurement": DRAWN_FILLED}),
        (FlowArchitectures, {}, {"measurement": DRAWN_FILLED}),
        (TravelProfile, {}, {"measurement": DRAWN_FILLED}),
        (Dispersions, {"without_lmc": 0}, {"measurement": DRAWN_FILLED}),
        (Surveys, {}, {"measurement": DRAWN}),
        (Quadrants, {"observation": "forecast-h3"}, {"measurement": DRAWN}),
        (PredictiveChecks, {"rows": MOCK_ROWS}, {"measurement": DRAWN}),
        (Quadrants, {"observation": "forecast-h3"}, {"measurement": FLOORED}),
        (PredictiveChecks, {"rows": MOCK_ROWS}, {"measurement": FLOORED}),
        (PredictiveChecks, {"rows": ("DESI, without v_tb",)}, {"measurement": FLOORED}),
        (TravelProfile, {}, {"measurement": FLOORED}),
        (TravelProfile, ACROSS_MOCK, {"measurement": FLOORED}),
        (Dispersions, {"data": ("sdss",), "without_lmc": 0}, {"measurement": FLOORED}),
    ],
)
def test_an_option_that_nothing_reads_is_refused(options, chosen, ignored):
    options(**chosen)
    with pytest.raises(ValueError, match=r"would be ignored: .*; leave it out"):
        options(**chosen, **ignored)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (TravelProfile, {"surveys": ("quadrants",), "selection": INNER}),
        (Quadrants, {"selection": INNER, "most_missing": 0.4}),
        (Dispersions, {"data": ("sdss+desi",), "largest_motion_error": 45.0}),
        (Binnings, {"surveys": ("desi",), "desi_stars": 900}),
        *((one, {"measurement": DRAWN}) for one in (Desi, Quadrants, Table2)),
        (DesiChoices, {"measurement": DRAWN_FILLED}),
        (PredictiveChecks, {"rows": ("DESI, with v_tb",), "measurement": FLOORED}),
        (TravelProfile, {"velocities": "v_gsr+v_tb", "measurement": FLOORED}),
        (Dispersions, {"measurement": FLOORED, "without_lmc": 0}),
        (Surveys, {"measurement": FLOORED}),
    ],
)
def test_an_option_that_is_read_is_taken(options, chosen):
    options(**chosen)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        *((one, {}) for one in STUDIES if one not in (Dispersions, Surveys, Binnings)),
        (Dispersions, {"without_lmc": 0}),
    ],
)
def test_an_lmc_that_the_prior_knows_is_not_inferred(options, chosen):
    """Where it is drawn within some errors of its measurement, stars alone say nothing."""
    stars_alone = {"measurement": Measurement(lmc_today="inferred"), **chosen}
    for campaign in (
        SimulationCampaign(simulations=4096),
        SimulationCampaign(simulations=200_000, lmc="observed"),
    ):
        with pytest.raises(ValueError, match="stars alone: choose --lmc table1"):
            options(**stars_alone, campaign=campaign)
    for campaign in (
        SimulationCampaign(simulations=4096, lmc="table1"),
        SimulationCampaign(simulations=200_000),
    ):
        options(**stars_alone, campaign=campaign)


@pytest.mark.parametrize(
    ("run", "options"), [(desi, Desi), (quadrants_posteriors, Quadrants)]
)
def test_a_floor_of_proper_motions_that_no_star_has_is_refused(
    run, options, monkeypatch
):
    """The bundled giants have none; before anything else is made of them."""
    giants = read_binned(find_table(SDSS_BINNED))
    monkeypatch.setattr(study, "load_binned", lambda *_, **__: giants)
    monkeypatch.setattr(study, "vectors", lambda *_: pytest.fail("it goes on"))
    with pytest.raises(
        ValueError, match=r"motion_floor 0\.02 would be ignored: .*v_tb"
    ):
        run(options(measurement=FLOORED))


def test_flows_are_not_compared_on_stars_without_proper_motions(monkeypatch):
    giants = read_binned(find_table(SDSS_BINNED))
    monkeypatch.setattr(architectures, "load_binned", lambda *_, **__: giants)
    monkeypatch.setattr(architectures, "vectors", lambda *_: {})
    with pytest.raises(ValueError, match="give DESI's stars with proper motions"):
        flow_architectures(FlowArchitectures())
