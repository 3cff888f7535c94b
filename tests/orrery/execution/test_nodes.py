"""What nodes are asked, and what becomes of a folder that one does not see."""

import pytest

from orrery.__main__ import main
from orrery.execution import nodes, simulation


def test_folders_whose_files_do_not_appear_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "VISIBILITY", -1.0)
    here, hidden = tmp_path / "here.tmp", tmp_path / "elsewhere" / "hidden.tmp"
    here.touch()
    assert nodes.unseen([here, hidden]) == (str(hidden.parent),)
    assert nodes.unseen([here]) == ()


def test_a_file_that_appears_late_is_seen(tmp_path, monkeypatch):
    late = tmp_path / "late.tmp"
    monkeypatch.setattr(nodes.time, "sleep", lambda seconds: late.touch())
    assert nodes.unseen([late]) == ()


def test_a_folder_that_workers_cannot_see_is_called_that(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "blind_nodes", lambda folder: ("10.0.0.2", "10.0.0.3"))
    expected = (
        r"is a folder that workers cannot see, on 10\.0\.0\.2, 10\.0\.0\.3: choose one on a "
        "file system that all nodes share"
    )
    with pytest.raises(FileNotFoundError, match=expected):
        simulation._check_seen(tmp_path)


def test_a_bucket_is_asked_as_a_folder_is(bucket, tmp_path):
    witness = nodes._Witness()
    probes = [bucket / "datasets" / "probe.tmp", tmp_path / "runs" / "probe.tmp"]
    witness.write(probes)
    assert witness.unseen(probes) == ()
    assert [*witness.facts([bucket, tmp_path])["free"]] == [str(tmp_path)]
    witness.remove(probes)
    assert [probe.exists() for probe in probes] == [False, False]


@pytest.mark.slow  # starts actors
def test_a_cluster_is_checked_and_left_as_it_was(tmp_path, connected, capsys):
    folders = [tmp_path / "datasets", tmp_path / "runs"]
    command = ["cluster", "check", "--folders", *map(str, folders), "--free"]
    assert nodes.blind_nodes(tmp_path) == ()
    main([*command, "0"])
    fine = capsys.readouterr().err
    assert "python" in fine
    assert "GB are free" not in fine
    assert main([*command, "1e9"]) == 1
    said = capsys.readouterr().err
    assert said.count("are free in") == len(folders)
    assert "free some space, name another" in said
    assert [list(folder.iterdir()) for folder in folders] == [[], []]
