"""A copy has ended when its last record is on disk, which wandb's process writes late."""

from types import SimpleNamespace

import pytest

from orrery.results.dashboard import endings, mirror
from orrery.results.dashboard.copies import Copy
from orrery.results.dashboard.mirror import Heading, Mirror


def test_a_copy_that_wandb_leaves_without_its_end_is_not_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "START", 0.05)
    file = tmp_path / "wandb" / "offline-run-a" / "run-a.wandb"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    session = SimpleNamespace(finish=lambda exit_code: None)
    copy = Mirror(Heading(tmp_path, "a", "a", "a", "trial", {}), None, session, file)
    copy.close(failed=False)
    assert copy.lost == ["end"]
    assert not Copy.read(tmp_path).whole


@pytest.fixture
def ended(offline, tmp_path):
    """The file of a copy of more than one block that has come to its end."""
    mirror = Mirror.begin(Heading(tmp_path, "a", "a", "a", "trial", {}))
    for place in range(200):
        mirror.row({"place": place, "word" * 20: place})
    mirror.close(failed=True)
    assert not mirror.lost
    return mirror.file


@pytest.mark.slow
def test_a_copy_without_its_last_record_has_not_ended(ended, tmp_path):
    content = ended.read_bytes()
    assert len(content) > 2 * endings._BLOCK
    assert endings.has_ended(ended)
    assert Copy.read(tmp_path).parts[0].size == len(content)
    part = tmp_path / "part.wandb"
    for size in (0, 3, 7, 1000, endings._BLOCK, len(content) // 2, len(content) - 1):
        part.write_bytes(content[:size])
        assert not endings.has_ended(part)
    part.write_bytes(bytes(len(content)))
    assert not endings.has_ended(part)
    with pytest.raises(TimeoutError, match="not come to its end"):
        endings.wait_for_end(part, 0.01)
