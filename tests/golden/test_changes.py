"""What happens to code that changes, each time on a copy of platform/ and of this folder."""

import ast
import json
import re
import shutil
from dataclasses import replace

import pytest

from mwlmc.model import stellar_halo
from mwlmc.model.orbits import Stepper
from mwlmc.simulator import Simulator

from . import memory, syntax
from .components import FOLDER, named
from .copies import Copy, ForkServer
from .lock import (
    PATH,
    Lock,
    RefusedError,
    check,
    complaints,
)

pytestmark = pytest.mark.slow

COMPARISON = "mwlmc.study.comparison"
FEATURES = "halomass.observed.features"


@pytest.fixture(scope="module")
def server():
    started = ForkServer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def today():
    """The lock as if all that has changed here had been entered: that is another test's."""
    return Lock.today(Lock.read().versions)


@pytest.fixture(scope="module")
def remembered(tmp_path_factory, today):
    """The file of what copies have read of modules: most of them are those of others, too."""
    file = tmp_path_factory.mktemp("golden") / "read.json"
    for _ in "written", "read":
        with memory.kept_in(file):
            assert Lock.today(today.versions) == today
    return file


@pytest.fixture
def copy(tmp_path, server, today, remembered):
    # with what Python has compiled: of a changed module it finds that by its time
    ignored = shutil.ignore_patterns("test_*")
    shutil.copytree(syntax.platform(), tmp_path / "platform", ignore=ignored)
    shutil.copytree(FOLDER, tmp_path / "tests" / "golden", ignore=ignored)
    today.write(tmp_path / "tests" / "golden" / PATH.name)
    return Copy(tmp_path, server, remembered)


def described():
    """Returns how the simulator of the unchanged code describes itself."""
    return json.loads(json.dumps(Simulator().describe()))


def noticed(copy):
    """Returns what `python -m tests.golden` says in a copy: syntax needs no process for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syntax, "platform", lambda: copy.root / "platform")
        kept = json.loads("\n".join(copy.lock))
        with memory.unchanging():
            return "\n".join(complaints(Lock(**kept)))


def test_what_is_remembered_of_a_module_ends_with_what_it_imports(copy):
    importers, other = ["mwlmc.model.orbits", "mwlmc.simulator"], "orrery.identity"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syntax, "platform", lambda: copy.root / "platform")
        before = dict(syntax.wholes([*importers, other]))
        copy.edit("mwlmc.model.constants", r"^G = 4\.30091727e-6", "G = 4.3010e-6")
        after = dict(syntax.wholes([*importers, other]))
    assert len({*before.values()}) == 3  # also where modules import each other
    assert [m for m in before if before[m] != after[m]] == importers


def rename_a_local(path):
    """Renames the first local variable that a module's first functions have, and returns it."""
    module = ast.parse(path.read_text())
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in function.body:
            match node:
                case ast.Assign([ast.Name(old)]):
                    for name in ast.walk(function):
                        if isinstance(name, ast.Name) and name.id == old:
                            name.id = f"{old}_renamed"
                    path.write_text(ast.unparse(module))
                    return old
    raise AssertionError(f"no local variable in {path}")


def changed_lines(before, after):
    return [(a, b) for a, b in zip(before, after, strict=True) if a != b]


def test_a_renamed_local_changes_no_fingerprint_and_one_line_of_the_lock(copy):
    before = copy.lock
    rename_a_local(copy.file("mwlmc.simulator"))
    assert copy.describe() == described()

    told = copy.golden()
    assert told.returncode == 1
    assert "mwlmc.simulator has changed; on it build: engine\n" in told.stderr
    assert "python -m tests.golden same engine" in told.stderr
    assert told.stderr == noticed(copy) + "\n"

    entered = copy.golden("same", "engine")
    assert entered.returncode == 0, entered.stderr
    ((old, new),) = changed_lines(before, copy.lock)
    assert "mwlmc.simulator" in old
    assert "mwlmc.simulator" in new
    assert not noticed(copy)


