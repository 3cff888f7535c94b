"""The folder in which Ray's own lies on a node: closed to others, or Ray does not start."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "platform/clusters/temporary.sh"
USER = f"tester-{os.getpid()}"
SSH = Path("/tmp", f"ray_ssh_{hashlib.sha256(USER.encode()).hexdigest()[:10]}")


@pytest.fixture(autouse=True)
def _no_connections():
    yield
    shutil.rmtree(SSH, ignore_errors=True)


def make_temporary(folder, umask=0o022, path=os.environ["PATH"]):
    return subprocess.run(
        ["bash", SCRIPT],
        umask=umask,
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "ORRERY_TMPDIR": str(folder),
            "LOGNAME": USER,
            "PATH": path,
        },
    )


@pytest.mark.parametrize("mode", [None, 0o700, 0o2700])
def test_the_folder_of_ray_is_closed_to_other_accounts(tmp_path, mode):
    folder = tmp_path / "orrery-1500"
    if mode is not None:
        folder.mkdir()
        (folder / "kept").touch()
        folder.chmod(mode)
    assert make_temporary(folder).returncode == 0
    assert folder.stat().st_mode & 0o7777 == (mode or 0o700)
    assert SSH.stat().st_mode & 0o777 == 0o700
    assert (folder / "kept").exists() == (mode is not None)


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o710, 0o701])
def test_a_folder_that_is_open_is_refused_and_left_as_it_is(tmp_path, mode):
    """Others may have put something there; only its owner can tell what is his."""
    folder = tmp_path / "orrery-1500"
    folder.mkdir()
    (folder / "kept").touch()
    folder.chmod(mode)
    refused = make_temporary(folder)
    assert refused.returncode == 1
    aside = f"mv -T {folder} {folder}.open"
    assert aside in refused.stderr
    assert (folder / "kept").exists()
    assert folder.stat().st_mode & 0o777 == mode
    subprocess.run(aside.split(), check=True)
    assert make_temporary(folder).returncode == 0
    assert not (folder / "kept").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    """Python would take /tmp or /var/tmp, where others may have put what Ray reads."""
    folder, programs = tmp_path / "closed", tmp_path / "bin"
    programs.mkdir()
    for name, words in (("mktemp", "exit 1"), ("mktemp", "echo /dev/full")):
        (programs / name).write_text(f"#!/bin/sh\n{words}\n")
        (programs / name).chmod(0o755)
        (programs / "rm").write_text("#!/bin/sh\n")
        (programs / "rm").chmod(0o755)
        done = subprocess.run(
            ["bash", SCRIPT],
            check=False,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "ORRERY_TMPDIR": str(folder),
                "LOGNAME": USER,
            },
        )
        assert done.returncode == 1
        assert f"{folder} on " in done.stderr
        assert "cannot be written" in done.stderr


def test_a_folder_that_cannot_be_made_is_told_with_the_reason(tmp_path):
    (tmp_path / "file").touch()
    refused = make_temporary(tmp_path / "file" / "orrery-1500")
    assert refused.returncode == 1
    assert "cannot be made" in refused.stderr
    assert "Not a directory" in refused.stderr


@pytest.fixture
def at_home(tmp_path):
    """Says what words print in a shell of an account that has read shell.sh, and complain of.

    Its Python says instead of running Ray what it was asked, and where temporary files go.
    """
    home = tmp_path / "home"
    programs = home / "orrery/.venv/bin"
    programs.mkdir(parents=True)
    shutil.copytree(SCRIPT.parent, home / "orrery/platform/clusters")
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
                "LOGNAME": USER,
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


def test_a_checkout_without_an_environment_is_told(tmp_path, at_home):
    (tmp_path / "home/orrery/.venv/bin/python").unlink()
    assert "bash platform/clusters/environment.sh" in at_home("ray up")[1]


def test_a_refused_folder_keeps_no_ray_from_being_stopped(tmp_path, at_home):
    """Nothing is read there, neither by what `ray stop` does nor as a temporary file."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    lines, why = at_home("ray stop --force")
    assert lines == ["ran ray stop --force /nonexistent /nonexistent"]
    assert "open to other accounts" in why


