"""How a sound file is damaged, or made hostile: strategies of bytes and of JSON."""

import copy
import json

from hypothesis import strategies as st

# What numbers, names and marks of formats a reader may trip over.
WORDS = (
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"nan", b"inf", b"-inf", b"-9999", b"1e999",
    b"1e34", b"-1", b"0", b"99999999999999999999999", b"9" * 400, b",", b";", b"\n", b"\r",
    b"\t", b'"', b"'", b"{", b"}", b"[", b"]", b"null", b"true", b"%", b"${x}", b"../..",
    b"!!python/object/apply:os.system ['true']", b"&a [*a, *a]", b"END", b"NAXIS2  =",
    b"1E11", b"\x80", "é".encode("latin-1"), b"# ", b"\x00\x00\x80\x7f", b"\xff\xff\xff\xff",
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1, 2**63, 10**400, 0.5, -0.0, float("nan"), float("inf"), "",
    "x", "../outside", "\0", "9" * 300, [], [[]], {}, [1, 2], {"a": 1}, "1", [None], ["x"],
)  # fmt: skip

place = st.floats(0.0, 1.0, exclude_max=True)
length = st.integers(1, 64)


def _at(content, share):
    return int(share * len(content))


def _flip(content, share, bit):
    where = _at(content, share)
    return (
        content[:where] + bytes([content[where] ^ (1 << bit)]) + content[where + 1 :]
        if content
        else content
    )


def _cut(content, share, size):
    where = _at(content, share)
    return content[:where] + content[where + size :]


def _repeat(content, share, size):
    where = _at(content, share)
    return content[:where] + content[where : where + size] * 2 + content[where + size :]


def _insert(content, share, word):
    where = _at(content, share)
    return content[:where] + word + content[where:]


def _replace(content, share, word):
    where = _at(content, share)
    return content[:where] + word + content[where + max(len(word), 1) :]


def _truncate(content, share):
    return content[: _at(content, share)]


def _replace_field(content, share, word):
    """Replaces what stands between two separators."""
    where = _at(content, share)
    ends = [i for i in range(where, len(content)) if content[i] in b" ,\n\t;:"]
    end = ends[0] if ends else len(content)
    starts = [i for i in range(where) if content[i] in b" ,\n\t;:"]
    start = starts[-1] + 1 if starts else 0
    return content[:start] + word + content[end:]


word = st.sampled_from(WORDS)
step = st.one_of(
    st.tuples(st.just(_flip), place, st.integers(0, 7)),
    st.tuples(st.just(_cut), place, length),
    st.tuples(st.just(_repeat), place, length),
    st.tuples(st.just(_insert), place, word),
    st.tuples(st.just(_replace), place, word),
    st.tuples(st.just(_replace_field), place, word),
    st.tuples(st.just(_truncate), place),
)


def damaged(content):
    """Strategy of what becomes of some bytes after one to four changes."""

    def changed(steps):
        found = content
        for change, *arguments in steps:
            found = change(found, *arguments)
        return found

    return st.lists(step, min_size=1, max_size=4).map(changed)


def _places(document, above=()):
    """Returns the paths to all values of a document."""
    if isinstance(document, dict):
        inside = document.items()
    elif isinstance(document, list):
        inside = list(enumerate(document))[:3]
    else:
        return [above]
    below = [path for key, value in inside for path in _places(value, (*above, key))]
    return [above, *below]


def _set(document, path, value, gone):
    *way, last = path
    for key in way:
        document = document[key]
    if gone:
        del document[last]
    else:
        document[last] = copy.deepcopy(value)


def other_documents(content):
    """Strategy of JSON in which some values are others, or are missing."""
    document = json.loads(content)
    # who means harm makes the checksum right; a document without one is read as it is
    document.pop("checksum", None)
    paths = [path for path in _places(document) if path]
    change = st.tuples(st.sampled_from(paths), st.sampled_from(VALUES), st.booleans())

    def changed(changes):
        found = copy.deepcopy(document)
        for path, value, gone in changes:
            try:
                _set(found, path, value, gone)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change has taken it away
        return json.dumps(found).encode()

    # 9 of 10 stay a document: what is no JSON is soon told
    return st.lists(change, min_size=1, max_size=3).map(changed) | damaged(content)
