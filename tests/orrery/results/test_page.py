"""The page needs nothing but itself, shows every part, and is the same when drawn again."""

import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy.table import Table

from orrery import __main__ as commands
from orrery.results import page
from orrery.results.console import ConsoleReader
from orrery.results.page import PageReader
from orrery.results.recording import read_by, record
from orrery.results.result import Result
from orrery.results.sections import Answer, TableSection, shown
from orrery.storage.documents import parsed, write_document

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Choices:
    seed: int = 1


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


@pytest.fixture
def drawn(tmp_path, write):
    """Records a run whose page is written; returns it."""

    def made(**arguments):
        with read_by(PageReader()):
            return write(tmp_path, **arguments)

    return made


@pytest.fixture(scope="module")
def known(tmp_path_factory, write):
    """The folder of a run whose page is written, and which no test changes."""
    with read_by(PageReader()):
        return write(tmp_path_factory.mktemp("known")).folder


def test_page_needs_nothing_but_itself_and_its_neighbours(known):
    text = (known / "report.html").read_text()
    found = Page(text)
    assert not {tag for tag, _ in found.tags} & {"iframe", "object"}
    assert all(source.startswith("data:") for source in found.values("src"))
    # its script is of its own, and fetches nothing; others are data of its figures
    scripts = [attrs for tag, attrs in found.tags if tag == "script"]
    assert scripts == [{"type": "application/json"}, {}]
    assert "fetch(" not in text
    assert "@import" not in text
    assert "url(" not in text
    links = [link for link in found.values("href") if not link.startswith("data:")]
    inside = [link[1:] for link in links if link.startswith("#")]
    assert set(inside) <= set(found.values("id"))
    assert len(found.values("id")) == len(set(found.values("id")))
    files = [link for link in links if not link.startswith("#")]
    assert len(files) == 5
    assert all((known / name).is_file() for name in files)


def test_page_shows_every_part_escaped(known):
    text = (known / "report.html").read_text()
    for part in (
        "finished",
        "20.5",
        "How &lt;fast&gt;?",
        "v_y is off.",
        "&lt;stars&gt; &amp; co",
        "TARP: passed",
    ):
        assert part in text
    assert "<fast>" not in text
    images = [attrs for tag, attrs in Page(text).tags if tag == "img"]
    assert [attrs["alt"] for attrs in images] == ['A speed. Straight "up".']
    assert "flow.<wbr>layers" in text
    assert "numpy" in text


def test_the_answer_stands_before_verdicts_and_these_before_numbers(known):
    text = (known / "report.html").read_text()
    places = [
        text.index(part)
        for part in ('class="answers"', 'class="verdicts"', "<details>")
    ]
    assert places == sorted(places)
    assert "3.2" in text[places[0] : places[1]]


def test_an_answer_of_nothing_has_no_sign(drawn):
    def body(recording):
        recording.answers([Answer("posterior.toy.w", "toy", "w", "", -0.01, -2.0, 1.0)])

    text = (drawn(body=body).folder / "report.html").read_text()
    answers = text.partition('class="answers"')[2].partition("</table>")[0]
    assert re.search(r"\b0\.0\b", answers)
    assert "\N{MINUS SIGN}0.0" not in answers


