"""The parts of a result, as a study gives them: headlines, text, warnings, tables, figures, draws.

Each has a key, which stays when its heading is reworded: files and numbers are found by
it. Numbers in its sentences are held by name: `shows` are their keys as in
`orrery.sentences`, one for each number and in their order, and those of texts with
numbers in them.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from orrery.identity import JSON, describe
from orrery.named_units import check_entries
from orrery.parameters import FloatArray
from orrery.results.views import View

if TYPE_CHECKING:  # only a study that has tables imports them
    from astropy.table import Table

_DATA_VECTOR = "data_vector."  # of keys


@dataclass(frozen=True)
class Text:
    """Paragraphs, which blank lines separate.

    Arguments:
        key: Its stable name.
        title: Its heading.
        text: The paragraphs.
        shows: The keys of the numbers in it.

    Example:
        >>> Text("simulations", "Simulations", "2048 simulations.").key
        'simulations'
    """

    key: str
    title: str
    text: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Headline:
    """The answer in a sentence or two, which stands at the head of the page.

    Arguments:
        key: Its stable name.
        title: What was asked for.
        text: The answer.
        shows: The keys of the numbers in it.

    Example:
        >>> Headline("best", "The best flow", "Trial 3: transforms 5.").title
        'The best flow'
    """

    key: str
    title: str
    text: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caution:
    """Something the reader must not miss, such as a published value that was missed.

    Arguments:
        key: Its stable name.
        title: Its heading.
        text: What it is.
        shows: The keys of the numbers in it.

    Example:
        >>> Caution("misses", "A miss", "v_y is off.").title
        'A miss'
    """

    key: str
    title: str
    text: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSection:
    """A table with units.

    Arguments:
        key: Names its file, `<key>.ecsv`.
        title: Its heading.
        table: `info.format` of a column decides how its numbers are shown.
        caption: What the columns are.
        shows: The keys of the numbers in the caption.

    Example:
        >>> from astropy.table import Table
        >>> TableSection("errors", "Errors", Table({"rmse": [0.1]}), "Errors.").key
        'errors'
    """

    key: str
    title: str
    table: "Table"
    caption: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureSection:
    """A figure as data.

    Arguments:
        key: Names its files, `<key>.parquet`, `<key>.png` and `<key>.pdf`.
        title: Its heading.
        view: Everything that it shows.
        caption: What it shows; also read out to those who cannot see it.
        shows: The keys of the numbers in the caption.

    Example:
        >>> from orrery.results.panels import Constraint
        >>> from orrery.results.views import Intervals
        >>> rows = (Constraint("DESI", (15.0, 22.5, 29.5)),)
        >>> FigureSection("v", "Speed", Intervals(rows, "v [km/s]"), "Ours.").title
        'Speed'
    """

    key: str
    title: str
    view: View
    caption: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrawsSection:
    """Posterior samples `[n, P]`.

    Arguments:
        key: Names their file, `<key>.parquet`.
        title: Their heading.
        names: The P parameters' names.
        units: Their units.
        values: With shape `[n, P]`.

    Raises:
        ValueError: If the columns are not as many as the names and the units, a name is
            there twice, a unit cannot be read, there are no rows, or a value is not finite.

    Example:
        >>> DrawsSection("draws", "Draws", ("v_x",), ("km / s",), np.ones((2, 1))).key
        'draws'
    """

    key: str
    title: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        shape = self.values.shape
        if len(shape) != 2 or not shape[1] == len(self.names) == len(self.units):
            raise ValueError(
                f"draws {self.title!r} have shape {shape}, but {len(self.names)} names "
                f"and {len(self.units)} units: give one of each for every column"
            )
        check_entries(f"the section {self.key!r}", self.names, self.units)
        lost = (~np.isfinite(self.values)).sum(axis=0)
        if not len(self.values) or lost.any():
            worst = f", {lost.max()} of them not finite" if lost.any() else ""
            raise ValueError(
                f"draws {self.title!r} have {len(self.values)} rows{worst}: give samples "
                "of a posterior, one row or more of finite numbers"
            )


Section = Headline | Text | Caution | TableSection | FigureSection | DrawsSection


@dataclass(frozen=True)
class Answer:
    """What was asked for: a median with its 16-84 % interval.

    Arguments:
        key: `posterior.<data>.<quantity>`, under which its numbers are among the
            metrics.
        data: Whose answer it is, as people say it.
        quantity: The quantity.
        unit: Its unit.
        median: Of the posterior, or of the interval of an ensemble.
        lower: 16 %.
        upper: 84 %.
        prior: 16 and 84 % of the prior that was learned from; None where it is not known.
        predicted_mean: What was predicted where no interval is known: then median and
            ends are NaN.
        meaning: What the quantity is, in words without numbers.
        source: What the data are, such as how many stars, and where.
        shows: The keys of the numbers in `source`.
        alternative: Whether it stands in the table of answers alone, beside the one that is
            recommended.
        tests: With what the keys of verdicts on it begin, such as `calibration.flow`; by
            default `calibration`, `prior_predictive`, `predictive` or `leakage` and its data's key.

    Raises:
        ValueError: If the median is not between the ends, or those of the prior descend.

    Example:
        >>> Answer("posterior.desi.v_x", "DESI", "v_x", "km / s", 3.1, 1.0, 5.2).median
        3.1
    """

    key: str
    data: str
    quantity: str
    unit: str
    median: float
    lower: float
    upper: float
    prior: tuple[float, float] | None = None
    predicted_mean: float | None = None
    meaning: str = ""
    source: str = ""
    shows: tuple[str, ...] = ()
    alternative: bool = False
    tests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.prior or (math.nan, math.nan)
        # of what is NaN nothing is known, and nothing is wrong
        ends = [n for n in (self.lower, self.median, self.upper) if not math.isnan(n)]
        if ends != sorted(ends) or low > high:
            before = f", and before {low:g} to {high:g}" if self.prior else ""
            raise ValueError(
                f"the answer {self.key!r} has the median {self.median:g} between "
                f"{self.lower:g} and {self.upper:g}{before}: give median, lower and upper "
                "in this order, with lower <= median <= upper"
            )

    @property
    def metrics(self) -> dict[str, float]:
        """Its numbers by stable key: median, ends, how far these are from it, the prior's.

        What is not known is not among them.
        """
        low, high = self.prior or (None, None)
        found = {
            "median": self.median,
            "lower": self.lower,
            "upper": self.upper,
            "lower_error": self.median - self.lower,
            "upper_error": self.upper - self.median,
            "prior_lower": low,
            "prior_upper": high,
            "predicted_mean": self.predicted_mean,
        }
        return {
            f"{self.key}.{name}": number
            for name, number in found.items()
            if number is not None and not math.isnan(number)
        }

    @property
    def document(self) -> JSON:
        """Itself as plain JSON: a number that is not known is None."""
        plain: JSON = describe(self)
        return {name: None if one == "nan" else one for name, one in plain.items()}


@dataclass(frozen=True)
class Verdict:
    """Whether an answer, or what it rests on, passed a test.

    Arguments:
        key: Of the test, such as `calibration.desi.v_gsr.tarp`.
        test: What was tested, as people say it.
        passed: Whether it passed; None where the test can say nothing.
        text: The numbers behind it, in a sentence.
        shows: The keys of these numbers.

    Example:
        >>> Verdict("calibration.desi.tarp", "TARP, DESI", True, "p = 0.3").passed
        True
    """

    key: str
    test: str
    passed: bool | None
    text: str
    shows: tuple[str, ...] = ()


def table_sections(title: str, table: "Table") -> list[Section]:
    """Returns the parts of a table that carries what belongs to it in its metadata.

    Arguments:
        title: Its heading.
        table: See `Recording.tables`.
    """
    key = table.meta["key"]
    misses = table.meta.get("misses", ())
    plain = table.copy(copy_data=False)
    # a table's file keeps its metadata, as plain text
    plain.meta["misses"] = [miss.text for miss in misses]
    shows = tuple(table.meta.get("shows", ()))
    sections: list[Section] = [
        TableSection(key, title, plain, table.meta["caption"], shows)
    ]
    if misses:
        text = "\n\n".join(miss.text for miss in misses)
        quoted = tuple(name for miss in misses for name in miss.shows)
        kind = table.meta.get("misses_are", "Misses")
        sections.append(Caution(f"misses.{key}", f"{kind}, {title}", text, quoted))
    return sections


def shown(value: Any, form: str | None = None) -> str:
    """Returns a value as a table shows it: numbers to four digits, a dash where there is none.

    Example:
        >>> shown(12.34567), shown(0.5, "%.2f")
        ('12.35', '0.50')
    """
    real = isinstance(value, float | np.floating)
    if value is None or value is np.ma.masked or (real and math.isnan(value)):
        return "\N{EN DASH}"
    if form and not isinstance(value, str):
        return form % value if "%" in form else format(value, form.strip("{}:"))
    return f"{value:.4g}" if real else str(value)


def with_errors_alone(section: JSON) -> list[Any]:
    """Returns a table's rows; a data vector's errors of zero are none to be shown.

    Simulations have such an entry's noise in themselves. Documents and files keep the
    zero, by which posteriors read a data vector back.

    Arguments:
        section: The table's `key`, `columns` and `rows`, see `tabulated`.

    Example:
        >>> vector = {"key": "data_vector.desi", "columns": [{"name": "value"}, {"name": "error"}]}
        >>> with_errors_alone({**vector, "rows": [[3.1, 0.0], [0.0, 2.0]]})
        [[3.1, None], [0.0, 2.0]]
    """
    if not section["key"].startswith(_DATA_VECTOR):
        return list(section["rows"])
    errors = [column["name"] == "error" for column in section["columns"]]
    return [
        [
            None if is_error and value == 0 else value
            for is_error, value in zip(errors, row, strict=True)
        ]
        for row in section["rows"]
    ]


def tabulated(table: "Table") -> JSON:
    """Returns a table as plain JSON: `columns` with name, unit and format, and `rows`.

    Values are numbers or text, None where there is none.
    """
    columns = [table[name] for name in table.colnames]
    about = [
        {
            "name": name,
            "unit": str(column.unit or ""),
            "format": column.info.format or None,
        }
        for name, column in zip(table.colnames, columns, strict=True)
    ]
    # a quantity shows its value only: the unit stands in the head
    plain = [getattr(column, "value", column) for column in columns]
    rows = [[plain_cell(values[i]) for values in plain] for i in range(len(table))]
    return {"columns": about, "rows": rows}


def plain_cell(value: Any) -> Any:
    """Returns a number or text as JSON has it; infinities are text, NaN and masked None."""
    if value is None or value is np.ma.masked:
        return None
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value if isinstance(value, bool | int | float) else str(value)
