"""Whatever W&B does, a run ends with whole local results, and what was kept is sent later."""

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from types import MappingProxyType

import pytest

from orrery.__main__ import main
from orrery.results.dashboard import sending, waiting
from orrery.results.dashboard.connection import Patience, temporary
from orrery.results.dashboard.copies import Copy, is_sent, marker, record_sent
from orrery.results.dashboard.reader import origin_of
from orrery.results.dashboard.refusals import DELETED
from orrery.results.dashboard.sync import sync
from orrery.results.dashboard.uploads import Upload
from orrery.results.dashboard.waiting import whole_run_copy
from orrery.results.result import Result
from orrery.storage import files

FAULTS = ("refusing", "hanging", "dying in the middle", "raising", "unreachable")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_ends_whole_whatever_its_server_does(met, inspected, patience, fault):
    found = met[fault]
    result = Result.open(found.result.folder)
    assert result.status == "finished"
    assert [section["key"] for section in result.sections] == [
        *("draws.desi", "tarp.desi", "sbc.desi", "training.desi")
    ]
    for section in result.sections:
        data = [name for name in section["files"] if name.endswith(".parquet")]
        assert all((result.folder / name).stat().st_size for name in data)
    assert f"orrery sync {result.folder}" in found.told
    begun = 0 if fault == "raising" else 1
    assert found.limits == (patience.finish,) * begun
    if fault == "dying in the middle":  # the others' copies are whole where they arrive
        check_copy(inspected(result.folder), result)


def check_copy(copy, result):
    assert copy.records["exit"]  # it came to its end
    assert copy.series("tarp/desi/posterior/coverage")
    assert copy.summary["posterior/desi/v_x/median"] == 3.25
    assert copy.metadata("posterior-77")["parents"]
    assert Copy.read(result.folder).whole


