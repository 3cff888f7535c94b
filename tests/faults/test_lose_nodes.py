"""The program that takes nodes away from a campaign fails where it lost anything."""

import json

import pytest

SOUND = {"simulations": 800, "damaged": [], "same_bytes": True}


@pytest.fixture
def ended(load_script, monkeypatch, tmp_path, capsys):
    """What the program prints and ends with, for a campaign that is not run."""
    program = load_script("faults/lose_nodes")

    def end(found):
        monkeypatch.setattr(program, "survive", lambda folder, removals, seed: found)
        monkeypatch.setattr("sys.argv", ["lose_nodes.py", str(tmp_path / "campaign")])
        monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
        with pytest.raises(SystemExit) as ending:
            program.main()
        assert json.loads(capsys.readouterr().out) == found
        return ending.value.code

    return end


def test_a_sound_campaign_is_a_success(ended):
    assert ended(SOUND) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"simulations": 792}, "792 of 800 simulations are there"),
        ({"damaged": ["shard-00003.arrow"]}, "damaged shards: ['shard-00003.arrow']"),
        ({"same_bytes": False}, "the bytes are not those of an undisturbed dataset"),
    ],
)
def test_whatever_was_lost_is_said_and_fails(ended, change, complaint):
    # a text is what Python prints before it ends with status 1
    assert ended({**SOUND, **change}) == f"nodes were lost, and {complaint}"
