"""Tokens are read by their user alone, and Ray sees the one that is meant."""

import os
import stat

import pytest
from ray import _raylet

from orrery.execution import tokens

SETTINGS = (tokens.AUTH_MODE, tokens.TOKEN, tokens.TOKEN_PATH)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


def test_a_token_is_new_and_nobody_elses(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    files = [tokens.make_token(folder) for folder in folders]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert files[0].read_text() != files[1].read_text()
    assert all(len(file.read_text()) == 64 for file in files)
    with pytest.raises(FileExistsError):
        tokens.make_token(folders[0])  # whoever made it may know it


def test_the_environment_names_the_file_and_is_restored(monkeypatch, tmp_path):
    monkeypatch.setenv(tokens.TOKEN, "of another cluster")
    before = dict(os.environ)
    file = tokens.make_token(tmp_path)
    with tokens.environment(tokens.own_token(file)):
        assert os.environ[tokens.AUTH_MODE] == "token"
        assert tokens.TOKEN not in os.environ
        assert file.read_text() not in os.environ.values()
    assert dict(os.environ) == before


def shown():
    tokens.forget()
    return tokens.users_token()


def test_a_token_is_shown_where_there_is_one(monkeypatch, tmp_path):
    assert shown() == {}
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("secret")
    assert shown() == {tokens.AUTH_MODE: "token"}
    monkeypatch.setenv(tokens.AUTH_MODE, "disabled")
    assert shown() == {}


def test_the_token_is_read_from_where_ray_takes_it(monkeypatch, tmp_path):
    with pytest.raises(PermissionError, match=r"no token in .*No such file"):
        tokens.read_token()
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("\n")
    with pytest.raises(PermissionError, match=r"is empty: .*get-auth-token"):
        tokens.read_token()
    file.write_text("in the home\n")
    assert tokens.read_token() == "in the home" == rays_own()
    named = tmp_path / "named"
    named.write_text("in a file")
    monkeypatch.setenv(tokens.TOKEN_PATH, str(named))
    assert tokens.read_token() == "in a file" == rays_own()
    monkeypatch.setenv(tokens.TOKEN, "said")
    assert tokens.read_token() == "said" == rays_own()


def rays_own():
    """Returns the token that Ray shows by itself."""
    tokens.forget()
    loader = _raylet.AuthenticationTokenLoader.instance()
    return loader.get_raw_token(ignore_auth_mode=True)


def test_a_missing_token_is_told_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv(tokens.AUTH_MODE, "token")
    with pytest.raises(PermissionError, match="ray get-auth-token"):
        shown()
    monkeypatch.setenv(tokens.TOKEN_PATH, str(tmp_path / "nowhere"))
    with pytest.raises(PermissionError, match="nowhere cannot be read"):
        shown()
