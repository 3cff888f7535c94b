"""A result in a notebook: its answer, posteriors, figures and tests, by the names of its run.

All is read from the run's folder: nothing is computed again but what is asked for, draws of
a posterior and the drawing of a figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orrery.identity import JSON
from orrery.results import notebook_html
from orrery.results.answers import answer_columns, is_unknown
from orrery.results.result import PAGE, Result
from orrery.results.views import Corner
from orrery.results.wording import OUTCOMES, page_words, worded, worded_document
from orrery.storage.documents import own_file

if TYPE_CHECKING:  # seconds, which whoever only looks at an answer does not wait for
    from astropy.table import QTable, Table

    from orrery.learning.mixture import Mixture
    from orrery.results.figures import Figure

_DRAWS = "draws."


@dataclass(frozen=True)
class NotebookResult(Result):
    """A result that shows itself, and gives what a notebook goes on with.

    Arguments:
        folder: The attempt's folder.
        document: The content of its `run.json`.

    Example:
        >>> import tempfile
        >>> from orrery.results.recording import record
        >>> from orrery.results.sections import Answer
        >>> @dataclass(frozen=True)
        ... class Choices:
        ...     seed: int = 1
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with record("toy", Choices(), Path(folder)) as recording:
        ...         recording.answers([Answer("posterior.a.k", "a", "k", "N", 8.0, 7.0, 9.0)])
        ...     result = NotebookResult.open(recording.run.folder)
        >>> print(result.answer)
        data quantity unit median lower upper
        ---- -------- ---- ------ ----- -----
           a        k    N    8.0   7.0   9.0
        >>> result.plot.keys
        ()
    """

    @classmethod
    def open(cls, place: Path | str) -> "NotebookResult":
        """Returns the result in a place: see `Result.open`.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If the document is damaged.
        """
        found = Result.open(place)
        return cls(found.folder, found.document)

    @property
    def answer(self) -> "Table":
        """Medians and 16-84 % of what was asked for, a row for each quantity of each data.

        What is not known is masked; where there is no interval, `predicted_mean` has what
        was predicted instead. `meaning` is what a quantity is, `source` what data it is
        from, and `tests` what its tests say together.
        """
        from astropy.table import Table

        shown = worded_document(self.document)
        found = answer_columns(shown["answers"], shown["verdicts"])
        rows = [[*map(_known, row)] for row in zip(*found.values(), strict=True)]
        return Table(rows=rows or None, names=list(found))

    @property
    def calibration(self) -> "Table":
        """Whether the posteriors passed the tests of their calibration, and by which numbers.

        A row for each test; `passed` is `yes`, `no`, or `untested` where simulations were too few
        for the test to tell a right posterior from a wrong one.
        """
        from astropy.table import Table

        said = {True: "yes", False: "no", None: OUTCOMES[None]}
        rows = [
            [one["test"], said[one["passed"]], one["text"]]
            for one in worded_document(self.document)["verdicts"]
            if one["key"].startswith("calibration.")
        ]
        return Table(rows=rows or None, names=("test", "passed", "numbers"))

    @property
    def tables(self) -> tuple[str, ...]:
        """The keys of all tables of the run, each of which `table` takes."""
        return tuple(s["key"] for s in self.sections if s["kind"] == "table")

    def table(self, key: str) -> "Table":
        """Returns a table of the run, with its units.

        Arguments:
            key: One of `tables`.

        Raises:
            ValueError: If there is no such table, or its file is damaged.
            OSError: If it cannot be read.
        """
        from astropy.table import Table

        if key not in self.tables:
            raise ValueError(f"no table {key!r}: there are {list(self.tables)}")
        section = self.section(key)
        content = self.content(section, section["files"][0])
        return Table.read(content.decode(), format="ascii.ecsv")

    @property
    def posteriors(self) -> "Mapping[str, RunPosterior]":
        """The posteriors by the keys of their data, such as `desi.v_gsr`, in the run's order."""
        keys = [s["key"] for s in self.sections if s["kind"] == "draws"]
        found = [key.removeprefix(_DRAWS) for key in keys if key.startswith(_DRAWS)]
        return {key: RunPosterior(self, key) for key in found}

    @property
    def posterior(self) -> "RunPosterior":
        """The first of the posteriors, the only one of most runs.

        Raises:
            ValueError: If the run has none.
        """
        for found in self.posteriors.values():
            return found
        raise ValueError(
            f"{self.folder} has no posterior, only {[s['key'] for s in self.sections]}: "
            f"its status is {self.status!r}"
        )

    @property
    def plot(self) -> "Plots":
        """The figures of the run: `plot.corner()` is that of its posterior."""
        return Plots(self)

    def __repr__(self) -> str:
        return f"Result of {self.document['experiment']}: {self.status}, {self.folder}"

    def _repr_html_(self) -> str:
        page = self.folder / PAGE if self.has_page else None
        return notebook_html.result_html(worded_document(self.document), page)


