"""An installed wheel has all that it needs: experiments run in any folder, by `orrery`."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("halomass", "mwlmc", "orrery")
# What the platform's folders hold beside packages is for whoever has the repository.
NOT_INSTALLED = {"__pycache__"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what it is made of."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "platform").mkdir()
    for package in PACKAGES:
        for path in (ROOT / "platform" / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                copy = source / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel, and the packages of this one behind it."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/*/site-packages"))
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    command += ["--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    # The folders only: that this environment has the project itself, in place, is in a
    # file of it that says so, which is not read there.
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others))
    return folder / "bin" / "orrery"


def run_installed(program, *words, cwd):
    """Returns what a command printed, run in a folder where nothing of the project is."""
    environment = {**os.environ, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    command = [str(program), *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info" not in name}
    there = {
        str(path.relative_to(ROOT / "platform"))
        for package in PACKAGES
        for path in (ROOT / "platform" / package).rglob("*")
        if path.is_file() and not NOT_INSTALLED & {*path.parts}
    }
    assert packed == there


@pytest.mark.slow
def test_an_installed_experiment_answers_in_any_folder(
    installed, toy, toy_datasets, tmp_path
):
    where = run_installed(installed, "-h", cwd=tmp_path)
    assert where.returncode == 0, where.stderr
    columns = run_installed(installed, "columns", "sdss_kgiants.ecsv", cwd=tmp_path)
    assert columns.returncode == 0, columns.stderr
    datasets = ("--datasets", str(toy_datasets))
    done = run_installed(installed, "quadrants", *toy, *datasets, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / done.stdout.splitlines()[-1]
    assert page.name == "report.html"
    assert "<html" in page.read_text()[:200]
