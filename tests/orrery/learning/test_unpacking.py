"""Laws of what torch wrote: it is read as it was, and nothing larger or other than that is."""

import io
import pickle
import zipfile

import pytest
import torch

from orrery.learning.unpacking import unpacked


def _written(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _repacked(content):
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as parts,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for part in parts.infolist():
            packed.writestr(part.filename, parts.read(part))
    return buffer.getvalue()


def test_what_was_written_is_read():
    content = {"rate": torch.arange(3.0), "epoch": 4}
    found = unpacked(_written(content), "last.ckpt", "train again")
    assert found["epoch"] == 4
    assert torch.equal(found["rate"], content["rate"])


def test_zeros_that_were_packed_are_refused():
    content = _repacked(_written({"rate": torch.zeros(3_000_000)}))
    assert len(content) < 100_000
    with pytest.raises(
        ValueError, match=r"last.ckpt: its parts .* bytes.*: train again"
    ):
        unpacked(content, "last.ckpt", "train again")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", pickle.dumps({"rate": 1}), _written({"rate": io.BytesIO})],
)
def test_what_torch_did_not_write_so_ends_in_words(content):
    with pytest.raises(ValueError, match=r"last.ckpt is damaged .*: train again"):
        unpacked(content, "last.ckpt", "train again")


def test_an_order_of_bytes_that_is_none_ends_in_words():
    order = b"little"
    content = _written({"rate": torch.ones(2)})
    assert content.count(order) == 1
    with pytest.raises(ValueError, match=r"last.ckpt is damaged .*: train again"):
        unpacked(content.replace(order, b"lottle"), "last.ckpt", "train again")
