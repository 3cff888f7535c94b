"""A copy of which a file is not what it was at its end is made again, unless it was sent."""

import pytest

from orrery.results.dashboard.copies import (
    Copy,
    forget_mark,
    is_sent,
    marker,
    record_sent,
    whole_copy,
)

DAMAGES = {
    "empty": lambda content: b"",
    "torn": lambda content: content[: len(content) // 3],
    "zeroed": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"\0",
}


def keep(folder, name, content=b"records"):
    """Writes a copy that has come to its end; returns what is known of it."""
    copy = Copy("one", f"{name}/run-one.wandb", closed=True)
    copy.path(folder).parent.mkdir(parents=True)
    copy.path(folder).write_bytes(content)
    copy.sealed(folder).write(folder)
    return Copy.read(folder)


@pytest.fixture
def made_again(tmp_path):
    """Asks for the whole copy; returns whether it was made again."""

    def ask():
        found = whole_copy(tmp_path, lambda identity: keep(tmp_path, "again"))
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
    Copy(copy.identity, copy.file, closed=True).write(tmp_path)
    assert made_again()
