"""A number that is replaced is noticed, however it was written, and one that moves is none."""

import ast
import re
import sys
from types import ModuleType

import pytest

from . import numbers, syntax, values
from .lock import Lock, changed_values

COMPARISON = "mwlmc.study.comparison"
BEYOND = r"^SCATTER_BEYOND = 1\.3$"
SPEEDS = "halomass.observed.speeds"
ANGLES = "orrery.tables.angles"
VECTORS = "mwlmc.observed.options"
OPTIONS = "mwlmc.study.options"
MEASURED = f"{OPTIONS}:Desi.measurement"
DRAWS = f"{VECTORS}:Measurement.survey_draws"


@pytest.fixture(scope="module")
def lock():
    return Lock.today(Lock.read().versions)


@pytest.fixture
def replace(monkeypatch, lock):
    """Replaces places in modules, and returns what no recorded number needs to show."""
    kept = syntax.source

    def replaced(*edits):
        # none of the lock's modules decides with what stands here
        texts = {"orrery.results.encoding": "SCATTER_BEYOND = 1.32\n"}
        for module, pattern, replacement in edits:
            text = texts.get(module) or kept(module)
            texts[module], count = re.subn(pattern, replacement, text, flags=re.M)
            assert count, f"no place of {module} matches {pattern}"
        first, *others = texts
        with monkeypatch.context() as patch:
            patch.setattr(syntax, "source", lambda name: texts.get(name) or kept(name))
            for name in (first, *reversed(others)):
                patch.setitem(sys.modules, name, ModuleType(name))
                exec(texts[name], vars(sys.modules[name]))
            return changed_values({*texts}.intersection(lock.modules), lock)

    return replaced


# What is chosen in the body of a function, where no name tells its value.
CHOICES = (
    ("orrery.judging.distributions", 'side="right"', 'side="left"'),
    ("orrery.judging.regression", 'kind="stable"', 'kind="quicksort"'),
    ("orrery.tables.columns", '== "integers"', '== "words"'),
    ("orrery.sweeps.comparison", 'state == "finished"', 'state == "failed"'),
    ("mwlmc.study.comparison", '"1e10 solMass"', '"1e11 solMass"'),
    ("halomass.observed.neighbour_columns", "words=True", "words=False"),
    ("orrery.sweeps.proposals", "deepcopy=False", "deepcopy=True"),
)


