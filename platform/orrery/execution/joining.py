"""Which Ray cluster this process joins: the one it is told, or this user's own here.

Whoever joins a cluster runs the code that its owner sends and shows its token. So a
cluster that was not named is joined only if this user started it.
"""

import logging
import os
import re
import socket
import stat
from pathlib import Path

from orrery.execution import certificates, tokens
from orrery.execution.local_session import loopback_kept
from orrery.terminal import say
from orrery.termination import kept_handler

_ADDRESS = re.compile(r"[\w.:\[\]-]{1,300}")


def find_address() -> str | None:
    """Returns the address of the cluster to join, or None where there is none.

    It is that of `RAY_ADDRESS`, or what `ray start` noted on this machine, if this user
    started it. Another one is told and ignored.
    """
    named = os.environ.get("RAY_ADDRESS")
    if named:
        return None if named == "local" else named
    # "auto" would also join the private clusters that other programs on this machine
    # started for themselves.
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    return read_note(Path(folder, "ray", "ray_current_cluster"))


def read_note(file: Path) -> str | None:
    """Returns the address that this user's `ray start` left in a file.

    None where there is no file, or none that this user can read; and after a line that
    says why, where somebody else may have written it.

    Arguments:
        file: Ray's `ray_current_cluster`.
    """
    try:
        found = file.lstat()
        text = file.read_bytes() if stat.S_ISREG(found.st_mode) else b""
    except OSError:
        return None
    address = text.decode(errors="replace").strip()
    if not _ADDRESS.fullmatch(address):
        return None
    distrust = _distrust_file(found) or _distrust_cluster(address, file.parent)
    if distrust is None:
        return address
    say(
        f"{file} names a Ray cluster and is ignored, because {distrust}: to join it, set "
        f"RAY_ADDRESS={address}"
    )
    return None


def join(address: str, noisy: bool) -> None:
    """Connects this process to a cluster, with the user's token.

    Arguments:
        address: Where its head listens, such as `10.0.0.1:6379`.
        noisy: Show what its processes print.

    Raises:
        ConnectionError: If nothing answers there, or another version of Ray or Python.
        PermissionError: If it asks for another token than the user has, or for another
            certificate.
        ValueError: If the environment demands TLS and does not name all of its files.
    """
    import ray

    if not listening(address):
        raise ConnectionError(
            f"no Ray cluster answers at {address}: start it, correct RAY_ADDRESS, or run "
            "`ray stop` to forget one that has ended"
        )
    _compare_certificates(address)
    tokens.forget()
    settings = tokens.users_token()
    # It answers at this address. On a machine that others reach, Ray would look for
    # 127.0.0.1 at the machine's other address, where a head may not listen.
    with tokens.environment(settings), loopback_kept(), kept_handler():
        tokens.forget()
        _knock(address)
        try:
            ray.init(
                address=address, logging_level=logging.WARNING, log_to_driver=noisy
            )
        except RuntimeError as error:
            raise _explained(error, address) from error


def listening(address: str) -> bool:
    """Returns whether anything listens at an address. Ray takes minutes to find out."""
    place = _place_of(address)
    if place is None:
        return True
    try:
        socket.create_connection(place, timeout=10).close()
    except OSError:
        return False
    return True


