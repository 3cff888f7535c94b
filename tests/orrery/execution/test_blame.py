"""Whose fault the deaths of actors are: laws of the count."""

import pytest

from orrery.execution.blame import CHANCE, DEATHS_OF_PROOF, HOPELESS, Blame
from orrery.parameters import generator

ALIVE = {"a", "b"}


def counted(made, deaths, pieces=1000):
    blame = Blame(pieces)
    for piece, number in deaths.items():
        for _ in range(number):
            blame.add_death(piece, "a")
    for _ in range(made):
        blame.add_made()
    return blame


def test_a_piece_that_alone_ends_actors_is_guilty_at_the_third():
    for deaths in range(DEATHS_OF_PROOF):
        assert not counted(100, {5: deaths}).is_guilty(5, ALIVE)
    assert counted(0, {5: DEATHS_OF_PROOF}).is_guilty(5, ALIVE)


def test_nodes_that_are_lost_afterwards_have_killed_what_died_there():
    assert not counted(0, {5: 9}).is_guilty(5, alive={"b"})


def test_more_deaths_elsewhere_make_a_piece_less_suspect():
    found = [
        counted(100, {5: 4, **dict.fromkeys(range(10, 10 + others), 1)}).is_guilty(
            5, ALIVE
        )
        for others in range(60)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0]
    assert not found[-1]


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_innocent_pieces_are_seldom_blamed(share):
    random = generator(1, int(100 * share))
    wrong = sum(blamed_by_chance(random, share, pieces=200) for _ in range(100))
    # CHANCE of each campaign; the first deaths, before others, add a little
    assert wrong <= 100 * (CHANCE + 0.03)


def blamed_by_chance(random, share, pieces):
    """Returns whether a piece is blamed where each try ends in a death by chance alone."""
    blame = Blame(pieces)
    pending = list(range(pieces))
    while pending:
        piece = pending.pop(0)
        if random.random() > share:
            blame.add_made()
            continue
        blame.add_death(piece, "a")
        pending.append(piece)
        if blame.is_guilty(piece, ALIVE):
            return True
    return False


def test_without_anything_made_the_end_comes_in_time():
    blame = counted(50, {})
    for number in range(HOPELESS):
        assert not blame.is_hopeless(ALIVE)
        blame.add_death(number, "a")
    assert blame.is_hopeless(ALIVE)
    assert not blame.is_hopeless({"b"})  # all of them were lost with their node
    blame.add_made()
    assert not blame.is_hopeless(ALIVE)
