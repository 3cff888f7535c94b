"""What stands in a file's place and is none is refused by its name, and not waited for."""

import os

import pytest

from orrery.storage.contents import content_of
from orrery.storage.dataset import Dataset, read_metadata
from orrery.storage.documents import read_document
from orrery.storage.files import checksum
from orrery.storage.parquet import read_parquet
from orrery.storage.work_log import sessions


@pytest.mark.parametrize("read", [content_of, checksum, read_parquet])
def test_a_pipe_and_a_device_are_not_read(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")  # whose reader waits for ever
    (tmp_path / "link").symlink_to("/dev/zero")  # which never ends
    for name in ("pipe", "link"):
        with pytest.raises(ValueError, match=f"{tmp_path / name} is no file, but"):
            read(tmp_path / name)


def test_a_link_to_a_file_is_one(tmp_path):
    (tmp_path / "there").write_bytes(b"7")
    (tmp_path / "link").symlink_to("there")
    assert content_of(tmp_path / "link") == b"7"
    with pytest.raises(FileNotFoundError):
        content_of(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("dataset.json", read_metadata),
        ("manifest.json", Dataset.open),
        ("work.jsonl", sessions),
        ("document", lambda folder: read_document(folder / "document", "write it")),
    ],
)
def test_no_document_is_a_device(tmp_path, name, read):
    place = tmp_path / name
    place.symlink_to("/dev/null")
    with pytest.raises(ValueError, match=f"{place} is no file, but"):
        read(tmp_path)
