"""Every number that stands on a page, and whether the run's document holds it by name.

Three laws. What a page shows is what its document says, part by part and cell by cell.
The numbers in a part's sentences are the values of the keys that it says it shows, one
for each and in their order: none more, and none less. And a cell has one key: that of its
table, what its row is called, and its column. A few conventions, such as 16-84 %, are no
numbers of a run: they are listed here, and nothing else is excused.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from page_parts import DURATION, digits_elsewhere, flat, is_number, is_rounded, shown

from orrery.results.wording import worded_document

PLATFORM = Path(__file__).parents[2] / "platform"
# a hyphen between two numbers is no sign, and what touches letters is a name
NUMBER = re.compile(
    rf"(?<![\w.]){DURATION}(?![\w:])"
    r"|(?:(?<![\w.)+\-])[+\-\N{MINUS SIGN}])?"
    r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)"
)
# What a reader takes for a name or a rule and not for a number of this run: levels of
# intervals, papers and their tables, names of quantities and of ensembles. Each is
# allowed as it stands here and in no other form.
CONVENTION = re.compile(
    r"\b(?:16-84|16 and 84|2\.5-97\.5|68|95|68 and 95) %"
    r"|\b1 and 2 sigma\b"
    r"|\b(?:Hayati et al\. \(2025\)(?:, arXiv:2509\.25362)?|Brooks et al\. \(2025b\))"
    r"|\bTable [123]\b"
    r"|\(<50 kpc\)"
    r"|\b200 times the critical density\b"
    r"|\b10\^"
    r"|(?<! of )\b(?:25|10) neighbours\b"
)

ESTIMATE = re.compile(r"(-?\d+(?:\.\d+)?) \+(\d+(?:\.\d+)?) -(\d+(?:\.\d+)?)")
OURS = ("median", "upper_error", "lower_error")
THEIRS = ("published", "plus", "minus")


# --- the second law: numbers in sentences are values with a name ----------------------


@dataclass(frozen=True)
class Part:
    """The sentences of one part of a document, and the values that they show."""

    key: str
    sentences: tuple[str, ...]
    values: tuple[tuple[str, int | float], ...]  # one for each number, in their order
    names: tuple[str, ...]  # which may have numbers in them

    @cached_property
    def numbers(self) -> list["Said"]:
        """All numbers in the sentences, without those of conventions."""
        return [*self._numbers()]

    def _numbers(self) -> Iterator["Said"]:
        for sentence in self.sentences:
            plain = blanked(sentence, self.names)
            for name in CONVENTION.findall(plain):
                plain = plain.replace(name, "\0" * len(name))
            for found in NUMBER.finditer(plain):
                yield Said(found.group(), plain[: found.start()], plain[found.end() :])

    def problems(self, said: list["Said"]) -> list[str]:
        """Returns what is wrong with the numbers in the sentences, or with others."""
        wrong = [
            f"{one} is not {name} = {value}"
            for one, (name, value) in zip(said, self.values, strict=False)
            if not one.is_value(value)
        ]
        more = said[len(self.values) :]
        untold = self.values[len(said) :]
        wrong += [f"{one} has no key" for one in more]
        return wrong + [f"{name} = {value} is not told" for name, value in untold]


@dataclass(frozen=True)
class Said:
    """A number in a sentence."""

    number: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.before[-60:]}[{self.number}]{self.after[:40]}"

    def is_value(self, value) -> bool:
        """Returns whether it is a value, or that in per cent."""
        share = self.after.startswith(" %")
        return is_rounded(self.number, 100 * value if share else value)


def parts(document: dict) -> Iterator[Part]:
    """Returns the titles, captions, texts and verdicts of a document."""
    named = {f"options.{place}": v for place, v in flat(document["options"])}
    named |= document["metrics"]
    tables = {s["key"]: s for s in document["sections"] if "rows" in s}
    origins = [entry["name"] for entry in document["lineage"].get("datasets", ())]
    answers = [one for one in document["answers"] if one.get("source")]
    for one in (*document["sections"], *document["verdicts"], *answers):
        title = one.get("title") or one.get("test") or ""
        shown_values = [(key, looked_up(key, named, tables)) for key in one["shows"]]
        if one.get("kind") == "draws":
            shown_values.append(("count", one["count"]))
        quoted = {key.partition("[")[0] for key in one["shows"] if "[" in key}
        texts = [*origins, *(value for _, value in shown_values)]
        for key in quoted | {one["key"]} & {*tables}:
            texts += table_texts(tables[key])
        yield Part(
            one["key"],
            (title, *one.get("text", one.get("source")).split("\n\n")),
            tuple(pair for pair in shown_values if is_number(pair[1])),
            tuple(text for text in texts if is_name(text)),
        )


def looked_up(key: str, named: dict, tables: dict) -> object:
    """Returns what has a key: a metric, an option, or a cell, `table[row].column`.

    Raises:
        KeyError: If nothing has it, or more than one row.
    """
    address = re.fullmatch(r"([\w.]+)\[(.*)\]\.(.+)", key)
    if address is None:
        return named[key]
    table = tables[address[1]]
    column = [one["name"] for one in table["columns"]].index(address[3])
    found = [row for row in table["rows"] if is_called(row, address[2])]
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows are called {key}")
    return found[0][column]


def is_called(row: list, name: str) -> bool:
    """Returns whether the first cells of a row are its name."""
    return any(name == ", ".join(map(str, row[:count])) for count in range(1, len(row)))


def table_texts(table: dict) -> list[object]:
    """Returns the cells of a table, and what its columns are called."""
    cells = [value for row in table["rows"] for value in row]
    return [*cells, *(column["name"] for column in table["columns"])]


def is_name(value: object) -> bool:
    """Returns whether a value is a text with a number in it."""
    return (
        isinstance(value, str)
        and NUMBER.search(value) is not None
        and re.search("[A-Za-z]", value) is not None
    )


def blanked(sentence: str, names: tuple[str, ...]) -> str:
    """Returns a sentence without names, which may have numbers in them."""
    for name in sorted(names, key=len, reverse=True):
        sentence = sentence.replace(name, "\0" * len(name))
    return sentence


def unknown(folder: Path) -> list[tuple[str, str]]:
    """Returns what a run's page shows and its document does not hold, with its place."""
    document = json.loads((folder / "run.json").read_text())
    page = (folder / "report.html").read_text()
    pieces = shown(page, as_written(document))
    wrong = [(one.place, one.text) for one in pieces if not one.is_right]
    wrong += [
        (p.key, wrong) for p in parts(document) for wrong in p.problems(p.numbers)
    ]
    wrong += [
        (place, f"{one.number} is not {value}")
        for place, one, value in estimates(document)
        if not one.is_value(value)
    ]
    tables = (one for one in document["sections"] if "rows" in one)
    return wrong + [(one["key"], why) for one in tables for why in ambiguous(one)]


