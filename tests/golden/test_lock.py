"""No code that decides numbers changes without a word: see the package's docstring."""

import ast

import pytest

from halomass.study import versions as of_masses
from mwlmc.study import binnings, follow_up, shell_profiles, validation
from mwlmc.study import versions as of_both_galaxies
from orrery.sweeps.effects import VERSIONS_OF_EFFECTS

from . import syntax
from .components import COMPONENTS, FOLDER, NAMES
from .lock import PATH, Lock, complaints, revalued, states

LARGEST = 2.5e5  # [bytes] of all records: they are small
LARGEST_LINE = (
    100  # [bytes] of the lock, on average: it has one for each constant and function
)

# Packages that are more than a docstring: a lazy facade, and which figure draws what.
FACADES = ("orrery", "orrery/results/figures")

# By which a number would be computed of others, and where that decides no answer.
STATISTICS = {
    *("average", "mean", "fmean", "nanmean", "median", "quantile", "nanquantile"),
    *("percentile", "std", "var", "cov", "nanmin", "nanmax", "sqrt", "interp"),
    *("histogram", "bincount", "gaussian_kde", "pdf", "cdf", "ppf"),
}
ONLY_DRAWN = {
    "orrery.results.binning_sections": {"mean"},  # asks `Worth`
    "orrery.results.dashboard.reader": {"nanmin"},  # the best loss, beside its curve
    "orrery.results.figures.binned": {"mean", "sqrt"},  # middles of bins, error bars
    "orrery.results.figures.maps": {"quantile"},  # where colours end
    "orrery.results.notebook": {"percentile"},  # of a prior, from its draws as they are
    "orrery.results.figures.marginals": {"quantile"},  # where axes end
    "orrery.storage.card": {"mean"},  # the manifest's, which is in the lock
}

# Of what comes before answers: datasets, summaries, posteriors and ensembles; and of
# sweeps, whose folders are named by theirs.
IN_FINGERPRINTS = {
    *("engine", "distribution", "agama_engine", "replay", "velocity_moments"),
    *(
        "reflex_motions",
        "inferred_labels",
        "mock",
        "catalogue",
        "hosts",
        "features",
        "flow",
        "ensemble",
    ),
    *("datasets", "summaries", "sweeps"),
}


def test_the_lock_knows_the_code():
    found = complaints(Lock.read())
    assert not found, "\n" + "\n".join(found)


def test_the_lock_knows_all_constants():
    # whoever defines them: also modules that are not in the lock
    assert not revalued(Lock.read())
    assert not {*syntax.CONSTANTS_OF_MACHINES} - {*states()}


def test_each_version_has_a_record():
    declared = {
        ".".join(file.relative_to(syntax.platform()).with_suffix("").parts)
        for file in syntax.platform().rglob("*.py")
        if any(line.startswith("VERSION = ") for line in file.read_text().splitlines())
    }
    assert declared == {component.root for component in COMPONENTS}
    assert {path.stem for path in (FOLDER / "records").iterdir()} == set(NAMES)
    assert set(Lock.read().versions) == set(NAMES)


def test_each_module_that_decides_numbers_is_in_the_lock_or_named_with_a_reason():
    found = {
        ".".join(file.relative_to(syntax.platform()).with_suffix("").parts)
        for file in syntax.platform().rglob("*.py")
        if file.name != "__init__.py"
    }
    assert not set(states()) & set(syntax.NO_NUMBERS)
    assert found - set(states()) == set(syntax.NO_NUMBERS)


def test_modules_that_decide_nothing_compute_nothing():
    found = {module: statistics(syntax.source(module)) for module in syntax.NO_NUMBERS}
    assert {module: names for module, names in found.items() if names} == ONLY_DRAWN


