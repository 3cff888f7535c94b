"""`orrery collate` writes one table and one page, each whole or not at all."""

import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from orrery import __main__ as commands
from orrery.results.collation import collate as module
from orrery.results.collation.collate import collate


@pytest.mark.slow
def test_the_command_prints_the_page_and_imports_no_training(runs):
    code = (
        "import sys\n"
        "from orrery.__main__ import main\n"
        "assert main(['collate', sys.argv[1]]) == 0\n"
        "heavy = {'lightning', 'matplotlib', 'ray', 'sbi', 'torch', 'wandb'}\n"
        "assert not heavy & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(runs)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{runs / 'index.html'}\n"
    assert "3 runs and 0 trials" in done.stderr
    assert pq.read_metadata(runs / "collated.parquet").num_rows == 3


@pytest.mark.slow
def test_collating_again_writes_the_same(runs):
    first = collate(runs)
    before = first.page.read_bytes(), first.table.read_bytes()
    second = collate(runs)
    assert (second.page.read_bytes(), second.table.read_bytes()) == before


@pytest.mark.slow
def test_what_is_damaged_is_told(runs, capsys):
    path = min(runs.rglob("run.json"))
    path.write_text("{")
    assert commands.main(["collate", str(runs)]) == 0
    place = path.parent.relative_to(runs).as_posix()
    assert f"warning: {place}: " in capsys.readouterr().err


def test_another_folder_links_back_to_the_runs(runs, tmp_path):
    found = collate(runs, tmp_path / "site" / "today")
    assert found.page.parent == tmp_path / "site" / "today"
    assert '"above":"../../runs/"' in found.page.read_text()
    assert not (runs / "index.html").exists()


def test_a_folder_without_runs_is_one_line(tmp_path, capsys):
    assert commands.main(["collate", str(tmp_path)]) == 1
    assert "no run and no trial in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_made_leaves_the_old_one(runs, monkeypatch):
    before = collate(runs).page.read_bytes()

    def broken(entries, title, above):
        raise OSError("no space left")

    monkeypatch.setattr(module.site, "render_site", broken)
    with pytest.raises(OSError, match="no space"):
        collate(runs)
    assert (runs / "index.html").read_bytes() == before
    assert not list(runs.glob("*.tmp")) + list(runs.glob(".*.tmp"))


def test_many_runs_say_how_far_they_are(runs, monkeypatch, capsys):
    monkeypatch.setattr(module, "_MANY", 2)
    assert collate(runs).runs == 3
    assert "collating: 3 of 3 runs and trials" in capsys.readouterr().err
