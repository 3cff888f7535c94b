"""Headers of tables in YAML, as astropy writes them into ECSV, Parquet and HDF5 files.

A few hundred bytes can mean gigabytes there, and some thousand take hours: what a header
becomes is counted before it is read.
"""

import re

import yaml

_MOST_HEADER = 250_000  # [characters] of a table's header
_MOST_ENTRIES = 100_000  # of such a header, each as often as aliases repeat it
_ALIAS = re.compile(r"(^|[\s,\[{:])\*\w", re.MULTILINE)
# YAML takes 12:34:56 for a number of base 60, and adds up any number of such parts.
_LONG_NUMBER = re.compile(r"\d(?::[0-5]?\d){30}")


def check_header(header: str, name: str) -> None:
    """Checks that a header in YAML is short, also where its aliases are replaced.

    A few hundred bytes of aliases of aliases become gigabytes, and a number of base 60
    takes longer by the square of its length.

    Arguments:
        header: The text.
        name: The file's name.

    Raises:
        ValueError: If it is too long.

    Example:
        >>> check_header("meta: {a: &x [1, 2], b: *x}", "stars.ecsv")
    """
    if len(header) > _MOST_HEADER:
        raise ValueError(
            f"{name}: a header of {len(header)} characters, more than {_MOST_HEADER}: leave "
            "out some of its metadata"
        )
    if _LONG_NUMBER.search(header):
        raise ValueError(
            f"{name}: its header has a number of more than 30 parts, as 12:34:56 has three: "
            "write it in quotation marks, or leave it out"
        )
    if not _ALIAS.search(header):
        return
    root = yaml.compose(header, Loader=yaml.SafeLoader)
    if _entries(root, {}) > _MOST_ENTRIES:
        raise ValueError(
            f"{name}: the aliases of its header repeat more than {_MOST_ENTRIES} entries: "
            "write them out, or leave them out"
        )


def _entries(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Returns how many entries a part of a header has, each as often as it is repeated."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = _MOST_ENTRIES + 1  # a part of itself has no end
        parts = node.value
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        known[id(node)] = 1 + sum(_entries(part, known) for part in parts)
    return known[id(node)]