@pytest.mark.slow
def test_what_was_kept_is_sent_later_and_once(
    met, reached, elsewhere, tmp_path, capsys
):
    home, work = elsewhere
    root = tmp_path / "runs"
    above = met["refusing"].result.folder.parents[3]
    shutil.copytree(above, tmp_path, symlinks=True, dirs_exist_ok=True)
    assert len([*root.rglob("*.wandb")]) == len(met) - 1
    assert not any(is_sent(file) for file in root.rglob("*.wandb"))
    assert main(["sync", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["sent"] * len(met)
    assert len(reached.runs) == len(met)
    for run, announced in reached.runs.items():
        check_arrived(reached, run, announced)
    assert not [*work.iterdir(), *home.rglob("*")]  # all is below the runs
    requests = reached.requests.copy()
    assert main(["sync", str(root)]) == 0
    assert capsys.readouterr().out.count("sent before: ") == len(met)
    assert reached.requests == requests  # nothing is sent twice


def check_arrived(arrived, run, announced):
    assert announced["project"] == "orrery"
    assert announced["groupName"] == "toy"
    assert "lineage" in json.loads(announced["config"])["about"]["value"]
    assert {"tarp/desi/posterior/coverage", "answers"} <= arrived.columns(run)
    summary = json.loads(arrived.files[run, "wandb-summary.json"])
    assert summary["posterior/desi/v_x/median"] == 3.25
    assert arrived.artifacts["posterior-77"]["parents"][0]["kind"] == "summaries"
    assert {"dataset-0123", "summaries-5555", "posterior-77"} <= arrived.committed
    assert arrived.files["posterior-77", "weights-77.pt"] == b"weights"


@pytest.mark.slow
def test_a_run_is_sent_while_it_is_written(
    server, reached, recorded, monkeypatch, capsys
):
    from orrery.results.dashboard.reader import DashboardReader

    monkeypatch.setenv("WANDB_MODE", "online")
    result = recorded("halomass", DashboardReader(Patience(5.0, 30.0)))
    (run,) = reached.runs
    assert {"rmse/25/member_099", "errors/25"} <= reached.columns(run)
    assert "ensemble-77" in reached.committed
    summary = json.loads(reached.files[run, "wandb-summary.json"])
    assert not [name for name in summary if "member_" in name]  # ends of curves
    told = capsys.readouterr()
    assert told.err == f"Weights & Biases: {reached.address}/me/orrery/runs/{run}\n"
    assert told.out == ""
    assert [one.outcome for one in sync([result.folder])] == ["sent before"]


@pytest.mark.slow
def test_a_copy_that_is_not_whole_is_made_again(mirrored, inspected):
    result = mirrored("mwlmc")
    before = Copy.read(result.folder)
    replace(before, lost=("answers",), parts=()).write(result.folder)
    again = whole_run_copy(result)
    assert again.whole
    assert again.identity == before.identity
    found = inspected(result.folder)  # one copy: the other one is gone
    assert found.series("training/DESI, member 1/train") == [2.0, 1.0]
    assert whole_run_copy(result) == again  # which is kept


def test_a_sync_that_is_interrupted_ends_in_a_line(monkeypatch, capsys, tmp_path):
    def interrupted(places):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr("orrery.results.dashboard.sync.sync", interrupted)
    assert main(["sync", str(tmp_path)]) == 130
    told = capsys.readouterr()
    assert told.err == (
        "interrupted: what is done stays done, and the same command does the rest\n"
    )


class FailingUpload:
    """An upload that sends nothing of several copies if one of them is damaged."""

    is_refused = False
    is_stalled = False
    kept = MappingProxyType({})

    def __init__(self, paths, patience, live=False, on_address=None, turns=None):
        damaged = [path for path in paths if not path.read_bytes()]
        self.reason = f"{damaged[0]} has no header" if damaged else ""
        if not damaged:
            for path in paths:
                marker(path).touch()
                record_sent(path)

    def end(self, seconds):
        pass


def test_a_damaged_copy_keeps_no_other_from_being_sent(tmp_path, monkeypatch):
    monkeypatch.setattr(sending, "Upload", FailingUpload)
    copies = [tmp_path / f"{name}.wandb" for name in ("a", "b", "c", "d")]
    for file in copies:
        file.write_bytes(b"records" if file.stem in "bd" else b"")
    reasons = sending.send(copies, Patience(), None)
    assert [is_sent(file) for file in copies] == [False, True, False, True]
    for file in (copies[0], copies[2]):
        assert reasons[file] == f"{file} has no header"


class StallingUpload(FailingUpload):
    """An upload that stalls where one of several copies is damaged."""

    @property
    def is_stalled(self):
        return bool(self.reason)


def test_where_a_copy_stalls_none_is_tried_after_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sending, "Upload", StallingUpload)
    copies = [tmp_path / f"{name}.wandb" for name in ("a", "b", "c")]
    for file in copies:
        file.write_bytes(b"")
    assert (
        list(sending.send(copies, Patience(), None)) == copies
    )  # each is kept, with a reason
    told = capsys.readouterr().err
    assert (
        told.count("what is not sent is kept") == 2
    )  # of all at once, and of the first


class ForgetfulUpload(FailingUpload):
    """An upload to a server on which some runs were deleted."""

    gone = ()

    def __init__(self, paths, patience, live=False, on_address=None, turns=None):
        identities = [path.stem.removeprefix("run-") for path in paths]
        pairs = list(zip(paths, identities, strict=True))
        self.kept = {path: DELETED for path, one in pairs if one in self.gone}
        super().__init__([path for path in paths if path not in self.kept], patience)
        self.sent.extend(one for path, one in pairs if path not in self.kept)


def write_empty(result, identity, held):
    """Writes a copy with nothing in it; returns what is known of it."""
    file = f"offline-run-{identity}/run-{identity}.wandb"
    source = origin_of(result.document).source
    copy = Copy(identity, file, closed=True, source=source)
    copy.path(result.folder).parent.mkdir()
    copy.path(result.folder).write_bytes(b"records")
    copy.sealed(result.folder).write(result.folder)
    return Copy.read(result.folder)


@pytest.mark.slow
def test_a_run_that_was_deleted_on_the_server_is_sent_as_a_new_one(
    recorded, monkeypatch, capsys
):
    monkeypatch.setattr(sending, "Upload", ForgetfulUpload)
    monkeypatch.setattr(waiting, "replay", write_empty)
    monkeypatch.setattr(ForgetfulUpload, "sent", [], raising=False)
    folders = [recorded("halomass").folder for _ in range(2)]
    for folder in folders:
        files.ensure_writable(folder / "wandb")
    one, other = (whole_run_copy(Result.open(folder)) for folder in folders)
    monkeypatch.setattr(ForgetfulUpload, "gone", (one.identity,))
    assert [found.outcome for found in sync(folders)] == ["sent", "sent"]
    again = Copy.read(folders[0]).identity
    assert again != one.identity
    assert ForgetfulUpload.sent == [other.identity, again]  # each once
    assert f"has deleted its run {one.identity}" in capsys.readouterr().err
    assert not one.path(folders[0]).exists()


def test_a_copy_that_cannot_be_marked_is_kept(recorded, monkeypatch):
    def refuse(folder):
        raise OSError(30, f"cannot write {folder} (Read-only file system): free some")

    monkeypatch.setattr(waiting, "replay", write_empty)
    result = Result.open(recorded("halomass").folder)
    (result.folder / "wandb").mkdir()
    copy = whole_run_copy(result)
    with monkeypatch.context() as patch:
        patch.setattr(files, "ensure_writable", refuse)
        (kept,) = sync([result.folder])
        marker(copy.path(result.folder)).touch()
        record_sent(copy.path(result.folder))
        (sent,) = sync([result.folder])
    assert kept.outcome == "kept"
    place = result.folder / "wandb"
    assert f"(cannot write {place} (Read-only file system)): copy the" in kept.about
    assert sent.outcome == "sent before"


def test_a_run_that_is_written_is_left_alone(recorded, offline):
    folder = recorded("halomass").folder
    with files.locked(folder):
        (found,) = sync([folder])
    assert found.outcome == "still running"
    assert not found.is_done


def test_a_copy_that_another_process_makes_is_left_alone(recorded, offline):
    folder = recorded("halomass").folder
    with files.locked(files.ensure_writable(folder / "wandb")):
        (found,) = sync([folder])
    assert found.outcome == "still running"
    assert Copy.read(folder) is None  # it was not made twice


def test_a_copy_that_lacks_something_again_is_not_sent(recorded, failing, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setitem(sys.modules, "wandb", failing("update"))
    folder = recorded("halomass").folder
    (found,) = sync([folder])
    assert found.outcome == "no copy"
    assert found.about.startswith("wandb took no metrics, lineage")


def test_nothing_to_send_is_an_error(tmp_path, capsys):
    assert main(["sync", str(tmp_path)]) == 1
    assert f"no run in {tmp_path}" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_key_nothing_is_lost(mirrored, capsys):
    result = mirrored("halomass")
    assert main(["sync", str(result.folder)]) == 1
    assert "wandb login" in capsys.readouterr().err
    assert Copy.read(result.folder).whole


@pytest.mark.slow
def test_an_upload_ends_with_the_process_that_started_it(tmp_path):
    copy = tmp_path / "wandb" / "offline-run-1" / "run-1.wandb"
    upload = Upload([copy], Patience(60.0, 0.0))
    upload._ending.set()  # its input ends, as that of one whose starter was killed
    assert upload._process.wait(30) != 0


@pytest.mark.slow
def test_a_process_is_told_of_more_copies_than_a_command_line_has_room_for(
    server, offline, tmp_path, monkeypatch
):
    monkeypatch.setenv("WANDB_API_KEY", server.KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:1")
    place = tmp_path / ("a" * 200) / "wandb"
    place.mkdir(parents=True)
    paths = [
        place / f"offline-run-{n:05d}" / f"run-{n:05d}.wandb" for n in range(12_000)
    ]
    upload = Upload(paths, Patience(1.0, 5.0))
    upload.end(None)
    assert upload.is_refused
    assert "http://127.0.0.1:1 cannot be reached" in upload.reason


@pytest.mark.slow
def test_a_folder_for_temporary_files_that_is_not_there_keeps_nothing_from_being_sent(
    recorded, reached, tmp_path, monkeypatch
):
    folder = recorded(
        "mwlmc"
    ).folder  # its copy is made here, by a process of wandb's own
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    assert [one.outcome for one in sync([folder])] == ["sent"]
    assert "posterior-77" in reached.committed


def test_where_there_is_no_folder_for_temporary_files_they_are_beside_the_copy(
    tmp_path, monkeypatch
):
    def refuse():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    own = tmp_path / "wandb" / "own"
    assert temporary(tmp_path, {"TMPDIR": "nowhere"}) == {"TMPDIR": str(own)}
    assert own.is_dir()
