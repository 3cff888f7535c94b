"""What is gone keeps nothing else of its run from being sent, and is told each time."""

import shutil
from types import MappingProxyType

import pytest

from orrery.results.dashboard import deposits, sending, sync
from orrery.results.dashboard.absences import holdings
from orrery.results.dashboard.copies import Copy, marker, record_sent
from orrery.results.dashboard.reader import DashboardReader
from orrery.storage import files


@pytest.fixture
def sent(monkeypatch):
    """What was sent, by a server that takes everything."""
    found = []

    class Upload:
        is_refused = False
        is_stalled = False
        kept = MappingProxyType({})
        reason = ""

        def __init__(self, paths, patience, on_address, turns):
            for path in paths:
                found.append(path)
                marker(path).touch()
                record_sent(path)

        def end(self, seconds):
            pass

    monkeypatch.setattr(sending, "Upload", Upload)
    return found


@pytest.mark.slow
def test_a_run_without_one_of_its_files_is_sent_in_part(
    recorded, offline, sent, inspected, capsys
):
    folder = recorded("mwlmc").folder
    draws = folder / "draws.desi.parquet"
    kept = shutil.move(draws, folder / "elsewhere")
    for _ in range(2):
        (found,) = sync.sync([folder])
        assert found.outcome == "sent in part"
        assert "without draws.desi (FileNotFoundError: " in found.about
        assert not found.is_done
        assert len(sent) == 1  # what has not changed is not sent again
    told = capsys.readouterr().err
    assert "Weights & Biases gets no draws.desi (FileNotFoundError" in told
    assert "took no" not in told  # it was never asked
    copy = inspected(folder)
    assert copy.series("tarp/desi/posterior/coverage")
    assert copy.metadata("posterior-77")["parents"]
    before = Copy.read(folder)
    shutil.move(kept, draws)  # as from a backup
    (found,) = sync.sync([folder])
    assert (found.outcome, len(sent)) == ("sent", 2)
    assert Copy.read(folder).identity == before.identity
    assert len(inspected(folder).sheet("draws/desi")[1]) == 50


def tear(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


PLACES = {
    "draws.desi": ("draws.desi.parquet", tear),
    "tarp.desi": ("tarp.desi.parquet", tear),
    "tarp.desi.png": ("tarp.desi.png", tear),
    "datasets.simulations": ("../../../../datasets/toy-0123/manifest.json", None),
    "posteriors.desi": ("../posteriors/desi/77/posterior.json", tear),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_damaged_is_absent_alone(recorded, name):
    result = recorded("mwlmc")
    place, damage = PLACES[name]
    file = result.folder / place
    if file.suffix == ".png":
        draw(file)
    before = holdings(result)
    assert before.absent == {}
    (damage or type(file).unlink)(file)
    left = holdings(result)
    assert list(left.absent) == [name]
    lost = len(before.deposits) - len(left.deposits)
    assert lost == (damage is None or file.suffix == ".json")


def draw(file):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(file)


def test_a_damaged_posterior_is_no_absence_where_it_is_not_asked_for(recorded):
    result = recorded("mwlmc")
    other = result.folder.parent / "posteriors" / "h3" / "12" / "posterior.json"
    other.parent.mkdir(parents=True)
    other.write_text("torn")
    assert holdings(result).absent == {}


def test_weights_that_are_gone_are_an_absence(recorded):
    result = recorded("mwlmc")
    place = result.folder.parent / "posteriors" / "desi" / "77"
    (place / "weights-77.pt").unlink()
    assert list(holdings(result).absent) == ["posteriors.desi"]


@pytest.mark.slow
def test_what_a_run_rests_on_is_read_once_for_a_copy(
    recorded, offline, sent, monkeypatch
):
    read = []

    def counted(path):
        read.append(path.name)
        return files.checksum(path)

    monkeypatch.setattr(deposits, "checksum", counted)
    each = ["5555.parquet", "manifest.json", "run.json"]
    folder = recorded("mwlmc", DashboardReader()).folder
    assert sorted(read) == each
    read.clear()
    (folder / "draws.desi.parquet").unlink()
    shutil.rmtree(folder / "wandb")
    sync_all(folder)
    assert sorted(read) == each
    read.clear()
    sync_all(folder)  # what was gone may have come back
    assert sorted(read) == each


def sync_all(folder):
    (found,) = sync.sync([folder])
    assert found.outcome == "sent in part"