def test_a_disk_that_fills_up_sends_no_ray_elsewhere(tmp_path, at_home):
    """Python would take /tmp or /var/tmp for a TMPDIR in which nothing can be written."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    python = tmp_path / "home/orrery/.venv/bin/python"
    words = python.read_text()
    python.write_text(words.replace("\n", f"\nrmdir {folder}\n", 1))  # after the look
    assert at_home("ray up")[0] == [f"ran ray up {folder} {folder}"]
    assert not folder.exists()


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


@pytest.mark.parametrize(("mode", "is_taken"), [(0o777, False), (0o1777, True)])
def test_others_cannot_exchange_what_a_folder_lies_in(tmp_path, mode, is_taken):
    above = tmp_path / "public"
    above.mkdir()
    above.chmod(mode)
    for folder in (above / "mine", above / "mine/deeper"):
        made = make_temporary(folder)
        assert (made.returncode == 0) is is_taken
        assert is_taken or f"lies in {above}, " in made.stderr


@pytest.mark.parametrize("umask", [0o002, 0o000])
def test_folders_above_are_closed_where_they_are_made(tmp_path, umask):
    folder = tmp_path / "a/b"
    for _ in range(2):  # one that is there is judged, too
        assert make_temporary(folder, umask).stdout == f"{folder}\n"
    folder.parent.chmod(0o775)
    assert "chmod go-w" in make_temporary(folder, umask).stderr


def test_what_another_account_left_in_a_folder_is_told(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another account")
    folder = tmp_path / "closed"
    (folder / "ray").mkdir(parents=True)
    folder.chmod(0o700)
    left = folder / "ray/left"
    left.touch()
    assert make_temporary(folder).returncode == 0
    os.chown(left, 1501, 1501)
    refused = make_temporary(folder)
    assert refused.returncode == 1
    assert f"holds {left}" in refused.stderr


def test_ray_looks_for_connections_where_they_are_closed():
    from ray.autoscaler._private import command_runner

    text = Path(command_runner.__file__).read_text()
    assert 'ssh_control_path = "/tmp/ray_ssh_{}/{}"' in text
    assert "ssh_user_hash = hashlib.sha256(getuser().encode()).hexdigest()" in text
    assert command_runner.HASH_MAX_LENGTH == 10


def test_connections_that_another_account_prepared_are_refused(tmp_path):
    SSH.symlink_to(tmp_path)
    refused = make_temporary(tmp_path / "orrery-1500")
    SSH.unlink()
    assert refused.returncode == 1
    assert f"{SSH} on " in refused.stderr


@pytest.mark.parametrize("found", ["file", "link", "another's folder"])
def test_a_folder_that_another_account_made_first_is_refused(tmp_path, found):
    folder = tmp_path / "orrery-1500"
    if found == "file":
        folder.touch()
    elif found == "link":
        folder.symlink_to(tmp_path)
    elif os.geteuid() == 0:
        folder.mkdir()
        os.chown(folder, 1501, 1501)
    else:
        folder = Path("/")  # which is root's
    refused = make_temporary(folder)
    assert refused.returncode == 1
    assert f"{folder} on " in refused.stderr
    assert "have it removed" in refused.stderr


def test_what_is_to_be_done_can_be_typed_as_it_is_said(tmp_path):
    folder = tmp_path / "with a 'quoted' blank"
    folder.mkdir(mode=0o755)
    aside = make_temporary(folder).stderr.split("`")[3]
    subprocess.run(["bash", "-c", aside], check=True)
    assert not folder.exists()
    assert make_temporary(folder).returncode == 0


@pytest.mark.parametrize("root", ["/", "//", "/tmp/..", "/tmp/."])
def test_the_root_is_no_folder_of_rays(root):
    refused = make_temporary(root)
    assert refused.returncode == 1
    assert "let ORRERY_TMPDIR name a folder in it" in refused.stderr


def test_a_folder_above_that_another_made_first_is_refused(tmp_path):
    """Between the look at what is above and the making of what is missing there."""
    programs = tmp_path / "programs"
    programs.mkdir()
    quicker = f'mkdir -p -m 777 "{tmp_path}/above"; exec mkdir "$@"'
    words = f"#!/bin/sh\nPATH={os.environ['PATH']}\n{quicker}\n"
    (programs / "mkdir").write_text(words)
    (programs / "mkdir").chmod(0o755)
    folder = tmp_path / "above/closed"
    refused = make_temporary(folder, path=f"{programs}:{os.environ['PATH']}")
    assert refused.returncode == 1
    assert f"lies in {folder.parent}, in which other accounts" in refused.stderr


def test_a_refused_shell_says_how_it_finds_ray_when_that_is_mended(tmp_path, at_home):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    again = ". ~/orrery/platform/clusters/shell.sh"
    mended = f"chmod go= {folder}; {again}; echo $RAY_TMPDIR"
    lines, why = at_home(mended)
    assert f"in each shell that is open: {again}" in why
    assert lines == [str(folder)]


def test_ray_and_python_of_one_shell_look_in_one_folder(tmp_path, at_home):
    other = tmp_path / "other"
    words = f"export ORRERY_TMPDIR={other}; ray up || echo refused; ray stop"
    lines, why = at_home(words)
    assert lines == ["refused", f"ran ray stop {other} {other}"]
    assert "above shell.sh in ~/.bashrc" in why
    again = f"ORRERY_TMPDIR={other}; . ~/orrery/platform/clusters/shell.sh; ray up"
    assert at_home(again)[0] == [f"ran ray up {other} {other}"]


def test_a_folder_that_is_too_long_for_sockets_starts_no_ray(tmp_path, at_home):
    folder = tmp_path / ("a" * 40)
    lines, why = at_home("ray start --head || ray status", folder=folder)
    assert lines == [f"ran ray status {folder} {folder}"]
    assert "bytes at most" in why


def test_a_project_elsewhere_is_told(tmp_path, at_home):
    home = tmp_path / "home"
    (home / "orrery").rename(home / "elsewhere")
    lines, why = at_home("true; . ~/elsewhere/platform/clusters/shell.sh; echo $?")
    assert lines == ["1"]
    assert "no project in ~/orrery" in why
