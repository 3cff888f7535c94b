"""Certificates: by them the machines of a cluster know each other.

Ray's token does not guard all of its doors: of Ray 2.60 one request without a token ends
the head or a node. Where its processes use TLS, nobody is heard who shows no certificate
of the cluster's authority. The authority's key is derived from the token, which all
machines have already: who has the token makes certificates, and nobody else can.
"""

import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from orrery.storage.files import replacing

if TYPE_CHECKING:  # loaded only where there is a cluster
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

USE = "RAY_USE_TLS"
CERTIFICATE = "RAY_TLS_SERVER_CERT"
KEY = "RAY_TLS_SERVER_KEY"
AUTHORITY = "RAY_TLS_CA_CERT"
NO_TLS: dict[str, str | None] = {USE: None}  # as settings for Ray
MAKE_ONE = (
    "`orrery cluster certificate ADDRESS`, with the machine's own address, makes "
    "them from the token, before Ray starts"
)
# A certificate is as good as its token, which does not expire, on clocks of any time. The
# last second is RFC 5280's (4.1.2.5) for one without an end.
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_OWN = ("127.0.0.1", "::1", "localhost")  # at which a machine asks itself
_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?")
# Whoever sees a certificate may try tokens on it as fast as they can compute: Ray's own,
# 64 hexadecimal digits, are beyond that.
_SHORTEST_TOKEN = 24
_PURPOSE = b"orrery: authority of a cluster's certificates"


@dataclass(frozen=True)
class CertificateFiles:
    """Where a machine keeps what it shows, in the names that Ray has for it.

    Arguments:
        certificate: The machine's certificate.
        key: Its private key.
        authority: The certificate of the authority that signed it, and all others.

    Example:
        >>> CertificateFiles(Path("a.crt"), Path("a.key"), Path("ca.crt")).key.name
        'a.key'
    """

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def named(cls) -> Self:
        """Returns the files that the environment names.

        Raises:
            ValueError: If it does not name all three.
        """
        places = {name: os.environ.get(name) for name in (CERTIFICATE, KEY, AUTHORITY)}
        missing = [name for name, place in places.items() if not place]
        if missing:
            raise ValueError(
                f"{', '.join(missing)} must name a file each, as platform/clusters/shell.sh does"
            )
        return cls(
            certificate=Path(os.environ[CERTIFICATE]),
            key=Path(os.environ[KEY]),
            authority=Path(os.environ[AUTHORITY]),
        )


def is_wanted() -> bool:
    """Returns whether Ray is told to use TLS."""
    return os.environ.get(USE, "").lower() in ("1", "true")


def make_certificate(
    token: str, addresses: Iterable[str], files: CertificateFiles
) -> None:
    """Writes a new key of this machine, its certificate, and that of the authority.

    Arguments:
        token: The cluster's token.
        addresses: Addresses or names at which other machines reach this one; those at
            which it asks itself come by themselves.
        files: Where; what is there already is replaced.

    Raises:
        ValueError: If one is no address and no name, or the token could be guessed.
        OSError: If they cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(token) < _SHORTEST_TOKEN:
        raise ValueError(
            f"a token of {len(token)} characters can be guessed from a certificate: take one of "
            f"{_SHORTEST_TOKEN} or more, which `ray get-auth-token --generate` makes"
        )
    authority = _authority_key(token)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(key.public_key(), authority, [*addresses, *_OWN])
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, secret)
    _write(files.certificate, certificate.public_bytes(pem))
    own = _sign(authority.public_key(), authority, None)
    _write(files.authority, own.public_bytes(pem))


def complaint(files: CertificateFiles) -> str:
    """Returns what is wrong with a machine's files, or an empty text.

    Arguments:
        files: The files.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
        ssl.create_default_context().load_cert_chain(files.certificate, files.key)
        certificate.verify_directly_issued_by(authority)
    except InvalidSignature:
        return f"{files.certificate} is not signed by {files.authority}"
    except (OSError, ValueError, TypeError) as error:  # ssl.SSLError is an OSError
        return f"{files.certificate} or its key cannot be used ({error})"
    return ""


def uses_tls(host: str, port: int) -> bool:
    """Returns whether what listens at an address begins as TLS does.

    Arguments:
        host: Its host.
        port: Its port.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # nothing is said to it yet
    context.verify_mode = ssl.CERT_NONE
    try:
        _shake_hands(context, host, port)
    except OSError:
        return False
    return True


def distrust(host: str, port: int, files: CertificateFiles) -> str:
    """Returns why the certificate that a machine shows is not trusted, or an empty text.

    Arguments:
        host: Its address.
        port: Where it listens.
        files: Those of this machine.
    """
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(files.certificate, files.key)
    try:
        _shake_hands(context, host, port)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""  # Ray itself says why
    return ""


def _shake_hands(context: ssl.SSLContext, host: str, port: int) -> None:
    with socket.create_connection((host, port), timeout=10) as plain:
        context.wrap_socket(plain, server_hostname=host).close()


def _authority_key(token: str) -> "ec.EllipticCurvePrivateKey":
    """Returns the key that all who have a token derive from it.

    HKDF with SHA-256 (RFC 5869) gives 384 bits, and their remainder the key, as in
    FIPS 186-5, A.2.1: with 128 bits more than the key has, none is likelier than another.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(hashes.SHA256(), length=48, salt=None, info=_PURPOSE)
    number = int.from_bytes(derived.derive(token.strip().encode()), "big")
    curve = ec.SECP256R1()
    return ec.derive_private_key(number % (curve.group_order - 1) + 1, curve)


def _sign(
    key: "ec.EllipticCurvePublicKey",
    authority: "ec.EllipticCurvePrivateKey",
    names: list[str] | None,
) -> "x509.Certificate":
    """Returns a certificate of a machine with names, or without names of the authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    is_authority = names is None
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("orrery authority" if is_authority else "orrery machine"))
        .issuer_name(name("orrery authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        # what RFC 5280 (4.2.1) asks for, which Python insists on from 3.13
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(identifier(authority.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if names is not None:
        known = x509.SubjectAlternativeName([_general(one) for one in names])
        builder = builder.add_extension(known, critical=False)
    return builder.sign(authority, hashes.SHA256())


def _usage(is_authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is neither an address, such as 192.0.2.7, nor the name of a host"
            ) from None
        return x509.DNSName(name)


def _write(file: Path, content: bytes) -> None:
    """Replaces a file by one that only this user can read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(file) as new:
        new.touch(mode=0o600, exist_ok=False)  # before anything is in it
        new.write_bytes(content)
