"""The folder in which Ray's own lies on a node: closed to others, or Ray does not start."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "platform/clusters/temporary.sh"


def make_temporary(folder):
    return subprocess.run(
        ["bash", SCRIPT],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "RAY_TMPDIR": str(folder)},
    )


@pytest.mark.parametrize("mode", [None, 0o700, 0o777])
def test_the_folder_of_ray_is_closed_to_other_accounts(tmp_path, mode):
    folder = tmp_path / "orrery-1500"
    if mode is not None:
        folder.mkdir()
        folder.chmod(mode)
    assert make_temporary(folder).returncode == 0
    assert folder.stat().st_mode & 0o777 == 0o700


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
