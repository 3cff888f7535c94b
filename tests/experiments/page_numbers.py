"""Every number that stands on a page, and whether the run's document holds it by name.

Two laws. What a page shows is what its document says, part by part and cell by cell. And
the numbers in a part's sentences are the values of the keys that it says it shows: none
more, and none less. A table's sentences may also quote its cells, of a row that they
name. Numbers that stand in the code's own sentences, such as 16-84 %, say nothing of a
run.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from page_parts import DURATION, flat, is_number, is_rounded, shown

PLATFORM = Path(__file__).parents[2] / "platform"
# a hyphen between two numbers is no sign, and what touches letters is a name
NUMBER = re.compile(
    rf"(?<![\w.]){DURATION}(?![\w:])"
    r"|(?:(?<![\w.)+\-])[+\-\N{MINUS SIGN}])?"
    r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)"
)
CONTEXT = 12  # characters on either side by which one of the code's sentences is known
FEWEST = 8  # of them must be there, or 5 within a longer sentence


# --- the second law: numbers in sentences are values with a name ----------------------


@dataclass(frozen=True)
class Part:
    """The sentences of one part of a document, and the values that they show."""

    key: str
    sentences: tuple[str, ...]
    values: dict[str, int | float]  # by key: these must all be shown
    rows: tuple[list, ...]  # of tables that may be quoted
    names: tuple[str, ...]  # which may have numbers in them
    quotes: bool  # a miss may tell of the bound that it missed, or not

    @cached_property
    def numbers(self) -> list["Said"]:
        """All numbers in the sentences."""
        return [*self._numbers()]

    def _numbers(self) -> Iterator["Said"]:
        for sentence in (s for s in self.sentences if s not in code_sentences()):
            labels = label_places(sentence, self.rows)
            plain = blanked(sentence, self.names)
            for found in NUMBER.finditer(plain):
                before, after = plain[: found.start()], plain[found.end() :]
                near = nearest(labels, plain, found.start())
                cells = [v for row in self.rows if label(row) in near for v in row]
                yield Said(
                    found.group(), before, after, tuple(filter(is_number, cells))
                )

    def problems(self, said: list["Said"]) -> list[str]:
        """Returns what is wrong with the numbers in the sentences, or with others."""
        wrong = [str(one) for one in said if not one.is_held(self.values.values())]
        if not self.quotes:
            wrong += [
                f"{name} = {value} is not told"
                for name, value in self.values.items()
                if not any(one.is_value(value) for one in said)
            ]
        return wrong


@dataclass(frozen=True)
class Said:
    """A number in a sentence, and the cells of the rows that the sentence names."""

    number: str
    before: str
    after: str
    cells: tuple[int | float, ...]

    def __str__(self) -> str:
        return f"{self.before[-60:]}[{self.number}]{self.after[:40]}"

    def is_held(self, values) -> bool:
        """Returns whether it is one of the values, or of the code's own numbers."""
        constants = code_numbers(self.before[-CONTEXT:], self.after[:CONTEXT])
        if constants:
            return self.number in constants
        return any(self.is_value(value) for value in (*values, *self.cells))

    def is_value(self, value) -> bool:
        """Returns whether it is a value, or that in per cent."""
        share = self.after.startswith(" %")
        return is_rounded(self.number, 100 * value if share else value)


def parts(document: dict) -> Iterator[Part]:
    """Returns the titles, captions, texts and verdicts of a document."""
    named = {f"options.{place}": v for place, v in flat(document["options"])}
    named |= document["metrics"]
    tables = {s["key"]: s["rows"] for s in document["sections"] if "rows" in s}
    origins = [entry["name"] for entry in document["lineage"].get("datasets", ())]
    for one in (*document["sections"], *document["verdicts"]):
        title = one["title"] if "title" in one else one["test"]
        values = {key: named[key] for key in one["shows"] if key in named}
        values |= {"count": one["count"]} if one.get("kind") == "draws" else {}
        quoted = [key for key in (one["key"], *one["shows"]) if key in tables]
        lost = {*one["shows"]} - {*named} - {*tables}
        if lost:
            raise ValueError(f"{one['key']} shows keys that nothing has: {lost}")
        rows = tuple(row for key in quoted for row in tables[key])
        cells = [value for row in rows for value in row]
        texts = [v for v in (*origins, *values.values(), *cells) if is_text(v)]
        yield Part(
            one["key"],
            (title, *one["text"].split("\n\n")),
            {key: value for key, value in values.items() if is_number(value)},
            rows,
            tuple(texts),
            quotes=one["key"].startswith("misses."),
        )


