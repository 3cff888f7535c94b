"""No flipped bit is a silent other answer, and each is named.

20,000 of them, for which there is no time here: python tests/faults/flip_bits.py
"""

import pytest

FLIPS = 256  # sixteen of each kind of file


@pytest.fixture(scope="module")
def flip_bits(load_script):
    """The module that plants the files and flips their bits."""
    return load_script("faults/flip_bits")


@pytest.mark.slow
def test_no_flipped_bit_is_silent(tmp_path, flip_bits):
    found = flip_bits.flip_all(tmp_path, FLIPS, seed=7, repairs=8)
    told = flip_bits.table(found)
    assert len(found) == 16
    for kind, tally in found.items():
        counts = tally.counts
        assert tally.silent == [], told
        assert counts["named"] == counts["flips"] == FLIPS / len(found), (kind, told)
        assert counts["repairs"] == 2
    back = {kind for kind, tally in found.items() if tally.counts["same bytes"] == 2}
    # Only a new training, attempt or observation brings these back; summaries whoever
    # needs them.
    assert {*found} - back == {
        "summaries",
        "weights",
        "checkpoints",
        "arrays of a run",
        "tables",
    }, told
