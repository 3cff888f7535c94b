"""The page filters, sorts, opens a run and overlays posteriors, with the documents' numbers."""

import json
from urllib.parse import urlencode

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def open_page(browser, page):
    """Opens the page with a state; afterwards nothing may have gone wrong in it."""

    def opened(**state):
        browser.look(1280, 900)
        browser.open(f"{page}#{urlencode(state, doseq=True)}")
        return browser

    yield opened
    assert browser.seen("Runtime.exceptionThrown") == []
    assert browser.seen("Page.javascriptDialogOpening") == []
    requests = [e["request"]["url"] for e in browser.seen("Network.requestWillBeSent")]
    assert all(url.startswith(("file:", "data:")) for url in requests)


@pytest.fixture(scope="module")
def documents(runs):
    """The readable documents by place."""
    found = {}
    for path in runs.rglob("run.json"):
        try:
            document = json.loads(path.read_text())
        except ValueError:
            continue
        found[path.parent.relative_to(runs).as_posix()] = document
    return found


@pytest.fixture(scope="module")
def trials(runs):
    """The documents of the trials, by number."""
    return [json.loads(path.read_text()) for path in sorted(runs.rglob("trial-*.json"))]


def rows(browser):
    """Returns the places in the table, in their order."""
    return browser.run(
        "[...document.querySelectorAll('#runs tbody tr')].map(row => row.dataset.place)"
    )


def values(browser, column):
    """Returns the values of a column of the table, with all their digits."""
    return browser.run(
        f"[...document.querySelectorAll('#runs td[data-column=\"{column}\"]')]"
        ".map(cell => cell.dataset.value)"
    )


def table(browser, caption):
    """Returns the cells of a table by its caption, with all their digits."""
    return browser.run(
        f"[...document.querySelectorAll('table')].filter("
        f"t => t.caption?.textContent === {json.dumps(caption)})"
        ".flatMap(t => [...t.tBodies[0].rows].map("
        "row => [...row.cells].map(cell => cell.dataset.value ?? cell.textContent)))"
    )


def focus(browser, name):
    browser.run(f"document.querySelector('[data-focus={json.dumps(name)}]').focus()")


@pytest.mark.slow
def test_typing_filters(open_page, documents):
    browser = open_page()
    assert browser.run("document.getElementById('count').textContent") == (
        "38 of 38 entries"
    )
    browser.run("document.getElementById('search').focus()")
    browser.type("transforms>=5 flow.kind=nsf synthetic_1")
    expected = {
        place
        for place, document in documents.items()
        if document["experiment"] == "synthetic_1"
        and document["options"]["flow"]["transforms"] >= 5
        and document["options"]["flow"]["kind"] == "nsf"
    }
    assert expected
    assert set(rows(browser)) == expected
    # the address is the view
    address = browser.run("location.href")
    browser.open(address)
    assert set(rows(browser)) == expected


@pytest.mark.slow
def test_what_is_no_column_is_said(open_page):
    browser = open_page(search="gian>2")
    assert rows(browser) == []
    text = browser.run("document.getElementById('count').textContent")
    assert "no column is called gian" in text


@pytest.mark.slow
def test_a_heading_sorts_by_the_keyboard(open_page, documents):
    browser = open_page(kind="run", status="finished")
    for key in ("Enter", " "):
        focus(browser, "sort-seconds")
        browser.press(key)
        order = browser.run(
            "document.querySelector('#runs [aria-sort]').getAttribute('aria-sort')"
        )
        found = [float(value) for value in values(browser, "seconds")]
        assert len(found) == 25  # a page of them
        seconds = [
            one["seconds"] for one in documents.values() if one["status"] == "finished"
        ]
        expected = sorted(seconds, reverse=order == "descending")[:25]
        assert found == pytest.approx(expected, rel=1e-6)
        # drawn anew, and still where the keyboard is
        assert browser.run("document.activeElement.dataset.focus") == "sort-seconds"
    assert order == "descending"


def test_metrics_in_the_table_are_those_of_the_documents(open_page, documents):
    name = "metric.calibration.toy.both.information_gain"
    browser = open_page(kind="run", sort=f"-{name}", columns=[name])
    found = dict(zip(rows(browser), values(browser, name), strict=True))
    assert len(found) == 25
    for place, value in found.items():
        number = documents[place]["metrics"][name.removeprefix("metric.")]
        assert float(value) == pytest.approx(number, rel=1e-6)


