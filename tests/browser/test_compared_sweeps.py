"""The page compares sweeps where they can be compared: same trials, goals, units."""

from urllib.parse import urlencode

import pytest


@pytest.mark.slow
def test_the_first_two_measures_are_of_the_same_trials(browser, page_of_two_sweeps):
    browser.look(1280, 900)
    for experiment, expected in (
        ("", ["gain", "seconds"]),
        ("two", ["rmse", "leakage"]),
    ):
        browser.open(f"{page_of_two_sweeps}#{urlencode({'experiment': experiment})}")
        head = browser.run(
            "[...document.querySelectorAll('#best th')].map(cell => cell.textContent)"
        )
        entry, *names = head[-3:]  # of the Pareto front
        assert entry == "entry"
        assert [name.removeprefix("objective.") for name in names] == expected


@pytest.mark.slow
def test_sweeps_that_seek_opposite_ends_of_one_name_have_no_best_together(
    browser, best_entry, page_of_opposite_sweeps
):
    browser.look(1280, 900)
    for experiment, number in (("most", 2), ("least", 0)):
        state = urlencode({"experiment": experiment})
        browser.open(f"{page_of_opposite_sweeps}#{state}")
        best = f"sweeps/{experiment}/0123/trials/trial-{number:05d}"
        assert best_entry() == best
    browser.open(f"{page_of_opposite_sweeps}#")
    assert best_entry() is None
    told = browser.run("document.getElementById('best').textContent")
    assert "objective.score one of these sweeps seeks more and another less" in told
    assert browser.run("document.querySelector('#coordinates caption')") is None
    # a search leaves one of them, and whoever looks may decide
    browser.open(f"{page_of_opposite_sweeps}#{urlencode({'search': 'least'})}")
    assert best_entry().endswith("least/0123/trials/trial-00000")
    browser.open(f"{page_of_opposite_sweeps}#{urlencode({'firstLess': '0'})}")
    assert best_entry().endswith("trial-00002")


def test_the_largest_integers_have_axes(browser, best_entry, page_of_large_integers):
    browser.look(1280, 900)
    browser.open(page_of_large_integers)
    assert browser.seen("Runtime.exceptionThrown") == []
    assert best_entry().endswith("trial-00002")
    marks = browser.run("document.querySelectorAll('#best svg .tick').length")
    assert 0 < marks < 20
    assert browser.run("document.querySelectorAll('#coordinates svg').length") == 1


@pytest.mark.slow
def test_numbers_of_one_name_in_two_units_share_no_axis(
    browser, page_of_two_units, tmp_path
):
    browser.look(1280, 900)
    places = sorted(
        path.parent.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("run.json")
    )
    browser.open(f"{page_of_two_units}#{urlencode({'chosen': places}, doseq=True)}")
    labels = browser.run(
        "[...document.querySelectorAll('#comparison svg')].map(svg => svg.textContent)"
    )
    for quantity in ("d", "RMSE"):
        for unit in ("kpc", "Mpc"):
            axes = [text for text in labels if f"{quantity} [{unit}]" in text]
            assert len(axes) == 1, (quantity, unit)


@pytest.mark.slow
def test_attempts_that_found_the_same_make_no_option_matter(browser, page_of_attempts):
    browser.look(1280, 900)
    found = []
    for attempts in (1, 4):
        state = urlencode({"first": "metric.gain"})
        browser.open(f"{page_of_attempts(attempts)}#{state}")
        found.append(
            browser.run(
                "[...document.querySelectorAll('#coordinates table tr')]"
                ".map(row => row.textContent)"
            )
        )
    assert len(found[0]) > 1
    assert found[1] == found[0]
