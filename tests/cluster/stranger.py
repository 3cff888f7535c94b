"""Tries what somebody without the token could do to a cluster, and fails if anything works.

python stranger.py ADDRESS...               # the head's first
python stranger.py --token FILE ADDRESS     # whether all of it would work with the token

Each open port of each machine is asked for jobs and told to start one, over HTTP; and called as
Ray's processes call each other, in clear and by TLS, without a certificate and with one of
another authority: nobody may even hear it, since one such call without a token ends a Ray that
asks for nothing else. The head's GCS is asked for nodes and told to keep a value, by Ray's own
client and by an experiment's; Ray's remote client asks for a session: each without a token, and
with a wrong one and its certificate.
"""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import grpc

from orrery.execution.certificates import CertificateFiles, make_certificate

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
CALLS = (
    "/ray.rpc.syncer.RaySyncer/StartSync",  # in clear, and of no node, it ends Ray 2.60
    "/ray.rpc.NodeInfoGcsService/CheckAlive",
    "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "/ray.rpc.InternalKVGcsService/InternalKVPut",
    "/ray.rpc.NodeManagerService/ShutdownRaylet",
    "/ray.rpc.CoreWorkerService/Exit",
    "/ray.rpc.RayletDriver/Init",
    "/grpc.health.v1.Health/Check",
)
# What comes where nobody has heard the call. HTTP's servers do not understand it either.
UNHEARD = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
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
WRONG_TOKEN = "wrong" * 8
NONE = {"RAY_AUTH_MODE": "disabled", "RAY_USE_TLS": "0"}
WRONG = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": WRONG_TOKEN, "RAY_USE_TLS": "1"}
# Ray tries again for most of a minute where nobody answers.
IMPATIENT = {
    "RAY_gcs_rpc_server_connect_timeout_s": "2",
    "RAY_py_gcs_connect_timeout_s": "4",
}


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


def channels(address, port, files):
    """Returns ways to call what listens at a port: in clear, and by TLS if it speaks that.

    The certificate that it shows is trusted, whoever signed it: what counts is what it does.
    """
    place = f"{address}:{port}"
    found = {"in clear": grpc.insecure_channel(place)}
    try:
        shown = ssl.get_server_certificate((address, port), timeout=5).encode()
    except OSError:
        return found
    own = (files.key.read_bytes(), files.certificate.read_bytes())
    for way, pair in {"by TLS": (None, None), "with a certificate": own}.items():
        credentials = grpc.ssl_channel_credentials(shown, *pair)
        found[way] = grpc.secure_channel(place, credentials)
    return found


def try_calls(address, port, files, calls=CALLS):
    """Returns what was heard of calls, as Ray's processes make them, without a token."""
    heard = []
    for way, channel in channels(address, port, files).items():
        with channel:
            for name in calls:
                status = call(channel, name)
                if status not in UNHEARD:
                    heard.append(f"{address}:{port} hears {name} {way}: {status}")
    return heard


def call(channel, name):
    """Returns how an empty message was answered."""
    method = channel.stream_stream(name, lambda sent: sent, lambda received: received)
    try:
        list(method(iter([b""]), timeout=5))
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


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


def try_ports(addresses, token, files, calls):
    """Returns what worked at any port."""
    worked = []
    for address in addresses:
        for port in open_ports(address):
            worked += try_port(address, port, token)
            worked += try_calls(address, port, files, calls)
    return worked


def try_as_stranger(addresses):
    """Returns all that worked without a token, or with a wrong one."""
    with tempfile.TemporaryDirectory() as folder:
        files = CertificateFiles(*(Path(folder, name) for name in ("crt", "key", "ca")))
        make_certificate(WRONG_TOKEN, addresses, files)
        worked = try_ports(addresses, None, files, CALLS)
        # Its own authority is what Ray's client would refuse; so it is told to trust the head.
        try:
            shown = ssl.get_server_certificate((addresses[0], GCS_PORT), timeout=5)
        except OSError as error:
            return [*worked, f"the head shows no certificate: {error!r}"]
        files.authority.write_text(shown)
        certificate = {
            "RAY_TLS_SERVER_CERT": str(files.certificate),
            "RAY_TLS_SERVER_KEY": str(files.key),
            "RAY_TLS_CA_CERT": str(files.authority),
        }
        for settings in (NONE, WRONG | certificate):
            for name in ATTEMPTS:
                worked += try_code(name, addresses[0], settings | IMPATIENT)
    return worked


def try_with(token, address):
    """Returns all that worked with the token, and the certificate that the environment names."""
    harmless = CALLS[-1:]
    worked = try_ports([address], token, CertificateFiles.named(), harmless)
    shown = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    for name in ATTEMPTS:
        worked += try_code(name, address, shown)
    return worked


def main(arguments):
    if arguments[0] == "--token":
        worked = try_with(Path(arguments[1]).read_text().strip(), arguments[2])
        missing = [name for name in ATTEMPTS if f"a stranger {name}" not in worked]
        missing += [] if any("POST" in one for one in worked) else ["starts a job"]
        missing += [] if any("hears" in one for one in worked) else ["is heard"]
        print(f"with the token, what does not work: {missing}")
        return len(missing)
    worked = try_as_stranger(arguments)
    print(f"without the token, what works: {worked}")
    return len(worked)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
