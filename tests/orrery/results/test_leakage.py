"""Laws of draws beyond all simulations: many are told of with the answer, few are not."""

from dataclasses import dataclass

import pytest

from orrery.results.answers import answer_sentences
from orrery.results.posterior_sections import _record_leakage
from orrery.results.recording import record
from orrery.results.sections import Answer


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def recorded(folder, share):
    """Returns the document of an answer whose draws leave the simulations so often."""
    with record("toy", Choices(), folder) as recording:
        answer = Answer("posterior.a.v.x", "A", "x", "km / s", 3.0, 1.0, 5.0)
        recording.answers([answer])
        _record_leakage(recording, "a.v", "A", "x", share)
    return recording.result.document


@pytest.mark.parametrize("share", [0.0, 0.069, 0.1])
def test_few_draws_beyond_the_simulations_are_let_pass(tmp_path, share):
    found = recorded(tmp_path, share)
    assert not found["verdicts"]
    assert not found["sections"]
    assert found["metrics"]["leakage.a.v.largest"] == share


@pytest.mark.parametrize("share", [0.11, 0.3238, 1.0])
def test_many_are_a_failed_test_of_the_answer(tmp_path, share):
    found = recorded(tmp_path, share)
    (verdict,) = found["verdicts"]
    assert verdict["passed"] is False
    assert f"{100 * share:.3g} % of the draws of x lie beyond" in verdict["text"]
    (caution,) = found["sections"]
    assert "simulate a wider prior" in caution["text"]
    (said,) = answer_sentences(found["answers"], found["verdicts"])
    assert said.endswith("It failed a test: Draws within the simulations.")
