"""The gallery lists each figure of both papers once, and shows what the experiments draw."""

import pytest

import gallery
from orrery.commands import installed_commands


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Runs that have drawn all figures, whose pictures are their names, by experiment."""

    def run(experiment, work):
        return tmp_path / experiment

    for figure in gallery.FIGURES:
        for picture in gallery.pictures(figure):
            path = tmp_path / picture
            path.parent.mkdir(exist_ok=True)
            path.write_text(picture)
    monkeypatch.setattr(gallery, "_run", run)
    return tmp_path


def test_each_figure_of_both_papers_is_listed_once():
    listed = [
        (figure.paper, number)
        for figure in gallery.FIGURES
        for number in figure.numbers
    ]
    every = [
        (paper, number + 1)
        for paper, count in gallery.PAPERS.items()
        for number in range(count)
    ]
    assert listed == every


def test_a_figure_is_drawn_by_a_command_or_it_is_said_why_not():
    for figure in gallery.FIGURES:
        if figure.experiment:
            assert figure.keys
            assert figure.experiment in installed_commands()
            assert figure.experiment in gallery.TOY
        else:
            assert figure.remark
            assert not figure.keys


def test_what_runs_have_drawn_is_shown(drawn, tmp_path):
    made = tmp_path / "made"
    gallery.make(made, tmp_path / "work")
    page = gallery.page(made)
    for figure in gallery.FIGURES:
        for picture in gallery.pictures(figure):
            assert (made / picture).read_text() == picture
            assert f"](gallery/{picture})" in page
    assert "without pictures" not in page


def test_without_pictures_there_are_the_commands(tmp_path):
    page = gallery.page(tmp_path)
    assert "](gallery/" not in page
    said = page.partition("**This copy of the site was built without pictures**")[2]
    assert said.startswith(": `make gallery` draws them")
    for experiment in gallery.TOY:
        assert f"\norrery {experiment}\n" in page


def test_a_figure_that_was_not_drawn_ends_the_making(drawn, tmp_path):
    (drawn / "table2" / "masses.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"table2.masses\.png"):
        gallery.make(tmp_path / "made", tmp_path / "work")
