"""Laws of the compiled parts: found only where they are right, and built where they are not."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from tests.golden import syntax

from mwlmc.model import step_libraries
from mwlmc.model.step_libraries import PARTS, SOURCES, key, libraries_folder, load


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """The folder of this machine's libraries, empty; and those that are built elsewhere."""
    load()
    built = libraries_folder() / key()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return libraries_folder() / key(), built


@pytest.fixture
def builds(monkeypatch, empty):
    """Which parts were built; each is taken from where it is built already."""
    names = []

    def build(wanted, scratch):
        names.extend(wanted)
        for name in wanted:
            shutil.copy(empty[1] / f"{name}.so", scratch)

    monkeypatch.setattr(step_libraries, "_build", build)
    return names


def test_all_that_a_step_is_made_of_decides_its_libraries():
    imported = syntax.modules("mwlmc.model.step_building", frozenset())
    model = {name.removeprefix("mwlmc.model.") for name in imported if "mwlmc" in name}
    assert model == {*SOURCES, "step_libraries"}


@pytest.mark.parametrize(
    "changed",
    [
        ("WIDTH", 64),
        ("SOURCES", SOURCES[:-1]),
        ("_CPUINFO", Path("/nowhere")),
    ],
)
def test_other_code_and_other_processors_have_other_libraries(monkeypatch, changed):
    own = key()
    monkeypatch.setattr(step_libraries, *changed)
    assert key() != own


def test_another_torch_and_another_compiler_make_other_libraries(monkeypatch):
    keys = [key()]
    monkeypatch.setenv("CXX", "another-compiler")
    keys.append(key())
    monkeypatch.setattr(torch, "__version__", "0.0.0")
    keys.append(key())
    assert len({*keys}) == 3


def test_processors_with_other_vectors_never_share_what_is_compiled(
    monkeypatch, tmp_path
):
    """With the step of one the other's stars end at NaN, or its process does."""

    def place(capability):
        monkeypatch.setattr(
            torch.backends.cpu, "get_cpu_capability", lambda: capability
        )
        return libraries_folder()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert place("AVX512") == tmp_path / "orrery" / "kernels" / "avx512"
    assert place("AVX2") != place("AVX512")


def test_what_is_there_is_not_built_again(builds):
    assert not step_libraries.are_built()
    load()
    assert builds == [*PARTS]
    assert step_libraries.are_built()
    load()
    assert builds == [*PARTS]


@pytest.mark.parametrize("left", [b"", b"\x7fELF", "another", None])
def test_a_damaged_library_is_built_again_alone(builds, empty, left):
    # before the first of this name is loaded: the system opens a name once
    place, built = empty
    shutil.copytree(built, place)
    (place / "stage.so").unlink()
    if left == "another":
        shutil.copy(built / "begin.so", place / "stage.so")
    elif left is not None:
        (place / "stage.so").write_bytes(left)
    assert not step_libraries.are_built()
    assert load().keys() == {*PARTS}
    assert builds == ["stage"]


def test_a_compiler_that_fails_is_told_and_leaves_nothing(monkeypatch, empty, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no space >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(
        RuntimeError, match=r"cannot be compiled in .*CXX(.|\n)*no space"
    ):
        load()
    assert [path.name for path in empty[0].iterdir()] == [".lock"]
    assert not [*Path(tempfile.gettempdir()).glob("orrery-step-*")]


def test_a_builder_that_is_killed_is_told_at_once(monkeypatch, empty, tmp_path):
    """Also where what it had started lives on."""
    broken, started = tmp_path / "python", tmp_path / "started"
    broken.write_text(f"#!/bin/sh\nsleep 3600 &\necho $! > {started}\nkill -9 $$\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RuntimeError, match=r"ended by signal 9: .* memory was short"):
        load()
    os.kill(int(started.read_text()), signal.SIGKILL)  # which it has outlived


def test_a_folder_that_cannot_be_written_is_told(monkeypatch, empty, tmp_path):
    (tmp_path / "orrery").write_text("a file is in the way")
    with pytest.raises(OSError, match=r"cannot write .*XDG_CACHE_HOME"):
        load()


def test_a_cache_whose_path_has_spaces_is_no_obstacle(monkeypatch, tmp_path):
    """The compiler's commands do not bear them: all that it is told lies elsewhere."""
    told = []

    def build(names, scratch):
        told.append(str(scratch))
        for name in names:
            (scratch / f"{name}.so").write_bytes(b"a library")

    monkeypatch.setattr(step_libraries, "_build", build)
    step_libraries._build_once(tmp_path / "my cache")
    assert " " not in told[0]
    assert not step_libraries._missing(tmp_path / "my cache")


def test_an_empty_name_of_the_cache_names_none(monkeypatch):
    """As the XDG base directory specification has it: the folder is not the working one."""
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert libraries_folder().is_relative_to(Path.home() / ".cache")


def test_libraries_are_built_where_no_gpu_is_seen(monkeypatch, tmp_path):
    environments = []

    def call(command, env, **kept):
        environments.append(env)
        return 0

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(step_libraries.subprocess, "call", call)
    step_libraries._build(["begin"], tmp_path)
    assert [env["CUDA_VISIBLE_DEVICES"] for env in environments] == [""]


@pytest.mark.slow
def test_a_torch_without_an_option_of_packaging_builds_without_it(monkeypatch):
    # here, not above: it loads torch's compiler, for which other tests have no use
    from mwlmc.model import step_building

    # torch 2.11 knows no line tables
    whole = step_building.known_options()
    assert whole == step_building.OPTIONS
    monkeypatch.setitem(step_building.OPTIONS, "aot_inductor.of_another_torch", True)
    assert step_building.known_options() == whole
    monkeypatch.setitem(step_building.OPTIONS, "cpp.of_another_torch", True)
    assert "cpp.of_another_torch" in step_building.known_options()
