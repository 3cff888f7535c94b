"""A store that is away for a while costs time and nothing else; one that stays away is told."""

import http.client
import pickle
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orrery.execution.simulation import generate
from orrery.storage import lease, outages, store
from orrery.storage.files import locked
from orrery.storage.outages import outlast, patience
from orrery.storage.store import StoreError


class Ill(BaseHTTPRequestHandler):
    """Passes requests on to a healthy server, but for those that a fault awaits."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):  # a command of any kind
            return self._answer
        raise AttributeError(name)

    def _answer(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "silent":
            self.close_connection = True
            return
        if fault and fault.isdigit():
            self._send(int(fault), {}, b"")
            return
        healthy = http.client.HTTPConnection(self.server.healthy)
        healthy.request(self.command, self.path, content, dict(self.headers))
        answer = healthy.getresponse()
        self._send(answer.status, dict(answer.getheaders()), answer.read(), fault)
        healthy.close()

    def _send(self, status, headers, content, fault=None):
        self.send_response(status)
        headers = {name.lower(): text for name, text in headers.items()}
        for name in headers.keys() - {"connection", "transfer-encoding", "date"}:
            self.send_header(name, headers[name])
        if "content-length" not in headers:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "torn":
            self.close_connection = True
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def ill(bucket, server, monkeypatch):
    """A server that has answered once, with the faults that it will have."""
    monkeypatch.setattr(outages, "PAUSE", 0.01)
    monkeypatch.setattr(store, "_RETRY", {"max_retries": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), Ill) as between:
        between.healthy = server.environment["AWS_ENDPOINT_URL"].removeprefix("http://")
        between.faults = []
        threading.Thread(target=between.serve_forever, args=(0.01,)).start()
        address = f"http://127.0.0.1:{between.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield between
        between.shutdown()


@pytest.fixture
def one(ill, bucket):
    """The address of an object there."""
    (bucket / "one").put(b"8 stars")
    return bucket / "one"


def downloaded(address, folder):
    with (folder / "copy").open("wb") as file:
        digest = address.download(file)
    content = (folder / "copy").read_bytes()
    assert digest == sha256(content).hexdigest()
    return content


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["503", "silent"])
def test_an_outage_is_waited_for_by_whatever_is_asked(one, ill, tmp_path, fault):
    def outage():
        ill.faults = [fault] * 12

    outage()
    assert one.read_bytes() == b"8 stars"
    outage()
    assert (one.size(), one.parent.sizes()) == (7, {"one": 7})
    outage()
    assert downloaded(one, tmp_path) == b"8 stars"
    outage()
    one.put(b"9 stars")
    outage()
    version = one.put_if(b"10 stars", one.read_versioned().version)
    outage()
    (one.parent / "two").put_if(b"2 stars", None)
    outage()
    (one.parent / "two").unlink()
    assert ill.faults == []
    assert one.read_versioned() == (b"10 stars", version)
    assert one.parent.sizes() == {"one": 8}


@pytest.mark.slow
def test_an_answer_that_breaks_off_is_asked_for_again(one, ill, tmp_path):
    ill.faults = ["torn"] * 3
    assert one.read_bytes() == b"8 stars"
    ill.faults = ["torn"] * 3
    assert one.parent.sizes() == {"one": 7}
    ill.faults = ["torn"] * 3
    assert downloaded(one, tmp_path) == b"8 stars"
    assert ill.faults == []


def test_who_waits_says_so_once(one, ill, caplog):
    ill.faults = ["503"] * 3
    one.read_bytes()
    (said,) = caplog.messages
    assert said.startswith(f"{one} cannot be reached")
    assert said.endswith("It is asked again for 300 s")


def test_patience_ends(one, ill, monkeypatch):
    monkeypatch.setenv("ORRERY_STORE_PATIENCE", "0.05")
    ill.faults = ["503"] * 1000
    with pytest.raises(
        StoreError, match=r"one cannot be reached .*look at the network"
    ):
        one.read_bytes()
    assert 1 < 1000 - len(ill.faults) < 1000


def test_what_never_answered_or_what_time_does_not_heal_is_not_waited_for(bucket, ill):
    ill.faults = ["503"] * 2
    with pytest.raises(StoreError, match="cannot be reached"):
        bucket.sizes()
    assert ill.faults == ["503"]
    ill.faults = []
    bucket.sizes()
    for status in ("403", "501"):
        ill.faults = [status] * 2
        with pytest.raises(StoreError, match=f"is refused|code: {status}"):
            bucket.sizes()
        assert ill.faults == [status]


def test_a_worker_that_begins_in_an_outage_waits_if_who_sent_it_had_an_answer(
    one, ill, monkeypatch
):
    sent = pickle.dumps(one)
    monkeypatch.setattr(store, "_answered", set())  # as in another process
    unknown = pickle.dumps(one)
    ill.faults = ["503"] * 2
    with pytest.raises(StoreError, match="cannot be reached"):
        pickle.loads(unknown).read_bytes()
    arrived = pickle.loads(sent)
    assert arrived == one
    assert arrived.read_bytes() == b"8 stars"


@pytest.mark.slow
def test_an_outage_longer_than_a_lease_costs_no_lease_that_nobody_took(bucket, ill):
    with locked(bucket) as check:
        first = (bucket / ".lock").read_bytes()
        ill.faults = ["503"] * 10_000
        time.sleep(1.5 * lease.LEASE)
        threading.Timer(0.2, ill.faults.clear).start()
        check()
        assert not ill.faults
        assert (bucket / ".lock").read_bytes() != first


@pytest.mark.slow
def test_a_campaign_outlasts_an_outage(bucket, ill, toy, tmp_path):
    class Away:
        """A simulator during which the store goes away, for as many requests."""

        schema, describe = toy.schema, toy.describe

        def records(self, seed, indices):
            ill.faults = ["503", "silent"] * 8
            return toy.records(seed, indices)

    made = generate(Away(), 20, seed=3, folder=bucket, actors=0, shard_size=8)
    made.verify(full=True)
    whole = generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)
    manifest = (made.folder / "manifest.json").read_bytes()
    assert manifest == (whole.folder / "manifest.json").read_bytes()


def test_patience_is_a_time(monkeypatch):
    assert patience() == 300.0
    monkeypatch.setenv("ORRERY_STORE_PATIENCE", "20")
    assert patience() == 20.0
    for text in ("long", "-1", "nan"):
        monkeypatch.setenv("ORRERY_STORE_PATIENCE", text)
        with pytest.raises(ValueError, match=f"PATIENCE is '{text}': give the longest"):
            patience()


def test_only_what_may_pass_is_asked_again():
    asked = []

    def request():
        asked.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        outlast(request, OSError, 60.0)
    assert asked == [1]
