"""The Slurm script as the job of two nodes, with a Slurm and a Ray that are played."""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLURM = ROOT / "platform/clusters/slurm.sh"
KILLED = 30  # [s] after which Slurm kills what it has told to end, by default
DEAF = """
import os, pathlib, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
pathlib.Path("deaf").touch()
"""
# A clock that is played: the longest pauses, in which the script waits for what Slurm does,
# never end, or are told and over at once.
ENDLESS = '[ "${1%.*}" -le 10 ] || set -- 3600; exec /bin/sleep "$@"'
AT_ONCE = '[ "${1%.*}" -gt 10 ] || exec /bin/sleep "$@"; echo "paused $1" >> asked'

# Commands that say what they were asked for, and a Ray that starts on two "nodes" at once.
SLURM_COMMANDS = {
    "scontrol": """
echo "NodeName=node7 Arch=x86_64 NodeAddr=10.0.0.7 NodeHostName=node7 Version=22"
echo "NodeName=node8 Arch=x86_64 NodeAddr=10.0.0.8 NodeHostName=node8 Version=22"
""",
    "srun": """
echo "srun $*" >> asked
export SLURMD_NODENAME=node8
[[ $* == *--nodelist=node7* ]] && export SLURMD_NODENAME=node7
while [[ $1 == --* ]]; do shift; done
[ $SLURMD_NODENAME = node7 ] || set -- "$1" "$2" "$3" "$4-8" "$5" # a disk of its own
exec "$@"
""",
    "ray": """
temporary=$(sed 's/.*--temp-dir=\\([^ ]*\\).*/\\1/' <<< "$*")
mkdir -p $temporary; chmod 777 $temporary # as Ray does
echo "ray $* mode=$RAY_AUTH_MODE token=$(stat -c %a "$RAY_AUTH_TOKEN_PATH")" \\
    "tls=$RAY_USE_TLS key=$(stat -c %a "$RAY_TLS_SERVER_KEY")" \\
    "above=$(stat -c %a "$temporary/..")" >> asked
echo 10.0.0.7:41234 > $temporary/ray_current_cluster
trap 'echo "ray ended" >> asked; exit' TERM
while true; do sleep 0.05; done
""",
}


def slurm(tmp_path, *arguments, **options):
    """Starts the Slurm script as the job of two nodes, in a folder like the project's."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, body in SLURM_COMMANDS.items():
        (bin_folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (bin_folder / name).chmod(0o755)
    (tmp_path / "platform").symlink_to(ROOT / "platform")
    job = {
        "PATH": f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SLURM_JOB_ID": f"test-{os.getpid()}",
        "SLURM_JOB_NODELIST": "node[7-8]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_ON_NODE": "32",
        "SLURMD_NODENAME": "node7",
    }
    return subprocess.Popen(
        ["bash", str(SLURM), *arguments],
        env=job,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **{"cwd": tmp_path, **options},
    )


def left_by_slurm(tmp_path):
    job = f"test-{os.getpid()}"
    shared = tmp_path / ".slurm" / job
    return [
        *Path("/tmp").glob(f"orrery-{job}*"),
        *([shared] if shared.exists() else []),
    ]


@pytest.fixture
def taken():
    """A folder of the name that anybody could guess for a job's, with a file of theirs."""
    folder = Path(f"/tmp/orrery-test-{os.getpid()}")
    folder.mkdir()
    (folder / "theirs").touch()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_slurm_job_has_a_ray_of_its_own_at_the_addresses_that_slurm_has(tmp_path):
    program = """if True:
        import os, sys
        from pathlib import Path
        from cryptography import x509
        print(sys.argv[1:], os.environ["RAY_ADDRESS"])
        shown = Path(os.environ["RAY_TLS_SERVER_CERT"]).read_bytes()
        read = x509.load_pem_x509_certificate(shown)
        kind = x509.SubjectAlternativeName
        for one in read.extensions.get_extension_for_class(kind).value:
            print("shown for", one.value)"""
    job = slurm(tmp_path, "-c", program, "--stars", "a b.csv")
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert "2 of 2 nodes have joined" in said
    assert "['--stars', 'a b.csv'] 10.0.0.7:41234" in said
    assert "shown for 10.0.0.7\nshown for 10.0.0.8\n" in said
    asked = (tmp_path / "asked").read_text().splitlines()
    head, worker = (line for line in asked if line.startswith("ray start"))
    assert " --head --port=0 " in head
    assert " --node-ip-address=10.0.0.7 " in head
    assert " --address=10.0.0.7:41234 --node-ip-address=10.0.0.8 " in worker
    for line in (head, worker):
        assert " --num-cpus=32 --num-gpus=0 " in line
        assert line.endswith(" mode=token token=600 tls=1 key=600 above=700")
    steps = [line for line in asked if line.startswith("srun")]
    assert all(" --no-kill " in line for line in steps)
    # each on its nodes, and no other Ray is told to stop
    assert asked.count("ray ended") == len(steps) == 2
    assert not any("ray stop" in line for line in asked)
    assert left_by_slurm(tmp_path) == []


