"""Nobody else reaches a Ray that we start, and who joins one shows its token."""

import ipaddress
import os
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import ray
import torch

from orrery.learning import workers
from orrery.learning.training import ignore_member

pytestmark = (
    pytest.mark.slow
)  # the shared session, and a process that knocks at its door


@ray.remote
def token_file():
    """Returns the file from which the session's processes take their token."""
    return os.environ["RAY_AUTH_TOKEN_PATH"]


def processes(folder):
    """Returns this process, and all whose arguments or environment name a folder."""
    named = [str(os.getpid())]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (
                (process / "cmdline").read_bytes(),
                (process / "environ").read_bytes(),
            )
        except OSError:
            continue  # it has ended, or is another user's
        if any(os.fsencode(folder) in text for text in words):
            named.append(process.name)
    return named


def addresses(process):
    """Returns where a process listens: nowhere if it has ended meanwhile."""
    opened, lines = [], []
    with suppress(FileNotFoundError, ProcessLookupError):
        opened = [*Path("/proc", process, "fd").iterdir()]
        for table in ("tcp", "tcp6"):
            text = Path("/proc", process, "net", table).read_text()
            lines += text.splitlines()[1:]
    sockets = {target(link) for link in opened}
    found = []
    for line in lines:
        _, local, _, state, *rest = line.split()
        if state == "0A" and f"socket:[{rest[5]}]" in sockets:
            found.append(to_address(local.partition(":")[0]))
    return found


def target(link):
    """Returns what a file descriptor is of; nothing if it was closed meanwhile."""
    with suppress(OSError):
        return os.readlink(link)
    return ""


def to_address(word):
    """Returns the address that the kernel writes as little-endian words of four bytes."""
    raw = bytes.fromhex(word)
    groups = [raw[at : at + 4][::-1] for at in range(0, len(raw), 4)]
    address = ipaddress.ip_address(b"".join(groups))
    return getattr(address, "ipv4_mapped", None) or address


def test_all_processes_listen_on_the_loopback_interface_alone(connected):
    folder = Path(ray.get(token_file.remote())).parent
    found = [address for process in processes(folder) for address in addresses(process)]
    assert len(found) >= 5  # head, raylet (twice), a worker, this process
    assert all(address.is_loopback for address in found), found
    with socket.create_server(("", 0)):  # the proof would see another
        assert not all(address.is_loopback for address in addresses(str(os.getpid())))


def look_at_workers(worker, looked):
    """Writes where a worker listens that meets the others, as those do that train."""
    torch.distributed.barrier()
    listened = " ".join(map(str, addresses("self")))
    (looked / str(worker.rank)).write_text(listened)
    torch.distributed.barrier()


@pytest.mark.parametrize("count", [1, 2])
def test_workers_that_train_listen_on_the_loopback_interface_alone(
    connected, tmp_path, count
):
    if connected < count:
        pytest.skip("no room for the workers")
    look = partial(look_at_workers, looked=tmp_path)
    workers.run_workers(look, count, tmp_path / "training", ignore_member)
    found = [(tmp_path / str(rank)).read_text().split() for rank in range(count)]
    for listened in found:
        assert listened  # Ray's own, and with another worker that of gloo
        assert all(ipaddress.ip_address(one).is_loopback for one in listened)


KNOCK = """
import os, sys
from orrery.execution import cluster
right = sys.argv[1]
for settings in ({}, {"RAY_AUTH_TOKEN": "wrong"}, {"RAY_AUTH_TOKEN_PATH": right}):
    os.environ.pop("RAY_AUTH_TOKEN", None)
    os.environ.update(settings)
    try:
        with cluster.connect() as cpus:
            print(cpus)
    except PermissionError as error:
        print(error)
"""


def test_a_cluster_is_joined_with_its_token_alone(connected):
    file = Path(ray.get(token_file.remote()))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not Path(os.environ["HOME"], ".ray", "auth_token").exists()
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-c", KNOCK, str(file)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "RAY_ADDRESS": address},
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    none, wrong, joined = done.stdout.splitlines()
    assert "asks for another token than none" in none
    assert "asks for another token than that of RAY_AUTH_TOKEN" in wrong
    assert all("ray get-auth-token" in line for line in (none, wrong))
    assert int(joined) == connected
    assert file.read_text() not in done.stdout + done.stderr
