"""Every experiment at toy size, as a user starts it: what it leaves behind, and how it refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from orrery.results.reports import slug

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.data_vectors import observe
from mwlmc.parameters import INFERRED, LMC_TODAY
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.study.literature import QUANTITIES, TABLE2
from orrery.execution import simulation, summaries
from orrery.learning import mixture, posterior
from orrery.learning.flow import Flow
from orrery.learning.training import Training
from orrery.storage.dataset import Dataset

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
OF_ONE_SURVEY = [path for path in EXPERIMENTS if path.stem in ("desi", "quadrants")]
TOY = (
    *("--simulations", "32"),
    *("--max-epochs", "2", "--workers", "0"),
    *("--transforms", "2", "--draws", "200"),
    *("--calibration-draws", "50"),
)
OF_STARS = [path for path in EXPERIMENTS if path.stem != "halo_mass"]
SCREEN = 100  # lines


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("experiments")


def test_every_experiment_is_run_at_toy_size():
    assert {path.stem for path in EXPERIMENTS} == {
        *(path.stem for path in OF_ONE_SURVEY),
        *("predictive", "surveys", "table2", "halo_mass"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("experiment", OF_ONE_SURVEY, ids=lambda path: path.stem)
def test_experiment_leaves_a_report_and_repeats_itself(experiment, place, run, page):
    first = page(run(experiment, *TOY, place=place))
    names = {path.name for path in first.parent.iterdir()}
    expected = {"options.json", "versions.json", "metrics.json", "report.html"}
    kinds = ("posterior", "data", "tarp", "sbc", "training")
    expected |= {f"{kind}_without_v_tb.png" for kind in kinds}
    assert expected <= names
    assert "http" not in first.read_text().split("</style>")[1].split("Versions")[0]
    draws = pq.read_table(first.parent / "draws_without_v_tb.parquet")
    assert draws.num_rows == 200
    assert draws.column_names == [parameter.name for parameter in INFERRED]

    shutil.rmtree(first.parent)
    again = run(experiment, *TOY, place=place)
    assert (
        "simulating" not in again.stderr
    )  # the dataset is used again, the flow trained anew
    assert pq.read_table(page(again).parent / "draws_without_v_tb.parquet").equals(
        draws
    )


@pytest.mark.slow
def test_the_lmc_is_inferred_like_the_masses_where_that_is_asked(place, run, page):
    options = (*TOY, "--lmc-today", "inferred")
    first = page(run(ROOT / "experiments/desi.py", *options, place=place))
    draws = pq.read_table(first.parent / "draws_without_v_tb.parquet")
    assert draws.column_names == [parameter.name for parameter in INFERRED + LMC_TODAY]
    data = Table.read(first.parent / "data_vector_without_v_tb.ecsv")
    assert not {*draws.column_names} & {*data["summary"]}


@pytest.mark.slow
def test_table_2_has_six_rows_and_its_figures(place, run, page, shapes):
    folder = page(
        run(ROOT / "experiments/table2.py", *TOY, "--members", "2", place=place)
    ).parent
    tables = shapes(folder)
    assert tables["table_2.ecsv"] == len(TABLE2)
    assert tables["calibration_of_all.ecsv"] == len(TABLE2)
    assert tables["table_2_line_by_line.ecsv"] == len(TABLE2) * len(QUANTITIES)
    for row in TABLE2:
        assert tables[f"prior_predictive_check_{slug(row)}.ecsv"] > 6
        assert pq.read_table(folder / f"draws_{slug(row)}.parquet").num_rows == 200
        learned = mixture.load(folder / f"posterior_{slug(row)}")
        assert learned.parameters == INFERRED
        assert len(learned.members) == 2
    for figure in ("masses", "reflex_motion", "travel_velocity", "coverage_of_all"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= {
            path.name for path in folder.iterdir()
        }
    assert len([*folder.glob("full_posterior_*.png")]) == 3


@pytest.mark.slow
def test_predictions_are_simulated_and_judged_bin_by_bin(place, run, page, shapes):
    script, wanted = ROOT / "experiments/predictive.py", [*TABLE2][0::5]
    options = (*TOY, "--replicates", "64", "--rows", *wanted)
    folder = page(run(script, *options, place=place)).parent
    tables, numbers = shapes(folder), json.loads((folder / "metrics.json").read_text())
    binnings = (DESI_FOOTPRINT.select(("v_gsr",)), QUADRANTS)
    for row, binning in zip(wanted, binnings, strict=True):
        assert tables[f"predictive_check_{slug(row)}.ecsv"] == len(binning.names)
        assert 0 < numbers[f"{slug(row)}.predictive_whole_vector"] <= 1
        assert (folder / f"predictions_{slug(row)}.png").exists()
    assert len([*(place / "datasets").glob("replay-*")]) == len(wanted)


def test_an_unknown_row_is_refused(tmp_path, run):
    result = run(ROOT / "experiments/predictive.py", "--rows", "Gaia", place=tmp_path)
    assert result.returncode != 0
    assert "H3+SEGUE+MagE quadrants" in result.stderr


@pytest.mark.slow
def test_surveys_are_drawn_with_the_stars_that_are_given(tmp_path, run, page):
    script, random = ROOT / "experiments/surveys.py", np.random.default_rng(1)
    without = stars(tmp_path / "without.csv")
    result = run(script, "--stars", without, "--reports", tmp_path / "runs")
    assert "with proper motions" in result.stderr.splitlines()[-1]
    motions = {
        name: random.normal(0, 0.3, 400) for name in ("pmra_masyr", "pmdec_masyr")
    }
    given = stars(tmp_path / "stars.csv", **motions)
    sizes = []
    for options in (), ("--stars", given):
        folder = page(run(script, *options, "--reports", tmp_path / "runs")).parent
        assert (folder / "binned_velocities.png").exists()
        sizes.append((folder / "sky_and_distances.png").stat().st_size)
    assert sizes[1] > 1.1 * sizes[0]  # one map more


@pytest.mark.parametrize("experiment", OF_STARS, ids=lambda path: path.stem)
def test_help_explains_every_option(experiment, told):
    learned = (
        () if experiment.stem == "surveys" else ("--transforms", "--calibration-tests")
    )
    told(experiment, "--stars", "--simulations", "--lmc", "--lmc-mass", *learned)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiment_fits_one_screen(experiment):
    assert len(experiment.read_text().splitlines()) <= SCREEN


def stars(path, **columns):
    random = np.random.default_rng(0)
    usual = {
        "ra_deg": random.uniform(130, 250, 400),
        "dec_deg": random.uniform(0, 60, 400),
        "distance_kpc": random.uniform(32, 98, 400),
        "vlos_kms": random.normal(0, 100, 400),
    }
    Table({k: v for k, v in (usual | columns).items() if v is not None}).write(path)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"distance_kpc": None}, "distance"),
        ({"distance_kpc": None, "distance_kms": np.full(400, 50.0)}, "distance"),
        ({"vlos_kms": np.full(400, np.nan)}, "stars"),
    ],
    ids=["missing column", "wrong unit", "no star left"],
)
def test_bad_stars_are_refused_with_one_line(columns, message, tmp_path, run):
    path = stars(tmp_path / "stars.csv", **columns)
    result = run(ROOT / "experiments/desi.py", "--stars", path, place=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "datasets").exists()


def test_unknown_options_and_unwritable_folders_are_refused(tmp_path, run):
    assert run(EXPERIMENTS[0], "--simulation", "10", place=tmp_path).returncode == 2
    (tmp_path / "runs").write_text("a file where a folder should be")
    result = run(EXPERIMENTS[0], place=tmp_path)
    assert result.returncode == 1
    assert "runs" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_posterior_refuses_another_binning(tmp_path):
    halos = simulation.generate(Simulator(stars=3000), 32, 1, tmp_path, actors=0)
    table = read_binned(ROOT / "datasets/observed/desi_dr1_bhb.ecsv")
    radial = DESI_FOOTPRINT.select(("v_gsr",))
    pairs = summaries.compute(kinematics.velocity_moments, halos, radial, INFERRED)
    covariance = observe(table, radial).covariance
    options = Training(max_epochs=1)
    estimate = posterior.fit(
        pairs,
        INFERRED,
        covariance,
        Flow(transforms=1),
        options,
        1,
        tmp_path / "posterior",
    )
    with pytest.raises(ValueError, match="binning"):
        estimate.sample(observe(table, DESI_FOOTPRINT), 10, 1)


@pytest.mark.slow
def test_a_truncated_shard_is_refused_by_readers_and_made_again(tmp_path):
    simulator = Simulator(stars=500)
    halos = simulation.generate(simulator, 4, 1, tmp_path, actors=0, shard_size=2)
    shard = sorted(halos.folder.glob("shards/*.arrow"))[1]
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=shard.name):
        Dataset.open(halos.folder).verify()
    simulation.generate(simulator, 4, 1, tmp_path, actors=0, shard_size=2)
    assert shard.read_bytes() == whole


def test_a_binned_table_of_another_selection_is_refused(tmp_path, run):
    result = run(ROOT / "experiments/desi.py", "--inner", "40", place=tmp_path)
    assert result.returncode == 1
    assert "40-100 kpc" in result.stderr
