"""Reports: what a run found, as files, as one page, and on the dashboard.

Local files are the truth. A report collects text, numbers, tables and figures while an
experiment goes on, writes each of them at once, and ends with `report.html`, which
needs nothing but itself. A run that fails leaves the same page with what there was and
the reason. Weights & Biases receives copies; whatever happens there, the run goes on.
"""

import base64
import json
import math
import netrc
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import jinja2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rich.table
from astropy.table import Table

from orrery import identity, terminal
from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.records import Column, Records, Schema
from orrery.results import figures
from orrery.results.figures import Figure
from orrery.storage import files, run
from orrery.storage.run import Run

Number = float | int | str
Mode = Literal["online", "offline", "disabled"]
METRICS = "metrics.json"
PRODUCTS = {".ecsv", ".html", ".parquet", ".pdf", ".png"}
DASHBOARD = "https://api.wandb.ai"


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Arguments:
        kind: What it is: text, warning, table, figure or draws.
        title: Its heading, also in the list of contents.
        anchor: Its name in the page's links and in file names.
        text: The paragraphs or the caption.
        content: What only this kind has: rows of a table, an image as base64.
        files: The files that hold the same, relative to the page.
    """

    kind: str
    title: str
    anchor: str
    text: str = ""
    content: JSON = field(default_factory=dict)
    files: tuple[str, ...] = ()


class Report:
    """What one run found. Everything is written to the run's folder at once.

    Arguments:
        run: The run.
        dashboard: Where copies go.
    """

    def __init__(self, run: Run, dashboard: "Dashboard") -> None:
        self.run, self.dashboard = run, dashboard
        self.sections: list[Section] = []
        self.numbers: dict[str, Number] = {}

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder

    def text(self, title: str, paragraph: str) -> None:
        """Adds paragraphs, which blank lines separate; also told to the user."""
        self.sections.append(Section("text", title, self._name(title), paragraph))
        terminal.say(f"\n{title}\n{paragraph}")

    def warning(self, title: str, paragraph: str) -> None:
        """Adds something the reader must not miss, such as a published value that was missed."""
        self.sections.append(Section("warning", title, self._name(title), paragraph))
        terminal.say(f"warning: {title}: {paragraph}")

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Adds numbers that sum the run up, to `metrics.json` and to the head of the page."""
        plain = {name: _plain(value) for name, value in numbers.items()}
        self.numbers.update(plain)
        files.write_json(self.folder / METRICS, self.numbers)
        self.dashboard.summary(plain)

    def epoch(
        self, epoch: int, losses: Mapping[str, float], estimator: str = "flow"
    ) -> None:
        """Tells the dashboard the losses of one epoch of an estimator."""
        self.dashboard.epoch(estimator, epoch, losses)

    def table(self, title: str, table: Table, caption: str) -> None:
        """Adds a table, to `<title>.ecsv` with its units, to the page and to the terminal.

        Arguments:
            title: Its heading; in lower case and underscores also the file's name.
            table: An astropy table; `info.format` of a column decides how its numbers
                are shown.
            caption: One sentence that says what the columns are.
        """
        name, rows = self._name(title), _rows(table)
        content = {"head": _head(table), "rows": rows}
        files.write_ecsv(self.folder / f"{name}.ecsv", table)
        self.sections.append(
            Section("table", title, name, caption, content, (f"{name}.ecsv",))
        )
        _show(title, content)
        self.dashboard.table(name, table.colnames, rows)

    def tables(self, tables: Mapping[str, Table]) -> None:
        """Adds tables that carry their caption, and what to warn of, in their metadata.

        Arguments:
            tables: By title; `meta["caption"]` says what the columns are, and each
                string of `meta["misses"]`, if any, is something that the reader must
                not miss.
        """
        for title, table in tables.items():
            self.table(title, table, table.meta["caption"])
            if table.meta.get("misses"):
                self.warning(f"Misses, {title}", "\n\n".join(table.meta["misses"]))

    def figure(self, title: str, figure: Figure, caption: str) -> None:
        """Adds a figure, to `<title>.png`, to `<title>.pdf` and to the page.

        Arguments:
            title: Its heading; in lower case and underscores also the files' name.
            figure: The figure.
            caption: What it shows; also read out to those who cannot see it.
        """
        name, png = self._name(title), figures.encode(figure, "png")
        files.write_atomically(self.folder / f"{name}.png", png)
        files.write_atomically(
            self.folder / f"{name}.pdf", figures.encode(figure, "pdf")
        )
        content = {"png": base64.b64encode(png).decode()}
        both = (f"{name}.png", f"{name}.pdf")
        self.sections.append(Section("figure", title, name, caption, content, both))
        self.dashboard.image(name, self.folder / both[0], caption)

    def draws(
        self, title: str, names: Sequence[str], units: Sequence[str], values: FloatArray
    ) -> Path:
        """Returns the Parquet file, `<title>.parquet`, of draws `[n, P]` with names and units.

        Raises:
            ValueError: If the columns are not as many as the names and the units.
        """
        if values.ndim != 2 or not values.shape[1] == len(names) == len(units):
            raise ValueError(
                f"draws {title!r} have shape {values.shape}, but {len(names)} names and "
                f"{len(units)} units: give one of each for every column"
            )
        name, text = self._name(title), f"{len(values)} draws of {', '.join(names)}."
        path = self.folder / f"{name}.parquet"
        files.write_atomically(path, parquet(names, units, values, self.run))
        self.sections.append(Section("draws", title, name, text, files=(path.name,)))
        return path

    def close(self, status: str, reason: str = "") -> Path:
        """Returns the page, written with what there is."""
        path = self.folder / "report.html"
        files.write_atomically(path, self._page(status, reason))
        self.dashboard.finish(failed=bool(reason))
        return path

    def _name(self, title: str) -> str:
        """Returns the name of a new part's files and anchor."""
        name = slug(title)
        if any(name == section.anchor for section in self.sections):
            raise ValueError(
                f"the report has two parts called {title!r}: their files would be the same; "
                "give them different titles"
            )
        return name

    def _page(self, status: str, reason: str) -> str:
        return _template().render(
            run=self.run,
            status=status,
            reason=reason,
            numbers={name: shown(value) for name, value in self.numbers.items()},
            sections=self.sections,
            options=_flat(self.run.options),
            versions=json.loads((self.folder / "versions.json").read_text()),
        )