@pytest.mark.parametrize(
    ("module", "pattern", "replacement", "quantity"),
    [
        ("mwlmc.model.constants", r"^G = 4.30091727e-6", "G = 4.3010e-6", "c200"),
        ("mwlmc.model.stellar_halo", r'"survey": 0\.52', '"survey": 0.5', "v_x"),
        (
            "mwlmc.model.constants",
            r"^LMC_RADIUS = 8\.7 ",
            "LMC_RADIUS = 8.71 ",
            "a_lmc",
        ),
    ],
)
def test_a_changed_constant_is_not_the_same_and_is_named(
    copy, module, pattern, replacement, quantity
):
    before = copy.lock
    copy.edit(module, pattern, replacement)
    assert f"{module} has changed" in noticed(copy)
    refused = copy.golden("same")
    assert refused.returncode == 1
    assert "the numbers of engine have changed" in refused.stderr
    assert f"drawn.{quantity}: differ in" in refused.stderr
    assert "raise VERSION in mwlmc.simulator" in refused.stderr
    assert copy.lock == before
    # which is why it must be noticed: by itself it would be found among other datasets
    assert copy.describe() == described()


def test_a_raised_version_needs_a_new_record(copy):
    copy.edit("halomass.observed.features", r"^VERSION = \d+", "VERSION = 99")
    asked = (
        "VERSION 99 of features (halomass.observed.features) is not that of its record"
    )
    assert asked in noticed(copy)
    assert asked in copy.golden("same").stderr
    assert copy.golden("remake", "features").returncode == 0
    assert '  "features": 99,' in copy.lock
    assert not noticed(copy)
    copy.edit("halomass.observed.features", r"^VERSION = \d+", "VERSION = 98")
    assert "versions only rise" in copy.golden("remake", "features").stderr


def test_changed_numbers_need_a_raised_version(copy):
    before = copy.lock
    copy.edit("halomass.observed.features", r"^ASINH_SCALE = 20", "ASINH_SCALE = 21")
    refused = copy.golden("remake", "features")
    assert refused.returncode == 1
    assert (
        "the numbers of features have changed:\n  signed: differ in" in refused.stderr
    )
    assert copy.lock == before
    copy.edit("halomass.observed.features", r"^VERSION = \d+", "VERSION = 99")
    assert copy.golden("remake", "features").returncode == 0
    assert not noticed(copy)


def test_cases_with_other_names_let_no_changed_number_through(copy):
    copy.edit(FEATURES, r'"r": np\.log10', '"r": 1.01 * np.log10')
    cases = copy.root / "tests" / "golden" / "halo_mass.py"
    before, features = cases.read_text().split("def features()")
    names = re.compile(r'^        "([a-z.]+)": (observed|quantity)', re.MULTILINE)
    assert names.search(features)
    features = names.sub(r'        "\1.other": \2', features)
    cases.write_text(f"{before}def features(){features}")
    refused = copy.golden("remake", "features")
    assert refused.returncode == 1
    assert "ranked: are not there today" in refused.stderr


def test_a_constant_that_no_record_shows_is_not_the_same_and_is_named(copy):
    before = copy.lock
    copy.edit(COMPARISON, r"^SCATTER_BEYOND = 1\.3\b", "SCATTER_BEYOND = 1.32")
    refused = copy.golden("same", "answers")
    assert refused.returncode == 1
    assert f"  {COMPARISON}:SCATTER_BEYOND: 1.3 has become 1.32\n" in refused.stderr
    assert "Raise VERSION in mwlmc.study.quantities" in refused.stderr
    # to make the record again is no way out
    assert copy.golden("remake", "answers").stderr == refused.stderr
    assert copy.lock == before
    copy.edit("mwlmc.study.quantities", r"^VERSION = \d+", "VERSION = 99")
    assert copy.golden("remake", "answers").returncode == 0
    assert not noticed(copy)


