"""A copy is sent once its server says itself that it has everything of it."""

from types import SimpleNamespace

import pytest

from orrery.__main__ import main
from orrery.results.dashboard import receipts, uploads
from orrery.results.dashboard.copies import Copy
from orrery.results.dashboard.receipts import Receipts, Shipment, missing, shipment

TABLE = "media/table/answers.json"
SENT = Shipment(None, "orrery", "0123-001", 2, (TABLE,), (("posterior", "p-77", "aa"),))
STORED = {"name": TABLE, "md5": "xyz=="}
COMMITTED = {"digest": "aa", "state": "COMMITTED"}


def nodes(*found):
    return {"edges": [{"node": one} for one in found]}


def answering(rows=2, files=(STORED,), artifacts=(COMMITTED,)):
    """Asks a server that has some of it."""

    def ask(query, asked):
        assert (asked["entity"], asked["project"]) == (None, "orrery")
        if "SentRun" in query:
            assert asked["run"] == SENT.run
            run = {"historyLineCount": rows, "files": nodes(*files)}
            return {"model": {"bucket": run}}
        found = {"artifactCollection": {"artifacts": nodes(*artifacts)}}
        return {"model": {"artifactType": found}}

    return ask


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(receipts, "_PAUSE", 0.0)


def test_nothing_is_missing_of_what_has_arrived():
    assert missing(SENT, answering()) == ""
    assert missing(SENT, answering(rows=3)) == ""  # of an earlier sending


LACKS = {
    "1 of 2 rows of numbers": {"rows": 1},
    "0 of 2 rows of numbers": {"rows": None},
    f"no {TABLE}": {"files": ()},
    "not committed p-77": {"artifacts": ({**COMMITTED, "state": "PENDING"},)},
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_a_server_has_not_is_named(lack):
    assert missing(SENT, answering(**LACKS[lack])).endswith(f": its server has {lack}")


def test_a_file_that_was_announced_and_never_stored_is_missing():
    assert "no media" in missing(SENT, answering(files=({**STORED, "md5": "0"},)))
    other = ({"digest": "bb", "state": "COMMITTED"},)  # an earlier version
    assert "not committed" in missing(SENT, answering(artifacts=other))


def test_what_wandb_was_told_to_leave_out_is_not_missed():
    assert missing(SENT, answering(files=()), ("media/*",)) == ""


def test_a_server_that_needs_a_moment_is_asked_again(tmp_path, monkeypatch):
    late = [0, 0]

    def ask(query, asked):
        return answering(rows=late.pop() if late else 2)(query, asked)

    monkeypatch.setattr(receipts, "shipment", lambda file: SENT)
    assert Receipts(lambda: (ask, ())).lacking(tmp_path) == ""


def test_a_server_that_has_lost_everything_costs_its_moment_once(tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(receipts.time, "sleep", pauses.append)
    monkeypatch.setattr(receipts, "shipment", lambda file: SENT)
    all_of_them = Receipts(lambda: (answering(rows=0), ()))
    for _ in range(100):
        assert "0 of 2 rows" in all_of_them.lacking(tmp_path)
    assert len(pauses) < 10


def test_a_run_that_the_server_does_not_know_was_not_taken():
    known = missing(SENT, lambda query, asked: {"model": {"bucket": None}})
    assert known.endswith("its server has no such run")
    assert missing(SENT, lambda query, asked: {"model": None}) == known


def test_a_server_that_does_not_understand_the_question_says_nothing():
    class RefusedError(Exception):
        response = SimpleNamespace(http_status=400)

    def ask(query, asked):
        raise RefusedError("Cannot query field")

    assert missing(SENT, ask) == ""
    assert missing(SENT, lambda query, asked: {}) == ""
    assert missing(SENT, lambda query, asked: None) == ""


def test_a_server_that_cannot_be_asked_is_asked_once(tmp_path, monkeypatch):
    asked = []

    def ask(query, variables):
        asked.append(query)
        raise TimeoutError("it is silent")

    monkeypatch.setattr(receipts, "shipment", lambda file: SENT)
    all_of_them = Receipts(lambda: (ask, ()))
    for _ in range(2):
        why = all_of_them.lacking(tmp_path / "a.wandb")
        assert why.endswith(
            "could not be asked what it has (TimeoutError: it is silent)"
        )
    assert len(asked) == 1


@pytest.mark.slow
def test_what_a_server_should_have_is_what_a_copy_holds(mirrored, inspected):
    result = mirrored("mwlmc")
    copy = Copy.read(result.folder)
    sent, found = shipment(copy.path(result.folder)), inspected(result.folder)
    assert (sent.entity, sent.project, sent.run) == (None, "orrery", copy.identity)
    assert sent.rows == len(found.records["history"])
    assert {name for _, name, _ in sent.artifacts} == set(found.artifacts)
    assert "requirements.txt" in sent.files
    assert sum(name.startswith("media/table") for name in sent.files) == 3


# --- wandb itself, and a server that says that all is well --------------------------------

FAKED = {
    "files": {"page": "no ", "login": "no ", "nothing": "no "},
    "file_stream": {
        "stop": "0 of ",
        "null": "0 of ",
        "page": "filestream: json decode",
    },
    "UpsertBucket": {"null": "upsert bucket response empty"},
}
CASES = [
    (kind, fake, why) for kind, fakes in FAKED.items() for fake, why in fakes.items()
]


AT_ONCE = """
import sys
from orrery.results.dashboard import receipts, uploader
receipts._PAUSE = 0.0
sys.exit(uploader.main())
"""


@pytest.fixture
def asked_at_once(monkeypatch):
    """Lets the process that sends ask again without a pause: our server needs none."""
    command = uploads._command

    def hurried(patience, live):
        python, _, _, *options = command(patience, live)
        return [python, "-c", AT_ONCE, *options]

    monkeypatch.setattr(uploads, "_command", hurried)


@pytest.fixture
def told_of(capsys):
    """Returns a function of runs and how their sending ends: what is told of each folder."""

    def sync(folders, code):
        assert main(["sync", *map(str, folders)]) == code
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(folders)
        return {
            folder: next(line for line in lines if f" {folder}" in line)
            for folder in folders
        }

    return sync


@pytest.mark.slow
def test_what_a_server_only_pretends_to_take_is_sent_again(
    serving, mirrored, told_of, asked_at_once
):
    folders = [mirrored("mwlmc").folder for _ in CASES]
    faked = {kind: {} for kind in FAKED}
    for folder, (kind, fake, _) in zip(folders, CASES, strict=True):
        faked[kind][Copy.read(folder).identity] = fake
    with serving(faked=faked):
        told = told_of(folders, 1)
    for folder, case in zip(folders, CASES, strict=True):
        assert told[folder].startswith(f"kept: {folder} not everything was"), case
        assert case[2] in told[folder], case
    # artifacts are no run's alone: what would not commit them would commit none
    with serving(faked={"CommitArtifact": "null"}):
        told = told_of(folders[:1], 1)
    assert "not everything was taken: its server has not committed " in told[folders[0]]
    # were one marked as sent, it would not be sent again
    with serving() as arrived:
        assert all(line.startswith("sent: ") for line in told_of(folders, 0).values())
    assert "posterior-77" in arrived.committed
    assert len(arrived.history) == len(folders)
    assert all(len(rows) > 100 for rows in arrived.history.values())
