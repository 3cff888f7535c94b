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
