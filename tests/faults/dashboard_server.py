"""A server that speaks as much of W&B's protocol as wandb 0.31 needs, and counts what arrives.

It can be told to refuse every key, at once or after some requests, or all requests of a
kind; to stop answering: at once, or after some requests that carry a run's numbers; or to
answer requests of a kind with something else, and take nothing of them, as whatever
stands between a server and us may do. It listens on the loopback interface only.
"""

import base64
import hashlib
import json
import re
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "0123456789" * 4
PAGE = b"<html><body>Please log in</body></html>"
# Answers that say that all is well, of a server that takes nothing.
FAKES = {
    "page": (200, "text/html", PAGE),
    "nothing": (200, "application/json", b""),
    "null": (200, "application/json", b'{"data": null}'),
    "stop": (200, "application/json", b'{"stop": true, "stopped": true}'),
    "login": (302, "text/html", b""),  # sends to a page that answers with status 200
}


@dataclass
class Arrived:
    """What has arrived, and how the server behaves."""

    address: str
    fault: str = ""  # `refusing` or `hanging`
    hangs_after: int | None = None  # streams of numbers
    revoked_after: int | None = None  # requests: the key is refused from then on
    refused: str = ""  # a kind of request: `file_stream`, or `files`, of the storage
    # names of fakes by kind of request, among them the names of GraphQL's operations, for
    # all runs, or by the identity of each
    faked: dict = field(default_factory=dict)
    requests: Counter = field(default_factory=Counter)
    runs: dict = field(default_factory=dict)  # by identity, as they were announced
    history: dict = field(default_factory=dict)  # rows by run
    files: dict = field(default_factory=dict)  # content by run and name
    artifacts: dict = field(default_factory=dict)  # metadata by name
    committed: set = field(default_factory=set)  # names of artifacts
    digests: dict = field(default_factory=dict)  # by the names of artifacts
    over: threading.Event = field(default_factory=threading.Event)

    def refusal(self, kind):
        """The code with which a request is refused, if it is."""
        counted = sum(self.requests.values())
        revoked = self.revoked_after is not None and counted > self.revoked_after
        if self.fault == "refusing" or revoked:
            return 401
        return 403 if kind == self.refused else None

    def fake(self, kind, run):
        """The name of what a request of a run is answered with, if that is faked."""
        found = self.faked.get(kind)
        return found.get(run) if isinstance(found, dict) else found

    @property
    def hangs(self):
        streams = self.requests["file_stream"]
        late = self.hangs_after is not None and streams > self.hangs_after
        return self.fault == "hanging" or late

    def columns(self, run):
        """The names of all numbers of a run's history."""
        return {name for row in self.history.get(run, []) for name in row}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        arrived, content = self.server.arrived, self._content()
        if "otel" in self.path:  # telemetry of wandb's own
            return self._answer({})
        kind = "graphql" if self.path == "/graphql" else self.path.rpartition("/")[2]
        arrived.requests[kind] += 1
        if arrived.hangs:
            return arrived.over.wait(60)
        if code := arrived.refusal(kind):
            return self._answer({"errors": [{"message": "no such key"}]}, code)
        if kind == "file_stream":
            if fake := arrived.fake(kind, self.path.split("/")[-2]):
                return self._write(*FAKES[fake])
            return self._answer(self._stream(json.loads(content)))
        asked = json.loads(content)
        name = re.search(r"(?:query|mutation) (\w+)", asked["query"]).group(1)
        given = asked.get("variables") or {}
        if fake := arrived.fake(name, given.get("name")):
            return self._write(*FAKES[fake])
        answer = getattr(self, name, None)
        found = answer(given) if answer else {}
        return self._answer({"data": found})

    def do_GET(self):
        if self.server.arrived.hangs:
            return self.server.arrived.over.wait(60)
        if self.path == "/login":
            return self._write(200, "text/html", PAGE)
        return self._answer({}, 404)

    def do_PUT(self):
        content = self._content()
        if self.server.arrived.hangs:
            return self.server.arrived.over.wait(60)
        if self.server.arrived.refused == "files":
            return self._answer({}, 403)
        _, _, run, name = self.path.split("/", 3)
        if fake := self.server.arrived.fake("files", run):
            return self._write(*FAKES[fake])
        self.server.arrived.files[run, name] = content
        return self._answer({})

    def _content(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _answer(self, document, code=200):
        self._write(code, "application/json", json.dumps(document).encode())

    def _write(self, code, kind, content):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if code == 302:
            self.send_header("Location", "/login")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, content):
        run = self.path.split("/")[-2]
        found = content.get("files", {}).get("wandb-history.jsonl")
        if found:
            rows = self.server.arrived.history.setdefault(run, [])
            rows[found["offset"] :] = map(json.loads, found["content"])
        return {}

    def log_message(self, *arguments):
        pass

    # --- answers by the name of what is asked -----------------------------------------

    def Viewer(self, _):  # noqa: N802
        who = {"id": "u", "entity": "me", "username": "me", "email": "", "flags": "{}"}
        return {"viewer": {**who, "teams": {"edges": []}}}

    def ServerFeaturesQuery(self, _):  # noqa: N802
        return {"serverInfo": {"features": []}}

    def UpsertBucket(self, asked):  # noqa: N802
        known = self.server.arrived.runs.setdefault(asked["name"], {})
        known |= {name: value for name, value in asked.items() if value is not None}
        project = {"id": "p", "name": asked["project"]}
        bucket = {
            "id": asked["name"],
            "name": asked["name"],
            "displayName": asked["displayName"],
            "historyLineCount": 0,
            "project": {**project, "entity": {"id": "e", "name": "me"}},
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def CreateRunFiles(self, asked):  # noqa: N802
        files = [
            {"name": name, "uploadUrl": self._place(asked["run"], name)}
            for name in asked["files"]
        ]
        found = {"runID": asked["run"], "uploadHeaders": [], "files": files}
        return {"createRunFiles": found}

    def CreateArtifact(self, asked):  # noqa: N802
        given = asked["input"]
        name = given["artifactCollectionName"]
        metadata = json.loads(given["metadata"] or "{}")
        self.server.arrived.artifacts[name] = metadata
        self.server.arrived.digests[name] = given["digest"]
        sequence = {"id": "s", "latestArtifact": None}
        artifact = {"id": name, "state": "PENDING", "artifactSequence": sequence}
        return {"createArtifact": {"artifact": artifact}}

    def CreateArtifactManifest(self, asked):  # noqa: N802
        place = self._place(asked["artifactID"], asked["name"])
        file = {"id": "f", "name": asked["name"], "displayName": asked["name"]}
        file |= {"uploadUrl": place, "uploadHeaders": []}
        return {
            "createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}
        }

    def CreateArtifactFiles(self, asked):  # noqa: N802
        edges = [{"node": self._node(f)} for f in asked["input"]["artifactFiles"]]
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _node(self, file):
        place = self._place(file["artifactID"], file["name"])
        return {
            "id": "f",
            "name": file["name"],
            "displayName": file["name"],
            "uploadUrl": place,
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "storagePath": file["name"],
            "artifact": {"id": file["artifactID"]},
        }

    def CommitArtifact(self, asked):  # noqa: N802
        self.server.arrived.committed.add(asked["artifactID"])
        return {
            "commitArtifact": {"artifact": {"id": asked["artifactID"], "digest": ""}}
        }

    # --- what has arrived, as whoever has sent it asks ----------------------------------

    def SentRun(self, asked):  # noqa: N802
        arrived, run = self.server.arrived, asked["run"]
        if run not in arrived.runs:
            return {"model": {"bucket": None}}
        stored = {name: arrived.files.get((run, name)) for name in asked["names"]}
        nodes = [{"name": name, "md5": md5(file)} for name, file in stored.items()]
        rows = len(arrived.history.get(run, []))
        files = {"edges": [{"node": node} for node in nodes]}
        return {"model": {"bucket": {"historyLineCount": rows, "files": files}}}

    def SentArtifact(self, asked):  # noqa: N802
        arrived, name = self.server.arrived, asked["name"]
        state = "COMMITTED" if name in arrived.committed else "PENDING"
        node = {"digest": arrived.digests.get(name), "state": state}
        found = {"artifacts": {"edges": [{"node": node}]}}
        return {"model": {"artifactType": {"artifactCollection": found}}}

    def _place(self, owner, name):
        return f"http://127.0.0.1:{self.server.server_port}/files/{owner}/{name}"


def md5(content):
    """Returns the checksum of a file, as W&B tells it: of one that was not stored 0."""
    if content is None:
        return "0"
    return base64.b64encode(hashlib.md5(content).digest()).decode()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # whoever is killed in the middle leaves broken connections

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(**behaviour):
    """Yields a server's address, and what has arrived there."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.arrived = Arrived(server.address, **behaviour)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.address, server.arrived
        finally:
            server.arrived.over.set()
            server.shutdown()
            thread.join()
