"""Tries what somebody without the token could do to a cluster, and fails if anything works.

python stranger.py ADDRESS...               # the head's first
python stranger.py --token FILE ADDRESS     # whether all of it would work with the token

Each open port of each machine is asked for jobs and told to start one. The head's GCS is asked
for nodes and told to keep a value, by Ray's own client and by an experiment's; Ray's remote
client asks for a session: each without a token and with a wrong one.
"""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

GCS_PORT = 6379
CLIENT_PORT = 10001
PATIENCE = 60  # [s] after which an attempt has not worked
REQUESTS = (
    ("GET", "/api/jobs/"),
    ("GET", "/api/v0/nodes"),
    ("GET", "/api/job_agent/jobs/"),
    ("POST", "/api/jobs/"),
    ("POST", "/api/job_agent/jobs/"),
)
JOB = b'{"entrypoint": "touch /tmp/a-stranger-was-here"}'
ATTEMPTS = {
    "reads the nodes": """
from ray._raylet import GcsClient
print("worked", GcsClient(address=gcs).get_all_node_info())
""",
    "keeps a value": """
from ray._raylet import GcsClient
print("worked", GcsClient(address=gcs).internal_kv_put(b"stranger", b"", True, None))
""",
    "connects as an experiment does": """
from orrery.execution import cluster
os.environ["RAY_ADDRESS"] = gcs
with cluster.connect() as cpus:
    print("worked", cpus)
""",
    "opens a remote session": """
import ray
print("worked", ray.init(client))
""",
}
HEADER = "import os, sys; gcs, client = sys.argv[1:]\n"
NONE = {"RAY_AUTH_MODE": "disabled"}
WRONG = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong" * 8}


def open_ports(address):
    for port in range(1, 65536):
        with socket.socket() as knocking:
            knocking.settimeout(1)
            if knocking.connect_ex((address, port)) == 0:
                yield port


def answer(address, port, method, path, token):
    """Returns the status and the first bytes of what is answered, or None and why."""
    data = JOB if method == "POST" else None
    asked = urllib.request.Request(
        f"http://{address}:{port}{path}", data=data, method=method
    )
    asked.add_header("Content-Type", "application/json")
    if token:
        asked.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=5) as answered:
            return answered.status, answered.read(60)
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError as error:
        return None, repr(error).encode()
    except Exception as error:  # whatever the port speaks, it is not HTTP
        return None, type(error).__name__.encode()


def is_harmless(method, content):
    """Whether an answer holds nothing but Prometheus's numbers, which Ray shows to everybody."""
    return method == "GET" and content.startswith(b"# HELP")


def try_port(address, port, token):
    """Returns what worked at a port."""
    found = [
        (method, path, *answer(address, port, method, path, token))
        for method, path in REQUESTS
    ]
    print(f"{address}:{port}: {[status for *_, status, _ in found]}")
    return [
        f"{address}:{port} answers {status} to {method} {path}: {content!r}"
        for method, path, status, content in found
        if status is not None and status < 400 and not is_harmless(method, content)
    ]


def try_code(name, head, settings):
    """Returns what worked of an attempt in a process of its own, which Ray may abort."""
    command = [sys.executable, "-c", HEADER + ATTEMPTS[name]]
    command += [f"{head}:{GCS_PORT}", f"ray://{head}:{CLIENT_PORT}"]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **settings},
        )
    except subprocess.TimeoutExpired:
        print(f"{name}: no answer in {PATIENCE} s")
        return []
    last = (done.stderr.strip().splitlines() or ["(silent)"])[-1]
    print(f"{name}: status {done.returncode}: {last[:150]}")
    return [f"a stranger {name}"] if "worked" in done.stdout else []


def try_all(addresses, token=None):
    """Returns all that worked: with a token, or without and with a wrong one."""
    worked = []
    for address in addresses:
        for port in open_ports(address):
            worked += try_port(address, port, token)
    shown = [{"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}] if token else []
    for settings in shown or (NONE, WRONG):
        for name in ATTEMPTS:
            worked += try_code(name, addresses[0], settings)
    return worked


def main(arguments):
    if arguments[0] == "--token":
        worked = try_all(arguments[2:], Path(arguments[1]).read_text().strip())
        missing = [name for name in ATTEMPTS if f"a stranger {name}" not in worked]
        missing += [] if any("POST" in one for one in worked) else ["starts a job"]
        print(f"with the token, what does not work: {missing}")
        return len(missing)
    worked = try_all(arguments)
    print(f"without the token, what works: {worked}")
    return len(worked)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
