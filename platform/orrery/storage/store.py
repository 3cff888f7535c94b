"""Object storage: datasets and results that lie in a bucket, `s3://` or `gs://`.

The only file that opens them, by obstore. An `Address` stands where a path does. An
object is there as a whole or not at all; nobody can append to it, rename or lock it.
What a file system does by those, conditional puts do: an object is created only where
there is none (If-None-Match: *), or replaced only while it is what was read (If-Match).

obstore was chosen over fsspec, which has no condition for replacing, and s3fs with its
own copy of botocore: one small wheel for both kinds of bucket. Whose credentials count
is asked of boto3, as every other program of Amazon's does.

A store that has answered before may be away for some minutes: see `outages`. One that
never has is likelier a wrong address, and is not waited for.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from orrery.storage.outages import outlast, patience

EXTRA = "objects"
_SCHEMES = ("s3", "gs")
# pathlib makes one slash of two: an option that is a path has lost one
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9]+):(/+(?P<bucket>[^/]*)/*(?P<key>.*))?")
_ATTEMPTS = 3  # at a put that the store refused though nothing had changed
_PUT_TIMEOUT = timedelta(minutes=5)  # of one request, a large shard's too
# boto3 renews what a machine was lent when a quarter of an hour is left
_CREDENTIAL_LIFE = timedelta(minutes=5)
_STATUS = re.compile(r"status code: (\d{3})")
# No connection, or one that broke, also in the middle of an answer; a store that is ill
_PASSING = re.compile(r"HTTP error|status code: (50[0234]|408|429)")
# obstore's own, of each request; `outages` has longer ones
_RETRY: Any = {"max_retries": 10, "retry_timeout": timedelta(minutes=3)}
_ONE_PUT = 64 * 2**20  # bytes; larger files are sent in parts, which the store joins
_answered: set[tuple[str, str, str]] = set()  # stores that have, to this process

_T = TypeVar("_T")


class StoreError(ConnectionError):
    """A bucket that cannot be used from here; the message says why, and the remedy.

    Example:
        >>> isinstance(StoreError("s3://stars is refused"), OSError)
        True
    """


class _NoAnswerError(StoreError):
    """A store that may answer later."""


class Versioned(NamedTuple):
    """What an object held when it was read, and the version that it was then.

    Arguments:
        content: The bytes.
        version: What `put_if` compares.

    Example:
        >>> Versioned(b"8 stars", {"e_tag": "0f"}).content
        b'8 stars'
    """

    content: bytes
    version: dict[str, str]


@dataclass(frozen=True)
class Address:
    """A place in a bucket: an object, or a folder of objects.

    Arguments:
        scheme: `s3` or `gs`.
        bucket: The bucket's name.
        key: The path inside the bucket, without a slash at its ends.

    Example:
        >>> stars = Address("s3", "surveys", "datasets") / "stars-01"
        >>> str(stars / "manifest.json"), stars.name
        ('s3://surveys/datasets/stars-01/manifest.json', 'stars-01')
    """

    scheme: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker that begins in an outage believes who sent it there.
        return _arrive, (self.scheme, self.bucket, self.key, self._place in _answered)

    def __truediv__(self, name: str) -> "Address":
        return replace(self, key=f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """The last part."""
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> "Address":
        """The folder in which it is."""
        return replace(self, key=self.key.rpartition("/")[0])

    def absolute(self) -> "Address":
        """Returns this address, which depends on no working directory."""
        return self

    def exists(self) -> bool:
        """Returns whether there is an object."""
        return self.size() is not None

    def size(self) -> int | None:
        """Returns the object's size [bytes]; None where there is none."""
        try:
            return self._ask(lambda client: _obstore().head(client, self.key)["size"])
        except FileNotFoundError:
            return None

    def sizes(self) -> dict[str, int]:
        """Returns the sizes [bytes] of all objects below, by their names inside of this folder."""

        def list_all(client: Any) -> dict[str, int]:
            pages = _obstore().list(client, prefix=self.key)
            return {meta["path"]: meta["size"] for page in pages for meta in page}

        found = self._ask(list_all)
        start = len(self.key) + 1 if self.key else 0
        return {path[start:]: size for path, size in found.items()}

    def read_versioned(self, patient: bool = True) -> Versioned | None:
        """Returns content and version of the object; None where there is none.

        Arguments:
            patient: Whether an outage of the store is waited for.
        """

        def read(client: Any) -> Versioned:
            result = _obstore().get(client, self.key)
            return Versioned(bytes(result.bytes()), _version(result.meta))

        try:
            return self._ask(read, patient)
        except FileNotFoundError:
            return None

    def read_bytes(self) -> bytes:
        """Returns the object's content.

        Raises:
            FileNotFoundError: If there is none.
        """
        found = self.read_versioned()
        if found is None:
            raise FileNotFoundError(f"{self} is not there")
        return found.content

    def read_text(self, errors: str = "strict") -> str:
        """Returns the object's content as text.

        Raises:
            FileNotFoundError: If there is none.
        """
        return self.read_bytes().decode(errors=errors)

    def download(self, file: BinaryIO) -> str:
        """Writes the object's content into an open file, and returns its sha256.

        Arguments:
            file: It is written from its beginning.

        Raises:
            FileNotFoundError: If there is no such object.
        """

        def fetch(client: Any) -> str:
            digest = hashlib.sha256()
            file.seek(0)
            file.truncate()
            for piece in _obstore().get(client, self.key).stream():
                digest.update(piece)
                file.write(piece)
            return digest.hexdigest()

        return self._ask(fetch)

    def put(self, content: bytes | Path) -> None:
        """Writes the object, or a file's content as the object, whatever was there."""
        put = _obstore().put
        self._ask(lambda client: put(client, self.key, content, chunk_size=_ONE_PUT))

    def put_if(
        self, content: bytes, version: dict[str, str] | None, patient: bool = True
    ) -> dict[str, str]:
        """Writes the object if it still is what was read, and returns its new version.

        Arguments:
            content: What it shall hold.
            version: What was read; None where there was no object.
            patient: Whether an outage of the store is waited for.

        Raises:
            FileExistsError: If another process has written it meanwhile.
        """
        for _ in range(_ATTEMPTS):
            written = self._put_once(content, version, patient)
            if written is not None:
                return written
            # An answer that was lost is asked for again: then we wrote it ourselves.
            found = self.read_versioned(patient)
            if found is not None and found.content == content:
                return found.version
            if (found.version if found else None) != version:
                break
        raise FileExistsError(
            f"{self} was written by another process meanwhile: "
            "give the same command again"
        )

    def _put_once(
        self, content: bytes, version: dict[str, str] | None, patient: bool
    ) -> dict[str, str] | None:
        put, exceptions = _obstore().put, _obstore().exceptions
        mode: Any = "create" if version is None else version
        try:
            written = self._ask(
                lambda client: put(client, self.key, content, mode=mode), patient
            )
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            return None
        return _version(written)

    def unlink(self, missing_ok: bool = True) -> None:
        """Removes the object; a store does not say whether there was one."""
        self.parent.remove([self.name])

    def remove(self, names: list[str]) -> None:
        """Removes the objects with these names inside of this folder."""
        keys = [(self / name).key for name in names]
        if keys:
            self._ask(lambda client: _obstore().delete(client, keys))

    def _ask(self, request: Callable[[Any], _T], patient: bool = True) -> _T:
        """Returns the answer to a request, which is called with obstore's client."""

        def ask() -> _T:
            with self._explained():
                return request(_client(self.scheme, self.bucket, endpoint()))

        seconds = patience() if patient and self._place in _answered else 0.0
        answer = outlast(ask, _NoAnswerError, seconds)
        _answered.add(self._place)
        return answer

    @property
    def _place(self) -> tuple[str, str, str]:
        return self.scheme, self.bucket, endpoint()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raises what went wrong as the error of a file would be, with a remedy."""
        exceptions = _obstore().exceptions
        conditions = (exceptions.AlreadyExistsError, exceptions.PreconditionError)
        try:
            yield
        except conditions:
            raise
        except (FileNotFoundError, exceptions.BaseError) as error:
            raise self._in_words(error) from error

    def _in_words(self, error: Exception) -> OSError:
        found = _STATUS.search(str(error))
        status = found[1] if found else ""
        if status == "404" or isinstance(error, FileNotFoundError):
            return FileNotFoundError(f"{self} is not there")
        said = str(error).strip().splitlines()[0][:300]
        if status in ("401", "403"):
            return StoreError(
                f"{self} is refused ({said}): give credentials that may read and write it"
            )
        kind = _NoAnswerError if _PASSING.search(str(error)) else StoreError
        return kind(
            f"{self} cannot be reached ({said}): look at the network, "
            f"{_SETTINGS[self.scheme]}"
        )


def _arrive(scheme: str, bucket: str, key: str, answered: bool) -> Address:
    """Returns an address that another process has sent."""
    address = Address(scheme, bucket, key)
    if answered:
        _answered.add(address._place)
    return address


Location = Path | Address

_SETTINGS = {
    "s3": "AWS_ENDPOINT_URL, AWS_REGION and the credentials",
    "gs": "and GOOGLE_APPLICATION_CREDENTIALS",
}


def locate(folder: Location | str) -> Location:
    """Returns the place that an option names: a path, or an address in a bucket.

    Example:
        >>> locate("datasets")
        PosixPath('datasets')

    Raises:
        ValueError: If it is an address that cannot be used here; it says why.
    """
    found = None if isinstance(folder, Address) else _ADDRESS.fullmatch(str(folder))
    if found is None:
        return folder if isinstance(folder, Address) else Path(folder)
    if found["scheme"] not in _SCHEMES or not found["bucket"]:
        raise ValueError(
            f"{folder} is no place for data: give a folder, or an address s3://bucket/folder "
            "or gs://bucket/folder"
        )
    address = Address(found["scheme"], found["bucket"], found["key"].strip("/"))
    _obstore()
    return address


def _obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
    except ImportError as error:
        raise ValueError(
            "what lies in a bucket needs obstore: install this package with its extra, "
            f'`pip install -e ".[{EXTRA}]"`, on all machines'
        ) from error
    return obstore


def endpoint() -> str:
    """Returns the address of the S3 server that is used; "" for Amazon's own."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


@cache
def _client(scheme: str, bucket: str, server: str) -> Any:
    from obstore.store import GCSStore, S3Store

    options: Any = {
        "timeout": _PUT_TIMEOUT,
        "allow_http": server.startswith("http://"),
    }
    if scheme == "gs":
        return GCSStore(bucket, client_options=options, retry_config=_RETRY)
    chosen: Any = {"region": region} if (region := _region()) else {}
    if server:
        # Servers of one's own seldom have a name for each bucket.
        chosen |= {"endpoint": server, "virtual_hosted_style_request": False}
    return S3Store(
        bucket,
        credential_provider=_credentials(bucket),
        client_options=options,
        retry_config=_RETRY,
        **chosen,
    )


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")


def _credentials(bucket: str) -> Any:
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider

    session = boto3.Session()
    if session.get_credentials() is None:
        raise StoreError(
            f"s3://{bucket} needs credentials and there are none: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role"
        )
    return Boto3CredentialProvider(session, ttl=_CREDENTIAL_LIFE)


def _version(meta: Any) -> dict[str, str]:
    # Google's storage compares the second, all others the first.
    return {key: meta[key] for key in ("e_tag", "version") if meta.get(key)}