@pytest.mark.slow
def test_a_run_is_opened_by_the_keyboard(open_page, documents):
    place = next(p for p, one in documents.items() if one["status"] == "finished")
    browser = open_page(search=documents[place]["run"])
    focus(browser, f"open-{place}")
    browser.press("Enter")
    answers = table(browser, "Answers")
    expected = documents[place]["answers"]
    assert [row[1] for row in answers] == [one["quantity"] for one in expected]
    for row, one in zip(answers, expected, strict=True):
        numbers = [one["median"], one["lower"], one["upper"]]
        assert [float(cell) for cell in row[3:]] == pytest.approx(numbers, rel=1e-6)
    browser.press("Escape")
    assert browser.run("document.getElementById('run').open") is False
    assert browser.run("document.activeElement.dataset.focus") == f"open-{place}"


def test_a_run_links_to_its_page(open_page, runs):
    place = min(runs.rglob("report.html")).parent.relative_to(runs).as_posix()
    browser = open_page(open=place)
    link = browser.run("document.querySelector('#run a').href")
    assert link == (runs / place / "report.html").as_uri()


@pytest.mark.slow
def test_two_posteriors_are_laid_over_each_other(open_page, documents, runs):
    chosen = sorted(p for p in documents if documents[p]["status"] == "finished")[:2]
    browser = open_page()
    for place in chosen:
        browser.run(
            f"document.getElementById('search').value = {json.dumps(place)};"
            "document.getElementById('search').dispatchEvent(new Event('input'))"
        )
        focus(browser, f"choose-{place}")
        browser.press(" ")
    lines = browser.run(
        "[...document.querySelectorAll('#comparison .panels')][0]"
        ".querySelectorAll('svg')[0].querySelectorAll('path.line').length"
    )
    assert lines == 2
    found = table(browser, "Medians and 16 to 84 % of the draws")
    assert len(found) == 10
    for i, place in enumerate(chosen):
        draws = pq.read_table(runs / place / "draws.toy.alone.parquet")
        for row in found[5 * i : 5 * i + 5]:
            metrics = documents[place]["metrics"]
            names = [
                f"posterior.toy.alone.{row[1]}.{end}"
                for end in ("median", "lower", "upper")
            ]
            expected = [metrics[name] for name in names]
            assert [float(cell) for cell in row[3:6]] == pytest.approx(
                expected, rel=1e-6
            )
            assert int(row[6]) == len(draws)


@pytest.mark.slow
def test_coverage_behind_the_plot_is_that_of_the_figure(open_page, documents, runs):
    place = min(p for p in documents if documents[p]["status"] == "finished")
    browser = open_page(chosen=[place])
    browser.run(
        "[...document.querySelectorAll('figure')].find(f => f.querySelector("
        "'svg[aria-label^=TARP]')).querySelector('summary').click()"
    )
    # the table is made once its details are open, a task later
    browser.run("new Promise(done => setTimeout(done, 50))")
    found = [
        (float(level), float(share))
        for _, level, share in table(browser, "TARP: numbers")
    ]
    arrays = pq.read_table(runs / place / "tarp.toy.alone.parquet").to_pylist()[0]
    expected = list(
        zip(
            arrays["curves.posterior.levels"],
            arrays["curves.posterior.coverage"],
            strict=True,
        )
    )
    assert found == [pytest.approx(pair, abs=5e-5) for pair in expected]


def test_the_pareto_front_leaves_out_what_another_beats(open_page, best_entry, trials):
    browser = open_page(kind="trial")
    front = table(browser, "The Pareto front: no entry is better in both")
    found = sorted((float(row[1]), float(row[2])) for row in front)
    # one that was stopped early is no answer, however good it looked
    pairs = [
        (one["objectives"]["gain"], one["objectives"]["cost"])
        for one in trials
        if one["state"] == "finished"
    ]
    assert found == sorted(
        (gain, cost)
        for gain, cost in pairs
        if not any(g >= gain and c <= cost and (g, c) != (gain, cost) for g, c in pairs)
    )
    gains = [gain for gain, _ in pairs]
    assert best_entry() == f"architectures/0123/trials/trial-{np.argmax(gains):05d}"


