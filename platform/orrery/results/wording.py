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
    {
        "+-": "\N{PLUS-MINUS SIGN}",
        "Msun": "M\N{SUN}",
        "solMass": "M\N{SUN}",
        "km / s": "km/s",
    }
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
        "low_68": "lower end, 68 %",
        "high_68": "upper end, 68 %",
        "low_95": "lower end, 95 %",
        "high_95": "upper end, 95 %",
        "lower_95": "lower end, 95 %",
        "upper_95": "upper end, 95 %",
        "mean_error": "error of the mean",
        "rmse_error": "error of the RMSE",
        "bias_error": "error of the bias",
        "gain_error": "error of the gain",
        "slope_error": "error of the slope",
        "gain_each": "gain of each",
        "width_error": "error of the width",
        "width_each": "width of each",
        "rebinned_per_second": "rebinned per second",
        "information_gain": "information gain",
        "predicted_mean": "predicted mean",
    }
)
# Heads of columns whose names are words of sentences too, or mean another thing in another
# table: by the key of the table or its first word, or by a star for those of all tables.
_HEADS = MappingProxyType(
    {
        "*.lower": "lower end",
        "*.upper": "upper end",
        "*.rmse": "RMSE",
        "*.pvalue": "p-value",
        "*.sigma": "standard deviation",
        "calibration.corrected": "corrected p-value of the rank",
        "prior_predictive.corrected": "corrected tail probability",
        "calibration.tarp": "TARP, p-value of the shape",
        "calibration.tarp_both": "TARP, p-value of shape and area",
        "calibration.control_tarp": "negative control: TARP, p-value of the shape",
        "calibration.control_tarp_both": "negative control: TARP, p-value of shape and area",
        "calibration.sbc": "SBC, corrected p-value of the ranks",
        "calibration.sbc_band": "SBC, corrected p-value of the bands",
        "calibration.slopes": "slopes, corrected p-value",
        "calibration.displacement": "displacement by the slope, in standard deviations",
        "calibration.slope_corrected": "corrected p-value of the slope",
        "calibration.slope_control": "negative control: corrected p-value of the slope",
        "calibration.control_slopes": "negative control: slopes, corrected p-value",
        "calibration.control_sbc": "negative control: SBC, corrected p-value of the ranks",
        "calibration.atc": "TARP, area to curve",
        "calibration.area_z": "TARP, z of the area",
        "calibration.area": "TARP, corrected p-value of the area",
        "calibration.power": "TARP, power of the area",
        "calibration.gain": "information gain",
        "calibration.gain_error": "error of the information gain",
        "errors.from": "truth from",
        "errors.to": "truth to",
        "errors.bias": "median bias",
    }
)
_UNIT = "unit"
_POWER = re.compile(r"(?<=\de)\+(?=\d)")
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
    shown = {name: document[name] for name in _SHOWN if name in document}
    if isinstance(shown.get("sections"), list):
        shown["sections"] = [headed(one, words) for one in shown["sections"]]
    if isinstance(shown.get("answers"), list):
        shown["answers"] = [_in_units(one) for one in shown["answers"]]
    written = {name: worded(value, words) for name, value in shown.items()}
    return {**document, **written}


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


def unit_in_words(unit: str) -> str:
    """Returns a unit as people write it: the same way in heads, cells and sentences.

    Example:
        >>> unit_in_words("km / s"), unit_in_words("dex(solMass)"), unit_in_words("1e+10 solMass")
        ('km/s', 'dex(M☉)', '1e10 M☉')
    """
    plain = unit.replace("solMass", _TYPED["solMass"]).replace(" / ", "/")
    return _POWER.sub("", plain)


def headed(section: Any, words: Mapping[str, str]) -> Any:
    """Returns a table with heads, units and cells as people write them; other parts as they are.

    A head is looked for as `table.column`, by the table's key, by the first word of that
    and by a star, and a cell as `column=cell`.

    Arguments:
        section: A part of a document, or `key`, `columns` and `rows` of a table.
        words: What the page calls words.

    Example:
        >>> part = {"key": "bins", "columns": [{"name": "patch", "unit": ""}], "rows": [["q1"]]}
        >>> found = headed(part, {"bins.patch": "part of the sky", "patch=q1": "quadrant 1"})
        >>> found["columns"][0]["name"], found["rows"]
        ('part of the sky', [['quadrant 1']])
    """
    columns = section.get("columns") if isinstance(section, Mapping) else None
    if not isinstance(columns, list):
        return section
    key = str(section.get("key", ""))
    places = (key, key.partition(".")[0], "*")
    written = [_column_in_words(column, places, words) for column in columns]
    names = [one.get("name") if isinstance(one, Mapping) else None for one in columns]
    rows = section.get("rows")
    if isinstance(rows, list):
        rows = [_row_in_words(row, names, words) for row in rows]
    return {**section, "columns": written, **({"rows": rows} if rows else {})}


def _column_in_words(
    column: Any, places: tuple[str, ...], words: Mapping[str, str]
) -> Any:
    name = column.get("name") if isinstance(column, Mapping) else None
    if not isinstance(name, str):
        return column
    heads = [f"{place}.{name}" for place in places] + [name]
    # what a run calls a head comes before what all runs do
    known = (said[one] for one in heads for said in (words, _HEADS) if one in said)
    return {**_in_units(column), "name": next(known, name_in_words(name))}


def _row_in_words(row: Any, names: list[Any], words: Mapping[str, str]) -> Any:
    if not isinstance(row, list) or len(row) != len(names):
        return row
    return [
        _cell_in_words(cell, name, words) for cell, name in zip(row, names, strict=True)
    ]


def _cell_in_words(cell: Any, name: Any, words: Mapping[str, str]) -> Any:
    if not isinstance(cell, str):
        return cell
    if name == _UNIT:
        return unit_in_words(cell)
    return words.get(f"{name}={cell}", cell)


def _in_units(one: Any) -> Any:
    """Returns what has a unit, a column or an answer, with that as people write it."""
    unit = one.get(_UNIT) if isinstance(one, Mapping) else None
    return {**one, _UNIT: unit_in_words(unit)} if isinstance(unit, str) else one


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
