"""No bit of a document changes unseen, and none names a file outside of its folder."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.storage import documents
from orrery.storage.documents import (
    DamagedDocumentError,
    WrongChecksumError,
    checked,
    corrected,
    line_of,
    own_file,
    parsed,
    read_document,
    read_numbers,
    with_checksum,
    with_trailer,
    without_trailer,
    write_document,
)
from orrery.storage.store import Address

DOCUMENT = {"a": 1, "text": "é\n", "nested": {"edges": [30.0, 1e-300], "none": None}}
REMEDY = "write it again"


def flips(content):
    """Returns all contents that differ from this one in one bit."""
    for place in range(len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            yield bytes(flipped)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.json"
    write_document(path, DOCUMENT)
    return path


def test_what_was_written_is_read_by_us_and_by_others(path):
    assert read_document(path, REMEDY) == DOCUMENT
    others = json.loads(path.read_text())
    assert len(others.pop("checksum")) == 64
    assert others == DOCUMENT


def test_the_checksum_is_that_of_the_text_without_it(path):
    text = path.read_text()
    bare = checked(text.encode()).decode()
    assert json.loads(bare) == DOCUMENT
    assert with_checksum(bare) == text


def test_members_of_two_levels_have_lines_in_order(path):
    rows = {"rows": [{"b": [1, 2], "a": None}, {"c": {"d": 3}}], "empty": {}, "n": [1]}
    write_document(path, DOCUMENT | rows)
    _, *lines = checked(path.read_bytes()).decode().splitlines()
    assert lines == [
        '  "a": 1,',
        '  "empty": {},',
        '  "n": [1],',
        '  "nested": {',
        '    "edges": [30.0, 1e-300],',
        '    "none": null',
        "  },",
        '  "rows": [',
        '    {"a": null, "b": [1, 2]},',
        '    {"c": {"d": 3}}',
        "  ],",
        '  "text": "é\\n"',
        "}",
    ]


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=25)
@given(document=st.dictionaries(st.text(), ANY_JSON, min_size=1, max_size=4))
def test_whatever_is_written_is_read_again(document, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.json"
    write_document(path, document)
    assert read_document(path, REMEDY) == document


def test_no_bit_of_a_document_changes_unseen(path):
    content = path.read_bytes()
    for flipped in flips(content):
        with pytest.raises(ValueError, match=r"."):
            parsed(flipped)
    path.write_bytes(next(flips(content)))
    with pytest.raises(DamagedDocumentError, match=rf"{path} is damaged .*: {REMEDY}"):
        read_document(path, REMEDY)


def test_no_bit_of_a_line_changes_unseen():
    line = line_of(DOCUMENT).encode().rstrip(b"\n")
    assert parsed(line) == DOCUMENT
    for flipped in flips(line):
        with pytest.raises(ValueError, match=r"."):
            parsed(flipped)


def test_a_single_wrong_bit_is_set_right(path):
    content = path.read_bytes()
    some = [*flips(content)][::29]  # each costs hashes of all others
    assert [one for one in some if corrected(one) != content] == []


def test_more_than_a_bit_is_not_guessed(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    content[110] ^= 1
    assert corrected(bytes(content)) is None
    assert corrected(b"") is None
    assert corrected(b"{}" * documents.LARGEST_CORRECTED) is None


def test_a_document_of_before_is_read_and_told_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(documents, "_known_old", set())
    path = tmp_path / "old.json"
    path.write_text(json.dumps(DOCUMENT))
    assert read_document(path, REMEDY) == read_document(path, REMEDY) == DOCUMENT
    said = capsys.readouterr().err
    assert said.count("has no checksum") == 1
    assert str(path) in said


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b'{"a": NaN}', b'{"a": -Infinity}', b"{", b'{"a": "\xff"}'],
)
def test_what_is_no_document_is_named(tmp_path, content):
    path = tmp_path / "none.json"
    path.write_bytes(content)
    with pytest.raises(DamagedDocumentError, match=r"none\.json is damaged"):
        read_document(path, REMEDY)


def test_what_is_nested_too_deep_is_named(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text('{"a": ' * 100_000)
    with pytest.raises(DamagedDocumentError, match="nested deeper"):
        read_document(path, REMEDY)


def test_numbers_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_document(tmp_path / "a.json", {"a": float("nan")})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("folder", [Path("/runs/one"), Address("s3", "stars", "one")])
@pytest.mark.parametrize(
    "name",
    [
        "../weights.pt",
        "a/../../weights.pt",
        "/etc/passwd",
        "//host/share",
        "..",
        "..\\weights.pt",
        "C:weights.pt",
        "",
        ".",
        "a\0b",
        "a/" * 2000,
        None,
        3,
        ["a"],
    ],
)
def test_no_document_names_a_file_outside_of_its_folder(folder, name):
    with pytest.raises(ValueError, match="no file inside of"):
        own_file(folder, name)


@pytest.mark.parametrize("name", ["link.pt", "sub/outside.pt", "ring.pt", "b" * 5000])
def test_no_link_leads_out_of_the_folder(tmp_path, name):
    folder = tmp_path / "posterior"
    folder.mkdir()
    (tmp_path / "outside.pt").touch()
    (folder / "link.pt").symlink_to("../outside.pt")
    (folder / "sub").symlink_to("..")
    (folder / "ring.pt").symlink_to("ring.pt")
    with pytest.raises(ValueError, match=r"leads out of|no file inside of"):
        own_file(folder, name)
    (tmp_path / "linked").symlink_to(folder)
    (folder / "weights.pt").touch()
    own_file(tmp_path / "linked", "weights.pt")  # a folder may be anywhere


def test_files_inside_of_the_folder_are_found():
    assert own_file(Path("/runs"), "a/b.pt") == Path("/runs/a/b.pt")
    assert own_file(Address("s3", "stars", "one"), "b..pt").key == "one/b..pt"


@given(st.binary(max_size=200), st.data())
def test_no_bit_of_a_file_with_a_trailer_changes_unseen(content, data):
    written = with_trailer(content)
    assert without_trailer(written) == content
    place = data.draw(st.integers(0, len(written) * 8 - 1))
    flipped = bytearray(written)
    flipped[place // 8] ^= 1 << place % 8
    with pytest.raises(WrongChecksumError):
        without_trailer(bytes(flipped))
    with pytest.raises(WrongChecksumError):
        without_trailer(written[: place // 8])


@pytest.mark.parametrize(
    "value",
    [
        *(["1", 2.5], [True, False], [None, 1.0], [1e999, 1.0], [10**400, 1.0]),
        *([1.0], [[1.0, 2.0]], [[1.0], 2.0], {"a": 1.0}, "12", 1.0, None),
    ],
)
def test_what_is_no_array_of_numbers_becomes_none(value):
    with pytest.raises(
        ValueError, match=r"no array of finite numbers with shape \(2,\)"
    ):
        read_numbers(value, (2,))


def test_numbers_are_read_as_they_were_written():
    written = [[0.1, -1e-300], [2**63, 1e300]]
    assert read_numbers(json.loads(json.dumps(written)), (2, 2)).tolist() == written
    assert read_numbers(7, ()).item() == 7.0
