"""Toy runs of both sciences with all that a dashboard shows, and wandb's own reader."""

import contextlib
import io
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from orrery.judging import diagnostics
from orrery.judging.regression import binned
from orrery.parameters import Parameter
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.reader import DashboardReader
from orrery.results.dashboard.uploads import Upload
from orrery.results.panels import LossCurve
from orrery.results.recording import read_by, record
from orrery.results.sections import Answer, DrawsSection, FigureSection, Verdict
from orrery.results.views import (
    CoverageCurves,
    Predictions,
    RankCurves,
    TrainingCurves,
)
from orrery.storage.documents import write_document

MEMBERS = 100
NAMES = ("v_x", "m_lmc")


@dataclass(frozen=True)
class Flow:
    transforms: int = 5


@dataclass(frozen=True)
class Options:
    seed: int = 1
    flow: Flow = Flow()


def milky_way(recording):
    """Records a posterior that was learned from simulations, and judged."""
    random = np.random.default_rng(1)
    keep_dataset(recording, "posteriors", "posterior", recording.run.shared)
    parameters = tuple(Parameter(name, "km / s", f"${name}$") for name in NAMES)
    held_out = random.normal(size=(40, 60, 2))
    theta = random.normal(size=(60, 2))
    ranks = diagnostics.sbc_ranks(held_out, theta, seed=1, simulations=50)
    coverage = diagnostics.tarp(held_out, theta, seed=1)
    losses = LossCurve(np.array([2.0, 1.0]), np.array([2.5, 1.5]))
    for epoch in range(2):
        rates = {"train": losses.train[epoch], "validation": losses.validation[epoch]}
        recording.epoch("DESI, member 1", epoch, rates)
    answer = Answer("posterior.desi.v_x", "DESI", "v_x", "km / s", 3.25, 1.0, 6.0)
    recording.answers([answer])
    recording.verdicts([Verdict("tarp.desi", "TARP", True, "p = 0.25.")])
    values = random.normal(size=(50, 2))
    recording.add(
        DrawsSection("draws.desi", "Draws", NAMES, ("km / s", ""), values),
        FigureSection("tarp.desi", "TARP", CoverageCurves({"posterior": coverage}), ""),
        FigureSection("sbc.desi", "SBC", RankCurves({"desi": ranks}, parameters), ""),
        FigureSection("training.desi", "T", TrainingCurves({"member_0": losses}), ""),
    )


def halo_mass(recording):
    """Records an ensemble of 100 networks, and its errors as a table and as curves."""
    random = np.random.default_rng(2)
    keep_dataset(recording, "ensembles", "ensemble", None)
    truth = random.uniform(11, 13, 400)
    each = truth + 0.2 * random.normal(size=(MEMBERS, 400))
    edges = np.arange(11, 13.1, 0.5)
    errors = binned(truth, each.mean(axis=0), edges)
    view = Predictions(
        {"25": (truth, each.mean(axis=0))},
        {"25": errors},
        ("$m$", "dex"),
        {"25": binned(truth, each, edges)},
    )
    recording.metrics({"rmse.25.minimum": float(errors.rmse.min())})
    recording.tables({"Errors": table(errors)})
    recording.add(
        FigureSection("predictions.a", "Predictions", view, ""),
        FigureSection("predictions.b", "The same errors", view, ""),
    )


def table(errors):
    from astropy.table import Table

    found = Table({"mass": errors.middles, "rmse": errors.rmse, "is": ["ok"] * 4})
    found["rmse"].unit = "dex"
    found["rmse"].info.format = "%.3f"
    found["rmse"][1] = np.nan
    found.meta = {"key": "errors.25", "caption": "Errors."}
    return found


