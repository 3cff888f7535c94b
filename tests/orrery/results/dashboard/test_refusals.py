"""A copy counts as sent only if its server took everything, whatever wandb's mark says."""

import json
import sys

import pytest

from orrery.__main__ import main
from orrery.results.dashboard import refusals, uploader, uploads
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import is_sent, marker
from orrery.results.dashboard.reader import DashboardReader
from orrery.results.dashboard.receipts import Receipts
from orrery.results.dashboard.refusals import DELETED, check_marks, sync_logs
from orrery.results.dashboard.uploads import Upload

LOST = {"level": "ERROR", "msg": "sender: failed to log artifact", "error": "no key"}
WORSE = {"level": "ERROR+4", "msg": "filestream: fatal error: 403 Forbidden"}
ABSENT = {"level": "WARN", "msg": "runfiles: upload: file does not exist"}
LONG = {"level": "WARN", "msg": "filestream: run history line too long, skipping"}
TAKEN = {"level": "INFO", "msg": "sender: closed"}
BEGUN = {"level": "INFO", "msg": "sender: started"}
ASIDE = {"level": "ERROR", "msg": "featurechecker: failed to load features"}
SLOW = {"level": "WARN", "msg": "sender: taking a long time"}
ANSWER = {"level": "ERROR", "msg": "api: HTTP error", "status": 400}


@pytest.fixture
def marked(tmp_path):
    """Two copies that wandb has marked as sent."""
    copies = [tmp_path / "wandb" / f"offline-run-{n}" / f"run-{n}.wandb" for n in "ab"]
    for copy in copies:
        copy.parent.mkdir(parents=True)
        copy.write_bytes(b"records")
        marker(copy).touch()
    return copies


def take_everything(copy):
    """Says of a copy what a server has not."""
    return ""


def write_log(copies, *lines, name="1"):
    """Writes what wandb keeps of sending copies, line by line, each of one copy."""
    log = copies[0].parents[1] / "logs" / f"debug-sync.{name}.log"
    log.parent.mkdir(exist_ok=True)
    text = [json.dumps({"sync_path": str(copy), **line}) for copy, line in lines]
    log.write_text("\n".join([*text, '{"torn": ']))


@pytest.mark.parametrize("loss", [LOST, WORSE, ABSENT, LONG])
def test_what_was_refused_is_not_marked_as_sent(marked, loss):
    one, other = marked
    before = sync_logs(marked)
    write_log(marked, (one, TAKEN), (other, TAKEN), (one, loss), (one, TAKEN))
    reasons = check_marks(marked, before, take_everything)
    assert list(reasons) == [one]
    assert loss["msg"] in reasons[one]
    assert [is_sent(copy) for copy in marked] == [False, True]


@pytest.mark.parametrize("line", [ASIDE, ANSWER, SLOW])
def test_errors_that_lose_nothing_of_a_copy_leave_it_sent(marked, line):
    write_log(marked, *((copy, TAKEN) for copy in marked), (marked[0], line))
    assert not check_marks(marked, frozenset(), take_everything)
    assert all(is_sent(copy) for copy in marked)


def test_what_was_refused_before_does_not_count(marked):
    write_log(marked, *((copy, LOST) for copy in marked))
    before = sync_logs(marked)
    write_log(marked, *((copy, TAKEN) for copy in marked), name="2")
    assert not check_marks(marked, before, take_everything)
    assert all(is_sent(copy) for copy in marked)


def test_a_run_that_was_deleted_on_the_server_is_told_from_one_that_was_refused(
    marked,
):
    one, other = marked
    before = sync_logs(marked)
    said = "run x was previously created and deleted; try a new run name"
    again = {"level": "INFO", "msg": "api: retrying HTTP error", "body": said}
    write_log(marked, (one, again), (other, again), (other, TAKEN))
    marker(one).unlink()  # the other was taken in the end: it was brought back
    assert check_marks(marked, before, take_everything) == {one: DELETED}
    assert is_sent(other)


def test_a_copy_of_which_a_server_has_not_everything_is_not_sent(marked):
    write_log(marked, *((copy, TAKEN) for copy in marked))
    lacks = {marked[0]: "it has 1 of 2 rows", marked[1]: ""}
    assert check_marks(marked, frozenset(), lacks.get) == {marked[0]: lacks[marked[0]]}
    assert [is_sent(copy) for copy in marked] == [False, True]


