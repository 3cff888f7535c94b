"""Where a mass has no interval the page begins with that, and with what would give one."""

from dataclasses import dataclass
from math import nan

import pytest
from tests.halomass.study.conftest import make_universe

from halomass.study.options import HostCampaign
from halomass.study.study import _answers
from halomass.study.unknown_intervals import (
    hosts_for_an_interval,
    record_unknown_intervals,
)
from orrery.judging.regression import PredictionInterval
from orrery.results.recording import record


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def unknown(tests, prediction=11.801):
    return PredictionInterval(prediction, nan, nan, nan, 0.68, tests)


KNOWN = PredictionInterval(12.1, 12.0, 12.1, 12.3, 0.68, 150)


@pytest.fixture
def told(tmp_path):
    def found(answers, **campaign):
        named = {key: (f"{key} neighbours", one) for key, one in answers.items()}
        chosen = HostCampaign(**{"hosts": 512, **campaign})
        with record("toy", Choices(), tmp_path) as recording:
            record_unknown_intervals(recording, "Andromeda", named, chosen)
        return recording.result

    return found


def test_where_no_mass_has_an_interval_the_page_begins_with_it(told):
    found = told({"10": unknown(21)})
    assert [one["kind"] for one in found.sections] == ["headline", "warning"]
    for one in found.sections:
        assert one["title"] == "Mass of Andromeda: no interval"
        assert one["text"] == (
            "10 neighbours: no interval, because too few hosts were predicted alike (21 of the "
            "100 that it takes): simulate more, such as --hosts 3100. The predicted mean of "
            "log10 M_vir is 11.80."
        )
    *counted, mean = found.sections[0]["shows"]
    assert [found.metrics[name] for name in counted] == ["10 neighbours", 21, 100, 3100]
    assert mean == "posterior.mass.10.predicted_mean"


def test_where_one_mass_has_an_interval_others_are_a_caution(told):
    found = told({"25": KNOWN, "10": unknown(21)})
    assert [one["kind"] for one in found.sections] == ["warning"]
    assert "25" not in found.sections[0]["text"]


def test_what_has_an_interval_is_not_spoken_of(told):
    assert told({"10": KNOWN}).sections == []


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (unknown(0), "--hosts 64000. Or its mass is beyond those that were simulated."),
        (unknown(130), "all 130 hosts that were predicted alike are on one side of it"),
        (unknown(0, nan), "no mass, because no mock survey finds enough neighbours."),
    ],
)
def test_the_reason_is_said(told, interval, said):
    text = told({"10": interval}).sections[0]["text"]
    assert said in text
    assert "nan" not in text


def test_so_many_hosts_are_enough():
    for alike in (1, 7, 50, 99):
        more = hosts_for_an_interval(512, alike)
        assert alike * more / 512 > 100


def test_the_predicted_mean_stands_in_the_place_of_the_answer():
    name = "10 neighbours"
    [answer] = _answers({name: unknown(21)}, {name: make_universe(1, 0.0).estimator})
    assert answer.data == "10 neighbours"
    assert answer.predicted_mean == 11.801
    assert answer.document["median"] is None
