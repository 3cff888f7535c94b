"""Laws of the door: whatever bytes come, the table or one exception that names the file."""

import numpy as np
import pytest
from astropy.table import Table

from orrery.tables.opening import OpenedFile
from orrery.tables.reading import ENDINGS, guarded, read_table


@pytest.mark.parametrize("ending", ENDINGS)
def test_noise_is_refused_by_name(ending):
    random = np.random.default_rng(5)
    for size in (1, 40, 3000):
        noise = OpenedFile(f"noise{ending}", random.bytes(size))
        with pytest.raises(ValueError, match=f"noise{ending}"):
            read_table(noise)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["ascii.csv", "ascii.ecsv", "fits", "votable", "parquet"]
)
def test_damaged_tables_are_read_or_refused_by_name(kind, tmp_path):
    table = Table({"ra": np.arange(9.0), "name": list("abcdefghi")})
    table.write(tmp_path / "whole", format=kind)
    whole = (tmp_path / "whole").read_bytes()
    random = np.random.default_rng(7)
    ending = {"votable": ".vot"}.get(kind, f".{kind.split('.')[-1]}")
    outcomes = set()
    for _ in range(40):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] ^= 1 << random.integers(8)
        outcomes.add(_outcome(OpenedFile(f"t{ending}", bytes(damaged))))
    assert "refused" in outcomes
    assert outcomes <= {"read", "refused"}


def _outcome(file):
    try:
        read_table(file)
    except ValueError as error:
        return "refused" if file.name in str(error) else f"no file: {error}"
    return "read"


def test_other_endings_are_refused():
    with pytest.raises(ValueError, match=r"cannot read '.xlsx' files, only .ecsv"):
        read_table(OpenedFile("t.xlsx", b"x"))


def test_what_a_library_says_in_one_word_is_told_with_what_helps():
    read = {"x": 1}.__getitem__
    with pytest.raises(ValueError, match="NAXIS3") as error:
        guarded(OpenedFile("t.fits", b"SIMPLE"), lambda file: read("NAXIS3"))
    assert str(error.value) == (
        "t.fits cannot be read as .fits (KeyError: 'NAXIS3'): fetch it again if it is "
        "damaged, or give it the ending of what it is"
    )
