"""Tokens: what a process shows a Ray cluster, so that nobody else runs code there.

Ray reads its settings from the environment when it is imported and keeps the token that
it found. A process that first works on its own and then joins a cluster shows two.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

AUTH_MODE = "RAY_AUTH_MODE"
# names of variables, not what they hold
TOKEN = "RAY_AUTH_TOKEN"  # nosec B105
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"  # nosec B105


def make_token(folder: Path) -> Path:
    """Returns a new file with a token, which only this user can read.

    Arguments:
        folder: Where the file is made.

    Raises:
        OSError: If it is there already or cannot be written.
    """
    file = folder / "auth_token"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(secrets.token_hex(32))
    return file


def own_token(file: Path) -> dict[str, str | None]:
    """Returns the settings by which Ray takes the token of a file and no other.

    They name the file: whoever prints an environment prints no secret.
    """
    return {AUTH_MODE: "token", TOKEN_PATH: str(file), TOKEN: None}


def users_token() -> dict[str, str | None]:
    """Returns the settings by which Ray shows the user's token if there is one.

    By itself Ray shows it only to clusters that it finds without being told an address.

    Raises:
        PermissionError: If the user wants a token to be shown and there is none.
    """
    from ray.exceptions import AuthenticationError

    wanted = os.environ.get(AUTH_MODE)
    if wanted not in (None, "token"):
        return {}
    try:
        found = _loader().has_token(ignore_auth_mode=True)
    except AuthenticationError:
        raise PermissionError(
            f"{TOKEN_PATH}={os.environ.get(TOKEN_PATH)} cannot be read or is empty: name a file "
            "with the cluster's token, or take the variable away"
        ) from None
    if not found and wanted:
        # Ray itself would abort the process.
        raise PermissionError(
            f"{AUTH_MODE}=token is set, and there is no token: {TOKEN_REMEDY}"
        )
    return {AUTH_MODE: "token"} if found else {}


def token_file() -> Path:
    """Returns the file from which Ray takes this user's token, which need not be there."""
    return Path(os.environ.get(TOKEN_PATH) or Path.home() / ".ray" / "auth_token")


def read_token() -> str:
    """Returns the user's token, from where Ray takes it. Asking imports no Ray.

    Raises:
        PermissionError: If there is none.
    """
    named = os.environ.get(TOKEN)
    if named is not None:
        if not named.strip():
            raise PermissionError(f"{TOKEN} is blank: {TOKEN_REMEDY}")
        return named.strip()
    file = token_file()
    try:
        token = file.read_text().strip()
    except OSError as error:
        raise PermissionError(
            f"there is no token in {file} ({error.strerror}): {TOKEN_REMEDY}"
        ) from None
    if not token:
        raise PermissionError(f"{file} is empty: {TOKEN_REMEDY}")
    return token


TOKEN_REMEDY = (
    "`ray get-auth-token` on the cluster's head prints it; keep it in ~/.ray/auth_token "
    f"(chmod 600), or name its file in {TOKEN_PATH}"
)


@contextmanager
def environment(settings: Mapping[str, str | None]) -> Iterator[None]:
    """Returns a context in which Ray sees these variables; None takes one away.

    Processes that start inside inherit them. Afterwards everything is as before, but a
    connection keeps the token with which it was opened.
    """
    before = {name: os.environ.get(name) for name in settings}
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def forget() -> None:
    """Makes Ray look for its mode and its token anew, when next it needs them."""
    from ray import _raylet

    _raylet.Config.initialize("")  # type: ignore[attr-defined]
    _loader().reset_cache()


def _loader() -> Any:
    from ray import _raylet

    return _raylet.AuthenticationTokenLoader.instance()  # type: ignore[attr-defined]


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
