"""Looks from another network namespace at a toy that runs on a Ray of its own.

    unshare -n python tests/faults/doors.py FOLDER

This process's namespace has a cable to another one, as a machine to its neighbour. The
last line is JSON: how many ports are open here, and which of them the other one reaches.
To see that it would, a door is opened on purpose.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import places

HERE = "10.77.0.1"
THERE = "10.77.0.2"
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


def main():
    folder = Path(sys.argv[1])
    neighbour = lay_cable()
    with places.short_folder() as sockets, socket.create_server((HERE, 0)) as door:
        toy = places.start(
            folder, "--actors", 1, "--pause", 0.3, RAY_TMPDIR=str(sockets)
        )
        while not list(folder.glob("datasets/*/shards/*.arrow")) and toy.poll() is None:
            time.sleep(0.05)
        ports = open_ports()
        own = door.getsockname()[1]
        reach = (sys.executable, "-c", REACH, HERE, json.dumps(ports))
        inside = ("nsenter", "-t", str(neighbour.pid), "-n")
        reached = subprocess.run([*inside, *reach], capture_output=True, check=True)
        toy.terminate()
        places.finish(toy)
    neighbour.kill()
    neighbour.wait()
    others = sorted(set(json.loads(reached.stdout)) - {own})
    seen = own in json.loads(reached.stdout)
    print(json.dumps({"open": len(ports) - 1, "reached": others, "own": seen}))


if __name__ == "__main__":
    main()
