import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from orrery.parameters import Parameter, generator
from orrery.records import Column, Records, Schema
from orrery.storage import lease
from orrery.storage.card import CARD
from orrery.storage.store import locate
from orrery.storage.work_log import WORK


@dataclass(frozen=True)
class Toy:
    """Simulates stars around a centre `a`; simulation i has i mod 4 of them."""

    scale: float = 1.0
    refused: int | None = None
    missing: int | None = None

    @property
    def schema(self) -> Schema:
        scalars = (
            Column("index", "", "the simulation's number", "int64"),
            Column("a", "kpc", "the centre"),
            Column("tries", "", "draws that were discarded", "int32"),
        )
        return Schema(scalars, (Column("x", "kpc", "positions", "float16"),))

    def describe(self) -> dict:
        return {"scale": self.scale, "missing": self.missing}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        if self.refused in indices:
            raise ValueError(
                f"simulation {self.refused} is refused: choose another prior"
            )
        randoms = [generator(seed, i) for i in indices]
        a = np.array([self.scale * random.normal() for random in randoms])
        stars = [
            centre + random.normal(size=i % 4)
            for i, centre, random in zip(indices, a, randoms, strict=True)
        ]
        offsets = np.cumsum([0, *map(len, stars)]).astype(np.int32)
        a[[i == self.missing for i in indices]] = np.nan
        scalars = {"index": np.array(indices), "a": a, "tries": np.array(indices) % 3}
        return Records(
            scalars, {"x": np.concatenate(stars).astype(np.float16)}, offsets
        )


@pytest.fixture(scope="session")
def toy() -> Toy:
    return Toy()


@pytest.fixture
def centre() -> tuple[Parameter, ...]:
    return (Parameter("a", "kpc", "$a$"),)


def contents(folder):
    """Returns the bytes of every file below a folder, by relative path, without the work's record.

    How long the work took is all that may differ when it is done again.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != WORK]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    section = re.compile(rb"\n## Work\n.*?(?=\n## )", re.DOTALL)
    return {
        n: section.sub(b"", data) if n.endswith(CARD) else data
        for n, data in found.items()
    }


@pytest.fixture(name="contents")
def contents_fixture():
    return contents


@dataclass(frozen=True)
class Choices:
    """Options of a toy run."""

    seed: int = 1


@pytest.fixture
def write_run():
    """Writes a run with losses, a figure and draws; returns its attempt's folder."""
    from orrery.results.recording import record
    from orrery.results.sections import DrawsSection, FigureSection
    from orrery.results.views import Relation

    def written(root):
        with record("toy", Choices(), root) as recording:
            recording.epoch("flow", 0, {"train": 2.0})
            view = Relation(np.arange(3.0), np.ones(3), ("x", "y"))
            recording.add(
                FigureSection("line", "Line", view, "A line."),
                DrawsSection("draws", "Draws", ("v",), ("km / s",), np.ones((5, 1))),
            )
        return recording.run.folder

    return written


@pytest.fixture(scope="session")
def made():
    """Returns predictions with a normal error of known width, without networks."""
    # only those who ask for it load torch and sbi
    from orrery.inference.ensembles import EvaluatedEnsemble

    def make(count=4000, seed=0, noise=0.2, bias=0.0, members=3):
        random = np.random.default_rng(seed)
        truth = random.uniform(11, 13, count)
        error = bias + noise * random.normal(size=count)
        scatter = random.normal(size=(members, count))
        every = truth + error + 0.05 * (scatter - scatter.mean(axis=0))
        edges = np.arange(11, 13.1, 0.5)
        return EvaluatedEnsemble("made", None, truth, every, edges, window=0.15)

    return make


def all_keys(result):
    document = result.document
    parts = (*document["sections"], *document["verdicts"])
    drawn = sorted(result.folder.glob("*.parquet"))
    return {
        "metrics": [*document["metrics"]],
        "answers": [answer["key"] for answer in document["answers"]],
        "parts": [part["key"] for part in parts],
        "shown": [part["shows"] for part in parts],
        "files": [section["files"] for section in document["sections"]],
        "arrays": [pq.read_schema(path).names for path in drawn],
    }


@pytest.fixture
def keys():
    """Returns all names by which something of a result can be found: none is a label."""
    return all_keys


@pytest.fixture(scope="session")
def server():
    """An S3 server in this process, with a bucket `stars`, and how it is reached."""
    pytest.importorskip("obstore")
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
    }
    made = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    made.create_bucket(Bucket="stars")
    yield SimpleNamespace(environment=environment, client=made)
    running.stop()


@pytest.fixture
def bucket(server, tmp_path, monkeypatch):
    """The address of an empty folder in a bucket, with a cache of its own and short leases."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORRERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(lease, "LEASE", 0.6)
    monkeypatch.setattr(lease, "RENEWAL", 0.1)
    monkeypatch.setattr(lease, "_POLL", 0.02)
    return locate(f"s3://stars/{tmp_path.name}")
