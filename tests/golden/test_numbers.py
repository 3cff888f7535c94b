"""A number that is replaced is noticed, however it was written, and one that moves is none."""

import ast
import re

import pytest

from . import numbers, syntax
from .lock import Lock, changed_constants, constants, replaced_numbers, states

COMPARISON = "mwlmc.study.comparison"
BEYOND = r"^SCATTER_BEYOND = 1\.3$"


@pytest.fixture
def replace(monkeypatch):
    """Replaces places in modules, and returns what no recorded number needs to show."""
    names, kept = states(), syntax.source
    lock = Lock(Lock.read().versions, names, constants(names))

    def replaced(*edits):
        # none of the lock's modules decides with what stands here
        texts = {"orrery.results.encoding": "SCATTER_BEYOND = 1.32\n"}
        for module, pattern, replacement in edits:
            text = texts.get(module) or kept(module)
            texts[module], count = re.subn(pattern, replacement, text, flags=re.M)
            assert count, f"no place of {module} matches {pattern}"
        with monkeypatch.context() as patch:
            patch.setattr(syntax, "source", lambda name: texts.get(name) or kept(name))
            edited = {*texts}.intersection(names)
            unseen = changed_constants(edited, lock)
            return {**unseen, "numbers": replaced_numbers(edited, lock)}

    return replaced


@pytest.mark.parametrize(
    ("module", "pattern", "replacement"),
    [
        (COMPARISON, BEYOND, "SCATTER_BEYOND = 1.32"),
        (COMPARISON, BEYOND, 'SCATTER_BEYOND = float("1.32")'),
        (COMPARISON, BEYOND, "SCATTER_BEYOND, _OTHER = 1.32, 0"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = _OTHER = 1.32"),
        (COMPARISON, BEYOND, "if WIDTHS:\n    SCATTER_BEYOND = 1.32"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = 1.3\nSCATTER_BEYOND += 0.02"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = max(WIDTHS)"),
        (COMPARISON, BEYOND, "from orrery.results.encoding import SCATTER_BEYOND"),
        (COMPARISON, r"SCATTER_BEYOND( = 1\.3)?\b", "1.32"),  # no name any more
        (
            COMPARISON,
            r"SCATTER_BEYOND( = 1\.3)?\b",
            "SCATTER_IN_SHELL",
        ),  # another's value
        (COMPARISON, BEYOND, "SCATTER_OUTSIDE = 1.9\ndef more(x):\n    return 1.3 * x"),
        ("orrery.judging.calibration", "tests: int = 2000", "tests: int = 1000"),
        ("orrery.judging.calibration", "tests: int = 2000", "tests: int = LARGEST"),
        ("orrery.inference.ensembles", r"window: float = 0\.15", "window: float = 0.2"),
        (
            "halomass.hosts.neighbours",
            r"_cluster: float = 14\.0",
            "_cluster: float = 14.2",
        ),
        ("halomass.study.acceptance", ">= 50", ">= 40"),
        ("halomass.catalogues.universe_machine", r"native < 0\.1", "native < 0.2"),
        ("halomass.mock.surroundings", "300, 2001", "250, 2001"),
    ],
)
def test_a_replaced_number_is_noticed(replace, module, pattern, replacement):
    found = replace((module, pattern, replacement))
    assert len(found) > 1 or all(found["numbers"])


def test_what_has_gone_and_what_has_come_is_told(replace):
    found = replace(
        ("orrery.judging.calibration", "tests: int = 2000", "tests: int = 1000")
    )
    name = "orrery.judging.calibration:calibrate.tests"
    assert found == {name: "2000 has become 1000", "numbers": ("2000", "1000")}


@pytest.mark.parametrize(
    "edits",
    [
        [(COMPARISON, BEYOND, "SCATTER_BEYOND = 13e-1")],
        [(COMPARISON, BEYOND, "SCATTER_BEYOND = 2 * 0.65")],
        [
            (
                "orrery.judging.calibration",
                "^def calibrate",
                r"FEWEST = 2000\n\n\n\g<0>",
            ),
            ("orrery.judging.calibration", "tests: int = 2000", "tests: int = FEWEST"),
        ],
        [(COMPARISON, "SCATTER_BEYOND", "SCATTER_OUTSIDE")],
        [(COMPARISON, BEYOND, "SCATTER_BEYOND = 1.3\nUNUSED = 17.5")],
        [
            (
                COMPARISON,
                BEYOND,
                "from orrery.judging.regression import SCATTER_BEYOND",
            ),
            (
                "orrery.judging.regression",
                "^FEWEST_FOR",
                "SCATTER_BEYOND = 1.3\nFEWEST_FOR",
            ),
        ],
    ],
    ids=["written otherwise", "calculated", "named", "renamed", "one more", "moved"],
)
def test_a_number_that_is_as_it_was_is_no_change(replace, edits):
    assert replace(*edits) == {"numbers": ("", "")}


def test_a_package_may_move_whose_modules_have_constants_of_one_name():
    names = states()
    lock = Lock(Lock.read().versions, names, constants(names))
    parts = (lock.modules, lock.constants)
    before = (
        {n.replace("halomass.mock", "halomass.universe"): v for n, v in part.items()}
        for part in parts
    )
    lock.modules, lock.constants = before
    moved = {name for name in names if name.startswith("halomass.mock")}
    assert len(moved) > 5
    assert not changed_constants(moved, lock)
    assert replaced_numbers(moved, lock) == ("", "")


def test_numbers_are_those_of_the_code_alone():
    text = (
        "'''Three: 3.'''\nx = [2, 2.0, -0.5, True, '7', float('8e0'), 3 * 4**2]  # 9\n"
    )
    found = numbers.written(ast.parse(text))
    assert numbers.told(found) == "-0.5 2*2 8 48"
    assert numbers.read(numbers.told(found)) == found
    rows = ast.parse("x[0] + x[-1] + x[7:] + x.sum(axis=3)")
    assert numbers.told(numbers.written(rows)) == "7"
