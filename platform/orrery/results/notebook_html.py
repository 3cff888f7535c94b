"""What a notebook shows of a study and of a result: HTML, in which every text is escaped.

A result begins with its answer, then says whether it can be trusted.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.answers import (
    are_numbers,
    is_unknown,
    known_prior,
    outcome_of_tests,
)
from orrery.results.wording import OUTCOMES, UNTESTED, unit_in_words

_DASH = "\N{EN DASH}"
_HEAD = ("data", "quantity", "median", "16-84 %", "prior, 16-84 %", "unit")


def result_html(document: JSON, page: Path | None) -> str:
    """Returns a result: the answer with its prior, whether its tests were passed, its page.

    Arguments:
        document: The content of its `run.json`.
        page: Its page, if there is one.
    """
    head = f"{document['experiment']}, {document['status']}"
    parts = [f"<p><b>{escape(head)}</b></p>"]
    if document["reason"]:
        parts.append(f"<pre>{escape(document['reason'])}</pre>")
    rows = [_row(one) for one in document["answers"]]
    tested = [
        outcome_of_tests(one, document["verdicts"]) for one in document["answers"]
    ]
    if any(tested):
        rows = [[*row, said] for row, said in zip(rows, tested, strict=True)]
    if rows:
        parts.append(_table((*_HEAD, "tests") if any(tested) else _HEAD, rows))
    parts += _trust(document["verdicts"])
    if page is not None:
        parts.append(f"<p>The whole page: <code>{escape(str(page))}</code></p>")
    return f"<div>{''.join(parts)}</div>"


def posterior_html(
    key: str,
    found: Mapping[str, tuple[Any, Any]],
    priors: Mapping[str, tuple[float, float]],
) -> str:
    """Returns a posterior: medians and intervals of its draws, with those of the prior.

    Arguments:
        key: Of the data.
        found: By parameter its unit, and 16, 50 and 84 % of the draws.
        priors: By parameter the prior's 16 and 84 %, where they are known.
    """
    rows = [
        [
            name,
            *_interval(median, lower, upper, priors.get(name, ())),
            unit_in_words(str(unit or "")),
        ]
        for name, (unit, (lower, median, upper)) in found.items()
    ]
    table = _table(("parameter", *_HEAD[2:]), rows)
    return f"<div><p><b>Posterior, {escape(key)}</b></p>{table}</div>"


def study_html(
    question: str, command: str, options: Mapping[str, Any], changed: Mapping[str, Any]
) -> str:
    """Returns a study: what it asks, how to start it, and its options.

    Arguments:
        question: The question, in a line.
        command: The same study as a command line.
        options: All options by name.
        changed: Those that are not at their defaults.
    """
    first = [(name, value) for name, value in options.items() if name in changed]
    rest = [(name, value) for name, value in options.items() if name not in changed]
    parts = [
        f"<p><b>{escape(question)}</b></p>",
        f"<p><code>{escape(command)}</code>, or <code>.run()</code></p>",
    ]
    if first:
        parts.append(_table(("changed", "value"), first))
    folded = _table(("option", "value"), rest)
    parts.append(f"<details><summary>All other options</summary>{folded}</details>")
    return f"<div>{''.join(parts)}</div>"


def _row(answer: JSON) -> Sequence[str]:
    ends = [answer["median"], answer["lower"], answer["upper"]]
    called = [answer["data"], answer["quantity"]]
    if not are_numbers(ends):
        return [*called, *_without_interval(answer), unit_in_words(answer["unit"])]
    median, lower, upper = ends
    shown = _interval(median, lower, upper, known_prior(answer))
    return [*called, *shown, unit_in_words(answer["unit"])]


def _without_interval(answer: JSON) -> list[str]:
    """Returns what stands for an unknown interval: the mean that was predicted, if any was."""
    median, mean = answer["median"], answer.get("predicted_mean")
    if are_numbers([mean]):
        prior = [f"{end:.2f}" for end in known_prior(answer)]
        return [f"{mean:.2f}, predicted mean", "no interval", " to ".join(prior)]
    return [_DASH if is_unknown(median) else str(median), "", ""]


def _interval(
    median: float, lower: float, upper: float, prior: Sequence[float]
) -> list[str]:
    """Returns a median, its interval and the prior's, to as many decimals as that deserves."""
    decimals = _decimals(upper - lower)

    def written(number: float) -> str:
        return f"{number:.{decimals}f}"

    ends = f"{written(lower)} to {written(upper)}"
    return [written(median), ends, " to ".join(map(written, prior))]


def _decimals(width: float) -> int:
    """Returns how many decimals show two digits of an interval's width."""
    if not width > 0:
        return 2
    return min(max(1 - math.floor(math.log10(width)), 0), 6)


def _trust(verdicts: Sequence[JSON]) -> list[str]:
    """Returns how many tests were passed, and each that was not with its numbers."""
    if not verdicts:
        return ["<p>Nothing was tested.</p>"]
    passed = sum(one["passed"] is True for one in verdicts)
    parts = [f"<p>{passed} of {len(verdicts)} tests were passed.</p>"]
    others = [one for one in verdicts if one["passed"] is not True]
    if others:
        items = "".join(f"<li>{_verdict(one)}</li>" for one in others)
        parts.append(f"<ul>{items}</ul>")
    if any(one["passed"] is None for one in verdicts):
        parts.append(f"<p>{escape(UNTESTED)}</p>")
    return parts


def _verdict(one: JSON) -> str:
    how = OUTCOMES[one["passed"]]
    return f"<b>{escape(one['test'])}: {how}.</b> {escape(one['text'])}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
