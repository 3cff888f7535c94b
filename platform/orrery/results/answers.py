"""Answers as documents hold them: numbers, or text in place of what is not finite."""

from collections.abc import Iterable

from orrery.identity import JSON


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
