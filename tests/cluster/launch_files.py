"""The launch files, as they are, on machines that this one plays: `make clusters` (minutes).

Each test is a script, which says at its top what it needs. Not part of `make test`, which must
stay short.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOUR = 3600  # [s]
PROGRAMS = ("sshd", "ssh", "rsync", "ip", "ss", "git", "unshare", "nsenter")
SLURM = ("slurmctld", "slurmd", "sbatch", "munged")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(HOUR)]


def lacking(*programs):
    """Returns which of these programs are not there; administrators' are looked for too."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return [name for name in programs if not shutil.which(name, path=path)]


def why_no_machines(*programs):
    """Returns what keeps this machine from playing several, or an empty text."""
    if os.geteuid() != 0:
        return "machines are made of namespaces, for which one must be root"
    if missing := lacking(*PROGRAMS, *programs):
        return f"these programs are not installed: {', '.join(missing)}"
    command = [
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--uts",
        "--ipc",
        "--fork",
        "true",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stderr and f"namespaces are refused here: {done.stderr.strip()}"


def run(script):
    """Returns the last line of a script that must succeed; shows all of it if it does not."""
    done = subprocess.run(
        ["bash", str(HERE / script)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HOUR,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()[-1]


def test_machines_of_ones_own_are_a_cluster_that_survives_the_loss_of_one():
    if reason := why_no_machines():
        pytest.skip(reason)
    assert run("on_premise.sh").endswith("SUCCESS")


def test_a_slurm_job_goes_on_without_a_lost_node_and_after_its_time_limit():
    if reason := why_no_machines(*SLURM):
        pytest.skip(reason)
    assert run("slurm.sh").endswith("SUCCESS")


def test_planted_faults_are_found_by_the_check():
    if reason := why_no_machines("cc"):
        pytest.skip(reason)
    assert run("planted_faults.sh").endswith("SUCCESS")


def test_instances_on_aws_are_what_the_file_says():
    if missing := lacking("ray", "aws", "moto_server", "unshare"):
        pytest.skip(f"these programs are not installed: {', '.join(missing)}")
    assert run("aws.sh").endswith("SUCCESS")
