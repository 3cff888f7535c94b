"""A finished run knows all its files: what is lost, emptied or exchanged is named."""

import shutil

import pytest

from orrery import __main__ as commands
from orrery.results import page
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import Text
from orrery.storage.documents import read_document, write_document
from orrery.verification import verify


@pytest.fixture
def attempt(tmp_path, write_run):
    folder = write_run(tmp_path)
    page.write(Result.open(folder))
    return folder


@pytest.fixture
def run(tmp_path, choices):
    """A run's folder, of an attempt and of what it trained."""
    with record("toy", choices(), tmp_path) as recording:
        for name in "ab":
            folder = recording.run.shared / "posteriors" / name
            folder.mkdir(parents=True)
            (folder / "networks.pt").write_text(name)
            write_document(folder / "notes.json", {"of": name})
            (folder / ".training-1").mkdir()
            (folder / ".training-1" / "state.pt").write_text("unfinished")
        recording.add(Text("text", "Text", "Five."))
    return recording.run.shared


def files(folder):
    return [finding.file for finding in verify(folder) if finding.is_damage]


NAMES = ("run.json", "drawn.json", "epochs.jsonl", "draws.parquet", "line.pdf")


@pytest.mark.slow
def test_what_is_lost_or_empty_is_named_alone(attempt):
    for name in (*NAMES, "report.html", "line.parquet"):
        content = (attempt / name).read_bytes()
        (attempt / name).write_bytes(b"")
        assert files(attempt) == [name]
        (attempt / name).unlink()
        assert files(attempt) == [name]
        assert commands.main(["verify", str(attempt.parent)]) == 1
        (attempt / name).write_bytes(content)
    assert verify(attempt) == []


def test_what_was_trained_beside_is_missed(run):
    assert verify(run.parent) == verify(run) == []
    places = [run / "posteriors" / name for name in "ab"]
    one, other = [place / "networks.pt" for place in places]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    assert files(run) == [one.relative_to(run).as_posix()]
    one.write_bytes(content)
    (places[0] / "notes.json").unlink()
    assert files(run) == ["posteriors/a/notes.json"]
    shutil.rmtree(run / "posteriors")
    assert len(files(run)) == 4
    assert verify(run / "attempt-001") == []


def test_the_newest_finished_attempt_says_what_was_trained(run, tmp_path, choices):
    place = run / "posteriors" / "a" / "networks.pt"
    place.write_text("trained anew")
    with pytest.raises(ZeroDivisionError), record("toy", choices(), tmp_path):
        1 / 0  # noqa: B018
    assert files(run) == [place.relative_to(run).as_posix()]
    with record("toy", choices(), tmp_path):
        pass
    assert verify(run) == []


def test_an_attempt_that_is_anothers_is_named(run, tmp_path):
    shutil.copytree(run / "attempt-001", run / "attempt-002")
    assert files(run) == ["attempt-002/run.json"]
    (run / "attempt-002").rename(run / "attempt-002.copy")
    assert verify(run) == []
    shutil.copytree(run, run.parent / "0123456789abcdef")
    assert files(tmp_path) == ["toy/0123456789abcdef/attempt-001/run.json"]


@pytest.mark.slow
def test_a_list_that_is_cut_is_named(attempt):
    drawn = read_document(attempt / "drawn.json", "")["drawn"]
    del drawn["line.pdf"]
    write_document(attempt / "drawn.json", {"drawn": drawn})
    document = read_document(attempt / "run.json", "")
    inventory = {**document["inventory"], "files": {}}
    write_document(attempt / "run.json", {**document, "inventory": inventory})
    assert files(attempt) == ["drawn.json", "run.json"]


@pytest.mark.slow
def test_a_lost_list_of_what_was_drawn_is_drawn_again(attempt):
    content = (attempt / "drawn.json").read_bytes()
    (attempt / "drawn.json").unlink()
    assert commands.main(["verify", "--repair", str(attempt)]) == 0
    assert (attempt / "drawn.json").read_bytes() == content


@pytest.mark.slow
def test_runs_of_before_are_told_and_are_sound(attempt):
    document = read_document(attempt / "run.json", "")
    del document["inventory"]
    write_document(attempt / "run.json", document)
    (attempt / "epochs.jsonl").unlink()
    (attempt / "drawn.json").unlink()
    found = verify(attempt)
    assert [one.file for one in found] == ["drawn.json", "run.json"]
    assert files(attempt) == []
    assert commands.main(["verify", str(attempt)]) == 0


@pytest.mark.slow
def test_an_attempt_that_was_killed_before_its_first_document_lacks_nothing(attempt):
    begun = attempt.with_name("attempt-002")
    begun.mkdir()
    (begun / ".lock").write_text("")
    assert verify(attempt.parent) == []


@pytest.mark.slow
def test_the_page_of_another_run_with_its_list_is_named(attempt, tmp_path, run):
    other = run / "attempt-001"
    page.write(Result.open(other))
    drawn = read_document(other / "drawn.json", "")["drawn"]
    for name in ("drawn.json", *drawn):
        shutil.copy(other / name, attempt / name)
    assert files(attempt) == ["drawn.json"]
    page.write(Result.open(attempt))
    assert files(attempt) == []


@pytest.mark.slow
def test_a_document_that_is_older_than_its_page_is_named(attempt):
    document = read_document(attempt / "run.json", "")
    write_document(attempt / "run.json", {**document, "status": "running"})
    assert files(attempt) == ["run.json"]


@pytest.mark.parametrize("depth", ["posteriors", "posteriors/deep"])
def test_what_was_trained_behind_a_link_to_another_disk_is_looked_at(
    tmp_path, choices, depth
):
    disk = tmp_path / "disk"
    disk.mkdir()
    with record("toy", choices(), tmp_path / "runs") as recording:
        link = recording.run.shared / depth
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(disk)
        write_document(disk / "notes.json", {"of": "a"})
        (disk / "networks.pt").write_text("a")
    run = recording.run.shared
    assert verify(run) == []
    content = bytearray((disk / "notes.json").read_bytes())
    content[-4] ^= 1
    (disk / "notes.json").write_bytes(content)
    assert files(run) == [f"{depth}/notes.json"]


def test_a_link_to_an_attempt_lists_nothing_of_it(tmp_path, choices):
    with record("toy", choices(), tmp_path) as recording:
        shared = recording.run.shared
        (shared / "latest").symlink_to(recording.run.folder)
    with record("toy", choices(), tmp_path) as recording:
        pass
    assert recording.result.document["inventory"]["learned"] == {}
    assert verify(tmp_path) == []
