"""A cluster that nobody named is joined only if this user alone can have started it."""

import io
import os
import socket

import pytest

from orrery.execution import certificates, joining
from orrery.execution.certificates import CertificateFiles


@pytest.fixture
def note(tmp_path, monkeypatch):
    """Ray's file, in the folder that it lets everybody write, with a cluster of ours."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    folder = tmp_path / "ray"
    folder.mkdir()
    folder.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as server:
        file = folder / "ray_current_cluster"
        file.write_text(f"127.0.0.1:{server.getsockname()[1]}\n")
        file.chmod(0o644)
        yield file


def ignored(capsys, why):
    """Returns whether no cluster is found and a line says why, and how to join it."""
    found = joining.find_address()
    lines = capsys.readouterr().err.splitlines()
    return (
        found is None
        and len(lines) == 1
        and why in lines[0]
        and "RAY_ADDRESS=" in lines[0]
    )


def test_a_cluster_of_this_user_is_found(note, capsys):
    assert joining.find_address() == note.read_text().strip()
    assert not capsys.readouterr().err


def test_what_the_user_names_counts_first(note, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert joining.find_address() == "10.0.0.1:6379"
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert joining.find_address() is None


def test_the_file_of_another_user_is_ignored(note, monkeypatch, capsys):
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    assert ignored(capsys, "belongs to another user")


@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_a_file_that_others_may_write_is_ignored(note, capsys, mode):
    note.chmod(mode)
    assert ignored(capsys, "others may write it")


def test_a_cluster_in_which_another_user_listens_is_ignored(note, monkeypatch, capsys):
    assert joining.listeners(note.read_text().strip()) == {os.getuid()}
    monkeypatch.setattr(joining, "listeners", lambda address: {os.getuid(), 4242})
    assert ignored(capsys, "another user (4242) listens there")


def test_elsewhere_the_folder_must_be_this_users_alone(note, capsys):
    note.write_text("192.0.2.1:6379")  # an address that no machine has
    assert ignored(capsys, "may be written by others")
    note.parent.chmod(0o755)
    assert joining.find_address() == "192.0.2.1:6379"


def test_one_that_has_ended_is_found_and_does_not_answer(note):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    note.write_text(address)
    assert joining.find_address() == address
    assert not joining.listening(address)


@pytest.mark.parametrize("text", ["", "two words", "\x1b[31mred", "a" * 400])
def test_what_is_no_address_is_not_shown(note, capsys, text):
    note.write_text(text)
    assert joining.find_address() is None
    assert not capsys.readouterr().err


def test_bytes_that_are_no_text_are_no_address(note, capsys):
    note.write_bytes(b"127.0.0.1:6379\xff\xfe")
    assert joining.find_address() is None
    assert not capsys.readouterr().err


def test_a_file_that_this_user_may_not_read_is_no_note(note, monkeypatch, capsys):
    def refuse(file, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(file))

    # for root there is no file like another user's of mode 600
    monkeypatch.setattr(type(note), "open", refuse)
    monkeypatch.setattr(io, "open", refuse)
    assert joining.find_address() is None
    assert not capsys.readouterr().err


def test_pipes_and_missing_files_are_no_notes(note, capsys):
    note.unlink()
    assert joining.find_address() is None
    os.mkfifo(note)  # reading it would wait for ever
    assert joining.find_address() is None


def test_another_version_is_told_with_its_remedy():
    said = RuntimeError(
        "Version mismatch: The cluster was started with:\n    Ray: 2.1.0"
    )
    told = str(joining._explained(said, "10.0.0.1:6379"))
    assert "Ray: 2.1.0): install the same versions on both sides" in told
    other = RuntimeError("it broke")
    assert joining._explained(other, "10.0.0.1:6379") is other


def refused(address):
    with pytest.raises(PermissionError) as told:
        joining.join(address, noisy=False)
    return str(told.value)


def test_one_that_uses_no_tls_is_not_joined_by_who_demands_it(note, monkeypatch):
    monkeypatch.setenv(certificates.USE, "1")
    monkeypatch.setattr(certificates, "uses_tls", lambda host, port: False)
    assert "uses no TLS, which RAY_USE_TLS=1 demands" in refused(
        note.read_text().strip()
    )


def test_one_that_asks_for_a_certificate_is_told_with_the_remedy(note, monkeypatch):
    monkeypatch.delenv(certificates.USE, raising=False)
    monkeypatch.setattr(certificates, "uses_tls", lambda host, port: True)
    told = refused(note.read_text().strip())
    assert "asks for a certificate: set RAY_USE_TLS=1" in told
    assert "orrery cluster certificate ADDRESS" in told


def test_certificates_that_do_not_fit_are_told_with_the_remedy(
    note, monkeypatch, tmp_path
):
    files = CertificateFiles(*(tmp_path / name for name in ("crt", "key", "ca")))
    monkeypatch.setenv(certificates.USE, "1")
    monkeypatch.setenv(certificates.CERTIFICATE, str(files.certificate))
    monkeypatch.setenv(certificates.KEY, str(files.key))
    monkeypatch.setenv(certificates.AUTHORITY, str(files.authority))
    monkeypatch.setattr(certificates, "uses_tls", lambda host, port: True)
    assert "No such file" in refused(note.read_text().strip())
    certificates.make_certificate("secret" * 6, [], files)
    monkeypatch.setattr(certificates, "distrust", lambda host, port, own: "self-signed")
    told = refused(note.read_text().strip())
    assert "another token, or for another address (self-signed)" in told
    assert "orrery cluster certificate ADDRESS" in told