def keep_dataset(recording, group, kind, shared):
    """Writes what a run rests on where its parts are kept, and the run's lineage."""
    dataset = recording.run.folder.parents[3] / "datasets" / "toy-0123"
    (dataset / "summaries").mkdir(parents=True, exist_ok=True)
    for name in ("README.md", "dataset.json", "manifest.json"):
        (dataset / name).write_text("{}")
    (dataset / "summaries" / "5555.parquet").write_bytes(b"summaries")
    folder = (shared or dataset) / group / "desi" / "77"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights-77.pt").write_bytes(b"weights")
    weights = {"file": "weights-77.pt", "sha256": "ab" * 32}
    document = {"fingerprint": "77", "weights": weights}
    write_document(folder / f"{kind}.json", document)
    digest = "cd" * 32
    read = {"key": "stars", "fingerprint": digest[:16], "sha256": digest}
    recording.lineage("inputs", read)
    place = "../../../../datasets/toy-0123"
    made = {"key": "simulations", "fingerprint": "0123", "count": 8, "folder": place}
    recording.lineage("datasets", made)
    summarised = {"key": "desi", "fingerprint": "5555", "dataset": "0123"}
    recording.lineage("summaries", summarised)
    learned = {"key": "desi", "fingerprint": "77", "dataset": "0123"}
    recording.lineage(group, {**learned, "summaries": ["5555"]})


SCIENCES = {"mwlmc": milky_way, "halomass": halo_mass}


@pytest.fixture(params=SCIENCES)
def science(request):
    """The name of a science, one after the other."""
    return request.param


def record_toy(science, root, *readers):
    with read_by(*readers), record("toy", Options(), root) as recording:
        SCIENCES[science](recording)
    return recording.result


@pytest.fixture
def recorded(tmp_path):
    """Records a toy run of a science; returns its result."""

    def made(science, *readers):
        return record_toy(science, tmp_path / "runs", *readers)

    return made


@pytest.fixture
def offline(monkeypatch):
    """wandb as it is, offline; forgotten afterwards."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    yield
    forget()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty home and an empty working folder, where nothing shall be written."""
    folders = [tmp_path / "elsewhere" / name for name in ("home", "work")]
    for folder in folders:
        folder.mkdir(parents=True)
    home, work = folders
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.chdir(work)
    return home, work


def forget():
    """Ends wandb's own process and what it remembers of the environment."""
    import wandb
    from wandb.sdk.lib import wbauth

    wandb.teardown()
    wbauth.unauthenticate_session(update_settings=False)


@pytest.fixture
def mirrored(recorded, offline):
    """Records a toy run of a science with a copy; returns its result."""

    def made(science):
        return recorded(science, DashboardReader())

    return made


def be_down(name):
    raise ConnectionError(f"{name} is down")


class FailingWandb(ModuleType):
    """A wandb whose calls fail: all, or those with some names."""

    def __init__(self, *broken, fail=None):
        super().__init__("wandb")
        self.fail = fail or be_down
        self.broken, self.called = broken, []
        self.summary = self.config = SimpleNamespace(update=self._call("update"))
        self.settings, self.id = SimpleNamespace(sync_file=""), ""
        names = ("setup", "Settings", "login", "define_metric", "log", "finish")
        for name in (*names, "log_artifact", "Table", "Artifact", "Image"):
            setattr(self, name, self._call(name))

    def init(self, **arguments):
        self._call("init")()
        self.id = arguments["id"]
        folder = Path(arguments["dir"], "wandb", f"offline-run-{self.id}")
        folder.mkdir(parents=True)
        self.settings.sync_file = str(folder / f"run-{self.id}.wandb")
        return self

    def add_file(self, path, policy):
        self._call("add_file")()

    def _call(self, name):
        def function(*arguments, **named):
            self.called.append(name)
            if {name, "all"} & {*self.broken}:
                self.fail(name)
            return self

        return function


@pytest.fixture
def failing():
    return FailingWandb