def test_small_numbers_are_not_nought_and_each_stands_below_its_own_unit(drawn):
    def body(recording):
        size = Answer("posterior.a.k", "a", "k", "pc", 0.0012, 0.0010, 0.0015)
        other = Answer("posterior.b.k", "b", "k", "km", 3.7e10, 3.1e10, 4.6e10)
        recording.answers([size, other])

    text = (drawn(body=body).folder / "report.html").read_text()
    answers = text.partition('class="answers"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", answers)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    # a column for pc, then one for km
    (size, nothing), (none, other) = cells
    assert [nothing, none] == ["", ""]
    assert size.startswith("0.00120<")
    assert other.startswith("37000000000.0<")
    assert "k = <b>0.00120</b>" in text


def test_a_mean_without_an_interval_is_said_to_be_one(drawn):
    def body(recording):
        unknown = (math.nan, math.nan, math.nan, (11.28, 13.62), 11.801)
        answer = Answer("posterior.mass.10", "10", "log10 M", "dex(solMass)", *unknown)
        recording.answers([answer])
        recording.metrics({"rmse.10.minimum": math.nan})

    found = drawn(body=body)
    text = (found.folder / "report.html").read_text()
    assert "<h2>The answer</h2>" in text
    said = text.partition('class="answer">')[2].partition("</p>")[0]
    assert said == (
        "log10 M = <b>11.80</b> dex(M☉), a predicted mean without an interval, from 10; "
        "the prior has 11.28 to 13.62 dex(M☉)."
    )
    answers = text.partition('class="answers"')[2].partition("</table>")[0]
    assert "11.80<small" in answers
    assert "predicted mean, no interval" in answers
    shown = text.partition("<body>")[2].partition("<script>")[0]
    assert not re.search(r"\bnan\b", shown)
    [answer] = found.document["answers"]
    assert [answer[name] for name in ("median", "lower", "upper")] == [None] * 3
    assert found.metrics["posterior.mass.10.predicted_mean"] == 11.801
    assert "posterior.mass.10.median" not in found.metrics


def test_an_answer_of_an_older_document_that_is_text_is_a_dash(drawn):
    def body(recording):
        recording.answers([Answer("posterior.a.b", "a", "b", "", math.nan, 0.0, 1.0)])

    found = drawn(body=body)
    document = found.document
    document["answers"][0] |= {"median": "nan", "lower": "nan", "upper": "nan"}
    text = page.render(Result(found.folder, document), [])
    answers = text.partition('class="answers"')[2].partition("</table>")[0]
    assert "\N{EN DASH}" in answers
    assert "nan" not in answers


def test_an_error_that_simulations_have_is_a_dash_in_a_data_vector_alone(drawn, capsys):
    columns = {"summary": ["a", "b"], "value": [0.0, 2.0], "error": [0.0, 0.5]}

    def body(recording):
        for key in ("data_vector.desi", "errors.desi"):
            part = TableSection(key, key, Table(columns), "Where no error is shown.")
            recording.add(part)
            ConsoleReader().section(part)

    found = drawn(body=body)
    text = (found.folder / "report.html").read_text()
    cells = {
        key: re.findall("<td>(.*?)</td>", text.partition(f'data-name="{key}"')[2])[:6]
        for key in ("data_vector.desi", "errors.desi")
    }
    assert cells["data_vector.desi"] == ["a", "0", "\N{EN DASH}", "b", "2", "0.5"]
    assert cells["errors.desi"] == ["a", "0", "0", "b", "2", "0.5"]
    assert capsys.readouterr().err.count("\N{EN DASH}") == 1
    # posteriors read the table back
    kept = Table.read(found.folder / "data_vector.desi.ecsv")
    assert list(kept["error"]) == [0.0, 0.5]


def test_names_of_data_wrap_so_that_a_narrow_screen_shows_their_answers(known):
    text = (known / "report.html").read_text()
    style = text.partition("<style>")[2].partition("</style>")[0]
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", style)
    bodies = dict[str, str]()
    for what, body in rules:
        bodies[what.strip()] = bodies.get(what.strip(), "") + body
    # cells of other tables do not wrap; the more specific rule wins
    assert "white-space: nowrap" in bodies["th, td"]
    assert "white-space: normal" in bodies[".answers tbody th"]


def test_the_lineage_stands_in_the_order_in_which_one_is_made_from_another(
    drawn, tmp_path, capsys
):
    made = {"key": "toy", "dataset": "4e", "seed": 1}

    def body(recording):
        recording.lineage(
            "posteriors", {**made, "fingerprint": "8d", "summaries": ["1b"]}
        )
        recording.lineage("summaries", {**made, "fingerprint": "1b"})
        recording.lineage("datasets", {"key": "simulations", "fingerprint": "4e"})

    text = (drawn(body=body).folder / "report.html").read_text()
    rows = text.partition('id="lineage-of-this-run"')[2].partition("</table>")[0]
    cells = re.findall("<td>(.*?)</td>", rows)
    assert cells == [
        *("datasets", "simulations", "4e", ""),
        *("summaries", "toy", "1b", "4e"),
        *("posteriors", "toy", "8d", "1b"),
    ]
    assert commands.main(["runs", str(tmp_path), "--lineage"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "    datasets simulations: 4e",
        "    summaries toy: 1b from 4e",
        "    posteriors toy: 8d from 1b",
    ]


def test_a_damaged_lineage_hides_no_run(drawn, tmp_path, capsys):
    folder = drawn().folder
    path = folder / "run.json"
    write_document(path, parsed(path.read_bytes()) | {"lineage": {"a": [1]}})
    assert commands.main(["runs", str(tmp_path), "--lineage"]) == 0
    assert "its lineage is damaged" in capsys.readouterr().out


def test_a_page_is_the_same_when_drawn_again_without_imports_of_training(known):
    before = (known / "report.html").read_bytes()
    (known / "report.html").unlink()
    code = (
        "import sys\n"
        "from orrery.__main__ import main\n"
        "assert main(['report', sys.argv[1]]) == 0\n"
        "assert not {'lightning', 'ray', 'sbi', 'torch'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(known.parent)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (known / "report.html").read_bytes() == before


def test_a_page_of_an_earlier_attempt_is_told_with_the_reason(drawn, capsys):
    first, second = drawn().folder, drawn().folder
    run = str(first.parent)
    capsys.readouterr()
    assert commands.main(["report", run]) == 0
    told = capsys.readouterr()
    assert told.out == f"{second}/report.html\n"
    assert "warning" not in told.err

    torn = second / "run.json"
    torn.write_bytes(torn.read_bytes()[:100])
    (first.parent / "attempt-003").mkdir()  # killed before its first document
    assert commands.main(["report", run]) == 0
    told = capsys.readouterr()
    assert told.out == f"{first}/report.html\n"
    of_second, of_third = [one for one in told.err.splitlines() if "warning" in one]
    assert "warning: attempt-002 is damaged (" in of_second
    assert f"{torn} " in of_second
    assert "warning: attempt-003 is failed (the process ended before" in of_third
    for line in (of_second, of_third):
        assert "attempt-001, the newest finished attempt" in line
    # who asks for an attempt knows which one it is
    assert commands.main(["report", str(first)]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_page_of_a_document_without_distances_from_medians_is_the_same(drawn):
    """As documents were before these numbers had keys of their own."""
    folder = drawn().folder
    found = Result.open(folder)
    before = (folder / "report.html").read_text()
    head = before[: before.index("<details>")]
    ends = ("lower_error", "upper_error")
    older = {k: v for k, v in found.metrics.items() if not k.endswith(ends)}
    assert len(older) == len(found.metrics) - 2
    page.write(Result(folder, found.document | {"metrics": older}))
    assert (folder / "report.html").read_text().startswith(head)


def test_last_line_is_the_page(drawn, capsys):
    folder = drawn().folder
    path = capsys.readouterr().out.splitlines()[-1]
    assert path == str(folder / "report.html")


def test_a_failed_run_has_a_page_with_its_error(drawn, capsys):
    def body(recording):
        raise RuntimeError("the disc is <full>")

    with pytest.raises(RuntimeError, match="the disc is"):
        drawn(body=body)
    with open(capsys.readouterr().out.splitlines()[-1]) as file:
        text = file.read()
    assert 'class="badge failed"' in text
    assert "RuntimeError: the disc is &lt;full&gt;" in text


def test_runs_are_listed_with_how_they_ended(drawn, tmp_path, capsys):
    def body(recording):
        raise RuntimeError("too early")

    drawn()
    with pytest.raises(RuntimeError):
        drawn(body=body)
    capsys.readouterr()
    assert commands.main(["runs", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert listed.count("toy/") == 2
    assert "finished" in listed
    assert "too early" in listed


def test_a_folder_of_one_run_is_that_run_and_of_several_none(drawn, capsys):
    run = drawn().folder.parent
    assert commands.main(["report", str(run.parent)]) == 0
    shutil.copytree(run, run.parent / "0123456789abcdef")
    assert commands.main(["report", str(run.parent)]) == 1
    assert "holds 2 runs: give one of them" in capsys.readouterr().err


def test_a_place_without_runs_is_one_line(tmp_path, capsys):
    assert commands.main(["report", str(tmp_path)]) == 1
    assert "no run in" in capsys.readouterr().err


def test_damaged_arrays_are_refused_by_name(drawn):
    folder = drawn().folder
    document = json.loads((folder / "run.json").read_text())
    (figure,) = (s for s in document["sections"] if s["kind"] == "figure")
    (folder / figure["data"]).write_bytes(b"not parquet")
    with pytest.raises(ValueError, match=r"speed\.parquet"):
        page.write(Result.open(folder))


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1234.567, None, "1235"),
        (np.float32(0.5), None, "0.5"),
        (2.0, ".2f", "2.00"),
        (2.0, "{:.1f}", "2.0"),
        (2.0, "%.3f", "2.000"),
        (7, None, "7"),
        ("-inf", "%.3f", "-inf"),
        (float("nan"), ".1f", "\N{EN DASH}"),
        (np.float32("nan"), None, "\N{EN DASH}"),
        (np.ma.masked, None, "\N{EN DASH}"),
    ],
)
def test_numbers_are_shown_as_asked(value, form, text):
    assert shown(value, form) == text


@pytest.mark.parametrize(("rows", "folded"), [(30, False), (31, True)])
def test_a_long_table_is_folded_and_its_caption_is_not(tmp_path, rows, folded):
    table = Table({"summary": [f"v_{i}_a" for i in range(rows)], "value": [1.0] * rows})
    with record("toy", Choices(), tmp_path) as recording:
        recording.add(TableSection("data_vector.a", "Data", table, "What it is."))
    text = page.write(recording.result).read_text()
    (part,) = re.findall(r'<section class="table".*?</section>', text, re.DOTALL)
    assert ("<details" in part) is folded
    assert part.count("<tr>") == rows + 1
    assert part.index("What it is.") > part.index(
        "</details>" if folded else "</table>"
    )
