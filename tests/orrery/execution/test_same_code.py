"""Two codes are told apart by their files and versions, and both are named."""

import sys
from dataclasses import replace

import pytest

from orrery.execution import same_code
from orrery.execution.same_code import (
    InstalledCode,
    check_same_code,
    installed_code,
    own_packages,
    packages_of,
    read_files,
)


@pytest.fixture
def science(tmp_path, monkeypatch):
    """The folder of an installed package, whose files are read as by a new process."""
    folder = tmp_path / "science"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "model" / "mass.py").write_text("MASS = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    read_files.cache_clear()
    yield folder
    read_files.cache_clear()


def test_the_same_files_are_the_same_code_wherever_they_lie(science, monkeypatch):
    began = installed_code(("orrery", "science"))
    assert set(began.files["science"]) == {
        "science/__init__.py",
        "science/model/mass.py",
    }
    elsewhere = science.parent / "science" / "deeper"
    elsewhere.mkdir()
    (elsewhere / "science").mkdir()
    for name in ("__init__.py", "model"):
        (science / name).rename(elsewhere / "science" / name)
    monkeypatch.syspath_prepend(elsewhere)
    read_files.cache_clear()
    check_same_code(began)


@pytest.mark.parametrize("edit", ["edited", "new", "gone"])
def test_a_file_that_differs_is_named(science, edit):
    began = installed_code(("science",))
    check_same_code(began)
    if edit == "new":
        (science / "more.py").touch()
    elif edit == "gone":
        (science / "model" / "mass.py").unlink()
    else:
        (science / "model" / "mass.py").write_text("MASS = 2\n")
    check_same_code(began)  # this process began with the files as they were
    read_files.cache_clear()
    expected = {
        "edited": "science/model/mass.py [0-9a-f]{12} instead of [0-9a-f]{12}",
        "new": "science/more.py [0-9a-f]{12} instead of None",
        "gone": "science/model/mass.py None instead of [0-9a-f]{12}",
    }
    remedy = r"\): install the same code on all machines.*raise VERSION"
    with pytest.raises(ValueError, match=expected[edit] + remedy):
        check_same_code(began)


@pytest.mark.parametrize("name", ["python", *same_code.DECIDING])
def test_another_version_is_named(name):
    here = installed_code(())
    other = replace(here, versions={**here.versions, name: "0.0.1"})
    with pytest.raises(ValueError, match=rf"\({name} .* instead of 0\.0\.1\)"):
        check_same_code(other)


@pytest.mark.parametrize("installed", [True, False])
def test_packages_that_come_with_this_one_are_known(monkeypatch, installed):
    def missing(name):
        raise same_code.PackageNotFoundError

    if not installed:
        monkeypatch.setattr(same_code, "distribution", missing)
    own_packages.cache_clear()
    assert own_packages() == ("halomass", "mwlmc", "orrery")
    own_packages.cache_clear()


def test_many_differences_are_not_all_shown():
    here = installed_code(())
    other = replace(here, versions=dict.fromkeys("abcdefg", "1"))
    with pytest.raises(ValueError, match=", and 7 more"):
        check_same_code(other)


def test_what_travels_by_value_is_not_compared(monkeypatch):
    script = type("Script", (), {"__module__": "__main__"})
    assert packages_of([script()]) == ("orrery", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    read_files.cache_clear()
    assert set(installed_code(packages_of([script()])).files) == {"orrery"}
    check_same_code(
        InstalledCode(installed_code(()).versions, {"no_such": {"a.py": "0"}})
    )