def words_read(folder, count, monkeypatch):
    """Returns how often a log is opened, and a line looked at, for so many copies."""
    places = [folder / "wandb" / f"offline-run-{n}" for n in range(count)]
    copies = [place / f"run-{place.name}.wandb" for place in places]
    for copy in copies:
        copy.parent.mkdir(parents=True)
        marker(copy).touch()
    write_log(copies, *((copy, TAKEN) for copy in copies for _ in range(10)))
    opened, looked = [], []
    with monkeypatch.context() as patch:
        for name, calls in (("_lines", opened), ("_text", looked)):
            patch.setattr(refusals, name, counted(getattr(refusals, name), calls))
        assert not check_marks(copies, frozenset(), take_everything)
    return len(opened), len(looked)


def counted(function, calls):
    def count(*given):
        calls.append(given)
        return function(*given)

    return count


def test_logs_of_many_copies_are_read_once_and_each_line_for_its_copy(
    tmp_path, monkeypatch
):
    opened, looked = words_read(tmp_path / "few", 20, monkeypatch)
    assert opened == 1
    assert looked
    # nine times as much, were all lines looked at for each copy
    assert words_read(tmp_path / "many", 60, monkeypatch) == (1, 3 * looked)


# --- the process that sends ----------------------------------------------------------------


def nothing_lacks():
    return Receipts(lambda: (lambda query, asked: {}, ()))


def test_a_mark_that_says_nothing_is_gone_before_its_copy_is_sent(marked, monkeypatch):
    seen = []

    def started(*given, **named):
        seen.extend(marker(copy).exists() for copy in marked)

    monkeypatch.setattr(uploader.runpy, "run_module", started)
    monkeypatch.setattr(sys, "argv", [])
    uploader._be_wandb(["sync"], marked, nothing_lacks())
    assert seen == [False, False]  # wandb would skip them
    assert not any(is_sent(copy) for copy in marked)


def test_a_mark_of_which_no_log_tells_does_not_count(marked):
    write_log(marked, (marked[0], TAKEN))
    assert list(check_marks(marked, frozenset(), take_everything)) == [marked[1]]
    assert not is_sent(marked[1])


def test_whoever_has_a_copy_sent_knows_what_was_refused(marked, monkeypatch):
    path = marked[0]
    line = json.dumps([str(path), "not everything was taken: \u00b5"])
    script = f"read copies; echo '{uploads.KEPT}{line}'; echo Done."
    monkeypatch.setattr(uploads, "_command", lambda *given: ["sh", "-c", script])
    upload = Upload([path], Patience())
    upload.end(None)
    assert not is_sent(path)
    assert upload.reason == "not everything was taken: \u00b5"


def test_what_was_sent_is_no_reason_for_what_was_not(marked, monkeypatch):
    said = ["permission denied", "[run-7.wandb] Finished syncing runs/sweeps/toy"]
    script = "; ".join(["read copies", *(f"echo 'wandb: {one}'" for one in said)])
    monkeypatch.setattr(uploads, "_command", lambda *given: ["sh", "-c", script])
    upload = Upload([marked[0]], Patience())
    upload.end(None)
    assert upload.reason == "permission denied"


def test_what_sends_a_copy_takes_its_mark_back_itself(marked, monkeypatch, capsys):
    path = marked[0]

    def refused(*given, **named):
        marker(path).touch()
        write_log(marked, (path, LOST))
        raise SystemExit(0)

    monkeypatch.setattr(uploader.runpy, "run_module", refused)
    monkeypatch.setattr(sys, "argv", [])
    with pytest.raises(SystemExit):
        uploader._be_wandb(["sync"], [path], nothing_lacks())
    assert not marker(path).exists()
    assert f"{uploads.KEPT}[" in capsys.readouterr().out


# --- wandb itself, and a server that refuses --------------------------------------------

REFUSING = [{"revoked_after": 12}, {"refused": "file_stream"}, {"refused": "files"}]


@pytest.mark.slow
def test_what_a_server_refused_is_sent_again(serving, mirrored, capsys):
    # one run through all of them: were it marked as sent once, it would not be sent again
    folder = mirrored("mwlmc").folder
    for behaviour in REFUSING:
        with serving(**behaviour):
            assert main(["sync", str(folder)]) == 1, behaviour
        told = capsys.readouterr().out
        assert told.startswith(f"kept: {folder}"), behaviour
        assert "not everything was taken" in told, behaviour
    with serving() as arrived:
        assert main(["sync", str(folder)]) == 0
    assert "posterior-77" in arrived.committed
    assert capsys.readouterr().out.startswith("sent: ")


@pytest.mark.slow
def test_a_run_is_told_what_was_refused_while_it_was_written(
    serving, recorded, monkeypatch, capsys
):
    monkeypatch.setenv("WANDB_MODE", "online")
    with serving(refused="files"):
        folder = recorded("mwlmc", DashboardReader(Patience(5.0, 30.0))).folder
    told = capsys.readouterr().err
    assert "has not got the run (not everything was taken" in told
    assert not any(is_sent(file) for file in folder.rglob("*.wandb"))
