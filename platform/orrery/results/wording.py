"""Words as people write them: keys of rows and columns stay what files and commands take.

`DESI, with v_tb` can be typed, and is a row of tables; a page or a figure calls it
`DESI, with ⟨v_t,b⟩`. A run's document says what its words are called, so that a page is
drawn years later without the science that wrote it.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from orrery.identity import JSON
from orrery.results.keys import is_key

Content = TypeVar("Content")

WORDING = "words"
"""Where a document has them."""

# Of every science: what a keyboard lacks.
_TYPED = MappingProxyType(
    {"+-": "\N{PLUS-MINUS SIGN}", "Msun": "M\N{SUN}", "solMass": "M\N{SUN}"}
)
_SHOWN = ("sections", "answers", "verdicts")
_NEVER = ("key", "kind", "shows", "view")  # of a part: what others find it by


def words_of(document: JSON) -> dict[str, str]:
    """Returns what a run's words are called; nothing in older documents.

    Raises:
        ValueError: If they are no words.
    """
    found = document.get(WORDING, {})
    if not isinstance(found, dict) or not all(
        isinstance(written, str) for written in found.values()
    ):
        raise ValueError(f"its {WORDING} are {found!r}, not what words are called")
    return found


def worded_document(document: JSON) -> JSON:
    """Returns a run's document with its parts, answers and verdicts as people write them.

    Arguments:
        document: The content of its `run.json`, which stays as it is.

    Raises:
        ValueError: If its words are damaged.

    Example:
        >>> verdict = {"key": "tarp", "test": "TARP, without v_tb"}
        >>> worded_document({"words": {"v_tb": "v_t,b"}, "verdicts": [verdict]})["verdicts"]
        [{'key': 'tarp', 'test': 'TARP, without v_t,b'}]
    """
    # figures have formulas for these
    words = {**_TYPED, **words_of(document)}
    return {
        name: worded(value, words) if name in _SHOWN else value
        for name, value in document.items()
    }


def worded(content: Content, words: Mapping[str, str]) -> Content:
    """Returns text, or all text in lists, mappings and dataclasses, as people write it.

    A word is replaced where it stands alone: `v_tb` is none in `mean_v_tb` or in the key
    `desi.v_tb`. The longest one counts. Keys of mappings stay as they are.

    Arguments:
        content: What is to be shown; arrays and numbers stay as they are.
        words: What each word is called.

    Example:
        >>> worded(["DESI, with v_tb", "desi.v_tb.30"], {"v_tb": "v_t,b"})
        ['DESI, with v_t,b', 'desi.v_tb.30']
    """
    return _worded(content, words, _pattern(words)) if words else content


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    either = "|".join(re.escape(word) for word in longest_first)
    # a full stop ends a sentence, or goes on in a key
    return re.compile(rf"(?<![\w.+-])(?:{either})(?![\w+-]|\.\w)")


def _worded(content: Any, words: Mapping[str, str], pattern: re.Pattern[str]) -> Any:
    if isinstance(content, str):
        return pattern.sub(lambda found: words[found[0]], content)
    if isinstance(content, list | tuple):
        return type(content)(_worded(one, words, pattern) for one in content)
    if isinstance(content, Mapping):
        return {
            _name(name, words, pattern): value
            if name in _NEVER
            else _worded(value, words, pattern)
            for name, value in content.items()
        }
    if is_dataclass(content) and not isinstance(content, type):
        changed = {
            one.name: _worded(getattr(content, one.name), words, pattern)
            for one in fields(content)
            if one.init
        }
        return replace(content, **changed)
    return content


def _name(name: Any, words: Mapping[str, str], pattern: re.Pattern[str]) -> Any:
    """Returns what a mapping calls something: a key, or a label, which is text."""
    if isinstance(name, str) and is_key(name):
        return name
    return _worded(name, words, pattern)