def _place_of(address: str) -> tuple[str, int] | None:
    """Returns host and port, or None of a word such as `auto`, which Ray knows."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else None


def _compare_certificates(address: str) -> None:
    # Ray would try for most of a minute, and end without saying why.
    place = _place_of(address)
    if place is None:
        return
    host, port = place
    asked = certificates.uses_tls(host, port)
    if asked and not certificates.is_wanted():
        raise PermissionError(
            f"the Ray cluster at {address} asks for a certificate: set {certificates.USE}=1 and "
            f"the names of files, as platform/clusters/shell.sh does; {certificates.MAKE_ONE}"
        )
    if certificates.is_wanted() and not asked:
        raise PermissionError(
            f"the Ray cluster at {address} uses no TLS, which {certificates.USE}="
            f"{os.environ[certificates.USE]} demands: start it with that too, or take the "
            "variable away"
        )
    if asked:
        _check_certificates(address, host, port)


def _check_certificates(address: str, host: str, port: int) -> None:
    files = certificates.CertificateFiles.named()
    wrong = certificates.complaint(files)
    if wrong:
        raise PermissionError(f"{wrong}: {certificates.MAKE_ONE}")
    wrong = certificates.distrust(host, port, files)
    if wrong:
        raise PermissionError(
            f"the Ray cluster at {address} shows a certificate of another token, or for "
            f"another address ({wrong}): {tokens.TOKEN_REMEDY}; then {certificates.MAKE_ONE}"
        )


def _knock(address: str) -> None:
    # Connecting with a wrong token takes Ray minutes, and ends without saying why.
    if "://" in address or not address.rpartition(":")[2].isdigit():
        return
    from ray import _raylet
    from ray.exceptions import AuthenticationError, RpcError

    try:
        _raylet.GcsClient(address=address)  # type: ignore[attr-defined]
    except AuthenticationError:
        raise PermissionError(
            f"the Ray cluster at {address} asks for another token than {_shown()}: "
            f"{tokens.TOKEN_REMEDY}"
        ) from None
    except RpcError as error:
        raise ConnectionError(
            f"what listens at {address} is no Ray cluster of this version ({error}): correct "
            "RAY_ADDRESS"
        ) from None


def _explained(error: RuntimeError, address: str) -> Exception:
    """Returns a message to the user where Ray's own is about versions; else Ray's own."""
    said = " ".join(str(error).split())
    if "Version mismatch" not in said:
        return error
    return ConnectionError(
        f"the Ray cluster at {address} has another Ray or Python than this process "
        f"({said}): install the same versions on both sides"
    )


def _shown() -> str:
    if os.environ.get(tokens.AUTH_MODE) != "token":
        return "none, which this process has"
    if os.environ.get(tokens.TOKEN):
        return f"that of {tokens.TOKEN}"
    return f"that of {os.environ.get(tokens.TOKEN_PATH, '~/.ray/auth_token')}"


def _distrust_file(found: os.stat_result) -> str | None:
    if found.st_uid != os.getuid():
        return f"it belongs to another user ({found.st_uid})"
    if _writable_by_others(found):
        return "others may write it"
    return None


def _writable_by_others(found: os.stat_result) -> bool:
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _distrust_cluster(address: str, folder: Path) -> str | None:
    # Ray lets everybody write its folder, where others can bring back an old file of
    # this user. So that it matters whose process listens.
    owners = listeners(address)
    if owners:
        others = sorted(owners - {os.getuid()})
        return f"another user ({others[0]}) listens there" if others else None
    found = folder.stat()
    if owners is not None or (
        found.st_uid == os.getuid() and not _writable_by_others(found)
    ):
        return None  # nothing listens, or this user alone can have said so
    return f"{folder} may be written by others, and {address} is on another machine"


def listeners(address: str) -> set[int] | None:
    """Returns the users whose processes listen at an address of this machine.

    None if it is not of this machine, or the machine does not say.

    Arguments:
        address: A host and a port.
    """
    host, _, port = address.rpartition(":")
    tables = [Path("/proc/net", name) for name in ("tcp", "tcp6")]
    tables = [table for table in tables if table.is_file()]
    if not port.isdigit() or not tables or not _is_here(host.strip("[]")):
        return None
    lines = [line for table in tables for line in table.read_text().splitlines()[1:]]
    return {
        int(owner)
        for _, local, _, state, _, _, _, owner, *_ in map(str.split, lines)
        if state == "0A" and int(local.rpartition(":")[2], 16) == int(port)
    }


def _is_here(host: str) -> bool:
    try:
        ((family, _, _, _, place), *_) = socket.getaddrinfo(host, 0)
        with socket.socket(family, socket.SOCK_STREAM) as here:
            here.bind(place)
    except OSError:
        return False
    return True
