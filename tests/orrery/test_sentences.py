"""Sentences name their numbers, and cells have keys of their own."""

from orrery.sentences import Sentence, cell


def test_a_sentence_is_its_text():
    assert str(Sentence("v_z is off by 3.", ("table2[v_z].shift",))) == (
        "v_z is off by 3."
    )


def test_no_two_cells_have_one_key():
    places = [
        ("table2.desi", "v_x", "median"),
        ("table2.desi", "v_x", "shift"),
        ("table2.desi", "v_y", "median"),
        ("table2", "v_x", "median"),
        ("mass", "ESMDPL/UM, 25", "published"),
        ("mass", "ESMDPL/UM, 10", "published"),
    ]
    assert len({cell(*place) for place in places}) == len(places)
