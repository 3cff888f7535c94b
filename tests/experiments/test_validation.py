"""Live simulations from the command line: what the page says, and which files decide it."""

import numpy as np
import pytest

from orrery.results.result import Result

COLUMNS = "name,lmc_mass,milky_way_mass,milky_way_scale"


@pytest.fixture
def live(tmp_path):
    """A folder with a simulation whose galaxies pass each other, and hardly pull."""
    folder = tmp_path / "live"
    folder.mkdir()
    times = np.linspace(-1.0, 0.0, 51)
    still = np.zeros((51, 6))
    still[:, 3] = np.linspace(0.0, 3.0, 51)
    passing = still + np.array([0.0, -41.0, -27.0, -60.0, -210.0, 200.0])
    passing[:, 1] += 220.0 * times
    passing[:, 2] -= 205.0 * times
    passing[:, 3] -= np.linspace(0.0, 9.0, 51)  # the lighter one moves more
    for centre, orbit in (("mw", still), ("lmc", passing)):
        path = folder / f"toy_orbit_{centre}.txt"
        np.savetxt(path, np.column_stack([times, orbit]))
    (folder / "galaxies.csv").write_text(f"{COLUMNS}\ntoy,1.5e11,1.57e12,40.85\n")
    return folder


@pytest.mark.slow
@pytest.mark.walks("validation")
def test_a_rigid_model_that_fails_is_said_to(
    experiments, live, tmp_path, run, page, unknown_numbers
):
    script = experiments["validation"]
    reports = ("--reports", tmp_path / "runs")
    found = run(script, "--nbody", live, *reports, sketched=True)
    folder = page(found).parent
    assert unknown_numbers(folder) == []
    result = Result.open(folder)
    assert result.section("nbody.toy")["kind"] == "warning"
    inputs = {entry["key"] for entry in result.document["lineage"]["inputs"]}
    assert inputs == {
        f"nbody.{name}"
        for name in ("galaxies.csv", "toy_orbit_lmc.txt", "toy_orbit_mw.txt")
    }
    galaxies = live / "galaxies.csv"
    galaxies.write_text(galaxies.read_text().replace("1.5e11", "1.6e11"))
    again = page(run(script, "--nbody", live, *reports, sketched=True)).parent
    assert again.parent != folder.parent


def test_a_folder_without_orbits_is_refused_with_one_line(experiments, tmp_path, run):
    reports = ("--reports", tmp_path / "runs")
    for folder in tmp_path, tmp_path / "missing":
        result = run(experiments["validation"], "--nbody", folder, *reports)
        assert result.returncode == 1
        assert f"{folder}" in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
