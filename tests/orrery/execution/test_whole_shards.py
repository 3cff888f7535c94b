"""Whole shards are made, and whoever wants less is told so where they are made."""

from orrery.execution.simulation import generate


def test_what_whole_shards_have_too_many_is_said_where_they_are_made(
    toy, tmp_path, capsys
):
    def made(count):
        return generate(toy, count, 5, tmp_path, actors=0, shard_size=8)

    assert len(made(20)) == 20
    said = " ".join(capsys.readouterr().err.split())
    assert "whole shards of 8 are made: 24 for the 20 that are wanted, of which" in said
    for count in (19, 24, 32):
        assert len(made(count)) == count
    assert "whole shards" not in capsys.readouterr().err
