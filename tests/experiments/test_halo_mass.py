"""The halo mass at toy size, as a user starts it: by a mock, by a catalogue, of another host."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from halomass.catalogues.universe_machine import STRUCT
from halomass.mock import stellar_mass
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study.ensembles import (
    FIGURES,
    ensemble_features,
    ensemble_key,
    label_noisy,
)
from halomass.study.options import HostCampaign
from toy_sizes import HOSTS, MOCK_HOSTS, words

OF_HOSTS = Path(__file__).parents[2] / "experiments/halo_mass.py"
TUTORIAL = (Path(__file__).parents[2] / "docs/tutorials/milky-way-mass.md").read_text(
    encoding="utf-8"
)
BOX = 60.0  # [Mpc/h] of a toy catalogue


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="module")
def mock(place, run, page):
    """The report's folder of the Milky Way's mass by hosts of a mock universe."""
    return page(run(OF_HOSTS, *words(MOCK_HOSTS), place=place, sketched=True)).parent


@pytest.mark.slow
@pytest.mark.walks("halo_mass")
def test_the_milky_ways_mass_is_predicted_from_mock_hosts(
    mock, shapes, unknown_numbers
):
    tables, ours, others = (
        shapes(mock),
        ensemble_features(1, 25),
        HostCampaign().variants,
    )
    every = [
        *ours,
        *(f"{name}, {label_noisy(n)}" for name in others for n in NEIGHBOUR_COUNTS),
    ]
    for name in every:
        errors = Table.read(mock / f"errors.{ensemble_key(name)}.ecsv")
        assert errors["tests"].sum() > 100
        assert np.isfinite(errors["rmse"]).any()
    for table in ("mass", "accuracy.rmse"):
        assert tables[f"{table}.ecsv"] == len(every)
    assert tables["mass.what_moves_it.ecsv"] == len(every) - len(
        NEIGHBOUR_COUNTS
    )  # not by noiseless data
    assert tables["mass.by_catalogue.ecsv"] == len(NEIGHBOUR_COUNTS) * (1 + len(others))
    assert tables["mass.leave_one_out.ecsv"] == max(NEIGHBOUR_COUNTS)
    assert tables["mass.estimators.ecsv"] == 3
    assert tables["mock.acceptance.ecsv"] > 0
    figures = [f"predictions.{key}" for key in FIGURES]
    for figure in (*figures, "published_masses"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= {p.name for p in mock.iterdir()}
    text = (mock / "report.html").read_text()
    assert "These hosts are a MOCK" in text
    assert unknown_numbers(mock) == []
    masses = Table.read(mock / "mass.ecsv")
    assert (masses["lower_alike"] < masses["upper_alike"]).all()


def subhalos(path, count):
    """Writes subhalos of a host of some simulation, as a user has them."""
    random = np.random.default_rng(2)
    position, velocity = (
        random.normal(size=(3, count)),
        random.normal(0, 100, (3, count)),
    )
    position *= random.uniform(30, 220, count) / np.linalg.norm(position, axis=0)
    names = ("x", "y", "z", "vx", "vy", "vz")
    columns = dict(zip(names, (*position, *velocity), strict=True))
    columns["m"] = 10 ** random.uniform(9.5, 11, count)
    around = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
    Table(columns, meta={"name": "A host", **around}).write(path)
    return path


@pytest.mark.slow
@pytest.mark.walks("halo_mass")
def test_ensembles_that_are_kept_predict_the_mass_of_another_host(
    mock, place, tmp_path, run, page, unknown_numbers
):
    table = subhalos(tmp_path / "host.ecsv", 30)
    result = run(
        OF_HOSTS, *words(MOCK_HOSTS), "--neighbours", table, place=place, sketched=True
    )
    folder = page(result).parent
    assert folder != mock
    assert "simulating" not in result.stderr  # hosts and ensembles are used again
    # its hosts are spoken of
    assert re.search(r"\btraining (?!hosts)", result.stderr) is None
    masses = Table.read(folder / "mass.ecsv")
    mock_observations = [
        one for one in masses["ensemble"] if "mock observations" in one
    ]
    assert len(mock_observations) == len(NEIGHBOUR_COUNTS)
    assert {*masses["ensemble"]} - {*mock_observations} == {*ensemble_features(1, 30)}
    assert not {"published_masses.png", "mass.estimators.ecsv"} & {
        p.name for p in folder.iterdir()
    }
    for one in ensemble_features(1, 30):
        name = f"errors.{ensemble_key(one)}.ecsv"
        assert (folder / name).read_bytes() == (mock / name).read_bytes()
    assert unknown_numbers(folder) == []


def test_a_host_with_few_neighbours_is_refused_before_anything_is_made(tmp_path, run):
    table = subhalos(tmp_path / "host.ecsv", 9)
    result = run(OF_HOSTS, "--neighbours", table, place=tmp_path)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert "host.ecsv has too few neighbours within 250 kpc" in last
    assert "9 of use where the ensembles need 10 or 25: list fainter" in last
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "datasets").exists()


def universe(path, hosts=1400, satellites=45, clusters=3):
    """Writes a catalogue of hosts whose satellites move the faster the larger their host is."""
    random, main = np.random.default_rng(3), hosts + clusters
    log_m = random.uniform(8.5, 10.5, (main, 1 + satellites))
    log_m[:, 0] = np.concatenate([[14.5, 14.3, 14.1], random.uniform(11, 13.8, hosts)])
    offset = random.normal(size=(main, 1 + satellites, 3))
    radius = random.uniform(0.02, 0.165, (main, 1 + satellites, 1))  # up to 243 kpc
    offset *= radius / np.linalg.norm(offset, axis=2, keepdims=True)
    velocity = random.normal(0, 110, offset.shape) * 10 ** (
        (log_m[:, :1, None] - 12) / 3
    )
    offset[:, 0] = velocity[:, 0] = 0
    velocity += np.random.default_rng(5).normal(0, 250, (main, 1, 3))  # of all together
    place = (random.uniform(0, BOX, (main, 1, 3)) + offset) % BOX
    rows = np.zeros(log_m.size, STRUCT)
    rows["id"] = rows["descid"] = np.arange(len(rows))
    owner = np.repeat(rows["id"].reshape(log_m.shape)[:, :1], 1 + satellites, axis=1)
    owner[:, 0] = -1  # a host is no satellite
    rows["upid"], rows["v"] = owner.ravel(), random.uniform(20, 90, len(rows))
    rows["v"][owner.ravel() == -1] = 150 * 10 ** ((log_m[:, 0] - 12) / 3)
    for names, values in (("x", "y", "z"), place), (("vx", "vy", "vz"), velocity):
        for name, column in zip(names, values.reshape(-1, 3).T, strict=True):
            rows[name] = column
    rows["m"] = rows["mp"] = 0.678 * 10 ** log_m.ravel()
    rows["sm"] = 10 ** stellar_mass.median_log_stellar_mass(log_m.ravel())
    rows.tofile(path)
    return path


@pytest.mark.slow
@pytest.mark.walks("halo_mass")
def test_the_milky_ways_mass_is_predicted_from_hosts_of_a_catalogue(
    tmp_path, run, page, shapes, unknown_numbers
):
    path = universe(tmp_path / "sfr_catalog_1.000000.bin")
    options = ("--catalogue", path, "--box", BOX, *words(HOSTS))
    folder = page(run(OF_HOSTS, *options, place=tmp_path, sketched=True)).parent
    tables, text = shapes(folder), (folder / "report.html").read_text()
    assert "MOCK" not in text
    assert not [name for name in tables if "mock" in name]
    assert tables["mass.ecsv"] == len(ensemble_features(1, 25))
    masses = Table.read(folder / "mass.by_catalogue.ecsv")
    assert {*masses["trained_on"]} == {path.name}
    assert np.isnan(masses["published"]).all()
    assert tables["mass.estimators.ecsv"] == 3
    (halos, hosts) = sorted(
        p.name.split("-")[0] for p in (tmp_path / "datasets").iterdir()
    )
    assert (halos, hosts) == ("halos", "hosts")
    assert unknown_numbers(folder) == []


def test_help_explains_every_option_of_hosts(check_help):
    check_help(
        OF_HOSTS,
        "--neighbours",
        "--catalogue",
        "--box",
        "--hosts",
        "--ensemble.members",
        "--window",
    )
