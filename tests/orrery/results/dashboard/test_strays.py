"""Copies that have lost what they are of, notes of other copies, folders put elsewhere."""

import json
import shutil

import pytest

from orrery.__main__ import main
from orrery.results.dashboard import sending, sync
from orrery.results.dashboard.copies import Copy
from orrery.results.dashboard.trial_copies import copied
from orrery.storage import files
from orrery.sweeps.trial import Trial, trial_path, write_trial

pytestmark = pytest.mark.slow

TRIALS = 3


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """The folder of a sweep with a copy of each trial, as it was made, kept twice."""
    import wandb

    folder = tmp_path_factory.mktemp("made") / "runs/sweeps/rates/0123456789abcdef"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        for number in range(TRIALS):
            point = {"learning_rate": 0.1 + number}
            losses = {"loss": 0.5 + number}
            trial = Trial(number, point, "finished", (losses,), losses, 1.0)
            (folder / "trials").mkdir(parents=True, exist_ok=True)
            write_trial(folder, trial)
            copied(folder, trial)
        wandb.teardown()
    shutil.copytree(folder, folder.with_suffix(".kept"), symlinks=True)
    return folder


@pytest.fixture
def swept(sweep, offline):
    """The folder of a sweep with a copy of each trial, whole, where they were made."""
    shutil.rmtree(sweep)
    shutil.copytree(sweep.with_suffix(".kept"), sweep, symlinks=True)
    return sweep


@pytest.fixture
def sent(monkeypatch):
    """What was given to a process that sends, of which each ends at once."""
    parts = []

    def deliver(found, patience, turns):
        parts.append(found)
        return [one if hasattr(one, "about") else one.outcome(False) for one in found]

    monkeypatch.setattr(sync, "delivered", deliver)
    return parts


def tell(capsys):
    """What was said of each place, by the name of its file or folder."""
    lines = capsys.readouterr().out.splitlines()
    words = [line.partition(": ") for line in lines]
    return {text.split()[0].rpartition("/")[2]: (how, text) for how, _, text in words}


def arrived_trials(arrived):
    """The number of the trial of each run that has arrived."""
    configs = [json.loads(run["config"]) for run in arrived.runs.values()]
    return sorted(config["trial"]["value"] for config in configs)


def tear(path):
    path.write_bytes(path.read_bytes()[:40])


# --- what a copy is of is lost ------------------------------------------------------------


def test_a_copy_whose_trial_is_lost_or_torn_is_sent_and_that_is_told(
    swept, reached, capsys
):
    trial_path(swept, 0).unlink()
    tear(trial_path(swept, 1))
    assert main(["sync", str(swept)]) == 1
    told = tell(capsys)
    assert told["trial-00000.json"][0] == told["trial-00001.json"][0] == "sent in part"
    assert "its file is lost: its copy alone is whole" in told["trial-00000.json"][1]
    assert "is damaged" in told["trial-00001.json"][1]
    assert told["trial-00002.json"][0] == "sent"
    assert arrived_trials(reached) == [0, 1, 2]
    requests = reached.requests.copy()
    assert main(["sync", str(swept)]) == 1  # what is lost stays lost
    assert reached.requests == requests


def test_a_trial_without_a_whole_copy_whose_file_is_lost_is_named(swept, sent, capsys):
    one, other = (Copy.read(swept, f"copy-0000{n}.json") for n in (0, 1))
    one.path(swept).write_bytes(b"")
    shutil.rmtree(other.path(swept).parent)
    (swept / "wandb" / "copy-00002.json").write_bytes(b"torn")
    shutil.rmtree(swept / "trials")
    assert main(["sync", str(swept)]) == 1
    told = tell(capsys)
    assert {how for how, _ in told.values()} == {"no copy"}
    assert "and its copy is not whole" in told["trial-00000.json"][1]
    assert "and its copy is not whole" in told["trial-00001.json"][1]
    kept = next(swept.glob("wandb/offline-run-*-00002-*/run-*.wandb"))
    assert f"`wandb sync {kept}`" in told["trial-00002.json"][1]


def test_nothing_of_a_sweep_that_is_searched_is_taken_for_lost(swept, sent, capsys):
    trial_path(swept, 0).unlink()
    tear(trial_path(swept, 1))
    with files.locked(swept):
        assert main(["sync", str(swept)]) == 1
    told = tell(capsys)
    assert told["trial-00000.json"][0] == told["trial-00001.json"][0] == "still running"