def test_another_components_version_lets_no_constant_through(copy):
    # of a module whose options a sweep of networks has, too
    copy.edit("halomass.hosts.options", r"^ANDROMEDA = 761\.0\b", "ANDROMEDA = 760.0")
    copy.edit("orrery.sweeps.search", r"^VERSION = \d+", "VERSION = 99")
    refused = copy.golden("remake", "sweeps")
    assert refused.returncode == 1
    assert "halomass.hosts.options:ANDROMEDA: 761 has become 760" in refused.stderr
    assert "VERSION in halomass.hosts." in refused.stderr


def test_a_constant_may_move_but_not_change_on_the_way(copy):
    moved = "from mwlmc.study.moved import SCATTER_BEYOND"
    copy.edit(COMPARISON, r"^SCATTER_BEYOND = 1\.3\b.*$", moved)
    copy.file("mwlmc.study.moved").write_text("SCATTER_BEYOND = 1.32\n")
    refused = copy.golden("same", "answers")
    assert "  mwlmc.study.moved:SCATTER_BEYOND: 1.3 has become 1.32\n" in refused.stderr
    copy.file("mwlmc.study.moved").write_text("SCATTER_BEYOND = 13e-1\n")
    entered = copy.golden("same", "answers")
    assert entered.returncode == 0, entered.stderr
    assert any("mwlmc.study.moved:SCATTER_BEYOND" in line for line in copy.lock)
    assert not any(f"{COMPARISON}:SCATTER_BEYOND" in line for line in copy.lock)


def test_a_module_may_move(copy):
    old, new = copy.file("halomass.catalogues.text_table"), "halomass.catalogues.moved"
    old.rename(copy.file(new))
    for path in (copy.root / "platform" / "halomass").rglob("*.py"):
        text = path.read_text()
        if "text_table" in text:
            path.write_text(text.replace("text_table", "moved"))
    told = noticed(copy)
    assert "halomass.catalogues.moved is new; on it build: catalogue\n" in told
    assert "halomass.catalogues.text_table is gone; on it build: none" in told
    entered = copy.golden("same")
    assert entered.returncode == 0, entered.stderr
    assert any(f'"{new}"' in line for line in copy.lock)
    assert not any('"halomass.catalogues.text_table"' in line for line in copy.lock)
    assert not noticed(copy)


@pytest.mark.parametrize(
    ("module", "pattern", "replacement", "component", "quantity"),
    [
        pytest.param(
            *(
                "networks",
                r"^CONSTANT = 1e-3",
                "CONSTANT = 1e-2",
                "ensemble",
                "attempts",
            ),
            marks=pytest.mark.slow,
        ),
        ("mixture", r"^GAP = 1e-5", "GAP = 1.0", "mixture", "weights"),
    ],
)
def test_a_changed_threshold_of_learning_is_refused(
    copy, module, pattern, replacement, component, quantity
):
    copy.edit(f"orrery.learning.{module}", pattern, replacement)
    refused = copy.golden("same")
    assert refused.returncode == 1
    assert f"the numbers of {component} have changed" in refused.stderr
    assert f"{quantity}: differ in" in refused.stderr


def test_stars_that_datasets_would_store_otherwise_are_refused(monkeypatch):
    kept = Simulator.particles

    def faster(self, stars):
        return kept(self, replace(stars, velocity=1.05 * stars.velocity))

    monkeypatch.setattr(Simulator, "particles", faster)
    # numbers are the record's compiled or not, and here nothing waits for a compiler
    monkeypatch.setattr(stellar_halo, "stepper", lambda device: Stepper())
    (component,) = named(["replay"])
    # the engine's record holds the same quantities, but takes ten times longer
    with pytest.raises(RefusedError, match=r"replayed\.particles\.vx: differ in"):
        check(component)


def test_a_module_that_others_share_is_checked_with_all_of_them(copy):
    copy.edit("halomass.systems", r"^RADIUS = .*$", "RADIUS = 249.0")
    refused = copy.golden("same", "features")
    assert refused.returncode == 1
    assert "the numbers of mock have changed" in refused.stderr


def test_words_that_mean_nothing_are_refused(copy):
    assert "no component 'engin'" in copy.golden("same", "engin").stderr
    assert "name the components" in copy.golden("remake").stderr
