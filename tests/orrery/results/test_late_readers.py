"""A run that is killed while its page is drawn has lost no answer, and computes none again."""

import json
import os
import signal

import pytest

from orrery import __main__ as commands
from orrery import versions
from orrery.results import figures
from orrery.results.late_readers import FinishedEarlier
from orrery.results.page import PageReader
from orrery.results.recording import read_by
from orrery.results.result import Result
from orrery.storage import files
from orrery.storage.run import attempts

pytestmark = pytest.mark.slow


@pytest.fixture
def killed(tmp_path, write, monkeypatch):
    """Returns the folder of a run that a signal killed while its first figure was drawn."""

    def kill(view):
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        monkeypatch.setattr(figures, "draw", kill)
        with read_by(PageReader()):
            write(tmp_path)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (shared,) = (tmp_path / "toy").iterdir()
    return shared


def never(recording):
    raise AssertionError("it is computed again")


def test_its_answer_is_whole_and_its_page_is_said_to_be_missing(killed, capsys):
    result = Result.open(killed)
    assert result.status == "finished"
    assert len(result.sections) == 5
    assert not result.has_page
    assert commands.main(["runs", str(killed.parents[1])]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    command = f"orrery report {result.folder}"
    assert line.endswith(f"its page is missing: `{command}` draws it")
    with files.locked(result.folder):
        commands.main(["runs", str(killed.parents[1])])
    assert "its page is being drawn" in capsys.readouterr().out
    assert commands.main(command.split()[1:]) == 0
    assert result.has_page
    commands.main(["runs", str(killed.parents[1])])
    assert capsys.readouterr().out.splitlines()[-1].endswith("attempt-001")


def test_the_next_start_draws_it_and_computes_nothing(killed, tmp_path, write, capsys):
    before = (killed / "attempt-001" / "run.json").read_bytes()
    with read_by(PageReader()), pytest.raises(FinishedEarlier) as raised:
        write(tmp_path, body=never)
    assert raised.value.result.folder == killed / "attempt-001"
    assert [path.name for path in attempts(killed)] == ["attempt-001"]
    assert (killed / "attempt-001" / "run.json").read_bytes() == before
    page = killed / "attempt-001" / "report.html"
    assert "finished" in page.read_text()
    assert capsys.readouterr().out == f"{page}\n"


def test_whoever_has_its_page_or_wants_none_computes(killed, tmp_path, write):
    assert write(tmp_path).folder.name == "attempt-002"  # nobody reads
    commands.main(["report", str(killed / "attempt-002")])
    with read_by(PageReader()):
        assert write(tmp_path).folder.name == "attempt-003"


def test_other_code_computes(killed, tmp_path, write, monkeypatch):
    software = {**versions.software(), "commit": "another"}
    monkeypatch.setattr(versions, "software", lambda: software)
    with read_by(PageReader()):
        assert write(tmp_path).folder.name == "attempt-002"


def test_a_page_that_is_being_drawn_is_not_drawn_twice(killed, tmp_path, write):
    with files.locked(killed / "attempt-001"), read_by(PageReader()):
        assert write(tmp_path).folder.name == "attempt-002"
    assert not (killed / "attempt-001" / "report.html").exists()


def test_a_page_that_cannot_be_drawn_is_no_reason_to_compute(killed, tmp_path, write):
    (killed / "attempt-001" / "speed.parquet").unlink()
    with (
        read_by(PageReader()),
        pytest.raises(FileNotFoundError, match=r"speed\.parquet"),
    ):
        write(tmp_path, body=never)


def test_a_failed_run_is_started_anew(tmp_path, write):
    with pytest.raises(AssertionError):
        write(tmp_path, body=never)
    with read_by(PageReader()):
        found = write(tmp_path)
    assert json.loads((found.folder / "run.json").read_text())["attempt"] == 2
