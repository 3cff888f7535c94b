"""Machines with one token know each other by their certificates, and let nobody else in."""

import os
import socket
import ssl
import stat
import threading
from contextlib import contextmanager, suppress

import pytest

from orrery.execution import certificates
from orrery.execution.certificates import CertificateFiles

HERE = "127.0.0.1"
SECRET, ANOTHER = "secret" * 6, "another" * 6


def machine(folder, token=SECRET, *addresses):
    files = CertificateFiles(*(folder / name for name in ("crt", "key", "ca")))
    certificates.make_certificate(token, addresses, files)
    return files


def context(files, purpose):
    made = ssl.create_default_context(purpose, cafile=files.authority)
    made.load_cert_chain(files.certificate, files.key)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


@contextmanager
def listening(files=None):
    """Echoes a byte to whoever shows a certificate, or to everybody where there are no files."""
    with socket.create_server((HERE, 0)) as server:
        thread = threading.Thread(target=echo, args=(server, files))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def echo(server, files):
    with suppress(OSError):
        while True:
            caller, _ = server.accept()
            with caller, suppress(OSError):
                if files is not None:
                    asked = context(files, ssl.Purpose.CLIENT_AUTH)
                    caller = asked.wrap_socket(caller, server_side=True)
                with caller:
                    caller.sendall(caller.recv(1))


def heard(port, files=None, name=HERE):
    """Returns whether the server heard who shows these files; errors are this side's own."""
    if files is None:
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        asking.check_hostname = False
        asking.verify_mode = ssl.CERT_NONE
    else:
        asking = context(files, ssl.Purpose.SERVER_AUTH)
    plain = socket.create_connection((HERE, port), timeout=10)
    with asking.wrap_socket(plain, server_hostname=name) as wrapped:
        try:
            wrapped.sendall(b"?")
            return wrapped.recv(1) == b"?"
        except OSError:
            return False


def test_only_machines_with_the_same_token_hear_each_other(tmp_path):
    head = machine(tmp_path / "head", SECRET, "192.0.2.1", "head.example")
    worker = machine(tmp_path / "worker")
    other = machine(tmp_path / "other", ANOTHER)
    with listening(head) as port:
        assert heard(port, worker)
        assert heard(port, worker, "192.0.2.1")
        assert heard(port, worker, "head.example")
        with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
            heard(port, worker, "192.0.2.2")
        with pytest.raises(ssl.SSLCertVerificationError):
            heard(port, other)
        assert not heard(port)
        # one that trusts the head, and shows what another authority signed
        liar = CertificateFiles(other.certificate, other.key, head.authority)
        assert not heard(port, liar)


def test_a_machine_is_told_from_one_that_speaks_in_clear(tmp_path):
    head = machine(tmp_path / "head", SECRET, "192.0.2.1")
    other = machine(tmp_path / "other", ANOTHER)
    with listening(head) as port:
        assert certificates.uses_tls(HERE, port)
        assert certificates.distrust(HERE, port, head) == ""
        assert certificates.distrust(HERE, port, other)
    with listening() as port:
        assert not certificates.uses_tls(HERE, port)
    assert not certificates.uses_tls(HERE, port)  # where nothing listens any more


def test_what_is_written_is_this_users_alone_and_replaced(tmp_path):
    files = machine(tmp_path / "tls")
    before = files.key.read_bytes()
    machine(tmp_path / "tls")
    assert files.key.read_bytes() != before
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700
    written = sorted(files.key.parent.iterdir())
    assert [file.name for file in written] == ["ca", "crt", "key"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in written)
    assert certificates.complaint(files) == ""


def swap(files, other):
    os.replace(other.key, files.key)


def sign_otherwise(files, other):
    os.replace(other.authority, files.authority)


def remove(files, other):
    files.certificate.unlink()


def garble(files, other):
    files.certificate.write_text("no certificate")


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (swap, "or its key cannot be used"),
        (sign_otherwise, "is not signed by"),
        (remove, "No such file"),
        (garble, "or its key cannot be used"),
    ],
)
def test_files_that_do_not_belong_together_are_told(tmp_path, plant, said):
    files = machine(tmp_path / "tls")
    plant(files, machine(tmp_path / "other", ANOTHER))
    complaint = certificates.complaint(files)
    assert said in complaint
    assert str(files.certificate) in complaint


def test_what_the_environment_does_not_name_is_told(tmp_path, monkeypatch):
    files = CertificateFiles(*(tmp_path / name for name in ("crt", "key", "ca")))
    for name in (certificates.KEY, certificates.AUTHORITY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(certificates.CERTIFICATE, str(files.certificate))
    with pytest.raises(ValueError, match="RAY_TLS_SERVER_KEY, RAY_TLS_CA_CERT must"):
        CertificateFiles.named()
    monkeypatch.setenv(certificates.KEY, str(files.key))
    monkeypatch.setenv(certificates.AUTHORITY, str(files.authority))
    assert CertificateFiles.named() == files


def test_what_a_killed_process_has_left_is_in_nobodys_way(tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    for name in ("crt", "key", "ca"):
        (folder / f"{name}.{os.getpid()}").write_text("half")
    assert certificates.complaint(machine(folder)) == ""


@pytest.mark.parametrize("token", ["", "in the clear", 23 * "x"])
def test_a_token_that_could_be_guessed_makes_no_certificate(tmp_path, token):
    with pytest.raises(ValueError, match=f"of {len(token)} characters can be guessed"):
        machine(tmp_path / "tls", token)
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize("name", ["", "bad name", "192.168.7.10/24", "[::1]", "-head"])
def test_what_is_neither_an_address_nor_a_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="neither an address"):
        machine(tmp_path / "tls", SECRET, name)
    assert not (tmp_path / "tls").exists()


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(source, place):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        machine(tmp_path / "tls")
    assert list((tmp_path / "tls").iterdir()) == []
