"""What is read from a run's folder: who is at work there, and what is no document of ours."""

import json
import os
from dataclasses import dataclass

import pytest

from orrery import __main__ as commands
from orrery.results.collation.entries import all_entries
from orrery.results.result import Result, all_results
from orrery.storage.files import LOCK, locked


@dataclass(frozen=True)
class Other:
    seed: int = 2


def test_a_lock_that_nobody_holds_says_more_than_the_number_of_a_process(
    tmp_path, write
):
    """Another process may have the number by now, and a zombie keeps it."""
    found = write(tmp_path)
    path = found.folder / "run.json"
    running = found.document | {"status": "running", "process": os.getppid()}
    path.write_text(json.dumps(running))
    with locked(found.folder):
        assert Result.open(found.folder).status == "running"
    (found.folder / LOCK).chmod(0o444)
    assert Result.open(found.folder).status == "failed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seconds": float("nan")}, "NaN is no number"),
        ({"seconds": float("inf")}, "Infinity is no number"),
        ({"seconds": 10**400}, "it took 1000"),
        ({"attempt": True}, "attempt is True"),
        ({"status": "banana"}, "its status is 'banana'"),
    ],
)
def test_a_document_that_is_none_of_ours_is_damaged_and_hides_no_other(
    change, reason, tmp_path, write, capsys
):
    whole, broken = write(tmp_path), write(tmp_path)
    text = json.dumps(broken.document | change)
    (broken.folder / "run.json").write_text(text)
    statuses = [(one.status, one.document["reason"]) for one in all_results(tmp_path)]
    assert statuses[0] == ("finished", "")
    assert statuses[1][0] == "damaged"
    assert reason in statuses[1][1]
    assert commands.main(["runs", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert str(whole.folder.name) in listed
    assert "damaged" in listed


@pytest.mark.parametrize("other", [2, 0, "1", None])
def test_a_document_of_another_version_is_told_and_left_as_it_is(
    other, tmp_path, write, capsys
):
    """What it says of itself may mean something else there, such as who is at work."""
    found = write(tmp_path)
    path = found.folder / "run.json"
    text = json.dumps(found.document | {"format": other, "status": "running"})
    path.write_text(text)
    said = f"its format is {other!r}, of another version: this one reads 1"
    (one,) = all_results(tmp_path)
    assert one.status == "running"
    assert said in next(iter(all_entries(tmp_path))).problems
    for command in ("report", "verify"):
        assert commands.main([command, str(found.folder)]) == 1
        told = "".join(capsys.readouterr())
        assert said in told
        assert "read it with the version that wrote it" in told
    assert path.read_text() == text


def test_an_attempt_that_was_killed_before_its_first_document_is_listed(
    tmp_path, write, capsys
):
    whole = write(tmp_path)
    lost = whole.folder.with_name("attempt-002")
    lost.mkdir()
    with locked(lost):  # between its folder and its document
        assert [one.status for one in all_results(tmp_path)] == ["finished", "running"]
    assert [one.status for one in all_results(tmp_path)] == ["finished", "failed"]
    assert commands.main(["runs", str(tmp_path)]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    assert line.startswith("failed")
    assert str(lost.relative_to(tmp_path)) in line
    assert "before its first document" in line
    (_, entry) = all_entries(tmp_path)
    assert (entry.status, entry.values["attempt"]) == ("failed", 2)
    assert Result.open(lost.parent).folder == whole.folder  # it hides no whole one


def test_how_long_a_run_took_is_a_bound_unless_it_came_to_its_end(
    tmp_path, write, capsys
):
    ended, killed = write(tmp_path), write(tmp_path)
    gone = {"status": "running", "ended": None, "seconds": 84.0, "process": 0}
    text = json.dumps(killed.document | gone)
    (killed.folder / "run.json").write_text(text)
    assert commands.main(["runs", str(tmp_path)]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert "at least" not in first
    assert "at least 0:01:24  " in second
    assert ended.document["ended"]


def test_a_failed_run_is_listed_with_its_error_whatever_notes_it_has(
    tmp_path, write, capsys
):
    def body(recording):
        error = RuntimeError("the sky is empty")
        error.add_note("in shard 0, simulations 0 to 63")
        raise error

    with pytest.raises(RuntimeError):
        write(tmp_path, body=body)
    assert commands.main(["runs", str(tmp_path)]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    assert line.endswith("RuntimeError: the sky is empty")


def test_seconds_may_be_whole(tmp_path, write):
    found = write(tmp_path)
    (found.folder / "run.json").write_text(json.dumps(found.document | {"seconds": 84}))
    assert Result.open(found.folder).status == "finished"


def test_a_damaged_document_leaves_the_page_that_is_there(tmp_path, write, capsys):
    found = write(tmp_path)
    good = b"a good page"
    (found.folder / "report.html").write_bytes(good)
    lost = {"sections": [{"key": "a", "kind": "table", "title": "A", "text": ""}]}
    for content in ("{", json.dumps(found.document | lost)):
        (found.folder / "run.json").write_text(content)
        for place in (found.folder.parent, found.folder):
            assert commands.main(["report", str(place)]) == 1
            assert "damaged" in capsys.readouterr().err
    assert (found.folder / "report.html").read_bytes() == good


def test_an_answer_of_an_older_attempt_is_told_where_a_newer_one_is_damaged(
    tmp_path, write, capsys
):
    first, second = write(tmp_path), write(tmp_path)
    shared = first.folder.parent
    assert Result.open(shared).folder == second.folder
    assert "warning" not in capsys.readouterr().err
    for flipped in (40, -40):  # of the checksum, and of the content
        whole = (second.folder / "run.json").read_bytes()
        torn = bytearray(whole)
        torn[flipped] ^= 1
        (second.folder / "run.json").write_bytes(torn)
        assert Result.open(shared).folder == first.folder
        told = capsys.readouterr().err
        assert f"warning: {second.folder.name} is damaged ({second.folder}" in told
        assert f"the answer is that of {first.folder.name}" in told
        (second.folder / "run.json").write_bytes(whole)


def test_a_run_of_which_nothing_is_whole_is_refused_by_the_names_of_its_files(
    tmp_path, write
):
    found = write(tmp_path)
    (found.folder / "run.json").write_text('{"status": "finished"}')
    for place in (found.folder, found.folder.parent, found.folder / "run.json"):
        with pytest.raises(ValueError, match=f"{found.folder / 'run.json'}"):
            Result.open(place)


def test_the_document_of_another_run_or_attempt_is_no_answer_here(tmp_path, write):
    first, second = write(tmp_path), write(tmp_path)
    other = write(tmp_path, Other())
    for one, said in (
        (second, "attempt 2"),
        (other, f"the run {other.folder.parent.name}"),
    ):
        document = (one.folder / "run.json").read_bytes()
        kept = (first.folder / "run.json").read_bytes()
        (first.folder / "run.json").write_bytes(document)
        with pytest.raises(
            ValueError, match=f"run.json is that of {said}: put it back"
        ):
            Result.open(first.folder)
        (first.folder / "run.json").write_bytes(kept)
    # a folder that was called otherwise is anybody's
    first.folder.rename(tmp_path / "mine")
    assert Result.open(tmp_path / "mine").metrics == first.metrics


def test_a_part_that_names_no_file_of_its_run_names_the_document(tmp_path, write):
    found = write(tmp_path)
    part = found.sections[0]
    with pytest.raises(ValueError, match=f"{found.folder / 'run.json'}: it names"):
        found.content(part, "../run.json")
    with pytest.raises(ValueError, match=f"{found.folder / 'run.json'}: it names"):
        found.content(part, "a/" * 2000)
