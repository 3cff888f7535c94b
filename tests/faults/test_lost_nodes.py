"""A sweep on a cluster of two nodes loses one of them and ends with all its trials.

Ten such sweeps, for which there is no time here:
python tests/faults/lose_node.py FOLDER --sweeps 10
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("lose_node.py")
CURRENT = Path(tempfile.gettempdir(), "ray", "ray_current_cluster")


@pytest.mark.slow  # two nodes of Ray
def test_a_node_is_lost_in_the_middle(tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # without the token that Ray makes for whoever starts one in this process: its head,
    # which would ask for it too, finds none and does not come up
    own = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
    with subprocess.Popen(command, env=own, **pipes) as process:
        while process.poll() is None:
            assert not CURRENT.exists(), "other tests would join its cluster"
            time.sleep(0.2)
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    # what it must not lose, and how it says so: test_failing_programs.py
    assert json.loads(output.splitlines()[-1])["trials"] == 12
