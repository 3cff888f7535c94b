"""The folder in which Ray's own lies on a node: closed to others, or Ray does not start."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "platform/clusters/temporary.sh"
USER = f"tester-{os.getpid()}"
SSH = Path("/tmp", f"ray_ssh_{hashlib.sha256(USER.encode()).hexdigest()[:10]}")


@pytest.fixture(autouse=True)
def _no_connections():
    yield
    shutil.rmtree(SSH, ignore_errors=True)


def make_temporary(folder):
    return subprocess.run(
        ["bash", SCRIPT],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ORRERY_TMPDIR": str(folder), "LOGNAME": USER},
    )


@pytest.mark.parametrize("mode", [None, 0o700, 0o777])
def test_the_folder_of_ray_is_closed_to_other_accounts(tmp_path, mode):
    folder = tmp_path / "orrery-1500"
    if mode is not None:
        folder.mkdir()
        folder.chmod(mode)
        (folder / "kept").touch()
    assert make_temporary(folder).returncode == 0
    for closed in (folder, SSH):
        assert closed.stat().st_mode & 0o777 == 0o700
    # others may have put there what is in one that was open
    assert (folder / "kept").exists() == (mode == 0o700)


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
