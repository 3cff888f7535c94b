"""What a bucket must promise, asked of a server; and what is refused before it is asked."""

import hashlib
import os
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from orrery.storage import store
from orrery.storage.store import Address, StoreError, locate


def test_an_address_survives_being_an_option(bucket):
    given = "s3://stars/some/where"
    assert locate(Path(given)) == locate(given) == Address("s3", "stars", "some/where")
    assert str(locate(Path(given))) == given
    assert locate(bucket) is bucket
    assert locate("gs://stars").key == ""
    assert locate("some/where") == Path("some/where")


@pytest.mark.parametrize("given", ["az://stars/x", "s3://", "file:///stars"])
def test_what_is_no_place_is_refused(given):
    with pytest.raises(ValueError, match=r"is no place for data: give a folder, or an"):
        locate(Path(given))


def test_a_bucket_needs_the_extra_on_every_machine(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)  # as where it is not installed
    needs = pytest.raises(ValueError, match=r'obstore: .*`pip install -e "\.\[objects')
    with needs:
        locate("s3://stars/x")
    with needs:
        Address("s3", "stars", "x").size()
    assert locate("stars/x") == Path("stars/x")


def test_missing_credentials_are_named(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreError, match=r"s3://others needs credentials.*set AWS_ACC"):
        locate("s3://others/x").put(b"")


class Refusing(BaseHTTPRequestHandler):
    """Answers that nobody may do anything."""

    def do_GET(self):
        self.send_error(403)

    def do_PUT(self):
        self.send_error(403)

    def do_HEAD(self):
        self.send_error(403)

    def log_message(self, *args):
        pass


@pytest.mark.slow
def test_refused_credentials_are_named(bucket, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for action in (bucket.read_versioned, bucket.sizes, lambda: bucket.put(b"")):
            with pytest.raises(StoreError, match=r"is refused .*give credentials that"):
                action()
        server.shutdown()


def test_an_object_is_what_was_put(bucket, tmp_path):
    one = bucket / "a" / "one"
    content = os.urandom(100_000)
    (tmp_path / "file").write_bytes(content)
    one.put(tmp_path / "file")
    assert one.read_bytes() == content
    with (tmp_path / "copy").open("wb") as file:
        file.write(b"what was there before")
        assert one.download(file) == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "copy").read_bytes() == content
    assert (one.size(), one.exists()) == (100_000, True)
    (bucket / "a" / "two").put("é".encode())
    assert (bucket / "a" / "two").read_text() == "é"
    assert bucket.sizes() == {"a/one": 100_000, "a/two": 2}
    assert (bucket / "a").sizes() == {"one": 100_000, "two": 2}
    one.unlink()
    one.unlink()
    assert bucket.sizes() == {"a/two": 2}


def test_what_is_not_there_is_said_to_be_missing(bucket, tmp_path):
    missing = bucket / "missing"
    assert (missing.exists(), missing.size()) == (False, None)
    assert missing.read_versioned() is None
    assert missing.sizes() == {}
    said = pytest.raises(FileNotFoundError, match=r"^s3://stars/.*missing is not")
    with said:
        missing.read_bytes()
    with (tmp_path / "copy").open("wb") as file, said:
        missing.download(file)


def test_an_object_is_created_once(bucket):
    one = bucket / "one"
    first = one.put_if(b"first", None)
    with pytest.raises(FileExistsError, match=r"another process.*same command again"):
        one.put_if(b"second", None)
    assert one.read_versioned() == (b"first", first)


def test_an_object_is_replaced_only_while_it_is_what_was_read(bucket):
    one = bucket / "one"
    read_by_both = one.put_if(b"0", None)
    one.put_if(b"mine", read_by_both)
    with pytest.raises(FileExistsError):
        one.put_if(b"theirs", read_by_both)
    assert one.read_bytes() == b"mine"
    one.unlink()
    with pytest.raises(FileExistsError):
        one.put_if(b"theirs", read_by_both)
    assert not one.exists()


def test_a_lost_answer_is_no_other_process(bucket, monkeypatch):
    once = Address._put_once

    def forgetful(address, content, version, patient):
        once(address, content, version, patient)

    monkeypatch.setattr(Address, "_put_once", forgetful)
    one = bucket / "one"
    version = one.put_if(b"first", None)
    assert one.read_versioned() == (b"first", version)
    assert one.put_if(b"second", version) != version
    assert one.read_bytes() == b"second"


class Objects(BaseHTTPRequestHandler):
    """A little of Google's XML interface: objects, their generations, and its condition.

    https://docs.cloud.google.com/storage/docs/xml-api/reference-headers
    """

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, generation = self.server.kept.get(self.path, (b"", 0))
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted is not None and int(wanted) != generation:
            self._answer(412)
            return
        # Equal contents have equal tags: only the generation tells them apart.
        self.server.kept[self.path] = (content, self.server.generation)
        self.server.generation += 1
        self._answer(200, self.path)

    def do_GET(self):
        found = self.path in self.server.kept
        self._answer(200 if found else 404, self.path if found else None, body=True)

    def do_HEAD(self):
        found = self.path in self.server.kept
        self._answer(200 if found else 404, self.path if found else None)

    def _answer(self, status, path=None, body=False):
        content, generation = self.server.kept.get(path, (b"", 0))
        self.send_response(status)
        self.send_header("ETag", f'"{hash(content)}"')
        self.send_header("x-goog-generation", str(generation))
        self.send_header("Last-Modified", formatdate(usegmt=True))
        shown = self.command != "PUT"
        self.send_header("Content-Length", str(len(content) if shown else 0))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def google(monkeypatch):
    """The address of a folder in a bucket of such a server."""
    from obstore.store import GCSStore

    with ThreadingHTTPServer(("127.0.0.1", 0), Objects) as server:
        server.kept, server.generation = {}, 1
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = GCSStore(
            "stars",
            base_url=f"http://127.0.0.1:{server.server_port}",
            credential_provider=lambda: {"token": "somebody", "expires_at": None},
            client_options={"allow_http": True},
        )
        monkeypatch.setattr(store, "_client", lambda *place: client)
        yield locate("gs://stars/some")
        server.shutdown()


@pytest.mark.slow
def test_in_a_bucket_of_google_the_generation_decides(google):
    one = google / "one"
    assert one.read_versioned() is None
    first = one.put_if(b"same", None)
    with pytest.raises(FileExistsError):
        one.put_if(b"mine", None)
    second = one.put_if(b"same again", first)
    one.put(b"same")
    assert one.read_versioned().version not in (first, second)
    for stale in (first, second):
        with pytest.raises(FileExistsError):
            one.put_if(b"mine", stale)
    one.put_if(b"mine", one.read_versioned().version)
    assert (one.read_bytes(), one.size()) == (b"mine", 4)
