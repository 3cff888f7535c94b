"""Shells on a node, and the `ray` that they find: which looks at its folders before it is Ray's."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orrery.execution import local_session

CLUSTERS = Path(__file__).parents[2] / "platform/clusters"


@pytest.fixture
def at_home(tmp_path, connections):
    """Says what words print in a shell of an account that has read shell.sh, and complain of.

    Its Python says instead of running Ray what it was asked, and where temporary files go.
    """
    home = tmp_path / "home"
    programs = home / "orrery/.venv/bin"
    programs.mkdir(parents=True)
    shutil.copytree(CLUSTERS, home / "orrery/platform/clusters")
    package = home / "packages/ray/scripts"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "scripts.py").write_text(PLAYED)
    (home / "tempfile.py").write_text("raise ImportError('of where it was called')\n")
    # -S: if all else failed it would be the real Ray, and `ray stop` is among the tests
    started = f'PYTHONPATH={home}/packages exec {sys.executable} -S "$@"'
    (programs / "python").write_text(f"#!/bin/sh\n{started}\n")
    (programs / "python").chmod(0o755)

    def said(words, shell="bash", folder=tmp_path / "closed"):
        done = subprocess.run(
            [shell, "-c", f". ~/orrery/platform/clusters/shell.sh; {words}"],
            check=False,
            capture_output=True,
            text=True,
            cwd=home,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(home),
                "LOGNAME": os.environ["LOGNAME"],
                "ORRERY_TMPDIR": str(folder),
            },
        )
        return done.stdout.splitlines(), done.stderr

    return said


PLAYED = """
import os, sys, tempfile

def main():
    print("ran", *sys.argv, os.environ["RAY_TMPDIR"], tempfile.gettempdir())
"""


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_no_ray_runs_in_a_shell_whose_folder_is_refused(tmp_path, at_home, shell):
    """Ray reads what lies in its folder and among temporary files, whoever made it."""
    folder = tmp_path / "closed"
    ran = [f"ran ray up {folder} {folder}"]

    def said(words):
        return at_home(words, shell)

    assert said("ray up")[0] == ran
    folder.chmod(0o755)
    lines, why = said('ray up || echo "refused $TMPDIR $RAY_TMPDIR"')
    assert lines == ["refused  "]
    assert "open to other accounts" in why
    # mended in an open shell, it is used; the shell itself had said that it was not
    assert said(f"echo $?; chmod go= {folder}; ray up")[0] == ["1", *ran]
    around = (
        f"chmod go+rx {folder}; . ~/orrery/platform/clusters/shell.sh; echo $TMPDIR"
    )
    assert said(around)[0] == [""]
    folder.chmod(0o700)
    # what cleans /tmp took it away, and another account makes it: none, or a link
    assert said(f"rmdir {folder}; ray up")[0] == ran
    taken = f"rmdir {folder}; ln -s /tmp {folder}; ray up || echo refused"
    assert said(taken)[0] == ["refused"]
    folder.unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    "called",
    [
        *("timeout 60 ray up", "echo up | xargs ray", "sh -c 'ray up'", "env ray up"),
        "ln -s ~/orrery/platform/clusters/bin/ray ~/elsewhere; ~/elsewhere up",
        "cd ~/orrery/platform; CDPATH=/:. clusters/bin/ray up",
        "set -o noclobber; export SHELLOPTS; ray up",
    ],
)
def test_each_ray_that_a_shell_finds_is_looked_after(tmp_path, at_home, called):
    folder = tmp_path / "closed"
    assert at_home(called)[0] == [f"ran ray up {folder} {folder}"]
    (tmp_path / "home/elsewhere").unlink(missing_ok=True)
    folder.chmod(0o755)
    assert at_home(f"{called} || echo refused")[0] == ["refused"]


def test_a_shell_without_the_ray_that_looks_is_told(tmp_path, at_home):
    program = tmp_path / "home/orrery/platform/clusters/bin/ray"
    program.chmod(0o644)
    lines, why = at_home('echo "$? $TMPDIR"')
    assert lines == ["1 "]
    assert "chmod +x ~/orrery/platform/clusters/bin/ray" in why


@pytest.mark.slow
def test_a_checkout_without_an_environment_is_told(tmp_path, at_home):
    (tmp_path / "home/orrery/.venv/bin/python").unlink()
    assert "bash platform/clusters/environment.sh" in at_home("ray up")[1]


@pytest.mark.slow
def test_a_refused_folder_keeps_no_ray_from_being_stopped(tmp_path, at_home):
    """Nothing is read there, neither by what `ray stop` does nor as a temporary file."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    lines, why = at_home("ray stop --force")
    assert lines == ["ran ray stop --force /nonexistent /nonexistent"]
    assert "open to other accounts" in why


