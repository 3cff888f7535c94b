"""Reports: local files are complete and the same each time, whatever W&B or the body does."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import QTable
from matplotlib.figure import Figure

from orrery.results import reports


@dataclass(frozen=True)
class Flow:
    layers: int = 5


@dataclass(frozen=True)
class Choices:
    seed: int = 1
    stars: str = "<stars> & co"
    flow: Flow = Flow()


@pytest.fixture(autouse=True)
def _no_dashboard(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")


def line():
    figure = Figure()
    figure.subplots().plot([0, 1])
    return figure


def velocities():
    table = QTable(
        {"name": ["north", "south"], "v": [1.5, -2.0] * u.km / u.s, "n": [3, 4]}
    )
    table["v"].info.format = ".1f"
    return table


def fill(report):
    report.epoch(0, {"train": 2.0, "validation": 2.5})
    report.metrics({"v_travel": np.float32(20.5), "simulations": 100})
    report.text("Question", "How <fast>?\n\nSecond paragraph.")
    report.warning("A miss", "v_y is off.")
    report.table("Profile", velocities(), "Velocities & errors.")
    report.figure("A line", line(), 'Straight "up".')
    report.draws(
        "Posterior draws", ["v_x", "mass"], ["km / s", ""], np.arange(6.0).reshape(3, 2)
    )


def write(root, choices=Choices(), body=fill):
    with reports.open_run("toy", choices, root) as report:
        body(report)
    return report.folder


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


def test_page_needs_nothing_but_itself_and_its_neighbours(tmp_path):
    folder = write(tmp_path)
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object"}
    assert all(source.startswith("data:") for source in page.values("src"))
    assert "@import" not in text
    assert "url(" not in text
    links = [link for link in page.values("href") if not link.startswith("data:")]
    inside = [link[1:] for link in links if link.startswith("#")]
    assert set(inside) <= set(page.values("id"))
    assert len(page.values("id")) == len(set(page.values("id")))
    files = [link for link in links if not link.startswith("#")]
    assert len(files) == 4
    assert all((folder / name).is_file() for name in files)


def test_page_shows_every_part_escaped(tmp_path):
    text = (write(tmp_path) / "report.html").read_text()
    for part in (
        "finished",
        "20.5",
        "How &lt;fast&gt;?",
        "v_y is off.",
        "&lt;stars&gt; &amp; co",
    ):
        assert part in text
    assert "<fast>" not in text
    images = [attrs for tag, attrs in Page(text).tags if tag == "img"]
    assert [attrs["alt"] for attrs in images] == ['A line. Straight "up".']
    assert "flow.layers" in text
    assert "numpy" in text


def test_tables_and_draws_keep_their_units(tmp_path):
    folder = write(tmp_path)
    table = QTable.read(folder / "profile.ecsv", format="ascii.ecsv")
    np.testing.assert_array_equal(table["v"], velocities()["v"])
    draws = pq.read_table(folder / "posterior_draws.parquet")
    assert draws.schema.field("v_x").metadata[b"unit"] == b"km / s"
    np.testing.assert_array_equal(draws["mass"], [1.0, 3.0, 5.0])
    assert json.loads(draws.schema.metadata[b"orrery"])["run"] == folder.name
    assert json.loads((folder / "metrics.json").read_text())["v_travel"] == 20.5


def test_same_run_writes_the_same_bytes(tmp_path):
    def contents(folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    folder = write(tmp_path)
    before = contents(folder)
    assert write(tmp_path) == folder
    assert contents(folder) == before
    assert write(tmp_path, Choices(seed=2)) != folder


def test_last_line_is_the_page(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write(Path("runs"))
    path = capsys.readouterr().out.splitlines()[-1]
    assert path == str(folder / "report.html")
    assert Path(path).is_absolute()


def test_failed_run_leaves_its_page_and_its_error(tmp_path, capsys):
    def body(report):
        fill(report)
        raise RuntimeError("the disc is <full>")

    with pytest.raises(RuntimeError, match="the disc is"):
        write(tmp_path, body=body)
    path = Path(capsys.readouterr().out.splitlines()[-1])
    text = path.read_text()
    assert 'class="badge failed"' in text
    assert "RuntimeError: the disc is &lt;full&gt;" in text
    assert "posterior_draws.parquet" in text
    assert not [p for p in path.parent.iterdir() if p.name.endswith(".tmp")]


def test_a_run_that_fails_early_leaves_nothing_of_an_earlier_one(tmp_path, capsys):
    def body(report):
        raise RuntimeError("too early")

    write(tmp_path)
    with pytest.raises(RuntimeError, match="too early"):
        write(tmp_path, body=body)
    folder = Path(capsys.readouterr().out.splitlines()[-1]).parent
    assert {p.name for p in folder.iterdir()} == {
        "options.json",
        "versions.json",
        "report.html",
    }


def test_interrupted_run_leaves_its_page(tmp_path):
    def body(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, body=body)
    assert len([*tmp_path.glob("toy/*/report.html")]) == 1


def test_metrics_that_are_not_finite_are_kept_as_text(tmp_path):
    folder = write(
        tmp_path, body=lambda report: report.metrics({"p": np.nan, "atc": -np.inf})
    )
    assert json.loads((folder / "metrics.json").read_text()) == {
        "p": "nan",
        "atc": "-inf",
    }


def test_two_parts_cannot_share_a_file(tmp_path):
    def body(report):
        report.figure("A line", line(), "")
        report.figure("a-line", line(), "")

    with pytest.raises(ValueError, match="two parts called 'a-line'"):
        write(tmp_path, body=body)


def test_second_part_of_a_name_does_not_replace_the_first_file(tmp_path):
    def body(report):
        report.draws("Draws", ["a"], [""], np.zeros((1, 1)))
        report.draws("Draws", ["a"], [""], np.ones((1, 1)))

    with pytest.raises(ValueError, match="two parts"):
        write(tmp_path, body=body)
    (path,) = tmp_path.glob("toy/*/draws.parquet")
    assert pq.read_table(path)["a"].to_pylist() == [0.0]


@pytest.mark.parametrize(("names", "units"), [(["a"], ["", ""]), (["a", "b"], [""])])
def test_draws_need_names_and_units(tmp_path, names, units):
    with pytest.raises(ValueError, match="one of each for every column"):
        write(tmp_path, body=lambda r: r.draws("Draws", names, units, np.zeros((3, 2))))


def test_names_without_letters_are_refused():
    with pytest.raises(ValueError, match="letters or digits"):
        reports.slug("λ?")


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1234.567, None, "1235"),
        (np.float32(0.5), None, "0.5"),
        (2.0, ".2f", "2.00"),
        (2.0, "{:.1f}", "2.0"),
        (2.0, "%.3f", "2.000"),
        (7, None, "7"),
        (float("nan"), ".1f", "\N{EN DASH}"),
        (np.float32("nan"), None, "\N{EN DASH}"),
        (np.ma.masked, None, "\N{EN DASH}"),
    ],
)
def test_numbers_are_shown_as_asked(value, form, text):
    assert reports.shown(value, form) == text


class FakeSession:
    """Records what it is sent; fails in the call it is told to."""

    url = "https://example.org/run"

    def __init__(self, broken):
        self.broken, self.sent, self.summary = broken, [], self

    def _call(self, name, *content):
        self.sent.append((name, *content))
        if name == self.broken:
            raise ConnectionError(f"{name} is down")

    def log(self, values):
        self._call("log", values)

    def update(self, values):
        self._call("update", values)

    def finish(self, exit_code):
        self._call("finish", exit_code)


def fake_wandb(monkeypatch, broken=None):
    session, module = FakeSession(broken), ModuleType("wandb")

    def call(name, answer):
        def function(*args, **kwargs):
            session._call(name, args, kwargs)
            return answer

        return function

    module.init, module.Settings = call("init", session), call("Settings", None)
    module.Image, module.Table = call("Image", "image"), call("Table", "table")
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return session


@pytest.mark.parametrize(
    "broken", ["Settings", "init", "log", "update", "Image", "Table", "finish"]
)
def test_dashboard_failure_never_stops_a_run(tmp_path, monkeypatch, capsys, broken):
    session = fake_wandb(monkeypatch, broken)
    folder = write(tmp_path)
    assert 'class="badge finished"' in (folder / "report.html").read_text()
    told = capsys.readouterr().err
    assert told.count("Weights & Biases failed") == 1
    assert f"{broken} is down" in told
    assert session.sent[-1][0] == broken  # silent after the first failure


def test_missing_dashboard_package_does_not_stop_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setenv("WANDB_MODE", "offline")
    write(tmp_path)
    assert "Weights & Biases failed" in capsys.readouterr().err


def test_disabled_dashboard_is_not_even_imported(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    write(tmp_path)
    assert "Weights & Biases" not in capsys.readouterr().err


def test_dashboard_receives_what_the_report_keeps(tmp_path, monkeypatch):
    session = fake_wandb(monkeypatch)
    folder = write(tmp_path)
    logged = [content[0] for name, *content in session.sent if name == "log"]
    assert {
        "flow/epoch": 0,
        "flow/train_loss": 2.0,
        "flow/validation_loss": 2.5,
    } in logged
    assert {"profile": "table"} in logged
    assert {"a_line": "image"} in logged
    assert ("update", {"v_travel": 20.5, "simulations": 100}) in session.sent
    assert session.sent[-1] == ("finish", 0)
    settings = next(content[1] for name, *content in session.sent if name == "init")
    assert settings["id"] == folder.name
    assert settings["dir"] == folder
    assert settings["project"] == "orrery"


def test_dashboard_learns_of_a_failure(tmp_path, monkeypatch):
    session = fake_wandb(monkeypatch)

    def body(report):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(tmp_path, body=body)
    assert session.sent[-1] == ("finish", 1)


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, "offline"),
        ({"WANDB_API_KEY": "k"}, "online"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "dryrun"}, "offline"),
        ({"WANDB_MODE": "online"}, "offline"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "disabled"),
        ({"NETRC": "api.wandb.ai"}, "online"),
        (
            {"NETRC": "api.wandb.ai", "WANDB_BASE_URL": "https://w.example.org"},
            "offline",
        ),
        (
            {"NETRC": "w.example.org", "WANDB_BASE_URL": "https://w.example.org"},
            "online",
        ),
        ({"NETRC": ""}, "offline"),
    ],
)
def test_dashboard_is_online_only_with_a_key(tmp_path, environment, mode):
    host = environment.get("NETRC")
    if host is not None:
        text = (
            f"machine {host} login user password key"
            if host
            else "machine broken login"
        )
        (tmp_path / "netrc").write_text(text)
    environment = {**environment, "NETRC": str(tmp_path / "netrc")}
    assert reports.dashboard_mode(environment) == mode


SMOKE = """
import sys
from dataclasses import dataclass
from pathlib import Path
from orrery.results import reports

@dataclass(frozen=True)
class Choices:
    seed: int = 1

with reports.open_run("toy", Choices(), Path(sys.argv[1])) as report:
    report.metrics({"v_travel": 20.0})
    report.epoch(0, {"train": 1.0})
"""


@pytest.mark.slow
def test_real_dashboard_works_offline(tmp_path):
    environment = {
        **os.environ,
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
    }
    command = [sys.executable, "-c", SMOKE, str(tmp_path)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.splitlines()[-1]).parent
    assert "Weights & Biases: offline" in done.stderr
    assert "failed" not in done.stderr
    assert len([*folder.glob("wandb/offline-run-*/*.wandb")]) == 1