def elsewhere(folder: Path) -> Counter:
    """Returns the digits on a run's page outside of all that is compared, and how many."""
    document = json.loads((folder / "run.json").read_text())
    return digits_elsewhere((folder / "report.html").read_text(), as_written(document))


def as_written(document: dict) -> dict:
    """Returns a document in the words of its page, which change no digit."""
    written = worded_document(document)
    before, after = (
        re.sub(r"\D", "", json.dumps(one, ensure_ascii=False))
        for one in (document, written)
    )
    assert before == after
    return written


def ambiguous(table: dict) -> Iterator[str]:
    """Yields what keeps a table's cells from having one address each."""
    columns = Counter(column["name"] for column in table["columns"])
    yield from (f"{n} columns are called {c}" for c, n in columns.items() if n > 1)
    rows = Counter(map(json.dumps, table["rows"]))
    if max(rows.values(), default=1) > 1:
        yield f"{rows.most_common(1)[0]} rows are equal"


# --- medians with their errors, as texts of a table ------------------------------------


def estimates(document: dict) -> Iterator[tuple[str, "Said", float]]:
    """Yields each number of cells such as `8.1 +4.5 -2.5 | 8.9 +2.5 -2.2`, with its value.

    Ours are the answers' metrics, the published ones those of the table's lines.
    """
    keys = {(one["data"], one["quantity"]): one["key"] for one in document["answers"]}
    tables = {s["key"]: s for s in document["sections"] if "rows" in s}
    for key, table in tables.items():
        for row in table["rows"]:
            for column, text in zip(table["columns"], row, strict=True):
                found = ESTIMATE.findall(text) if isinstance(text, str) else []
                quantity = column["name"].partition(" [")[0]
                line = f"{key}.lines[{row[0]}, {quantity}]"
                names = [f"{keys.get((row[0], quantity))}.{end}" for end in OURS]
                names += [f"{line}.{end}" for end in THEIRS]
                for name, number in zip(names, sum(found, ()), strict=False):
                    value = looked_up(name, document["metrics"], tables)
                    yield (
                        f"{key}[{row[0]}].{column['name']}",
                        Said(number, "", ""),
                        value,
                    )


# --- the strength of both laws --------------------------------------------------------


def accepted_mutations(folder: Path) -> dict[str, tuple[int, int]]:
    """Returns how many wrong numbers would pass, of how many, by what is wrong.

    In `cells` and `sentences` each number of the page gets three other last digits in
    turn. A wrong number in a sentence is one that the document's sentence has, too, so
    that only the values which the sentence shows can tell. In `swaps` two numbers of a
    part that follow each other change places.
    """
    document = json.loads((folder / "run.json").read_text())
    page = (folder / "report.html").read_text()
    pieces = shown(page, as_written(document))
    cells = [
        replace(one, text=text).is_right
        for one in pieces
        if is_number(one.value)
        for text in other_numbers(one.text)
    ]
    sentences = [
        not part.problems(
            [*part.numbers[:i], replace(one, number=text), *part.numbers[i + 1 :]]
        )
        for part in parts(document)
        for i, one in enumerate(part.numbers)
        for text in other_numbers(one.number)
    ]
    cells += [
        replace(one, number=text).is_value(value)
        for _, one, value in estimates(document)
        for text in other_numbers(one.number)
    ]
    swaps = [
        not part.problems(swapped(part.numbers, i))
        for part in parts(document)
        for i, (one, other) in enumerate(pairwise(part.numbers))
        if differ(one, other, part.values[i : i + 2])
    ]
    return {
        "cells": (sum(cells), len(cells)),
        "sentences": (sum(sentences), len(sentences)),
        "swaps": (sum(swaps), len(swaps)),
    }


def differ(one: Said, other: Said, values) -> bool:
    """Returns whether two numbers are wrong in each other's place: 0.10 is 0.1."""
    return not (other.is_value(values[0][1]) and one.is_value(values[1][1]))


def swapped(said: list[Said], i: int) -> list[Said]:
    """Returns numbers of which two that follow each other stand in each other's place."""
    first, second = said[i], said[i + 1]
    exchanged = [
        replace(first, number=second.number),
        replace(second, number=first.number),
    ]
    return [*said[:i], *exchanged, *said[i + 2 :]]


def other_numbers(text: str) -> list[str]:
    """Returns a number with three other last digits; none where the text has no digits."""
    mantissa, exponent, power = text.partition("e")
    digit = mantissa[-1:]
    return [
        f"{mantissa[:-1]}{(int(digit) + step) % 10}{exponent}{power}"
        for step in (1, 4, 7)
        if digit.isdecimal()
    ]
