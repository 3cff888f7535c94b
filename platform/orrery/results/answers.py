"""Answers as documents hold them: numbers, or text in place of what is not finite."""

from collections.abc import Iterable, Sequence
from math import floor, log10
from typing import Any

from orrery.identity import JSON
from orrery.results.wording import OUTCOMES

_MOST_DECIMALS = 12
_COLUMNS = ("data", "quantity", "unit", "median", "lower", "upper")
_TESTED_BY = ("calibration", "prior_predictive", "predictive", "leakage")
UNUSABLE = "failed, not to be used"
"""The outcome of an answer that means nothing, by the tests that it failed."""
# Tests without which an answer means nothing, as a sentence calls them.
_DECISIVE = {
    "prior_predictive": "the prior predictive check",
    "calibration": "a test of its calibration",
    "information_gain": "the test of its information gain",
}
_WHERE_KNOWN = ("predicted_mean", "tests", "meaning", "source")


def are_numbers(ends: Iterable[object]) -> bool:
    """Returns whether all ends of an interval are numbers, so that there is one.

    Example:
        >>> are_numbers([20.4, 14.2, 27.9]), are_numbers([20.4, "-inf", 27.9])
        (True, False)
    """
    return all(isinstance(end, int | float) for end in ends)


def is_unknown(number: object) -> bool:
    """Returns whether a document has no number here: none, or the text that stood for it before.

    Example:
        >>> is_unknown(None), is_unknown("nan"), is_unknown("inf"), is_unknown(0.0)
        (True, True, False, False)
    """
    return number is None or number == "nan"


def known_prior(answer: JSON) -> list[float]:
    """Returns both ends of an answer's prior; none where they are not known.

    Documents from before they were kept have none.

    Example:
        >>> known_prior({"median": 20.4, "prior": [-60, 60]}), known_prior({"median": 20.4})
        ([-60.0, 60.0], [])
    """
    ends = answer.get("prior") or []
    known = len(ends) == 2 and are_numbers(ends)
    return [float(end) for end in ends] if known else []


def answer_columns(
    answers: Sequence[JSON], verdicts: Sequence[JSON]
) -> dict[str, list[Any]]:
    """Returns answers by column, what is not known as None; what none has is left out.

    Arguments:
        answers: Of a document, in words.
        verdicts: The document's; `tests` is what they say together of each answer.

    Example:
        >>> one = {"key": "posterior.desi.v_x", "data": "DESI", "quantity": "v_x", "median": 3.1}
        >>> answer_columns([one], [])["median"]
        [3.1]
    """
    answers = [{**one, "tests": outcome_of_tests(one, verdicts)} for one in answers]
    more = [
        name
        for name in _WHERE_KNOWN
        if any(one.get(name) not in (None, "") for one in answers)
    ]
    return {name: [one.get(name) for one in answers] for name in (*_COLUMNS, *more)}


def outcome_of_tests(answer: JSON, verdicts: Sequence[JSON]) -> str:
    """Returns what the tests of an answer say together; nothing where there are none.

    Arguments:
        answer: One of a document's.
        verdicts: The document's.

    Example:
        >>> flow = {"key": "posterior.mass.flow", "tests": ["calibration.flow"]}
        >>> outcome_of_tests(flow, [{"key": "calibration.flow.tarp", "passed": False}])
        'failed, not to be used'
        >>> outcome_of_tests({"key": "posterior.desi.v_gsr.v_x"}, [])
        ''
    """
    about = _tests_of(answer, verdicts)
    failed = [one for one in about if one["passed"] is False]
    if _decisive(failed):
        return UNUSABLE
    if failed:
        return OUTCOMES[False]
    untested = any(one["passed"] is None for one in about)
    return OUTCOMES[None] if untested else OUTCOMES[True] if about else ""


def _tests_of(answer: JSON, verdicts: Sequence[JSON]) -> list[JSON]:
    """Returns the verdicts of an answer's own tests."""
    data = answer["key"].partition(".")[2].rpartition(".")[0]
    places = answer.get("tests") or [f"{test}.{data}" for test in _TESTED_BY]
    return [one for one in verdicts if _is_below(one["key"], places)]


def _decisive(failed: Sequence[JSON]) -> list[str]:
    """Returns what those failed tests are called without which an answer means nothing."""
    kinds = {_kind(one["key"]) for one in failed}
    return [called for kind, called in _DECISIVE.items() if kind in kinds]