@pytest.mark.parametrize(
    ("module", "pattern", "replacement"),
    [
        (COMPARISON, BEYOND, "SCATTER_BEYOND = 1.32"),
        (COMPARISON, BEYOND, 'SCATTER_BEYOND = float("1.32")'),
        (COMPARISON, BEYOND, "SCATTER_BEYOND, _OTHER = 1.32, 0"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = _OTHER = 1.32"),
        (COMPARISON, BEYOND, "if BOUNDS:\n    SCATTER_BEYOND = 1.32"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = 1.3\nSCATTER_BEYOND += 0.02"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = max(BOUNDS['without v_tb'].values())"),
        (COMPARISON, BEYOND, "_WIDER = 1.02\nSCATTER_BEYOND = 1.3 * _WIDER"),
        (COMPARISON, BEYOND, "SCATTER_BEYOND = float(np.sqrt(1.3))"),
        (COMPARISON, BEYOND, "from orrery.results.encoding import SCATTER_BEYOND"),
        (COMPARISON, r"SCATTER_BEYOND( = 1\.3)?\b", "1.32"),  # no name any more
        (
            COMPARISON,
            r"SCATTER_BEYOND( = 1\.3)?\b",
            "SCATTER_IN_SHELL",
        ),  # another's value
        (COMPARISON, BEYOND, "SCATTER_OUTSIDE = 1.9\ndef more(x):\n    return 1.3 * x"),
        ("orrery.judging.calibration", "tests: int = 2000", "tests: int = 1000"),
        # another name, too; 10,000 is also the number of rounds
        ("orrery.learning.mixture", r"count: int = 10_000", "draws: int = 5_000"),
        (
            "orrery.judging.calibration",
            "tests: int = 2000",
            "tests: int = 2000 // len('ab')",
        ),
        ("orrery.inference.options", r"window: float = 0\.15", "window: float = 0.2"),
        (
            "halomass.hosts.neighbours",
            r"_cluster: float = 14\.0",
            "_cluster: float = 14.2",
        ),
        ("halomass.study.acceptance", ">= 50", ">= 40"),
        ("halomass.study.acceptance", r"found\[x < 1\]", "found[x < 0.97]"),
        ("orrery.learning.sets", r"squeeze\(-1\) > 0\]", "squeeze(-1) > 0.5]"),
        ("halomass.catalogues.universe_machine", r"swapped\) < 0\.1", "swapped) < 0.2"),
        ("halomass.mock.surroundings", "300, 2001", "250, 2001"),
        ("halomass.catalogues.universe_machine", r"< 0\.1:", "< np.float64('0.2'):"),
        ("halomass.study.acceptance", ">= 50", ">= dict(dim=40)['dim']"),
        ("halomass.study.acceptance", ">= 50", ">= int(b'40')"),
        (SPEEDS, r"_DOUBTFUL \*", "ABSURD *"),  # another's value, and both stay
        (SPEEDS, r"\bABSURD \*", "1.5 * ABSURD *"),
        (
            "mwlmc.observed.plausibility",
            r"min\(FURTHEST \* typical, LARGEST_DISPERSION\)",
            "FURTHEST * typical",
        ),
        ("mwlmc.record_schema", '"float16"', '"float32"'),
        (
            "mwlmc.study.sweep_options",
            'quantity: str = "v_travel"',
            'quantity: str = "v_x"',
        ),
        ("mwlmc.observed.star_columns", r"units\.pc, \"dist", 'units.kpc, "dist'),
        ("halomass.observed.survival", "by_peak: bool = False", "by_peak: bool = True"),
        *CHOICES,
    ],
)
def test_a_replaced_number_is_noticed(replace, module, pattern, replacement):
    assert replace((module, pattern, replacement))


def test_what_has_gone_and_what_has_come_is_told(replace):
    found = replace(
        ("orrery.judging.calibration", "tests: int = 2000", "tests: int = 1000")
    )
    name = "orrery.judging.calibration:calibrate.tests"
    assert found == {name: "2000 has become 1000"}
    near = ("halomass.study.acceptance", ">= 50", ">= 40")
    assert replace(near) == {
        "halomass.study.acceptance:_of_galaxies": "50 gone, 40 new"
    }


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
    assert not replace(*edits)


@pytest.mark.parametrize(
    ("module", "pattern", "replacement"),
    [
        (COMPARISON, r"0\.25 \* width", "width / 4"),
        (COMPARISON, r"SCATTER_BEYOND( = 1\.3)?\b(?! k)", "1.3"),
        (ANGLES, r"\(24 / 360\)", "(1 / 15)"),
        (ANGLES, r"parts\[1\] / 3600", "parts[1] / 60 / 60"),
        ("mwlmc.model.constants", r"^LMC_RADIUS = 8\.7\b", "LMC_RADIUS = 87 / 10"),
        ("mwlmc.study.forecast", r"^VERSION", "_UNUSED = 3\nVERSION"),
    ],
)
def test_arithmetic_that_gives_the_same_is_no_change(
    replace, module, pattern, replacement
):
    assert not replace((module, pattern, replacement))


def test_two_functions_may_not_exchange_their_numbers(replace):
    other = "halomass.observed.placeholders"
    found = replace(
        ("halomass.catalogues.universe_machine", r"swapped\) < 0\.1", "swapped) < 0.5"),
        (other, r"1e-6\) > 0\.5", "1e-6) > 0.1"),
    )
    assert sorted(found.values()) == ["0.1 gone, 0.5 new", "0.5 gone, 0.1 new"]


@pytest.mark.parametrize(
    ("module", "pattern", "replacement"),
    [
        (
            "mwlmc.study.literature",
            r"Published\(3\.80, 0\.14, 0\.11\)",
            "Published(3.80, 0.11, 0.14)",
        ),
        ("halomass.study.acceptance", r"1\.679, 0\.01", "0.01, 1.679"),
    ],
)
def test_two_numbers_of_a_function_may_not_change_places(
    replace, module, pattern, replacement
):
    assert replace((module, pattern, replacement))


def test_a_default_that_moves_where_no_number_is_expected_must_stay_as_it_is(replace):
    def moved(value):
        return replace(
            ("orrery.learning.options", r"^    patience: int = 30\n", ""),
            ("orrery.learning.options", "class Training:", "class Training(Patient):"),
            (
                "orrery.learning.options",
                "^_POSITIVE = ",
                "from orrery.option_types import Patient\n_POSITIVE = ",
            ),
            (
                "orrery.option_types",
                "^_LARGEST = ",
                "from dataclasses import dataclass\n\n@dataclass(frozen=True, kw_only=True)\n"
                f"class Patient:\n    patience: int = {value}\n\n_LARGEST = ",
            ),
        )

    name = "orrery.learning.options:Training.patience"
    assert moved(29)[name] == "30 has become 29"
    assert name not in moved(30)


def test_a_package_may_move_whose_modules_have_constants_of_one_name(lock):
    parts = (lock.modules, lock.constants, lock.functions)
    before = (
        {n.replace("halomass.mock", "halomass.universe"): v for n, v in part.items()}
        for part in parts
    )
    moved = {name for name in lock.modules if name.startswith("halomass.mock")}
    assert len(moved) > 5
    assert not changed_values(moved, Lock(lock.versions, *before))


@pytest.mark.parametrize(
    ("field", "given", "found"),
    [
        ("another: float = 7.25", "", set()),
        # an instance gives it another value than its class: nobody says what it decides
        ("another: float = 7.25", "another=7.5", {MEASURED}),
        ("survey_draws: int = 5", "", {DRAWS}),
    ],
)
def test_a_field_that_is_new_is_told_apart_from_one_that_changes(
    replace, field, given, found
):
    first = r"^    motion_floor: float = 0\.0$"
    instance = r'Measurement\(sampling="survey-like"\)'
    changed = replace(
        (OPTIONS, instance, f'Measurement(sampling="survey-like", {given})'),
        (VECTORS, first, rf"\g<0>\n    {field}"),
    )
    assert found <= {*changed}
    assert bool(changed) == bool(found)


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ("4.18879020478639", "4.188790204786391", True),
        ("(0.1, 2)", "(0.10000000000000001, 2)", True),
        ("(0.1, 2)", "(0.1, 3)", False),
        ("13787848793156543929", "13787848793156543930", False),
        ("'v_travel'", "'v_x'", False),
        ("{'m': [kpc]}", "{'m': [pc]}", False),
        ("8.7", "8.70000000000001", False),
        ("''", "'5'", False),
        ("(1)", "(1, 2)", False),
        ("float64(2,) ~0.1 ~3", "float64(2,) ~0.1000000000001 ~3", True),
    ],
)
def test_values_are_equal_up_to_rounding(one, other, is_equal):
    assert values.equal(one, other) == is_equal


def test_numbers_are_those_of_the_code_alone():
    text = (
        "'''Three: 3.'''\nx = [2, 2.0, -0.5, True, '7', float('8e0'), 3 * 4**2]  # 9\n"
    )
    found = numbers.Used.by([ast.parse(text)])
    assert numbers.told(found.results) == "-0.5 2*2 48 7 8 True"


def test_what_chooses_is_told_with_the_numbers():
    text = (
        "if kind == 'maf' and kind in ('nsf', 'a sentence'): f(x, method='linear', "
        "how='7', text='so many words', strict=False)\nraise ValueError('bad')\n"
    )
    found = numbers.Used.by([ast.parse(text)])
    assert numbers.told(found.results) == "'linear 'maf 'nsf 7 False"
    assert numbers.Used.read(found.told) == found
    rows = ast.parse("x[0] + x[-1] + x[7:] + x.sum(axis=3)")
    assert numbers.Used.by([rows]).told == "7"
    chosen = ast.parse("x[x < 1] + x[y >= 0, 2]")
    assert numbers.Used.by([chosen]).told == "0 1 2"
    unit = ast.parse("x.unit = '1e10 solMass'; x.title = '10 haloes without a mass'")
    assert numbers.Used.by([unit]).told == "'1e10_solMass"
