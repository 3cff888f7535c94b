"""The launch files: Ray accepts them without asking a cloud, and their commands hang together."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.providers import _get_node_provider_cls
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[1]
AWS, LOCAL = ROOT / "cluster.yaml", ROOT / "platform/clusters/on_premise.yaml"
SLURM = ROOT / "platform/clusters/slurm.sh"
COMMANDS = ("initialization", "setup", "head_setup", "worker_setup")
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("checking a launch file must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def run(command, **options):
    return subprocess.run(
        command, check=False, capture_output=True, text=True, **options
    )


def commands(path):
    config = yaml.safe_load(path.read_text())
    names = [f"{name}_commands" for name in COMMANDS] + [*STARTS]
    return [command for name in names for command in config[name]]


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_ray_accepts_the_file(path):
    config = prepare_config(yaml.safe_load(path.read_text()))
    validate_config(config)
    assert config["head_node_type"] in config["available_node_types"]


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_ray_knows_the_provider(path):
    provider = yaml.safe_load(path.read_text())["provider"]
    assert _get_node_provider_cls(provider).__name__ in {
        "AWSNodeProvider",
        "LocalNodeProvider",
    }


def test_ray_refuses_an_unknown_field():
    config = prepare_config(yaml.safe_load(AWS.read_text()))
    with pytest.raises(Exception, match="workers_max"):
        validate_config({**config, "workers_max": 2})


def test_work_goes_to_cpu_and_gpu_workers_and_not_to_the_head():
    config = yaml.safe_load(AWS.read_text())
    types = config["available_node_types"]
    workers = {
        name: kind for name, kind in types.items() if name != config["head_node_type"]
    }
    assert set(workers) == {"cpu", "gpu"}
    assert types["head"]["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in types["head"]["node_config"]
    assert (
        sum(kind["max_workers"] for kind in workers.values()) <= config["max_workers"]
    )


def test_nodes_receive_what_the_installation_needs_and_no_data():
    mounts = yaml.safe_load(AWS.read_text())["file_mounts"]
    assert mounts.pop("/home/ubuntu/.ray/auth_token") == "~/.ray/auth_token"
    assert all(
        target == f"/home/ubuntu/orrery/{source}" for target, source in mounts.items()
    )
    needed = {
        "platform",
        "experiments",
        "datasets/observed",
        "pyproject.toml",
        "constraints.txt",
    }
    assert needed <= set(mounts.values())
    assert not {"datasets", "runs", "."} & set(mounts.values())
    missing = [source for source in mounts.values() if not (ROOT / source).exists()]
    assert missing == []


def test_every_worker_mounts_what_the_head_exports():
    config = yaml.safe_load(AWS.read_text())
    exported = re.findall(
        r"/home/ubuntu/orrery/(\w+)", " ".join(config["head_setup_commands"])
    )
    start = " ".join(config["worker_start_ray_commands"])
    assert re.search(r"for folder in ([\w ]+);", start).group(1).split() == exported
    assert start.index("mount -t nfs4") < start.index("ray start")


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_workers_join_the_port_that_the_head_opens(path):
    head, worker = (" ".join(yaml.safe_load(path.read_text())[name]) for name in STARTS)
    port = re.search(r"--head .*?--port=(\d+)", head).group(1)
    assert f"--address=$RAY_HEAD_IP:{port}" in worker


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_every_shell_finds_ray_which_asks_for_the_carried_token_and_a_certificate(path):
    config = yaml.safe_load(path.read_text())
    assert "~/.ray/auth_token" in config["file_mounts"].values()
    (line,) = [one for one in config["setup_commands"] if "sed " in one]
    named = re.search(r"1i \. ~/orrery/(\S+\.sh)'", line).group(1)
    done = run(
        [
            "bash",
            "-c",
            f". {ROOT / named}; echo $PATH; echo $RAY_AUTH_MODE $RAY_USE_TLS;"
            "echo $RAY_TLS_SERVER_CERT $RAY_TLS_SERVER_KEY $RAY_TLS_CA_CERT; echo $RAY_TMPDIR",
        ],
        env={"HOME": "/home/somebody", "PATH": "/usr/bin:/bin"},
    )
    places, modes, files, temporary = done.stdout.splitlines()
    assert places.split(":")[0] == "/home/somebody/orrery/.venv/bin"
    assert modes == "token 1"
    assert len(set(files.split())) == 3
    own = f"/home/somebody/.ray/tls/{os.uname().nodename}/"
    assert all(one.startswith(own) for one in files.split())
    assert temporary == f"/tmp/orrery-{os.geteuid()}"


def said_by(start, failing=""):
    """Returns what the programs of a command are asked, on a node at 10.0.0.7."""
    played = "".join(
        f"{name}() {{ echo {name} $@; [ {name} != '{failing}' ]; }}; "
        for name in ("bash", "python", "ray")
    )
    played += "hostname() { echo 10.0.0.7 fd00::7; }"
    done = run(
        ["bash", "-c", start.replace("cd ~/orrery", played)],
        env={**os.environ, "SSH_CONNECTION": "10.0.0.1 5 10.0.0.7 22"},
    )
    return done.stdout


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
@pytest.mark.parametrize("name", STARTS)
def test_no_node_starts_without_a_closed_folder_and_a_certificate_for_its_address(
    path, name
):
    (start,) = [
        one for one in yaml.safe_load(path.read_text())[name] if "ray start" in one
    ]
    closed, made, started = said_by(start).splitlines()
    assert closed == "bash platform/clusters/temporary.sh"
    assert made.startswith("python -m orrery cluster certificate 10.0.0.7")
    assert started.startswith("ray start")
    assert said_by(start, "python").splitlines() == [closed, made]
    assert said_by(start, "bash").splitlines() == [closed]


def test_nodes_of_ones_own_are_told_their_addresses_and_the_old_autoscaler():
    config = yaml.safe_load(LOCAL.read_text())
    for name in STARTS:
        (start,) = [one for one in config[name] if "ray start" in one]
        assert "--node-ip-address=10.0.0.7" in said_by(start)
    (start,) = [one for one in config["head_start_ray_commands"] if "--head" in one]
    # `ray up` has exported 1 before
    assert start.index("export RAY_enable_autoscaler_v2=0;") < start.index("ray start")


def test_every_node_on_aws_has_a_profile_that_the_roles_make():
    types = yaml.safe_load(AWS.read_text())["available_node_types"]
    profiles = {
        name: kind["node_config"]["IamInstanceProfile"]["Name"]
        for name, kind in types.items()
    }
    assert profiles == {
        "head": "orrery-head",
        "cpu": "orrery-worker",
        "gpu": "orrery-worker",
    }
    roles = (ROOT / "platform/clusters/aws_roles.sh").read_text()
    assert all(f"make_role {name}\n" in roles for name in profiles.values())


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_commands_are_valid_shell(path):
    for command in commands(path):
        done = run(["bash", "-n", "-c", command])
        assert done.returncode == 0, (command, done.stderr)


@pytest.mark.parametrize(
    "path", [AWS, LOCAL, SLURM], ids=["aws", "on_premise", "slurm"]
)
def test_files_named_in_the_header_exist(path):
    header = "\n".join(
        line for line in path.read_text().splitlines() if line.startswith("#")
    )
    named = re.findall(r"(?:platform|experiments)/[\w/]+\.\w+|cluster\.yaml", header)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


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


def test_a_slurm_job_near_its_time_limit_ends_in_order(tmp_path):
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
    job = slurm(tmp_path, "-c", program)
    for line in job.stdout:
        if line in ("begun\n", "ending\n"):
            job.terminate()  # `--signal=B:TERM` signals the script alone, and the limit again
        if line == "ending\n":
            break
    said, _ = job.communicate(timeout=60)
    assert "ended in order" in said
    assert job.returncode == 130, said
    assert left_by_slurm(tmp_path) == []


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
    assert f"/dev/tcp/{place}" in run(["bash", "-c", asked]).stdout.split()


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
