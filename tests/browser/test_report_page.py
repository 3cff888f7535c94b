"""The page of a run fits a phone, whatever its parts are called."""

from dataclasses import dataclass

from astropy.table import Table

from orrery.results.page import write
from orrery.results.recording import record
from orrery.results.sections import Headline, TableSection

LONG = "binnings.desi.worth_of_each_choice"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def test_nothing_is_wider_than_a_phone_but_what_scrolls(browser, tmp_path):
    table = Table({f"a_column_{i}": [0.123456] for i in range(9)})
    with record("toy", Choices(), tmp_path) as recording:
        recording.add(
            Headline("best", "The best", f"Trial 1 of 5: {LONG} {LONG}."),
            TableSection(f"{LONG}.{'and_more' * 4}", "Worth", table, "Worth."),
        )
    page = write(recording.result)
    browser.look(390, 900)
    browser.open(page.as_uri())
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_what_is_no_number_stands_last_upwards_and_downwards(browser, tmp_path):
    table = Table({"seen": ["2", "none", "10", "all"], "name": list("abcd")})
    with record("toy", Choices(), tmp_path) as recording:
        recording.add(TableSection("seen", "Seen", table, "Seen."))
    browser.open(write(recording.result).as_uri())
    orders = []
    for _ in range(2):
        browser.run("document.querySelector('table[data-name=seen] th button').click()")
        cells = (
            "document.querySelectorAll('table[data-name=seen] tbody td:first-child')"
        )
        orders.append(
            browser.run(f"[...{cells}].map((cell) => cell.textContent.trim())")
        )
    assert orders == [["2", "10", "all", "none"], ["10", "2", "none", "all"]]
