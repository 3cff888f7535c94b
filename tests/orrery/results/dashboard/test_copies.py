"""A copy of which a file is not what it was at its end is made again, unless it was sent."""

from dataclasses import replace

import pytest

from orrery.results.dashboard.copies import (
    Copy,
    Origin,
    forget_mark,
    is_sent,
    marker,
    record_sent,
    whole_copy,
)

ORIGIN = Origin("one", "abcdef")
DAMAGES = {
    "empty": lambda content: b"",
    "torn": lambda content: content[: len(content) // 3],
    "zeroed": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"\0",
}


def keep(folder, name, content=b"records"):
    """Writes a copy that has come to its end; returns what is known of it."""
    copy = Copy("one", f"{name}/run-one.wandb", closed=True, source=ORIGIN.source)
    copy.path(folder).parent.mkdir(parents=True)
    copy.path(folder).write_bytes(content)
    copy.sealed(folder).write(folder)
    return Copy.read(folder)


@pytest.fixture
def made_again(tmp_path):
    """Asks for the whole copy; returns whether it was made again."""

    def ask():
        found = whole_copy(tmp_path, lambda identity: keep(tmp_path, "again"), ORIGIN)
        return found.file == "again/run-one.wandb"

    return ask


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_made_again(tmp_path, made_again, damage):
    copy = keep(tmp_path, "first")
    assert not made_again()
    path = copy.path(tmp_path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert made_again()
    assert not path.exists()


def test_what_was_sent_stays_sent(tmp_path, made_again):
    path = keep(tmp_path, "first").path(tmp_path)
    marker(path).touch()
    assert not is_sent(path)  # whoever was to check that may have been killed
    record_sent(path)
    assert is_sent(path)
    path.write_bytes(b"")
    assert not made_again()
    forget_mark(path)
    assert made_again()


def test_a_copy_of_which_nothing_is_known_is_made_again(tmp_path, made_again):
    copy = keep(tmp_path, "first")
    replace(copy, parts=()).write(tmp_path)
    assert made_again()


# --- notes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", ["", ".", "run-one.wandb", "../elsewhere/run.wandb", "/tmp/a.wandb", 7]
)
def test_a_note_of_a_copy_that_lies_elsewhere_is_none(tmp_path, file):
    kept = tmp_path / "wandb" / "kept"
    kept.mkdir(parents=True)
    note = replace(Copy("one", "x/y.wandb", source=ORIGIN.source), file=file)
    note.write(tmp_path)
    assert Copy.read(tmp_path) is None
    whole_copy(tmp_path, lambda identity: keep(tmp_path, "again"), ORIGIN)
    assert kept.exists()  # it would be removed with the copy that is replaced


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"torn {"])
def test_a_copy_whose_note_says_nothing_keeps_its_identity(tmp_path, content):
    given = []

    def make(identity):
        given.append(identity)
        return keep(tmp_path, f"copy-{len(given)}")

    whole_copy(tmp_path, make, ORIGIN)
    (tmp_path / "wandb" / "copy.json").write_bytes(content)
    whole_copy(tmp_path, make, ORIGIN)
    assert given == [ORIGIN.identity] * 2


def test_a_note_of_anothers_copy_gives_no_identity(tmp_path, capsys):
    given = []

    def make(identity):
        given.append(identity)
        return keep(tmp_path, "own")

    theirs = keep(tmp_path, "theirs")
    replace(theirs, source="123456").write(tmp_path)
    whole_copy(tmp_path, make, Origin("other", "abcdef"))
    assert given == ["other-abcdef"]
    assert "tells of the copy of another run or trial, one:" in capsys.readouterr().err
    assert theirs.path(tmp_path).exists()


@pytest.mark.parametrize(
    ("note", "is_kept"), [("copy.json", True), ("copy-1.json", False)]
)
def test_a_note_of_an_earlier_version_is_the_runs_own(tmp_path, note, is_kept):
    given = []

    def make(identity):
        given.append(identity)
        return keep(tmp_path, "again")

    replace(keep(tmp_path, "first"), source="").write(tmp_path, note)
    whole_copy(tmp_path, make, Origin("one", "abcdef", note))
    assert given == ([] if is_kept else ["one-abcdef"])
