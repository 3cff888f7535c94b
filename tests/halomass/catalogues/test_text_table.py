"""Laws of text tables: each line belongs to one chunk, and a damaged one is named."""

import pytest

from halomass.catalogues.catalogue import open_catalogue

BOX, H = 64.0, 0.678


HLIST = (
    "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir rvir rs vrms "
    "mmp? scale_of_last_MM vmax x y z vx vy vz Jx Jy Jz Spin Rs_Klypin Mvir_all M200b A[x] "
    "b_to_a(500c) A[x](500c) Macc Mpeak Vacc Vpeak Vmax@Mpeak"
)


HLIST_NAMES = HLIST.split()


def test_lines_of_any_length_fall_into_one_chunk(
    tmp_path, halos, write_text, write, read, same
):
    listed = halos(3000, seed=3)
    path = write("ascii", tmp_path, listed)
    lines = path.read_text().splitlines(keepends=True)
    padded = [line.replace(" ", " " * (1 + i % 40)) for i, line in enumerate(lines)]
    path.write_text("".join(padded).replace("\n", "\r\n"))
    uneven = read(open_catalogue(path, BOX, memory=2.0))
    same(uneven, read(open_catalogue(write_text(tmp_path / "a_1.0.txt", listed), BOX)))


def test_lines_that_begin_where_a_chunk_does_are_read_once(
    tmp_path, halos, write_text, read, same
):
    listed = halos(1500, seed=3)
    path = write_text(tmp_path / "sfr_catalog_1.000000.txt", listed, "")
    expected = read(open_catalogue(path, BOX))
    path.write_text("".join(f"{line:<499}\n" for line in path.read_text().splitlines()))
    reader = open_catalogue(path, BOX, memory=2.0)
    assert reader.describe()["chunk_bytes"] % 500 == 0
    assert [reader.records(0, [i]).scalars["rows"][0] for i in range(4)] == [
        400,
        400,
        400,
        300,
    ]
    same(read(reader), expected)


def test_columns_are_found_by_name(tmp_path, halos, write_hlist, write, read, same):
    listed = halos(300, seed=4)
    expected = read(open_catalogue(write("hlist", tmp_path, listed), BOX))
    for names in (
        [*HLIST_NAMES[:3], "Tidal_Force", "Tidal_ID", *HLIST_NAMES[3:]],
        HLIST_NAMES[::-1],
        [name.replace("mvir", "Mvir") for name in HLIST_NAMES],
    ):
        same(
            read(
                open_catalogue(write_hlist(tmp_path / "b_1.0.list", listed, names), BOX)
            ),
            expected,
        )
    text = write("ascii", tmp_path, listed)
    expected = read(open_catalogue(text, BOX))
    lines = [
        line.split()
        for line in text.read_text().splitlines()
        if not line.startswith("#ID:")
    ]
    moved = [" ".join([*line[:20], "A_UV" if line[0] == "#ID" else "0.3", *line[20:]])
             for line in lines if line[0] not in ("#X", "#M:")]  # fmt: skip
    other = tmp_path / "sfr_catalog_0.500000.txt"
    other.write_text("\n".join([*moved, ""]))
    same(read(open_catalogue(other, BOX)), expected)


def test_structs_are_no_text(tmp_path, halos, write_binary, refused):
    path = write_binary(tmp_path / "sfr_catalog_1.000000.txt", halos(4000))
    refused("ends in the middle of a line", path, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\0") + b"\n")
    refused(
        "no end of a line within 65536 bytes.*choose another kind",
        path,
        tmp_path,
        memory=2.0,
    )


@pytest.mark.parametrize("kind", ["ascii", "hlist"])
def test_half_a_line_is_refused(kind, tmp_path, halos, write, refused):
    path = write(kind, tmp_path, halos(40))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    refused("ends in the middle of a line", path, tmp_path)
    path.write_bytes(whole[:-30] + b"\n")
    number = whole.count(b"\n")
    refused(f"line {number} has .* fields instead of", path, tmp_path)


@pytest.mark.parametrize("kind", ["ascii", "hlist"])
@pytest.mark.parametrize("damage", ["few", "many", "word", "hole"])
def test_a_damaged_line_is_named_wherever_it_is(
    kind, damage, tmp_path, halos, write, refused
):
    path = write(kind, tmp_path, halos(6000))
    lines = path.read_text().splitlines()
    words = lines[5000].split()
    lines[5000] = {
        "few": " ".join(words[:-1]),
        "many": " ".join([*words, "3"]),
        "word": " ".join(["x" if i == 5 or word == words[-5] else word
                          for i, word in enumerate(words)]),
        "hole": lines[5000].replace(" ", "\0 "),
    }[damage]  # fmt: skip
    lines[5000] = lines[5000] if damage != "word" else " ".join(["abc"] * len(words))
    path.write_text("\n".join([*lines, ""]))
    reason = {"few": "fields instead of", "many": "fields instead of"}.get(
        damage, "cannot be read"
    )
    refused(f"line 5001 .*{reason}", path, tmp_path, memory=2.0)


@pytest.mark.parametrize("kind", ["ascii", "hlist"])
def test_a_line_with_very_many_fields_is_refused(kind, tmp_path, halos, write, refused):
    """65,536 more than there should be is no more right than one more is."""
    path = write(kind, tmp_path, halos(40))
    lines = path.read_text().splitlines()
    for more in (2 * 65_536, 65_536, 30_000):
        longer = [*lines[:-2], lines[-2] + " 1" * more, lines[-1]]
        path.write_text("\n".join([*longer, ""]))
        reason = (
            "bytes, more than 65536" if more > 40_000 else r"fields instead of \d\d:"
        )
        refused(rf"line {len(lines) - 1} has \d+ {reason}", path, tmp_path)


def test_a_header_without_an_end_is_refused(tmp_path, refused):
    path = tmp_path / "hlist_1.00000.list"
    path.write_text("# no halos here\n" * (1 << 17))
    refused("begins with more than 1048576 bytes of comments", path, tmp_path)
