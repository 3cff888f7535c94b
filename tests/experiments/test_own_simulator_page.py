"""What the page on one's own simulator adds to the tutorial: edges of priors, and a run kept."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from orrery.judging import diagnostics

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "your-simulator.md").read_text(encoding="utf-8")
TUTORIAL = (DOCS / "tutorials/own-simulator.md").read_text(encoding="utf-8")
LOWER, UPPER = np.array([9, 5]), np.array([21, 13])
NORMAL, UNIFORM = ".normal([15, 9], [3, 2])", ".uniform([9, 5], [21, 13])"
SHARE = r" ([\d.]+) % \|"
ROW = rf"^\| (none|both) \| `(Flow\(1?\))`, (\d+) \|{SHARE * 3} (.*) \|$"
NEAR = 1.5  # % of all draws: other processors train a little otherwise


def code(text):
    """Returns the cells of a page, one after the other."""
    return "\n".join(re.findall(r"^```python.*?\n(.*?)^```", text, re.M | re.S))


@pytest.fixture
def run_code(tmp_path, monkeypatch):
    """Runs code in a folder of its own, and returns the names that it defines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")

    def start(text, names=None):
        names = {"__name__": "own"} if names is None else names
        exec(text, names)
        return names

    return start


def replaced(text, changes):
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def with_edges(bounds, flow, epochs):
    """Returns the tutorial's code with a uniform prior."""
    ends = {"v": ", lower=9, upper=21", "g": ", lower=5, upper=13"}
    labels = {name: f'"${name}$"' for name in ends}
    found = replaced(
        code(TUTORIAL),
        {
            NORMAL: UNIFORM,
            '"model": "throw"': '"model": "uniform throw"',
            "orrery.Flow(1)": f"orrery.{flow}",
            "max_epochs=10": f"max_epochs={epochs}",
        },
    )
    if bounds == "both":
        given = {f"{labels[name]})": f"{labels[name]}{ends[name]})" for name in ends}
        found = replaced(found, given)
    return found


def of_another_throw(text):
    """Returns the lines that observe another throw, and those that draw given it."""
    observed = text[text.index("measured = ") : text.index("training = ")]
    [drawn] = re.findall(r"^draws = .*$", text, re.M)
    changed = replaced(observed, {"height(14.0, 9.8)": "height(14.0, 12.8)"})
    return f"{changed}{drawn}\n"


def outside(draws):
    return 100 * ((draws < LOWER) | (draws > UPPER)).any(axis=-1).mean()


@pytest.mark.slow
@pytest.mark.parametrize("row", re.findall(ROW, PAGE, re.M))
def test_draws_are_outside_of_the_prior_as_often_as_the_page_says(row, run_code):
    bounds, flow, epochs, *told, rejects = row
    shares, names = [], None
    text = with_edges(bounds, flow, epochs)
    # what is learned does not depend on what is observed
    for part in (text, of_another_throw(text)):
        names = run_code(part, names)
        draws = names["draws"]
        shares.append(outside(np.column_stack([draws["v"].value, draws["g"].value])))
    tests = names["pairs"].test
    noise = np.random.default_rng(0).normal(0, 0.5, tests.x.shape)
    each = names["posterior"].sample_each(tests.x + noise, 200, seed=1)
    shares.append(outside(each))
    np.testing.assert_allclose(shares, [float(one) for one in told], atol=NEAR)
    assert ", ".join(names["judged"].verdict.names) == rejects.replace("none", "")
    leaking = diagnostics.leakage(each, names["pairs"].train.theta).max()
    density = names["posterior"].log_prob(np.array([[15.0, 13.5]]), tests.x[:1])
    if bounds == "both":
        assert shares == [0, 0, 0]
        assert density == -np.inf
    else:
        assert leaking > 0.01
        assert np.isfinite(density)


def test_the_page_has_the_rows_that_are_measured():
    assert len(re.findall(ROW, PAGE, re.M)) == 4


@pytest.mark.slow
def test_what_the_page_records_becomes_a_page(run_code, load_script):
    from orrery.results import page

    block = code(PAGE[PAGE.index("## Keeping what you found") :])
    names = run_code(f"{code(TUTORIAL)}\n{block}")
    kept = names["kept"]
    assert os.listdir("runs") == ["throw"]
    assert kept.status == "finished"
    assert kept.metrics["posterior.throw.g.median"] == pytest.approx(9.1, abs=0.5)
    assert {verdict["passed"] for verdict in kept.document["verdicts"]} == {True}
    page.write(kept)
    html = (kept.folder / "report.html").read_text(encoding="utf-8")
    assert "TARP, a throw" in html
    load_script("experiments/page_parts")
    assert load_script("experiments/raw_names").raw_names(html) == []
