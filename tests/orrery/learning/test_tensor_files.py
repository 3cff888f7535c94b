"""Tensors that were written are read, by us and by torch alone; damaged ones never."""

import pytest
import torch

from orrery.learning.tensor_files import is_sound, load_tensors, save_tensors
from orrery.verification import verify

CONTENT = {"weights": {"a": torch.arange(12.0).reshape(3, 4)}, "epoch": 3}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "trained.pt"
    save_tensors(path, CONTENT)
    return path


def test_what_was_written_is_read_by_us_and_by_torch(path):
    for found in (load_tensors(path), torch.load(path, weights_only=True)):
        assert found["epoch"] == 3
        assert torch.equal(found["weights"]["a"], CONTENT["weights"]["a"])
    assert is_sound(path)
    assert not is_sound(path.with_name("nothing.pt"))


@pytest.mark.slow
def test_no_flipped_bit_becomes_other_weights(path, capsys):
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 17):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=rf"{path} is damaged"):
            load_tensors(path)
    assert not is_sound(path)
    assert f"{path} is damaged" in capsys.readouterr().err


def test_a_file_of_before_has_no_checksum(tmp_path):
    torch.save(CONTENT, tmp_path / "old.pt")
    with pytest.raises(ValueError, match="its checksum differs"):
        load_tensors(tmp_path / "old.pt")


def test_a_full_disk_is_an_error_of_the_disk(tmp_path, monkeypatch):
    from orrery.storage import files

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(OSError, match=r"cannot write .*trained.pt .No space left"):
        save_tensors(tmp_path / "trained.pt", CONTENT)
    assert not any(tmp_path.iterdir())


def trained(folder, number):
    folder.mkdir(parents=True)
    save_tensors(folder / "trained.pt", {"epoch": number})
    return folder / "trained.pt"


def test_what_another_training_has_left_is_not_taken_for_its_own(tmp_path, capsys):
    one = trained(tmp_path / "posteriors" / ".training-0a" / "cohort-0", 1)
    for place in (".training-0a/cohort-1", ".training-0b/cohort-0"):
        other = trained(tmp_path / "posteriors" / place, 2)
        one_content, other_content = one.read_bytes(), other.read_bytes()
        one.write_bytes(other_content)
        with pytest.raises(ValueError, match=rf"{one} is damaged"):
            load_tensors(one)
        assert not is_sound(one)
        assert [finding.file for finding in verify(one.parent)] == ["trained.pt"]
        one.write_bytes(one_content)
        assert load_tensors(one) == {"epoch": 1}
    assert f"{one} is damaged" in capsys.readouterr().err


def test_a_training_may_be_moved_with_its_run(tmp_path):
    one = trained(tmp_path / "runs" / ".training-0a", 1)
    (tmp_path / "runs").rename(tmp_path / "archive")
    assert not one.exists()
    assert is_sound(tmp_path / "archive" / ".training-0a" / "trained.pt")
