"""A walk sees all that lies below a folder, behind links too, each folder once, and ends."""

import os

import pytest

from orrery.storage.walking import below


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def seen(folder):
    return [path.relative_to(folder).as_posix() for path in below(folder)]


def test_without_links_it_is_all_that_is_there(tmp_path):
    made(tmp_path, "a/b/c", "a/d", ".hidden/e", "f")
    assert sorted(seen(tmp_path)) == sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")
    )


def test_folders_behind_links_are_seen_to_their_ends(tmp_path):
    made(tmp_path / "disk", "one/stars")
    made(tmp_path / "other", "two/hosts")
    (tmp_path / "disk" / "further").symlink_to(tmp_path / "other")
    here = tmp_path / "here"
    here.mkdir()
    (here / "link").symlink_to(tmp_path / "disk")
    assert {"link/one/stars", "link/further/two/hosts"} <= {*seen(here)}


def test_a_folder_has_its_own_name_and_not_that_of_a_link_before_it(tmp_path):
    made(tmp_path, "z/stars")
    (tmp_path / "a").symlink_to("z")
    assert seen(tmp_path) == ["a", "z", "z/stars"]


@pytest.mark.parametrize("target", [".", "..", "/", "ring", "inner"])
def test_links_that_lead_back_or_nowhere_end(tmp_path, target):
    here = tmp_path / "here"
    made(here, "inner/stars")
    (here / "ring").symlink_to(target)
    (here / "inner" / "up").symlink_to(here)
    assert sorted(seen(here)) == ["inner", "inner/stars", "inner/up", "ring"]


def test_two_links_to_one_folder_show_it_once(tmp_path):
    made(tmp_path / "disk", "stars")
    here = tmp_path / "here"
    here.mkdir()
    for name in ("b", "a"):
        (here / name).symlink_to(tmp_path / "disk")
    assert seen(here) == ["a", "b", "a/stars"]


def test_pipes_and_broken_links_are_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to("nowhere")
    assert seen(tmp_path) == ["gone", "pipe"]
    assert seen(tmp_path / "absent") == []
