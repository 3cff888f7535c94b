"""The launch files: Ray accepts them without asking a cloud, and their commands hang together."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
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


def test_nodes_look_for_buckets_in_their_own_region(tmp_path):
    """Without it obstore takes us-east-1, whatever the machine."""
    config = yaml.safe_load(AWS.read_text())
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    bashrc = tmp_path / ".bashrc"
    for _ in range(2):  # as `ray up` does, time and again
        for line in (one for one in config["setup_commands"] if ".bashrc" in one):
            assert run(["bash", "-c", line], env=home).returncode == 0
    named = config["provider"]["region"]
    assert bashrc.read_text().count(f"export AWS_REGION={named}\n") == 1
    assert bashrc.read_text().count("shell.sh") == 1


def test_no_package_asks_a_question_on_a_node():
    """At the terminal of Ray's ssh it would wait for ever for who could answer."""
    installing = [one for one in commands(AWS) if "apt-get" in one and "install" in one]
    assert len(installing) == 2
    for command in installing:
        (asked,) = re.findall(r"sudo ([^;&]*?)apt-get [^;&]*install", command)
        assert "DEBIAN_FRONTEND=noninteractive" in asked
        assert "NEEDRESTART_MODE=a" in asked


@pytest.mark.parametrize("has_pip", [False, True])
def test_an_environment_that_was_cut_off_on_a_node_is_made_anew(has_pip, tmp_path):
    python, uv = tmp_path / "orrery/.venv/bin/python", tmp_path / ".local/bin/uv"
    for path, words in ((python, f"exit {int(not has_pip)}"), (uv, 'mkdir -p "$5"')):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{words}\n")
        path.chmod(0o755)
    (making,) = (one for one in commands(AWS) if "uv venv" in one)
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert run(["bash", "-c", making], env=home).returncode == 0
    assert python.exists() is has_pip
    assert (tmp_path / "orrery/.venv").is_dir()


@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_what_a_node_was_told_before_stays_above_the_line_of_the_shell(path, tmp_path):
    """As README of the clusters has it: ORRERY_TMPDIR is set before shell.sh looks at it."""
    readme = (ROOT / "platform/clusters/README.md").read_text()
    said = re.search(r"```\n(export ORRERY_TMPDIR=.*?)```", readme, re.DOTALL).group(1)
    bashrc = tmp_path / ".bashrc"
    bashrc.write_text(f"{said}export AWS_REGION=eu-central-1\n")
    before = bashrc.read_text()
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    config = yaml.safe_load(path.read_text())
    for line in (one for one in config["setup_commands"] if ".bashrc" in one):
        assert run(["bash", "-c", line], env=home).returncode == 0
    assert bashrc.read_text() == before


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


@pytest.mark.slow
@pytest.mark.parametrize("path", [AWS, LOCAL], ids=["aws", "on_premise"])
def test_every_shell_finds_ray_which_asks_for_the_carried_token_and_a_certificate(
    path, tmp_path
):
    config = yaml.safe_load(path.read_text())
    assert "~/.ray/auth_token" in config["file_mounts"].values()
    (line,) = [one for one in config["setup_commands"] if "1i . " in one]
    named = re.search(r"1i \. ~/orrery/(\S+\.sh)'", line).group(1)
    (tmp_path / "orrery").symlink_to(ROOT)
    user = f"tester-{os.getpid()}"
    temporary = tmp_path / "closed"
    done = run(
        [
            "bash",
            "-c",
            f". {ROOT / named}; echo $PATH; echo $RAY_AUTH_MODE $RAY_USE_TLS;"
            "echo $RAY_TLS_SERVER_CERT $RAY_TLS_SERVER_KEY $RAY_TLS_CA_CERT;"
            "echo $RAY_TMPDIR $TMPDIR; echo $GRPC_ENABLE_FORK_SUPPORT",
        ],
        env={
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
            "LOGNAME": user,
            "ORRERY_TMPDIR": str(temporary),
        },
    )
    letters = hashlib.sha256(user.encode()).hexdigest()[:10]
    shutil.rmtree(f"/tmp/ray_ssh_{letters}")
    places, modes, files, folders, forks = done.stdout.splitlines()
    assert forks == "0"
    first = ("platform/clusters/bin", ".venv/bin")
    assert places.split(":")[:2] == [f"{tmp_path}/orrery/{place}" for place in first]
    assert modes == "token 1"
    assert len(set(files.split())) == 3
    own = f"{tmp_path}/.ray/tls/{os.uname().nodename}/"
    assert all(one.startswith(own) for one in files.split())
    assert folders.split() == [str(temporary)] * 2
    assert temporary.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["shell.sh", "slurm.sh", "kuberay/Dockerfile"])
def test_rays_client_server_forks_without_handlers_of_grpc(name):
    """They crash now and then what it starts for a session: ray-project/ray, issue 63202."""
    text = (ROOT / "platform/clusters" / name).read_text()
    assert re.search(r"^\s*(export )?GRPC_ENABLE_FORK_SUPPORT=0\b", text, re.MULTILINE)


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
