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
from orrery.parameters import Parameter
from orrery.results.keys import is_key

Content = TypeVar("Content")

WORDING = "words"
"""Where a document has them."""

OUTCOMES: Mapping[bool | None, str] = MappingProxyType(
    {True: "passed", False: "failed", None: "untested"}
)
"""What readers of a run call the outcome of a test."""
UNTESTED = (
    "Untested: too few simulations for this test to tell a right answer from a wrong one, "
    "so that it neither passed nor failed. Use more simulations."
)
"""What the last of them means: pages, notebooks and the documentation say the same."""

# Of every science: what a keyboard lacks.
_TYPED = MappingProxyType(
    {"+-": "\N{PLUS-MINUS SIGN}", "Msun": "M\N{SUN}", "solMass": "M\N{SUN}"}
)
# Of the machinery's own tables: these columns are in runs of every science.
_COLUMNS = MappingProxyType(
    {
        "rank_pvalue": "p-value of the rank",
        "negative_control_pvalue": "p-value of the negative control",
        "band_corrected": "corrected p-value of the band",
        "within_50_percent": "within 50 %",
        "within_68_percent": "within 68 %",
        "within_95_percent": "within 95 %",
        "tail_probability": "tail probability",
        "simulation_error": "simulations' own error",
        "low_68": "low, 68 %",
        "high_68": "high, 68 %",
        "low_95": "low, 95 %",
        "high_95": "high, 95 %",
        "lower_95": "lower, 95 %",
        "upper_95": "upper, 95 %",
        "mean_error": "error of the mean",
        "rmse_error": "error of the RMSE",
        "bias_error": "error of the bias",
        "gain_error": "error of the gain",
        "gain_each": "gain of each",
        "width_error": "error of the width",
        "width_each": "width of each",
        "rebinned_per_second": "rebinned per second",
        "information_gain": "information gain",
        "predicted_mean": "predicted mean",
    }
)
_SHOWN = ("sections", "answers", "verdicts")
_RAW = re.compile(r"[^\W\d_]\w*_\w+")
_SYMBOL = re.compile(r"[^\W\d_]_[^\W_]+(?:,[^\W_]+)*")
_DECIMAL = re.compile(r"(?<=\d)_(?=\d)")
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
    words = page_words(document)
    written = {
        name: worded(value, words) if name in _SHOWN else value
        for name, value in document.items()
    }
    if isinstance(written.get("sections"), list):
        written["sections"] = [_headed(one) for one in written["sections"]]
    return written


def page_words(document: JSON) -> dict[str, str]:
    """Returns what a page calls words: those of every science, then the run's own.

    Raises:
        ValueError: If the run's words are damaged.
    """
    return {**_TYPED, **figure_words(document)}


def figure_words(document: JSON) -> dict[str, str]:
    """Returns the same for figures, whose labels have formulas for what keyboards lack."""
    return {**_COLUMNS, **words_of(document)}


def name_in_words(name: str) -> str:
    """Returns the head of a column that nobody has words for: its name with spaces.

    Arguments:
        name: One letter with a subscript is a symbol, and stays as it is.

    Example:
        >>> name_in_words("largest_error"), name_in_words("v_x"), name_in_words("M_LMC(<50 kpc)")
        ('largest error', 'v_x', 'M_LMC(<50 kpc)')
        >>> name_in_words("rmse_11_5_to_12")
        'rmse 11.5 to 12'
    """
    if _SYMBOL.fullmatch(name) or not _RAW.fullmatch(name):
        return name
    return _DECIMAL.sub(".", name).replace("_", " ")


def _headed(section: Any) -> Any:
    """Returns a part whose columns, if it has any, are called in words; what is none as it is."""
    columns = section.get("columns") if isinstance(section, Mapping) else None
    if not isinstance(columns, list):
        return section
    return {**section, "columns": [_column_in_words(column) for column in columns]}


def _column_in_words(column: Any) -> Any:
    name = column.get("name") if isinstance(column, Mapping) else None
    return {**column, "name": name_in_words(name)} if isinstance(name, str) else column


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
    if isinstance(content, Parameter):
        return content  # figures show its label, and draws are found by its name
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
