"""Tensors that were written are read, by us and by torch alone; damaged ones never."""

import pytest
import torch

from orrery.learning.tensor_files import is_sound, load_tensors, save_tensors

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
