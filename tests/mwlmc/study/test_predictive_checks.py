"""Laws of the verdict of a predictive check: what could not be tested has not passed."""

import numpy as np
import pytest

from mwlmc.study.predictive_checks import _verdict, as_measured
from orrery.judging import predictive
from orrery.records import Observation


def verdict(count, entries, shift):
    """Returns the verdict on a vector whose first entry is off by so many sigma."""
    random = np.random.default_rng(8)
    names = tuple(f"v{i}" for i in range(entries))
    data = np.eye(entries)[0] * shift
    nothing = np.zeros((entries, entries))
    seen = Observation("stars", names, ("km / s",) * entries, data, nothing, "abc", {})
    replicates = random.normal(size=(count, entries))
    return _verdict("check", "DESI", predictive.check(replicates, seen, seed=1))


@pytest.mark.parametrize(
    ("count", "entries", "shift", "passed"),
    [
        (250, 20, 0.0, True),
        (250, 20, 30.0, False),
        (250, 200, 0.0, None),
        (250, 200, 30.0, False),
    ],
)
def test_a_vector_passes_where_both_measures_could_find_it(
    count, entries, shift, passed
):
    found = verdict(count, entries, shift)
    assert found.passed is passed
    is_tested = count >= 2 * entries
    assert ("untested, as 250 simulations are too few" in found.text) is not is_tested
    assert ("check.whole_vector_pvalue" in found.shows) is is_tested


@pytest.mark.parametrize("scatter", [1.0, 3.0])
def test_a_mock_is_checked_as_a_survey_would_have_it(scatter):
    """Its expected value alone would pass, also where its stars scatter as no model's do."""
    random = np.random.default_rng(8)
    names = tuple(f"v{i}" for i in range(20))
    units = ("km / s",) * 20
    pvalues = []
    for seed in range(20):
        simulated = scatter * random.normal(size=(64, 20))
        mock = Observation(
            "forecast",
            names,
            units,
            simulated.mean(axis=0),
            0.1 * np.eye(20),
            "abc",
            {},
            simulated=simulated,
        )
        measured = as_measured(mock, seed)
        check = predictive.check(random.normal(size=(100, 20)), measured, seed)
        pvalues.append(check.whole_vector)
    # uniform where the model makes it
    expected = 0.5 if scatter == 1.0 else 0.0
    assert np.mean(pvalues) == pytest.approx(expected, abs=0.2)
    seen = Observation("stars", names, units, np.ones(20), np.eye(20), "abc", {})
    assert as_measured(seen, seed=1) is seen