def statistics(source):
    called = (n.func for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    names = (getattr(f, "attr", getattr(f, "id", "")) for f in called)
    return STATISTICS.intersection(names)


def test_modules_that_record_have_no_numbers_of_their_own():
    """A threshold there would decide what a document holds, and no record would show it."""
    recorders = {
        module: numbers_of_its_own(syntax.tree(module))
        for module in syntax.NO_NUMBERS
        if records_numbers(syntax.tree(module))
    }
    assert len(recorders) > 4
    assert {module: own for module, own in recorders.items() if own} == {}


def records_numbers(tree):
    """Returns whether a module gives a recording numbers, answers or verdicts."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("metrics", "answers", "verdicts")
        and isinstance(node.value, ast.Name)
        and node.value.id == "recording"
        for node in ast.walk(tree)
    )


def numbers_of_its_own(tree):
    # none, one and several, and per cent
    harmless = (-1, 0, 1, 2, 100)
    constants = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
    return {
        value
        for value in constants
        if type(value) in (int, float) and value not in harmless
    }


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("NOISY = 0.5\nrecording.metrics({'n': x > NOISY})", {0.5}),
        ("recording.answers(x[:3])", {3}),
        ("recording.verdicts([100 * x, x[0], True])", set()),
    ],
)
def test_a_number_of_a_recording_module_is_seen(text, own):
    tree = ast.parse(text)
    assert records_numbers(tree)
    assert numbers_of_its_own(tree) == own


def test_packages_are_a_docstring_alone():
    more = {
        str(package.parent.relative_to(syntax.platform()))
        for package in syntax.platform().rglob("__init__.py")
        if len(ast.parse(package.read_text()).body) > 1
    }
    assert more == {*FACADES}


def test_each_version_is_in_a_fingerprint_or_in_the_documents_of_runs():
    today = {component.name: component.version for component in COMPONENTS}
    held = {
        **of_both_galaxies.VERSIONS,
        **of_masses.VERSIONS,
        **validation.VERSIONS,
        **shell_profiles.VERSIONS,
        **follow_up.VERSIONS,
        **binnings.VERSIONS_OF_CHOICES,
        **VERSIONS_OF_EFFECTS,
    }
    assert set(held) == set(NAMES) - IN_FINGERPRINTS
    assert held.items() <= today.items()
    # those of summaries are in the runs' own fingerprints, too
    summaries = {
        **of_both_galaxies.SUMMARIES,
        **of_masses.SUMMARIES,
        **shell_profiles.SUMMARIES,
        **follow_up.SUMMARIES,
    }
    assert summaries.items() <= today.items()


def test_records_are_small():
    records = {component.path for component in COMPONENTS}
    assert {*FOLDER.rglob("*.json")} == {PATH, *records}
    lines = len(PATH.read_text().splitlines())
    assert PATH.stat().st_size < LARGEST_LINE * lines
    assert sum(path.stat().st_size for path in records) < LARGEST


def test_hashes_see_code_and_nothing_else():
    def digits(source):
        return syntax.syntax_hash(ast.parse(source))

    first = digits('"""One."""\ndef f(x):\n    """Two."""\n    return x + 1\n')
    assert first == digits("def f(x):\n\n    return (x + 1)  # why\n")
    assert first != digits("def f(x):\n    return x + 2\n")
    assert first != digits("def f(y):\n    return y + 1\n")
    assert digits("x = 1") != digits("x = 1.0") != digits("x = '1.0'")
    assert digits("f(lambda: x)") != digits("f(lambda: y)")
    assert digits("def f():\n    'Why.'\n") == digits("def f():\n    'Why not.'\n")


def test_a_component_is_what_it_imports_up_to_other_versions():
    engine = next(c for c in COMPONENTS if c.name == "engine").modules
    assert {"mwlmc.simulator", "mwlmc.model.orbits", "orrery.parameters"} <= set(engine)
    assert "mwlmc.model.distribution" not in engine  # has a version of its own
    assert not [m for m in engine if m in syntax.NO_NUMBERS]
    for component in COMPONENTS:
        assert component.root in component.modules


@pytest.mark.parametrize(
    "declared", ["", "VERSION = 0", "VERSION = -1", "VERSION = '1'"]
)
def test_a_version_is_a_positive_integer(declared, monkeypatch):
    monkeypatch.setattr(syntax, "source", lambda module: declared)
    with pytest.raises(
        ValueError, match="science declares no version: write VERSION = 1"
    ):
        syntax.version("science")


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(
        FileNotFoundError, match=r"no module mwlmc.nowhere .*components.py"
    ):
        syntax.source("mwlmc.nowhere")
