import ast
import functools
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from halomass.observed.features import features
from mwlmc.model.reflex_shells import reflex_motions
from mwlmc.sky.kinematics import velocity_moments
from mwlmc.study.inferred_quantities import inferred_labels
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.execution.summary_names import summary_name, summary_version

VERSION = 7
PLATFORM = Path(__file__).parents[3] / "platform"
SEEN = Entries(("seen",), ("kpc",))


def squared(records, binning):
    return records.scalars["a"][:, None] ** 2


class Kept:
    def of(self, records, binning):
        return squared(records, binning)

    __call__ = of


def inner():
    return lambda records, binning: -squared(records, binning)


def defined_in(module, power):
    """Returns the function `seen` of a module of this name."""
    scope = {"__name__": module, "VERSION": 1}
    source = f"def seen(records, binning):\n    return records.scalars['a'][:, None] ** {power}"
    exec(source, scope)
    return scope["seen"]


def given(function):
    """Returns a call with an argument given, which calls itself by the function's name."""
    return functools.update_wrapper(functools.partial(function, binning=SEEN), function)


@pytest.mark.parametrize(
    "function",
    [
        lambda records, binning: 2 * squared(records, binning),
        inner(),
        Kept().of,
        Kept(),
        functools.partial(squared, binning=SEEN),
        given(squared),
        functools.wraps(inner())(lambda records, binning: 0.0),
        np.log,
    ],
)
def test_what_has_no_name_of_its_own_is_refused_with_the_remedy(function):
    for ask in (summary_name, summary_version):
        with pytest.raises(ValueError, match=r"no name that is its own.*`def` at the"):
            ask(function)


def test_functions_of_one_name_in_two_modules_keep_their_own(toy, centre, tmp_path):
    made = generate(toy, 100, 5, tmp_path, actors=0, shard_size=50)
    for power in (1, 3):
        found = compute(defined_in(f"power_{power}", power), made, SEEN, centre)
        assert np.array_equal(found.train.x, found.train.theta**power)


def test_a_script_has_one_name_whether_it_runs_or_is_imported(tmp_path):
    script = tmp_path / "throws.py"
    script.write_text("def heights(records, binning): ...\n")
    for module in ("__main__", "throws"):
        heights = runpy.run_path(str(script), run_name=module)["heights"]
        assert heights.__module__ == module
        assert summary_name(heights) == "throws.heights"


def test_a_notebook_names_its_functions(monkeypatch):
    function = defined_in("__main__", 2)
    assert summary_name(function) == "__main__.seen"
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/stars.ipynb")
    assert summary_name(function) == "stars.seen"


def test_a_module_that_moved_says_what_it_was_called():
    function = defined_in("new.place", 2)
    function.__globals__["NAMESPACE"] = "old.place"
    assert summary_name(function) == "old.place.seen"


def test_summaries_of_campaigns_are_still_found():
    ours = (velocity_moments, reflex_motions, inferred_labels, features)
    for function in ours:
        assert summary_name(function) == function.__name__


def test_functions_without_a_module_before_their_name_differ():
    texts = [path.read_text(encoding="utf-8") for path in PLATFORM.rglob("*.py")]
    bare = [ast.parse(text) for text in texts if '\nNAMESPACE = ""' in text]
    names = [
        node.name
        for tree in bare
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert len(bare) == 4
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_a_decorated_function_has_name_and_version_of_its_own_module():
    @functools.wraps(function := defined_in("readings", 2))
    def counted(records, binning):
        return function(records, binning)

    assert (summary_name(counted), summary_version(counted)) == ("readings.seen", 1)
    assert summary_version(squared) == VERSION
