"""Densities are those of the draws, and curves those of the run's own figures."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orrery.judging.intervals import posterior_summary
from orrery.results.collation.curves import MOST_EPOCHS, run_curves
from orrery.results.result import Result
from orrery.storage.documents import digest_of


@pytest.fixture(scope="module")
def result(written):
    return Result.open(written[0])


@pytest.mark.slow
def test_medians_are_those_of_the_draws(result):
    curves, problems = run_curves(result)
    assert problems == []
    for key, posterior in curves["posteriors"].items():
        table = pq.read_table(result.folder / f"draws.{key}.parquet")
        assert posterior["draws"] == len(table)
        for marginal in posterior["parameters"]:
            draws = table[marginal["name"]].to_numpy()[:, np.newaxis]
            summary = posterior_summary(draws)
            for name in ("lower", "median", "upper"):
                expected = getattr(summary, name)[0]
                assert marginal[name] == pytest.approx(expected, rel=1e-6)
            metric = f"posterior.{key}.{marginal['name']}.median"
            assert marginal["median"] == pytest.approx(result.metrics[metric], rel=1e-6)
            assert max(marginal["density"]) == 1000


@pytest.mark.slow
def test_curves_are_those_of_the_figures(result):
    curves, _ = run_curves(result)
    coverage = result.view(result.section("tarp.toy.alone")).curves["posterior"]
    tarp = curves["tarp"]["toy.alone"]
    assert np.allclose(tarp["coverage"], coverage.coverage, atol=5e-5)
    assert tarp["tests"] == len(coverage.fractions)
    ranks = result.view(result.section("sbc.toy.alone")).results["posterior"]
    sbc = curves["sbc"]["toy.alone"]
    for i, difference in enumerate(sbc["difference"]):
        assert np.allclose(difference, ranks.difference[::5, i], atol=5e-5)
    errors = result.view(result.section("predictions.ensembles")).errors["25"]
    assert np.allclose(curves["rmse"]["25"]["rmse"], errors.rmse, rtol=1e-3)


def test_a_long_training_keeps_its_first_best_and_last_epoch(result):
    losses = result.view(result.section("training.toy.alone")).curves["member_0"]
    (member,) = run_curves(result)[0]["training"]["toy.alone"]["members"]
    assert {0, losses.best, len(losses.train) - 1} <= set(member["epochs"])
    assert len(member["epochs"]) <= MOST_EPOCHS + 1
    at = member["epochs"].index(losses.best)
    assert member["validation"][at] == min(member["validation"])


def test_negative_controls_are_not_laid_over_posteriors(result, monkeypatch):
    view = result.view(result.section("tarp.toy.alone"))
    view.curves["negative_control"] = view.curves["posterior"]
    monkeypatch.setattr(Result, "view", lambda self, section: view)
    curves, _ = run_curves(result)
    assert set(curves["tarp"]) == {"toy.alone", "toy.both"}


def drawn_posteriors(folder):
    """Returns the keys of posteriors that are drawn of a run, and what is wrong with it."""
    curves, problems = run_curves(Result.open(folder))
    return set(curves.get("posteriors", {})), problems


def test_damaged_draws_are_not_drawn(result, tmp_path):
    folder = shutil.copytree(result.folder, tmp_path / "attempt-001")
    whole, _ = drawn_posteriors(folder)
    draws = folder / f"draws.{min(whole)}.parquet"
    content = bytearray(draws.read_bytes())
    content[60] ^= 1 << 4  # within the draws: Arrow alone reads others
    draws.write_bytes(content)
    left, problems = drawn_posteriors(folder)
    assert left == whole - {min(whole)}
    assert [draws.name in problem for problem in problems] == [True]


@pytest.mark.slow
def test_draws_that_would_unpack_to_gigabytes_are_not(result, tmp_path, change):
    folder = shutil.copytree(result.folder, tmp_path / "attempt-001")
    whole, _ = drawn_posteriors(folder)
    draws = folder / f"draws.{min(whole)}.parquet"
    pq.write_table(pa.table({"v": np.zeros(30_000_000)}), draws, compression="zstd")
    assert draws.stat().st_size < 1_000_000
    sections = Result.open(folder).sections
    own = next(s for s in sections if s.get("files") == [draws.name])
    own["sha256"] = {draws.name: digest_of(draws.read_bytes())}
    change(folder, sections=sections)
    left, problems = drawn_posteriors(folder)
    assert left == whole - {min(whole)}
    (problem,) = problems
    assert "the file of draws" in problem


@pytest.mark.parametrize("by_link", [False, True])
def test_draws_outside_of_a_run_are_not_drawn(result, tmp_path, change, by_link):
    folder = shutil.copytree(result.folder, tmp_path / "attempt-001")
    whole, _ = drawn_posteriors(folder)
    draws = folder / f"draws.{min(whole)}.parquet"
    draws.rename(tmp_path / draws.name)
    sections = Result.open(folder).sections
    if by_link:
        draws.symlink_to(tmp_path / draws.name)
    else:
        own = next(s for s in sections if s.get("files") == [draws.name])
        own["files"] = [f"../{draws.name}"]
        change(folder, sections=sections)
    left, problems = drawn_posteriors(folder)
    assert left == whole - {min(whole)}
    assert [str(folder) in problem for problem in problems] == [True]
