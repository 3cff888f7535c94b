"""What else is on the machine decides no test: a handful passes in a hostile environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HANDFUL = (
    "tests/test_sealed.py::test_nothing_of_the_machine_is_seen",
    "tests/cluster/test_actors.py::test_connections_are_used_again_and_left_open",
    "tests/orrery/learning/test_loop.py::test_the_same_seed_gives_the_same_weights",
    "tests/orrery/results/dashboard/test_reader.py::test_real_dashboard_works_offline",
    "tests/orrery/results/figures/test_marginals.py::test_published_point_lies_where_it_belongs",
    "tests/orrery/test_exports.py::test_arviz_gets_values_units_and_labels",
    "tests/orrery/test_terminal.py::test_progress_without_a_terminal_prints_every_minute",
    "tests/faults/test_killed_sweeps.py::test_an_interrupted_driver_ends_in_order",
)
# The fake package would stop both; Ray's processes get what the first one looks at.
FEW = (
    HANDFUL[0],
    "tests/orrery/execution/test_deaths.py::test_a_process_that_ended_by_itself_was_not_lost",
)
FOREIGN = {
    "WANDB_API_KEY": "0" * 40,
    "WANDB_MODE": "online",
    "RAY_ADDRESS": "127.0.0.1:1",
    "SLURM_JOB_ID": "1",
    "SLURM_JOB_NAME": "night",
    "SLURM_NTASKS": "64",
    "SLURMD_NODENAME": "node1",
    "SSL_CERT_FILE": "/nonexistent",
    "TTY_COMPATIBLE": "1",
    "PYTEST_DEBUG_TEMPROOT": "/",
}


def test_nothing_of_the_machine_is_seen():
    assert not {*FOREIGN, "PYTHONPATH"} & os.environ.keys()
    for variable in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        assert "hostile" not in os.environ[variable]
        Path(os.environ[variable], "written").touch()
    assert len(os.environ["TMPDIR"]) < 40  # Ray's sockets fit


@pytest.fixture
def hostile(tmp_path):
    """An environment in which everything that tests could stumble over is there."""
    machine = tmp_path / "hostile"
    home, programs, temporary = (machine / name for name in ("home", "bin", "t" * 60))
    for folder in (home, programs, temporary / "ray"):
        folder.mkdir(parents=True)
    srun = programs / "srun"
    srun.write_text("#!/bin/sh\necho srun: error: no controller >&2\nexit 1\n")
    srun.chmod(0o755)
    (temporary / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    (machine / "ray.py").write_text(
        "raise ImportError('not the one that is installed')"
    )
    # Below a file nothing can be written, not even by root.
    (machine / "cache").write_text("")
    return {
        **FOREIGN,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": str(machine / "cache" / "folder"),
        "LC_ALL": "C",
        "PYTHONPATH": str(machine),
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tests", "workers"), [(HANDFUL, "1"), (FEW, "0")], ids=["by a worker", "alone"]
)
def test_a_hostile_machine_fails_no_test(hostile, tests, workers):
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    background = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]  # deaf to Ctrl-C
    done = subprocess.run(
        [*background, *command, "-n", workers, *tests],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=hostile,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(tests)} passed" in done.stdout
    assert not [*Path(hostile["HOME"]).iterdir()]
