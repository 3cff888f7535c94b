"""One name, one meaning; and words that others search for, in one spelling."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLATFORM = ROOT / "platform"
SOURCES = sorted(PLATFORM.rglob("*.py"))
TEXTS = sorted(
    path
    for pattern in ("platform/**/*.py", "platform/**/*.md", "experiments/*.py", "*.md")
    for path in ROOT.glob(pattern)
)

# Public names of several modules: they mean the same wherever they are, and why.
SHARED = {
    **dict.fromkeys(("DEG", "KMS", "KPC", "MASYR"), "a unit, of either science"),
    **dict.fromkeys(("G", "K"), "a constant of nature, of either science"),
    **dict.fromkeys(("Options", "R"), "a type variable"),
    **dict.fromkeys(
        ("VERSION", "VERSIONS", "SUMMARIES"), "of the module's numbers, of a study's"
    ),
    **dict.fromkeys(("evolve", "rewind"), "stars and centres, by one engine or other"),
    **dict.fromkeys(("fit", "fit_plan"), "trains what the module is named after"),
    "read_alone": "in a process of its own, a file of the module's kind",
    "add": "adds a command to those of `orrery`",
    "COMMANDS": "of either science",
    "NAMESPACE": "what stands before names of the module's functions that summarise",
    "KIND": "what the module's artefact is called on the disk",
    "Simulator": "the machinery's protocol, and the science's that keeps it",
    "load": "opens what `fit` has kept",
    "main": "of a command line",
}

RETIRED = (
    *(r"looked_at_by", r"\bTested\b", r"PredictedLike", r"\bask_rows\b", r"\bShelf\b"),
    *(r"newborn", r"INFANCY", r"GREETING", r"SILENCE", r"_bury\b", r"_welcome\b"),
    *(r"Convoy", r"close_ranks", r"\bfates\b", r"as-observed", r"label_perfect"),
    *(r"control that must fail", r"[Ii]mpossible observation", r"[Nn]othing learned"),
    *(
        r"the data bought",
        r"\b[Hh]aloes\b",
        r"told_by",
        r"Untold",
        r"_told\b",
        r"_TOLD\b",
    ),
    *(r"\btold = ", r"\*told\b"),
)


@cache
def content(path):
    """Returns the text of a file, which each of the words is looked for in."""
    return path.read_text(encoding="utf-8")


def defined(tree):
    """Returns the public names that a module defines at its top."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = getattr(node, "targets", None) or [node.target]
            names = [t.id for t in targets if isinstance(t, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def test_a_public_name_is_of_one_module_or_means_the_same_in_all():
    homes = defaultdict(set)
    for path in SOURCES:
        for name in defined(ast.parse(content(path))):
            homes[name].add(str(path.relative_to(PLATFORM)))
    several = {name: sorted(where) for name, where in homes.items() if len(where) > 1}
    assert several.keys() == SHARED.keys(), (
        "give things of other meanings other names, or say here that they mean the same: "
        f"{ {n: several.get(n) for n in several.keys() ^ SHARED.keys()} }"
    )


@pytest.mark.parametrize("word", RETIRED)
def test_words_that_nobody_searches_for_stay_gone(word):
    found = {
        str(path.relative_to(ROOT)): line
        for path in TEXTS
        if re.search(word, content(path))  # rarely: its lines are told apart only then
        for line in content(path).splitlines()
        if re.search(word, line)
    }
    assert found == {}


def test_names_of_all_kinds_are_seen():
    source = "A = 1\nB: int = 2\n_c = 3\ndef d(): pass\nclass E:\n    f = 4\nx.y = 5"
    assert list(defined(ast.parse(source))) == ["A", "B", "d", "E"]
