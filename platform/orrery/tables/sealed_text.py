r"""Text tables that carry their own checksum, in a comment that every reader passes over.

Numbers are not like words: of a flipped bit in one comes another number. So the tables
that we write have a second line with the sha256 of all other lines. Whoever edits one by
hand removes that line; tables of other programs have none, and are read as they are.

    # %ECSV 1.0
    # # sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    # ---
"""

import hashlib
import re
from pathlib import Path

_SEAL = re.compile(r"\A(# %ECSV [^\n]*\n)# # sha256: ([0-9a-f]{64})\n")
# What is left of the line where a bit of it is wrong, or of the ends of lines about it:
# between the name of the format and the beginning of the header.
_HEAD = 110  # characters
_TRACE = re.compile(r"sha256|[0-9a-f]{30}")


def ecsv_name(path: Path) -> Path:
    """Returns the path at which an ECSV can be read: that of `stars.ecsv.gz` is `stars.ecsv`.

    Example:
        >>> [ecsv_name(Path(name)).name for name in ("a.csv", "a", "a.ECSV", "a.ecsv.gz")]
        ['a.ecsv', 'a.ecsv', 'a.ecsv', 'a.ecsv']
    """
    first = Path(path.stem)
    stem = first.stem if first.suffix.lower() == ".ecsv" else path.stem
    return path.with_name(f"{stem}.ecsv")


def sealed(text: str) -> str:
    r"""Returns a table in astropy's text format with its checksum.

    Example:
        >>> print(sealed("# %ECSV 1.0\n# ---\n")[:40])
        # %ECSV 1.0
        # # sha256: b23737ef32af6e32
    """
    first, _, rest = text.partition("\n")
    digest = _digest(f"{first}\n{rest}")
    return f"{first}\n# # sha256: {digest}\n{rest}"


def check_seal(text: str, name: str) -> None:
    """Checks that a table is what was written, if it has a checksum.

    Arguments:
        text: The table.
        name: The file's name.

    Raises:
        ValueError: If it has another checksum; it names the file and the remedy.

    Example:
        >>> check_seal(sealed("# %ECSV 1.0"), "bhb.ecsv")
        >>> check_seal(sealed("# %ECSV 1.0") + "7", "bhb.ecsv")
        Traceback (most recent call last):
        ValueError: bhb.ecsv is damaged (its checksum is not that of its content): make it again, \
or fetch it again; if it was edited, remove its second line
    """
    text = text.replace("\r\n", "\n")  # as other systems end lines
    found = _SEAL.match(text)
    if found is None:
        is_right = _TRACE.search(text[:_HEAD].partition("---")[0]) is None
    else:
        is_right = _digest(found[1] + text[found.end() :]) == found[2]
    if not is_right:
        raise ValueError(
            f"{name} is damaged (its checksum is not that of its content): make it again, or "
            "fetch it again; if it was edited, remove its second line"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