@dataclass(frozen=True)
class RunPosterior:
    """The posterior of one data vector of a run, which answers in seconds.

    Arguments:
        result: The run.
        key: Of the data, such as `desi.v_gsr`.

    Example:
        >>> RunPosterior(NotebookResult(Path("runs/x"), {}), "desi.v_gsr").key
        'desi.v_gsr'
    """

    result: NotebookResult
    key: str

    @property
    def draws(self) -> "QTable":
        """The draws of the run's answer, a column with its unit for each parameter.

        Raises:
            ValueError: If their file is damaged.
            OSError: If it cannot be read.
        """
        from io import BytesIO

        from pyarrow import parquet

        from orrery import exports
        from orrery.tables.arrow_bounds import check_parquet

        section = self.result.section(f"{_DRAWS}{self.key}")
        content = self.result.content(section, section["files"][0])
        check_parquet(section["files"][0], content, "run the study again")
        found = parquet.read_table(BytesIO(content))
        values = np.stack([column.to_numpy() for column in found.columns], axis=1)
        origin = {"run": str(self.result.folder), "observation": self.key}
        return exports.draws_table(self._view.parameters, values, origin)

    @property
    def observation(self) -> "Table":
        """The data vector: summary, unit, value and error, with its covariance."""
        return self.result.table(f"data_vector.{self.key}")

    @property
    def estimate(self) -> "Mixture":
        """The trained posterior, of any data vector of the same binning and errors.

        Raises:
            FileNotFoundError: If it is no longer in the run's folder.
            ValueError: If it is another one, or damaged, or lies outside of the run's folder.
        """
        from orrery.learning import mixture

        learned = self._learned
        kept = self.result.folder.parent / "posteriors"
        place = own_file(kept, f"{self.key}/{learned[0]}")
        found = mixture.load(place)
        trained = [member.document["fingerprint"] for member in found.members]
        if trained != learned:
            raise ValueError(
                f"{place} holds {', '.join(trained)}, not {', '.join(learned)} by which this "
                "run was answered: run the study again"
            )
        return found

    @property
    def prior_intervals(self) -> dict[str, tuple[float, float]]:
        """The 16 and 84 % of the simulations' prior, by parameter, in the parameter's unit."""
        prior = self._view.prior
        if prior is None:
            return {}
        ends = np.percentile(prior, [16, 84], axis=0).T.tolist()
        called = [parameter.name for parameter in self._view.parameters]
        return {
            name: (low, high) for name, (low, high) in zip(called, ends, strict=True)
        }

    def _repr_html_(self) -> str:
        draws = self.draws
        rows = {
            name: (draws[name].unit, np.percentile(draws[name].value, [16, 50, 84]))
            for name in draws.colnames
        }
        words = page_words(self.result.document)
        called = {name: worded(name, words) for name in rows}
        priors = self.prior_intervals.items()
        return notebook_html.posterior_html(
            self.key,
            {called[name]: row for name, row in rows.items()},
            {called[name]: ends for name, ends in priors},
        )

    def sample(self, count: int = 10_000, seed: int = 0) -> "QTable":
        """Returns new draws of the parameters given the run's data, a table with units.

        Arguments:
            count: The number of draws.
            seed: The same seed gives the same draws.

        Raises:
            FileNotFoundError: If the trained posterior is no longer in the run's folder.
            ValueError: If it, or the data vector, is damaged.
        """
        return self.estimate.sample(self.observation, count, seed)

    @property
    def _learned(self) -> list[str]:
        learned = self.result.document["lineage"].get("posteriors", [])
        found = [one["fingerprint"] for one in learned if one["key"] == self.key]
        if not found:
            raise ValueError(
                f"{self.result.folder} does not say which posterior of {self.key} it has "
                "learned: run the study again"
            )
        return found

    @property
    def _view(self) -> Corner:
        found: Any = self.result.view(self.result.section(f"posterior.{self.key}"))
        return found


