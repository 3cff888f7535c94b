import importlib.metadata
import platform
import re

import numpy as np

from orrery import versions


def test_the_versions_are_those_of_what_runs():
    found = versions.software()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert set(versions.PACKAGES) <= set(found)


def test_a_commit_is_a_full_hash(monkeypatch):
    commit = versions.software()["commit"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)
    monkeypatch.setenv("PATH", "")
    assert versions.software()["commit"] is None


def test_a_hook_of_another_repository_changes_no_commit(monkeypatch):
    commit = versions.software()["commit"]
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert versions.software()["commit"] == commit


def test_what_is_not_installed_has_no_version():
    assert versions.version("no-such-package-as-this") is None
    assert versions.version("numpy") == importlib.metadata.version("numpy")