class Inspected:
    """What wandb's own reader finds in a copy.

    Arguments:
        file: The copy.
    """

    def __init__(self, file):
        from wandb.util import get_core_path

        # what `wandb leet inspect --json` runs, without a second of imports
        leet = [get_core_path(), "leet", "inspect", "--no-observability", "--json"]
        command = [*leet, "--run-file", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self.records = defaultdict(list)
        for line in done.stdout.splitlines():
            record = json.loads(line)
            kind = record["type"]
            self.records[kind].append(record.get(kind, {}))
        self.run = self.records["run"][0]
        self.config = dict(self.run["config"]["update"])
        for record in self.records["config"]:
            self.config |= record["update"]
        self.summary = {}
        for record in self.records["summary"]:
            self.summary |= record["update"]
        self.rows = [record["item"] for record in self.records["history"]]
        self.artifacts = {one["name"]: one for one in self.records["artifact"]}
        self.folder = file.parent

    def series(self, name):
        """The values of a number, in the order in which they were written."""
        return [row[name] for row in self.rows if name in row]

    def sheet(self, name):
        """The columns and rows of a table."""
        path = next(row[f"{name}.path"] for row in self.rows if f"{name}.path" in row)
        content = json.loads((self.folder / "files" / path).read_text())
        return content["columns"], content["data"]

    def metadata(self, name):
        """What an artifact says of itself."""
        return json.loads(self.artifacts[name]["metadata"])


def inspect(place):
    copies = place.glob("wandb/offline-run-*/*.wandb") if place.is_dir() else [place]
    (file,) = copies
    return Inspected(file)


@pytest.fixture(scope="session")
def inspected():
    """Reads a copy, or the one of a run's folder, back by wandb's own reader."""
    return inspect


@pytest.fixture(scope="session")
def server(load_script):
    """The module of a server that stands in for W&B's."""
    return load_script("faults/dashboard_server")


@pytest.fixture
def serving(server, monkeypatch, offline):
    """Serves with a fault, or with none, to whoever has the key; tells what arrives there."""
    monkeypatch.setenv("WANDB_API_KEY", server.KEY)

    @contextlib.contextmanager
    def served(**fault):
        with server.serving(**fault) as (address, arrived):
            monkeypatch.setenv("WANDB_BASE_URL", address)
            yield arrived

    return served


@pytest.fixture
def reached(serving):
    """A server that takes everything; what has arrived there."""
    with serving() as arrived:
        yield arrived


UNREACHABLE = "http://127.0.0.1:1"
PATIENCE = Patience(probe=1.0, finish=2.0)
FAULTS = {
    "refusing": {"fault": "refusing"},
    "hanging": {"fault": "hanging"},
    "dying in the middle": {"hangs_after": 0},
    "raising": {},
    "unreachable": {},
}


@dataclass
class Met:
    """A run that met a fault.

    Arguments:
        result: What it found.
        told: What was told of it.
        limits: How long each upload was given at its end [s].
    """

    result: object
    told: str
    limits: tuple[float | None, ...]


def meet(fault, root, server):
    """Records a run that meets a fault of W&B."""
    limits = []
    with (
        pytest.MonkeyPatch.context() as patch,
        server.serving(**FAULTS[fault]) as (address, _),
        contextlib.redirect_stderr(io.StringIO()) as told,
    ):
        if fault == "raising":
            patch.setitem(sys.modules, "wandb", FailingWandb("all"))
        patch.setenv("WANDB_MODE", "online")
        patch.setenv("WANDB_API_KEY", server.KEY)
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        away = fault == "unreachable"
        patch.setenv("WANDB_BASE_URL", UNREACHABLE if away else address)
        end = Upload.end

        def limited(upload, seconds):
            limits.append(seconds)
            end(upload, seconds)

        patch.setattr(Upload, "end", limited)
        result = record_toy("mwlmc", root, DashboardReader(PATIENCE))
    forget()
    return Met(result, told.getvalue(), tuple(limits))


@pytest.fixture(scope="session")
def patience():
    """How long runs that meet faults let W&B take."""
    return PATIENCE


@pytest.fixture(scope="session")
def met(server, tmp_path_factory):
    """The runs that met faults, by fault, in one folder of runs."""
    root = tmp_path_factory.mktemp("faults") / "runs"
    return {fault: meet(fault, root, server) for fault in FAULTS}