def is_text(value: object) -> bool:
    """Returns whether a value is a name with a number in it."""
    return (
        isinstance(value, str)
        and NUMBER.search(value) is not None
        and re.search("[A-Za-z]", value) is not None
    )


def label(row: list) -> str:
    """Returns what a row of a table is called: its first text."""
    return next((value for value in row if isinstance(value, str)), "")


def label_places(sentence: str, rows: tuple[list, ...]) -> list[tuple[int, str]]:
    """Returns where a sentence names rows, in order; the longest of several names."""
    found = {}
    for name in sorted({label(row) for row in rows} - {""}, key=len):
        for one in re.finditer(re.escape(name), sentence):
            found[one.start()] = name
    return sorted(found.items())


def nearest(labels: list[tuple[int, str]], plain: str, place: int) -> set[str]:
    """Returns the names before a place, those with no number between them, or the first."""
    before = [(start, name) for start, name in labels if start < place]
    if not before:
        return {name for _, name in labels[:1]}
    kept = [before.pop()]
    while before and not NUMBER.search(plain, before[-1][0], kept[-1][0]):
        kept.append(before.pop())
    return {name for _, name in kept}


def blanked(sentence: str, names: tuple[str, ...]) -> str:
    """Returns a sentence without names, which may have numbers in them."""
    for name in sorted(names, key=len, reverse=True):
        sentence = sentence.replace(name, "\0" * len(name))
    return sentence


@cache
def code_contexts() -> dict[str, set[tuple[str, str]]]:
    """Returns the numbers in the code's own sentences, with the text around them."""
    found = {}
    for sentence in sorted(code_sentences()):
        for one in NUMBER.finditer(sentence):
            before = sentence[max(one.start() - CONTEXT, 0) : one.start()]
            after = sentence[one.end() : one.end() + CONTEXT]
            known = len(f"{before}{after}".replace(" ", ""))
            cut = CONTEXT in (len(before), len(after))
            if known >= FEWEST or (cut and known >= 5):
                found.setdefault(one.group(), set()).add((before, after))
    return found


@cache
def code_sentences() -> frozenset[str]:
    """Returns the strings in the code, without those that document it."""
    return frozenset(_code_sentences())


def _code_sentences() -> Iterator[str]:
    for path in sorted(PLATFORM.rglob("*.py")):
        tree = ast.parse(path.read_text())
        documentation = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
        }
        constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant))
        for node in constants:
            if isinstance(node.value, str) and id(node) not in documentation:
                yield node.value


@cache
def code_numbers(before: str, after: str) -> set[str]:
    """Returns the numbers that stand between the same words in the code."""
    return {
        number
        for number, contexts in code_contexts().items()
        for left, right in contexts
        if before.endswith(left) and after.startswith(right)
    }


def unknown(folder: Path) -> list[tuple[str, str]]:
    """Returns what a run's page shows and its document does not hold, with its place."""
    document = json.loads((folder / "run.json").read_text())
    page = (folder / "report.html").read_text()
    wrong = [(one.place, one.text) for one in shown(page, document) if not one.is_right]
    return wrong + [
        (p.key, wrong) for p in parts(document) for wrong in p.problems(p.numbers)
    ]


# --- the strength of both laws --------------------------------------------------------


def accepted_mutations(folder: Path) -> dict[str, tuple[int, int]]:
    """Returns how many wrong numbers would pass, of how many, in `cells` and `sentences`.

    Each number of the page gets three other last digits in turn. A wrong number in a
    sentence is one that the document's sentence has, too, so that only the values which
    the sentence shows can tell.
    """
    document = json.loads((folder / "run.json").read_text())
    pieces = shown((folder / "report.html").read_text(), document)
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
    return {
        "cells": (sum(cells), len(cells)),
        "sentences": (sum(sentences), len(sentences)),
    }


def other_numbers(text: str) -> list[str]:
    """Returns a number with three other last digits; none where the text has no digits."""
    mantissa, exponent, power = text.partition("e")
    digit = mantissa[-1:]
    return [
        f"{mantissa[:-1]}{(int(digit) + step) % 10}{exponent}{power}"
        for step in (1, 4, 7)
        if digit.isdecimal()
    ]