def _kind(key: str) -> str:
    """Returns of which kind a test is; the information gain stands among the calibration."""
    first, last = key.partition(".")[0], key.rpartition(".")[2]
    return last if last in _DECISIVE else first


def _is_below(key: str, places: Iterable[str]) -> bool:
    return any(key == place or key.startswith(f"{place}.") for place in places)


def doubt(answer: JSON, verdicts: Sequence[JSON]) -> str:
    """Returns a sentence on an answer that not all of its tests passed; nothing otherwise.

    Arguments:
        answer: One of a document's.
        verdicts: The document's.

    Example:
        >>> one = {"key": "posterior.desi.v_gsr.v_x"}
        >>> check = {"key": "prior_predictive.desi.v_gsr", "passed": False}
        >>> doubt(one, [check])
        'It failed the prior predictive check: not to be used.'
        >>> doubt(one, [{**check, "passed": True}])
        ''
    """
    about = _tests_of(answer, verdicts)
    failed = [one for one in about if one["passed"] is False]
    if decisive := _decisive(failed):
        return f"It failed {' and '.join(decisive)}: not to be used."
    if failed:
        # what comes after the comma says of which data it is
        names = dict.fromkeys(one["test"].partition(",")[0] for one in failed)
        return f"It failed a test: {', '.join(names)}."
    if any(one["passed"] is None for one in about):
        return "Not all of its tests could say something."
    return ""


def recommended(answers: Sequence[JSON]) -> list[JSON]:
    """Returns the answers that stand in sentences: what was asked for first, of each data."""
    first = [one for one in answers if not one.get("alternative")]
    return [one for one in first if one["quantity"] == first[0]["quantity"]]


def decimals(answers: Sequence[JSON], quantity: str, unit: str) -> int:
    """Returns how many decimals a quantity deserves: two digits of its narrowest interval.

    Arguments:
        answers: Of a document.
        quantity: The quantity.
        unit: In which it is: in another its numbers are others.

    Example:
        >>> one = {"quantity": "k", "unit": "pc", "median": 0.0012}
        >>> decimals([{**one, "lower": 0.001, "upper": 0.0015}], "k", "pc")
        5
    """
    widths = [
        one["upper"] - one["lower"]
        for one in answers
        if (one["quantity"], one["unit"]) == (quantity, unit) and has_interval(one)
    ]
    narrowest = min((width for width in widths if width > 0), default=0.0)
    if not narrowest:
        return 2
    return 1 if narrowest >= 1.0 else min(1 - floor(log10(narrowest)), _MOST_DECIMALS)


def has_interval(answer: JSON) -> bool:
    """Returns whether an answer has an interval; numbers that are not finite are text.

    Example:
        >>> has_interval({"median": 20.4, "lower": 14.2, "upper": None})
        False
    """
    return are_numbers((answer["median"], answer["lower"], answer["upper"]))


def answer_sentences(
    answers: Sequence[JSON], verdicts: Sequence[JSON] = ()
) -> list[str]:
    """Returns what was asked for first, of each data in a sentence, after what it is.

    Arguments:
        answers: Of a document, in words.
        verdicts: The document's.

    Example:
        >>> one = {"key": "posterior.desi.v_x", "data": "DESI", "quantity": "v_x"}
        >>> one |= {"unit": "km/s", "source": "856 stars"}
        >>> numbers = {"median": 3.1, "lower": 1.0, "upper": 5.2}
        >>> answer_sentences([{**one, **numbers, "meaning": "a speed"}])
        ['v_x: a speed.', 'v_x = 3.1 +2.1 -2.1 km/s, from DESI (856 stars).']
    """
    asked = recommended(answers)
    meanings = dict.fromkeys(one["meaning"] for one in asked if one.get("meaning"))
    said = [f"{asked[0]['quantity']}: {meaning}." for meaning in meanings]
    for one in filter(has_interval, asked):
        digits = decimals(answers, one["quantity"], one["unit"])
        middle, low, high = one["median"], one["lower"], one["upper"]
        value = f"{middle:.{digits}f} +{high - middle:.{digits}f} -{middle - low:.{digits}f}"
        unit = f" {one['unit']}" if one["unit"] else ""
        source = f" ({one['source']})" if one.get("source") else ""
        sentence = f"{one['quantity']} = {value}{unit}, from {one['data']}{source}."
        said.append(f"{sentence} {doubt(one, verdicts)}".strip())
    return said