@dataclass(frozen=True)
class Plots:
    """The figures of a run, drawn when they are asked for.

    Arguments:
        result: The run.

    Example:
        >>> nothing = NotebookResult(Path("runs/x"), {"sections": []})
        >>> nothing.plot.draw("posterior.desi.v_gsr")
        Traceback (most recent call last):
        ...
        ValueError: no figure 'posterior.desi.v_gsr': there are []
    """

    result: NotebookResult

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all figures, each of which `draw` takes."""
        return tuple(s["key"] for s in self.result.sections if s["kind"] == "figure")

    def draw(self, key: str) -> "Picture":
        """Returns a figure of the run.

        Arguments:
            key: One of `keys`.

        Raises:
            ValueError: If there is no such figure, or its data are damaged.
            OSError: If its data cannot be read.
        """
        from orrery.results import figures

        if key not in self.keys:
            raise ValueError(f"no figure {key!r}: there are {list(self.keys)}")
        section: JSON = self.result.section(key)
        caption = worded(section["text"], page_words(self.result.document))
        return Picture(figures.draw(self.result.view(section)), caption)

    def corner(self, posterior: str | None = None) -> "Picture":
        """Returns the posterior's marginals over the prior's.

        Arguments:
            posterior: One of `result.posteriors`; the first when None.
        """
        return self._of("posterior", posterior)

    def coverage(self, posterior: str | None = None) -> "Picture":
        """Returns the expected coverage of the posterior (TARP); arguments as in `corner`."""
        return self._of("tarp", posterior)

    def ranks(self, posterior: str | None = None) -> "Picture":
        """Returns simulation-based calibration's ranks; arguments as in `corner`."""
        return self._of("sbc", posterior)

    def training(self, posterior: str | None = None) -> "Picture":
        """Returns the losses while it was trained; arguments as in `corner`."""
        return self._of("training", posterior)

    def data(self, posterior: str | None = None) -> "Picture":
        """Returns the data over the simulations; arguments as in `corner`."""
        return self._of("data", posterior)

    def _of(self, kind: str, posterior: str | None) -> "Picture":
        key = self.result.posterior.key if posterior is None else posterior
        return self.draw(f"{kind}.{key}")


def _known(value: Any) -> Any:
    return np.ma.masked if is_unknown(value) else value


@dataclass(frozen=True)
class Picture:
    r"""A figure that a notebook shows, whatever it has set matplotlib to.

    Arguments:
        figure: matplotlib's, to go on with.
        caption: What it shows.

    Example:
        >>> from orrery.results.figures import Figure
        >>> Picture(Figure(figsize=(1, 1)), "Nothing.")._repr_png_()[:4]
        b'\x89PNG'
    """

    figure: "Figure"
    caption: str

    def save(self, path: Path | str, style: str = "page") -> Path:
        """Returns the path of a file with the figure, PNG, PDF or SVG by the path's ending.

        Arguments:
            path: Of the file.
            style: `page`, or `mnras` and `apj` for a column of these journals, or `talk`.

        Raises:
            ValueError: If it is another ending, or there is no such style.
            OSError: If it cannot be written.
        """
        from orrery.results import figures
        from orrery.storage import files

        place = Path(path)
        kinds = {f".{kind}": kind for kind in figures.FILE_KINDS}
        if place.suffix not in kinds:
            raise ValueError(f"{place} ends in none of {[*kinds]}: let it end in one")
        figure, box = figures.presented(self.figure, style)
        content = figures.file_content(
            figure, kinds[place.suffix], dpi=figures.PRINT_DPI, box=box
        )
        files.write_atomically(place, content)
        return place

    def _repr_png_(self) -> bytes:
        from orrery.results import figures

        return figures.file_content(self.figure, "png")
