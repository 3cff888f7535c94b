"""The folder in which Ray's own lies on a node: closed to others, or Ray does not start."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "platform/clusters/temporary.sh"
pytestmark = pytest.mark.usefixtures("connections")


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
            "PATH": path,
        },
    )


@pytest.mark.parametrize("mode", [None, 0o700, 0o2700])
def test_the_folder_of_ray_is_closed_to_other_accounts(tmp_path, connections, mode):
    folder = tmp_path / "orrery-1500"
    if mode is not None:
        folder.mkdir()
        (folder / "kept").touch()
        folder.chmod(mode)
    assert make_temporary(folder).returncode == 0
    assert folder.stat().st_mode & 0o7777 == (mode or 0o700)
    assert connections.stat().st_mode & 0o777 == 0o700
    assert (folder / "kept").exists() == (mode is not None)


@pytest.mark.slow
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
    assert "if it is Ray's alone" in refused.stderr
    assert (folder / "kept").exists()
    assert folder.stat().st_mode & 0o777 == mode
    subprocess.run(aside.split(), check=True)
    assert make_temporary(folder).returncode == 0
    assert not (folder / "kept").exists()


@pytest.mark.slow
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


@pytest.mark.parametrize(("mode", "is_taken"), [(0o777, False), (0o1777, True)])
def test_others_cannot_exchange_what_a_folder_lies_in(tmp_path, mode, is_taken):
    above = tmp_path / "public"
    above.mkdir()
    above.chmod(mode)
    for folder in (above / "mine", above / "mine/deeper"):
        made = make_temporary(folder)
        assert (made.returncode == 0) is is_taken
        assert is_taken or f"lies in {above}, " in made.stderr


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o002, 0o000])
def test_folders_above_are_closed_where_they_are_made(tmp_path, umask):
    folder = tmp_path / "a/b"
    for _ in range(2):  # one that is there is judged, too
        assert make_temporary(folder, umask).stdout == f"{folder}\n"
    folder.parent.chmod(0o775)
    assert "chmod go-w" in make_temporary(folder, umask).stderr


@pytest.mark.slow
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


@pytest.mark.slow
def test_connections_that_another_account_prepared_are_refused(tmp_path, connections):
    connections.symlink_to(tmp_path)
    refused = make_temporary(tmp_path / "orrery-1500")
    connections.unlink()
    assert refused.returncode == 1
    assert f"{connections} on " in refused.stderr
    assert "have it removed\n" in refused.stderr  # Ray knows no other


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
    another = "let ORRERY_TMPDIR name another, above the line of shell.sh in ~/.bashrc"
    assert f"keeps there: {another}\n" in refused.stderr  # and have nothing removed


@pytest.mark.slow
def test_what_is_to_be_done_can_be_typed_as_it_is_said(tmp_path):
    folder = tmp_path / "with a 'quoted' blank"
    for name in ("open", "open2", "open3"):  # each time to another place
        folder.mkdir(mode=0o755)
        aside = make_temporary(folder).stderr.split("`")[3]
        subprocess.run(["bash", "-c", aside], check=True)
        assert not folder.exists()
        assert folder.with_suffix(f".{name}").is_dir()
    assert make_temporary(folder).returncode == 0


@pytest.mark.parametrize("owner", ["own", "another's"])
def test_a_folder_for_all_accounts_is_not_put_aside(tmp_path, owner):
    folder = tmp_path / "everybodys"
    folder.mkdir()
    folder.chmod(0o1777)
    if owner != "own" and os.geteuid() == 0:
        os.chown(folder, 1501, 1501)
    refused = make_temporary(folder)
    assert refused.returncode == 1
    assert "is for all accounts: let ORRERY_TMPDIR name another" in refused.stderr
    assert "`mv " not in refused.stderr


@pytest.mark.parametrize("root", ["/", "//", "/tmp/..", "/tmp/."])
def test_the_root_is_no_folder_of_rays(root):
    refused = make_temporary(root)
    assert refused.returncode == 1
    assert "let ORRERY_TMPDIR name another" in refused.stderr


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


def test_a_folder_above_that_another_hides_is_refused(tmp_path):
    """While it is looked at: its owner brings it back, with everything in it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    above, hidden = tmp_path / "above", tmp_path / "hidden"
    makes = f"mkdir -p -m 777 {above}; exec mkdir $@"
    looks = f"""case "$*" in
        *closed) [ ! -e {above} ] || mv {above} {hidden} ;;
        *above) [ ! -e {hidden} ] || mv {hidden} {above} ;;
    esac
    exec dirname "$@" """
    for name, words in (("dirname", looks), ("mkdir", makes)):
        script = f"#!/bin/sh\nPATH={os.environ['PATH']}\n{words}\n"
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    refused = make_temporary(above / "closed", path=f"{programs}:{os.environ['PATH']}")
    assert refused.returncode == 1
    assert f"lies in {above}, in which other accounts" in refused.stderr