@pytest.mark.parametrize("damage", [tear, lambda path: path.unlink()])
def test_a_copy_whose_run_has_no_sound_document_is_sent(
    mirrored, reached, capsys, damage
):
    folder = mirrored("mwlmc").folder
    damage(folder / "run.json")
    assert main(["sync", str(folder.parents[2])]) == 1
    (how, text) = tell(capsys)["attempt-001"]
    assert how == "sent in part"
    assert "run.json" in text
    assert "its copy alone is whole" in text
    assert "posterior-77" in reached.committed


# --- notes of others ----------------------------------------------------------------------


def test_another_trials_note_makes_no_two_trials_one(swept, reached, capsys):
    notes = swept / "wandb"
    shutil.copy(notes / "copy-00000.json", notes / "copy-00001.json")
    assert main(["sync", str(swept)]) == 0
    assert "copy-00001.json tells of the copy of another" in capsys.readouterr().err
    assert len(reached.runs) == TRIALS
    assert arrived_trials(reached) == [0, 1, 2]
    assert main(["sync", str(swept)]) == 0
    assert len(reached.runs) == TRIALS


def test_another_trials_note_beside_a_lost_trial_sends_nothing(swept, sent, capsys):
    notes = swept / "wandb"
    shutil.copy(notes / "copy-00000.json", notes / "copy-00001.json")
    trial_path(swept, 1).unlink()
    main(["sync", str(swept)])
    how, text = tell(capsys)["trial-00001.json"]
    assert how == "no copy"
    assert "tells of another's" in text


def test_another_runs_note_makes_no_two_runs_one(mirrored, reached, capsys):
    one, other = mirrored("halomass").folder, mirrored("halomass").folder
    shutil.copy(one / "wandb" / "copy.json", other / "wandb" / "copy.json")
    assert main(["sync", str(one.parent)]) == 0
    assert "tells of the copy of another run" in capsys.readouterr().err
    assert len(reached.runs) == 2


def test_a_note_that_says_nothing_makes_no_second_run_of_a_trial(swept, reached):
    assert main(["sync", str(swept)]) == 0
    notes = [swept / "wandb" / f"copy-{n:05d}.json" for n in range(TRIALS)]
    empty, nameless, lost = notes
    empty.write_bytes(b"")
    nameless.write_bytes(b'{"identity": 7}')
    lost.unlink()
    assert main(["sync", str(swept)]) == 0
    assert arrived_trials(reached) == [0, 1, 2]


# --- folders put elsewhere ----------------------------------------------------------------


def test_a_sweep_that_was_copied_is_the_same_on_the_server(swept, reached, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "rates" / swept.name
    shutil.copytree(swept, elsewhere, symlinks=True)
    for place in (swept, elsewhere):
        assert main(["sync", str(place)]) == 0
    assert arrived_trials(reached) == [0, 1, 2]
    # the copied sweep is searched again, and trial 1 is another there
    losses = {"loss": 9.0}
    write_trial(
        elsewhere, Trial(1, {"learning_rate": 7.0}, "finished", (losses,), losses)
    )
    assert main(["sync", str(elsewhere)]) == 0
    assert arrived_trials(reached) == [0, 1, 1, 2]


# --- very many ----------------------------------------------------------------------------


def test_very_many_copies_are_sent_part_by_part(swept, sent, monkeypatch):
    monkeypatch.setattr(sync, "_COPIES", 2)
    assert len(list(sync.sync([swept]))) == TRIALS
    assert [len(part) for part in sent] == [2, 1]


def test_what_a_server_has_lost_of_many_is_not_sent_one_by_one(
    swept, serving, monkeypatch, capsys
):
    uploads = []

    class Counted(sending.Upload):
        def __init__(self, paths, patience, on_address, turns):
            uploads.append(len(paths))
            super().__init__(paths, patience, on_address=on_address, turns=turns)

    monkeypatch.setattr(sending, "Upload", Counted)
    with serving(faked={"files": "page"}):
        assert main(["sync", str(swept)]) == 1
    assert capsys.readouterr().out.count("its server has no requirements.txt") == TRIALS
    assert uploads == [TRIALS]