@pytest.mark.slow
def test_a_slurm_job_near_its_time_limit_ends_in_order_and_at_once(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(SLURM_COMMANDS, "sleep", ENDLESS)
    program = """if True:
        import time
        try:
            print("begun", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print("ending", flush=True)
            time.sleep(0.5)
            print("ended in order", flush=True)
            raise SystemExit(130)"""
    alive, held = os.pipe()  # held by all that the job starts, as long as it lives
    job = slurm(tmp_path, "-c", program, pass_fds=(held,), start_new_session=True)
    os.close(held)
    try:
        for line in job.stdout:
            if line in ("begun\n", "ending\n"):
                job.terminate()  # `--signal=B:TERM` signals the script alone, and again
            if line == "ending\n":
                break
        said, _ = job.communicate(timeout=60)
        assert select.select([alive], [], [], 60)[0], "something outlives the job"
    finally:
        os.close(alive)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
    assert "ended in order" in said
    assert job.returncode == 130, said
    assert left_by_slurm(tmp_path) == []


@pytest.mark.slow
def test_nobody_can_take_a_slurm_jobs_folder_and_what_it_left_itself_is_removed(
    tmp_path, taken
):
    left = taken.with_suffix(".left")  # by the same job, which Slurm started again
    (left / "ray").mkdir(parents=True)
    job = slurm(tmp_path, "-c", "")
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert left_by_slurm(tmp_path) == [taken]
    assert (taken / "theirs").exists()


def test_slurm_is_told_that_a_lost_node_costs_a_node_and_signals_early():
    told = set(re.findall(r"^#SBATCH (.*)$", SLURM.read_text(), re.MULTILINE))
    assert {"--exclusive", "--no-kill", "--signal=B:TERM@300"} <= told


@pytest.mark.parametrize(
    ("head", "place"),
    [("10.0.0.7:41234", "10.0.0.7/41234"), ("[fd00::7]:41234", "fd00::7/41234")],
)
def test_a_node_asks_its_head_at_addresses_of_both_kinds(head, place):
    text = (ROOT / "platform/clusters/slurm_node.sh").read_text()
    function = re.search(r"^head_answers\(\) {.*?^}", text, re.MULTILINE | re.DOTALL)
    asked = f"timeout() {{ echo $*; }}; {function[0]}; head={head}; head_answers"
    done = subprocess.run(
        ["bash", "-c", asked], check=True, capture_output=True, text=True
    )
    assert f"/dev/tcp/{place}" in done.stdout.split()


def test_slurm_says_how_it_is_used(tmp_path):
    job = slurm(tmp_path)
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 2
    assert "usage: sbatch" in said


def test_slurm_says_from_which_folder_to_submit(tmp_path):
    job = slurm(tmp_path, "experiments/desi.py", cwd=ROOT / "tests")
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 2
    assert "submit from the project's folder" in said


def waited(seconds, told):
    """Returns whether something comes true in a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if told():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_of_a_cancelled_job_no_token_is_left_when_slurm_kills_it(tmp_path, monkeypatch):
    monkeypatch.setitem(SLURM_COMMANDS, "squeue", "echo COMPLETING")
    monkeypatch.setitem(SLURM_COMMANDS, "sleep", AT_ONCE)
    job = slurm(tmp_path, "-c", f"{DEAF}time.sleep(90)", start_new_session=True)
    shared = tmp_path / ".slurm" / f"test-{os.getpid()}"
    try:
        assert waited(60, (tmp_path / "deaf").exists)
        assert len([*shared.glob("joined/*")]) == 2
        job.terminate()
        assert waited(60, lambda: not shared.exists())
        assert job.poll() is None  # the experiment has not ended
        told = (tmp_path / "asked").read_text().splitlines()
        (paused,) = (line.split()[1] for line in told if line.startswith("paused"))
        assert int(paused) < KILLED - 5
    finally:
        # the experiment too, which has a group of its own and hears nothing
        subprocess.run(["pkill", "-KILL", "-P", str(job.pid)], check=False)
        os.killpg(job.pid, signal.SIGKILL)
        job.communicate()


@pytest.mark.slow
def test_a_ray_that_does_not_end_is_killed_with_its_folder(tmp_path, monkeypatch):
    deaf = SLURM_COMMANDS["ray"].replace("trap 'echo", "trap '' TERM; : 'echo")
    monkeypatch.setitem(SLURM_COMMANDS, "ray", deaf.replace("exit' TERM", "'"))
    job = slurm(tmp_path, "-c", "pass")
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert left_by_slurm(tmp_path) == []
    left = subprocess.run(
        ["pgrep", "-f", f"temp-dir=/tmp/orrery-test-{os.getpid()}"], check=False
    )
    assert left.returncode == 1


@pytest.mark.slow
def test_a_job_that_is_told_of_its_time_limit_keeps_its_token_until_its_end(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(SLURM_COMMANDS, "squeue", "touch looked; echo RUNNING")
    monkeypatch.setitem(SLURM_COMMANDS, "sleep", AT_ONCE)
    program = f"""{DEAF}
while not pathlib.Path("looked").exists():
    time.sleep(0.05)
time.sleep(1)  # in which the token would be removed
open(os.environ["RAY_AUTH_TOKEN_PATH"])
"""
    job = slurm(tmp_path, "-c", program)
    assert waited(60, (tmp_path / "deaf").exists)
    job.terminate()
    said, _ = job.communicate(timeout=90)
    assert job.returncode == 0, said
    assert left_by_slurm(tmp_path) == []
