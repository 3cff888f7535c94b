"""What the surveys see: maps, with the user's stars where they are given."""

import numpy as np
import pytest


@pytest.mark.slow
def test_surveys_are_drawn_with_the_stars_that_are_given(
    experiments, write_stars, tmp_path, run, page, unknown_numbers
):
    script, random = experiments["surveys"], np.random.default_rng(1)
    without = write_stars(tmp_path / "without.csv")
    result = run(script, "--stars", without, "--reports", tmp_path / "runs")
    assert "with proper motions" in result.stderr.splitlines()[-1]
    motions = {
        name: random.normal(0, 0.3, 400) for name in ("pmra_masyr", "pmdec_masyr")
    }
    given = write_stars(tmp_path / "stars.csv", **motions)
    sizes = []
    for options in (), ("--stars", given):
        folder = page(run(script, *options, "--reports", tmp_path / "runs")).parent
        assert (folder / "velocities.png").exists()
        assert unknown_numbers(folder) == []
        sizes.append((folder / "sky.png").stat().st_size)
    assert sizes[1] > 1.1 * sizes[0]  # one map more
