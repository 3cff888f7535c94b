"""Tokens are read by their user alone, and Ray sees the one that is meant."""

import os
import stat

import pytest

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


def test_a_missing_token_is_told_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv(tokens.AUTH_MODE, "token")
    with pytest.raises(PermissionError, match="ray get-auth-token"):
        shown()
    monkeypatch.setenv(tokens.TOKEN_PATH, str(tmp_path / "nowhere"))
    with pytest.raises(PermissionError, match="nowhere cannot be read"):
        shown()
