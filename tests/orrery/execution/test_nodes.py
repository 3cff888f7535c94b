"""What nodes are asked, and what becomes of a folder that one does not see."""

import math
import socket

import pytest

from orrery.__main__ import main
from orrery.execution import cluster, joining, nodes


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
        nodes.check_seen(tmp_path)


def test_a_node_that_does_not_see_files_is_named_with_their_folder(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(nodes, "VISIBILITY", -1.0)
    (tmp_path / "seen").touch()
    nodes.check_seen_here([tmp_path / "seen"])
    expected = (
        rf"{socket.gethostname()} does not see all files in {tmp_path}: mount there"
    )
    with pytest.raises(FileNotFoundError, match=expected):
        nodes.check_seen_here([tmp_path / "seen", tmp_path / "hidden"])


def test_a_clock_that_nobody_reads_shows_nothing():
    class Silent:
        def ask(self, call, of):
            return {}

    assert math.isnan(nodes._clock_offset(Silent(), "a"))


@pytest.mark.slow
def test_a_bucket_is_asked_as_a_folder_is(bucket, tmp_path):
    witness = nodes._Witness()
    probes = [bucket / "datasets" / "probe.tmp", tmp_path / "runs" / "probe.tmp"]
    assert witness.write(probes) == {}
    assert witness.unseen(probes) == ()
    assert [*witness.facts([bucket, tmp_path])["free"]] == [str(tmp_path)]
    witness.remove(probes)
    assert [probe.exists() for probe in probes] == [False, False]


def test_a_folder_that_cannot_be_written_is_told_and_the_others_are_written(tmp_path):
    (tmp_path / "full").touch()  # where a folder should be
    refused, written = tmp_path / "full" / "probe.tmp", tmp_path / "runs" / "probe.tmp"
    assert [*nodes.write_probes([refused, written])] == [str(refused.parent)]
    assert written.exists()
    nodes._Witness().remove([refused, written])
    assert not written.exists()


def test_facts_are_told_of_the_folders_that_are_there(tmp_path):
    facts = nodes._Witness().facts([tmp_path, tmp_path / "elsewhere"])
    assert [*facts["free"]] == [str(tmp_path)]
    compared = {
        "python",
        "ray",
        "commit",
        "numpy",
        "torch",
        "lightning",
        "zuko",
        "pyarrow",
    }
    compared |= {f"code of {name}" for name in ("orrery", "mwlmc", "halomass")}
    assert compared <= {*facts["software"]}


def test_nodes_that_have_gone_are_named_unless_they_came_back(monkeypatch):
    seen = [("a", "1", True), ("b", "2", False), ("b", "2", True), ("c", "3", False)]
    told = ("NodeManagerHostname", "NodeManagerAddress", "Alive")
    known = [dict(zip(told, node, strict=True)) for node in seen]
    monkeypatch.setattr(nodes.ray, "nodes", lambda: known)
    assert nodes.lost_nodes() == ("c (3)",)


def test_of_two_nodes_that_differ_the_head_is_taken_for_the_sound_one():
    worker = {"NodeID": "b", "Resources": {"CPU": 2.0}}
    head = {"NodeID": "a", "Resources": {"node:__internal_head__": 1.0}}
    assert nodes._head_first([worker, head]) == [head, worker]


def test_the_fastest_answer_says_what_a_clock_shows(monkeypatch):
    """One that took seconds says nothing of the clock: it may lag by as much."""
    times = iter([0.0, 4.0, 10.0, 10.1])
    monkeypatch.setattr(nodes.time, "time", lambda: next(times))
    witnesses = Clocks([0.1, 10.05])
    assert nodes._clock_offset(witnesses, "a") == pytest.approx(0.0)


class Clocks:
    """Answers with the times that it is given."""

    def __init__(self, shown):
        self.shown = iter(shown)

    def ask(self, call, of):
        return {node: next(self.shown) for node in of}


def test_where_there_is_no_cluster_none_is_started_and_none_is_praised(
    monkeypatch, capsys
):
    monkeypatch.setattr(joining, "find_address", lambda: None)
    monkeypatch.setattr(
        cluster, "connect", lambda: pytest.fail("nothing to connect to")
    )
    assert main(["cluster", "check"]) == 1
    said = capsys.readouterr().err
    assert "there is no cluster to check: set RAY_ADDRESS" in said
    assert "can work together" not in said


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
    assert "free some space, or name another" in said
    assert [list(folder.iterdir()) for folder in folders] == [[], []]