@contextmanager
def open_run(
    experiment: str, options: Any, root: Path = Path("runs")
) -> Iterator[Report]:
    """Returns the report of a run; at the end its page is written and its path printed.

    If the body fails, the page says so and shows why, and the exception goes on. The
    same options find the same folder, and write it again.

    Arguments:
        experiment: The experiment's name.
        options: Its choices, a frozen dataclass.
        root: The folder of all runs.

    Raises:
        OSError: If the run's folder cannot be written.
    """
    started = run.start(experiment, options, root)
    _clear(started.folder)
    report = Report(started, Dashboard(started))
    try:
        yield report
    except BaseException:
        print(report.close("failed", traceback.format_exc()), flush=True)
        raise
    print(report.close("finished"), flush=True)


def _clear(folder: Path) -> None:
    """Removes what an earlier run with the same options reported, so that no page mixes two."""
    for path in folder.iterdir():
        if path.suffix in PRODUCTS or path.name == METRICS:
            path.unlink()


def slug(name: str) -> str:
    """Returns a name for files and links: lower case, digits and underscores.

    Raises:
        ValueError: If nothing is left.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not plain:
        raise ValueError(f"{name!r} gives no file name: use letters or digits")
    return plain


def shown(value: Any, form: str | None = None) -> str:
    """Returns a value as a table shows it: numbers to four digits, a dash where there is none."""
    real = isinstance(value, float | np.floating)
    if value is None or value is np.ma.masked or (real and math.isnan(value)):
        return "\N{EN DASH}"
    if form:
        return form % value if "%" in form else format(value, form.strip("{}:"))
    return f"{value:.4g}" if real else str(value)


def parquet(
    names: Sequence[str], units: Sequence[str], values: FloatArray, run: Run
) -> bytes:
    """Returns draws `[n, P]` as a Parquet file whose columns carry their units."""
    columns = [Column(n, unit, "draws") for n, unit in zip(names, units, strict=True)]
    records = Records(dict(zip(names, values.T, strict=True)))
    sink = pa.BufferOutputStream()
    origin = {"experiment": run.experiment, "run": run.fingerprint}
    pq.write_table(records.table(Schema(tuple(columns)), origin), sink)
    return sink.getvalue().to_pybytes()


def _plain(value: Any) -> Number:
    return identity.describe(value.item() if isinstance(value, np.generic) else value)


def _head(table: Table) -> list[tuple[str, str]]:
    return [(name, str(table[name].unit or "")) for name in table.colnames]


def _rows(table: Table) -> list[list[str]]:
    columns = [table[name] for name in table.colnames]
    # A quantity shows its value only: the unit stands in the head.
    plain = [
        (getattr(column, "value", column), column.info.format) for column in columns
    ]
    return [
        [shown(values[i], form) for values, form in plain] for i in range(len(table))
    ]


def _show(title: str, content: JSON) -> None:
    """Prints a table on the terminal."""
    view = rich.table.Table(title=title, title_justify="left")
    for name, unit in content["head"]:
        view.add_column(f"{name}\n[{unit}]" if unit else name)
    for row in content["rows"]:
        view.add_row(*row)
    terminal.console.print(view)


def _flat(options: Any, prefix: str = "") -> dict[str, str]:
    """Returns nested options as one level: `training.epochs` and its value."""
    if not isinstance(options, dict):
        return {prefix: str(options)}
    parts = [
        (f"{prefix}.{k}" if prefix else k, v) for k, v in options.items() if k != "type"
    ]
    return {
        name: text for key, item in parts for name, text in _flat(item, key).items()
    }


def _template() -> jinja2.Template:
    source = (
        resources.files("orrery.results")
        .joinpath("report.html")
        .read_text(encoding="utf-8")
    )
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return page.from_string(source)


class Dashboard:
    """Copies of a report on Weights & Biases. Its first failure is told once and ends it.

    Arguments:
        run: The run; the same options continue the same page.
    """

    def __init__(self, run: Run) -> None:
        self._wandb: Any = None
        self._session: Any = None
        mode = dashboard_mode(os.environ)
        if mode != "disabled":
            self._attempt(lambda: self._open(run, mode))

    def _open(self, run: Run, mode: Mode) -> None:
        import wandb  # takes seconds, and is not needed where it is switched off

        self._wandb = wandb
        self._session = wandb.init(
            project="orrery",
            group=run.experiment,
            name=f"{run.experiment}-{run.fingerprint[:8]}",
            id=run.fingerprint,
            resume="allow" if mode == "online" else None,
            config=run.options,
            dir=run.folder,
            mode=mode,
            settings=wandb.Settings(
                silent=True, console="off", init_timeout=30, finish_timeout=300
            ),
        )
        place = (
            self._session.url
            if mode == "online"
            else f"offline, in {run.folder / 'wandb'}"
        )
        terminal.say(f"Weights & Biases: {place}")

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Sends the losses of one epoch."""
        values = {f"{estimator}/{name}_loss": value for name, value in losses.items()}
        self._send(lambda session: session.log({f"{estimator}/epoch": epoch, **values}))

    def summary(self, numbers: Mapping[str, Number]) -> None:
        """Sends numbers that sum the run up."""
        self._send(lambda session: session.summary.update(dict(numbers)))

    def image(self, name: str, path: Path, caption: str) -> None:
        """Sends a figure."""

        def log(session: Any) -> None:
            session.log({name: self._wandb.Image(str(path), caption=caption)})

        self._send(log)

    def table(
        self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Sends a table as it is shown."""

        def log(session: Any) -> None:
            session.log({name: self._wandb.Table([*columns], [*rows])})

        self._send(log)

    def finish(self, failed: bool) -> None:
        """Waits some minutes at most until everything has been sent."""
        self._send(lambda session: session.finish(exit_code=int(failed)))
        self._session = None

    def _send(self, action: Callable[[Any], Any]) -> None:
        if self._session is not None:
            self._attempt(lambda: action(self._session))

    def _attempt(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except (
            Exception
        ) as problem:  # whatever goes wrong over there, hours of computing do not
            self._session = None
            terminal.say(
                f"warning: Weights & Biases failed and is off for the rest of this run "
                f"({type(problem).__name__}: {problem}); local files are complete"
            )


def dashboard_mode(environment: Mapping[str, str]) -> Mode:
    """Returns `online` only where a key is at hand and `WANDB_MODE` does not say otherwise."""
    asked = environment.get("WANDB_MODE", "online")
    if asked == "disabled":
        return "disabled"
    return "online" if asked == "online" and _has_key(environment) else "offline"


def _has_key(environment: Mapping[str, str]) -> bool:
    if environment.get("WANDB_API_KEY"):
        return True
    host = urlsplit(environment.get("WANDB_BASE_URL", DASHBOARD)).hostname or ""
    try:
        path = Path(environment.get("NETRC", "~/.netrc")).expanduser()
        return netrc.netrc(path).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
