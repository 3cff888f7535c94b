"""Looks from another network namespace at a toy that runs on a Ray of its own.

    unshare -n -u -m python tests/faults/doors.py FOLDER

This process's namespace has a cable to another one, as a machine to its neighbour, and its
name is that of the cable's end. It is looked at while it simulates and while it trains. The
last line is JSON: how many ports are open here, and which of them the other one reaches.
To see that it would, a door is opened on purpose.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import places

HERE = "10.77.0.1"
THERE = "10.77.0.2"
NAME = "neighboured"
BUSILY = ("--actors", 1, "--workers", 2, "--pause", 0.3)
# what a run that simulates, and one that trains, has written
SIGNS = ("datasets/*/shards/*.arrow", "runs/*/*/*/epochs.jsonl")
REACH = """
import json, socket, sys
reached = []
for port in json.loads(sys.argv[2]):
    try:
        socket.create_connection((sys.argv[1], port), timeout=2).close()
        reached.append(port)
    except OSError:
        pass
print(json.dumps(reached))
"""


def run(*words):
    subprocess.run([str(word) for word in words], check=True)


def lay_cable():
    """Returns a process in another namespace, with a cable from there to here."""
    neighbour = subprocess.Popen(["unshare", "-n", "sleep", "600"])
    deadline = time.monotonic() + 10.0
    ours = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{neighbour.pid}/ns/net") == ours:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    inside = ("nsenter", "-t", neighbour.pid, "-n")
    run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there")
    run("ip", "link", "set", "there", "netns", neighbour.pid)
    run("ip", "address", "add", f"{HERE}/24", "dev", "here")
    run(*inside, "ip", "address", "add", f"{THERE}/24", "dev", "there")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "set", "here", "up")
    run(*inside, "ip", "link", "set", "there", "up")
    return neighbour


def open_ports():
    """Returns the ports on which anybody listens in this namespace."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/self/net", name).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == "0A":
                found.add(int(local.rpartition(":")[2], 16))
    return sorted(found)


def take_name():
    """Names this machine as those in a network are: its name leads to the cable."""
    with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:
        hosts.write(f"127.0.0.1 localhost\n{HERE} {NAME}\n")
        hosts.flush()
        run("mount", "--bind", hosts.name, "/etc/hosts")
    socket.sethostname(NAME)
    assert socket.gethostbyname(socket.gethostname()) == HERE


def reached(ports, neighbour):
    """Returns those of some ports that the other machine reaches."""
    reach = (sys.executable, "-c", REACH, HERE, json.dumps(ports))
    inside = ("nsenter", "-t", str(neighbour.pid), "-n")
    done = subprocess.run([*inside, *reach], capture_output=True, check=True)
    return json.loads(done.stdout)


def main():
    folder = Path(sys.argv[1])
    take_name()
    neighbour = lay_cable()
    looks = []
    with places.short_folder() as sockets, socket.create_server((HERE, 0)) as door:
        toy = places.start(folder, *BUSILY, RAY_TMPDIR=str(sockets))
        for signs in SIGNS:
            places.await_moment(toy, lambda signs=signs: list(folder.glob(signs)))
            ports = open_ports()
            looks.append((len(ports) - 1, reached(ports, neighbour)))
        is_busy = toy.poll() is None
        own = door.getsockname()[1]
        toy.terminate()
        places.finish(toy)
    neighbour.kill()
    neighbour.wait()
    found = {
        "open": min(count for count, _ in looks) if is_busy else 0,
        "reached": sorted({port for _, found in looks for port in found} - {own}),
        "own": all(own in found for _, found in looks),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