@pytest.mark.slow
def test_a_disk_that_fills_up_sends_no_ray_elsewhere(tmp_path, at_home):
    """Python would take /tmp or /var/tmp for a TMPDIR in which nothing can be written."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    python = tmp_path / "home/orrery/.venv/bin/python"
    words = python.read_text()
    python.write_text(words.replace("\n", f"\nrmdir {folder}\n", 1))  # after the look
    assert at_home("ray up")[0] == [f"ran ray up {folder} {folder}"]
    assert not folder.exists()


@pytest.mark.slow
def test_a_folder_is_named_without_links_and_slashes(tmp_path, at_home):
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("link/closed", "closed/", "link//closed//", "with a blank"):
        folder = tmp_path / (name if " " in name else "closed")
        for shell in ("bash", "sh"):
            words = "echo $RAY_TMPDIR $TMPDIR; ray up"
            said = at_home(words, shell, folder=f"{tmp_path}/{name}")
            assert said[0] == [f"{folder} {folder}", f"ran ray up {folder} {folder}"]
    (tmp_path / "scratch").symlink_to(tmp_path / "closed")
    lines, why = at_home("ray up || echo refused", folder=f"{tmp_path}/scratch/")
    assert lines == ["refused"]
    assert f"{tmp_path}/scratch on " in why
    lines, why = at_home("ray up || echo refused", folder="closed")
    assert lines == ["refused"]
    assert "no whole path" in why


@pytest.mark.slow
def test_a_refused_shell_says_how_it_finds_ray_when_that_is_mended(tmp_path, at_home):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    again = ". ~/orrery/platform/clusters/shell.sh"
    mended = f"chmod go= {folder}; {again}; echo $RAY_TMPDIR"
    lines, why = at_home(mended)
    assert f"in each shell that is open: {again}" in why
    assert lines == [str(folder)]


@pytest.mark.slow
def test_ray_and_python_of_one_shell_look_in_one_folder(tmp_path, at_home):
    other = tmp_path / "other"
    words = f"export ORRERY_TMPDIR={other}; ray up || echo refused; ray stop"
    lines, why = at_home(words)
    assert lines == ["refused", f"ran ray stop {other} {other}"]
    assert "above shell.sh in ~/.bashrc" in why
    again = f"ORRERY_TMPDIR={other}; . ~/orrery/platform/clusters/shell.sh; ray up"
    assert at_home(again)[0] == [f"ran ray up {other} {other}"]


@pytest.mark.slow
def test_ray_is_refused_too_where_the_shells_folder_is_no_longer_named(
    tmp_path, at_home
):
    other, maker = tmp_path / "other", "~/orrery/platform/clusters/temporary.sh"
    other.mkdir()
    # as if it were that of who names none, which is not a test's to make
    unset = f"echo 'echo {other}' > {maker}; unset ORRERY_TMPDIR"
    lines, why = at_home(f"{unset}; ray up || echo refused; unset TMPDIR; ray up")
    assert lines == ["refused", f"ran ray up {other} {other}"]
    assert f"ORRERY_TMPDIR= means {other}, and this shell looks for Ray in" in why


@pytest.mark.slow
def test_ray_runs_with_the_python_of_an_older_desk(tmp_path, at_home):
    """Before 3.11 there is no -P."""
    python = tmp_path / "home/orrery/.venv/bin/python"
    words = python.read_text()
    python.write_text(words.replace("\n", '\n[ "$1" != -P ] || exit 2\n', 1))
    folder = tmp_path / "closed"
    assert at_home("ray up")[0] == [f"ran ray up {folder} {folder}"]


@pytest.mark.slow
def test_a_folder_that_is_too_long_for_sockets_starts_no_ray(tmp_path, at_home):
    folder = tmp_path / ("a" * 40)
    lines, why = at_home("ray start --head || ray status", folder=folder)
    assert lines == [f"ran ray status {folder} {folder}"]
    assert "bytes at most" in why


@pytest.mark.slow
def test_the_longest_socket_of_ray_is_known(tmp_path, at_home):
    """Ray refuses the sockets of a head's dashboard that are longer, in words of its own."""
    import ray

    sources = Path(ray.__file__).parent.glob("dashboard/modules/**/*.py")
    heads = re.findall(
        r"^class (\w+)\(SubprocessModule\)",
        "\n".join(source.read_text() for source in sources),
        re.MULTILINE,
    )
    names = ["plasma_store", *(f"dash_{head}" for head in heads)]
    assert len(names) > 5
    session = "/ray/session_2026-11-27_14-00-00_000000_4194304/sockets/"
    most = 107 - len(session + max(names, key=len))
    alone = local_session.LONGEST_SOCKET - local_session.ADDED
    page = (CLUSTERS / "README.md").read_text()
    assert f"# {most} bytes at most, for Ray's sockets; {alone} if runs without" in page
    folder = f"{tempfile.mkdtemp(dir='/tmp', prefix='o')}/"
    for name, ran in ((folder.ljust(most, "o"), 1), (folder.ljust(most + 1, "o"), 0)):
        assert len(at_home("ray start --head", folder=name)[0]) == ran
    shutil.rmtree(folder)


def test_a_project_elsewhere_is_told(tmp_path, at_home):
    home = tmp_path / "home"
    (home / "orrery").rename(home / "elsewhere")
    lines, why = at_home("true; . ~/elsewhere/platform/clusters/shell.sh; echo $?")
    assert lines == ["1"]
    assert "no project in ~/orrery" in why
