"""A sweep on a cluster of two nodes loses one of them and ends with all its trials.

Ten such sweeps, for which there is no time here:
python tests/faults/lose_node.py FOLDER --sweeps 10
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("lose_node.py")


@pytest.mark.slow  # two nodes of Ray
def test_a_node_is_lost_in_the_middle(tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["lost"]) == 1, "no node was lost in the middle"
    assert found["states"] == ["finished"]
    assert (found["trials"], found["distinct"]) == (12, 12)
    assert found["kept"]
    # each trial came to its end once; the one that was lost began again, on the other node
    assert found["ended"]
    assert found["again"] == [True, False]