def test_an_option_explains_the_variance_between_its_values(open_page, trials):
    browser = open_page(kind="trial")
    caption = (
        "How much of objective.gain each option explains alone (omega squared); "
        "what attempts of one run found again counts once"
    )
    found = {row[0]: float(row[1]) for row in table(browser, caption)}
    finished = [one for one in trials if one["state"] == "finished"]
    gain = np.array([one["objectives"]["gain"] for one in finished])
    for name in ("inference.flow.transforms", "inference.flow.kind"):
        values = np.array([str(one["point"][name]) for one in finished])
        groups = [gain[values == value] for value in np.unique(values)]
        f = stats.f_oneway(groups[0], groups[1]).statistic
        # omega squared by F: (k - 1) (F - 1) / ((k - 1) (F - 1) + n), here k = 2
        assert found[f"option.{name}"] == pytest.approx((f - 1) / (f - 1 + len(gain)))
    assert found["option.inference.flow.transforms"] > 0.7


def test_lineage_joins_runs_that_share_a_dataset(open_page, documents):
    prints = {}
    for place, document in documents.items():
        (dataset,) = document["lineage"]["datasets"]
        prints.setdefault(dataset["fingerprint"], []).append(place)
    chosen = max(prints.values(), key=len)[:2]
    browser = open_page(chosen=chosen)
    texts = browser.run(
        "[...document.querySelectorAll('#lineage svg g title')].map(t => t.textContent)"
    )
    assert sum(text.startswith("simulations\n") for text in texts) == 1
    assert sum(text.endswith("attempt-001") for text in texts) == 2


def test_lineage_leads_from_the_dataset_to_the_report_by_way_of_all(
    open_page, documents
):
    place = min(documents)
    lineage = documents[place]["lineage"]
    browser = open_page(chosen=[place])
    browser.run(
        "const details = document.querySelector('#lineage details');"
        "details.open = true; details.dispatchEvent(new Event('toggle'))"
    )
    found = browser.run(
        "[...document.querySelectorAll('#lineage figure tbody tr')]"
        ".map(r => [...r.cells].map(c => c.textContent.match(/[(](.*)[)]$/)[1]))"
    )
    (dataset,) = (one["fingerprint"] for one in lineage["datasets"])
    expected = {(dataset, one["fingerprint"]) for one in lineage["summaries"]}
    for one in lineage["posteriors"]:
        expected |= {(one["summaries"][0], one["fingerprint"])}
        expected |= {(one["fingerprint"], place)}
    assert {tuple(arrow) for arrow in found} == expected
    assert len(found) == len(expected)
    # each is called what the run calls it
    titles = browser.run(
        "[...document.querySelectorAll('#lineage svg g title')].map(t => t.textContent)"
    )
    entries = [one for of in lineage.values() for one in of]
    assert {f"{one['key']}\n{one['fingerprint']}" for one in entries} <= {*titles}


def test_hostile_text_is_shown_as_text(open_page):
    browser = open_page(status="failed")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert HOSTILE in browser.run("document.getElementById('runs').textContent")
    (place,) = rows(browser)
    browser.run(f"document.querySelector('[data-focus=\"open-{place}\"]').click()")
    assert browser.run("document.querySelector('#run pre').textContent") == HOSTILE
    assert browser.run("document.querySelectorAll('img').length") == 0


def test_a_damaged_run_is_listed_with_what_is_wrong(open_page):
    browser = open_page(status="damaged")
    assert len(rows(browser)) == 1
    text = browser.run("document.getElementById('runs').textContent")
    assert "damaged" in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(open_page, documents, browser, width):
    chosen = sorted(p for p in documents if documents[p]["status"] == "finished")[:2]
    open_page(chosen=chosen)
    browser.look(width, 900)
    # nor is a window that a scroll bar makes narrower
    page, window = browser.run(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert page <= window <= width


@pytest.mark.slow
def test_plots_and_controls_have_names_for_a_screen_reader(open_page, documents):
    chosen = sorted(p for p in documents if documents[p]["status"] == "finished")[:2]
    browser = open_page(chosen=chosen)
    unnamed = browser.run(
        "[...document.querySelectorAll('svg:not([aria-hidden])')]"
        ".filter(s => s.getAttribute('role') !== 'img' || !s.getAttribute('aria-label'))"
        ".length"
    )
    assert unnamed == 0
    bare = browser.run(
        "[...document.querySelectorAll('input, select')]"
        ".filter(i => !i.labels.length && !i.getAttribute('aria-label')).length"
    )
    assert bare == 0
    # each plot has the table behind it
    assert browser.run(
        "[...document.querySelectorAll('figure')]"
        ".every(f => f.querySelector('details > summary'))"
    )
