"""Each program that takes nodes away fails where anything was lost, and says what."""

import json

import pytest

SOUND = {
    "lose_nodes": {"simulations": 800, "damaged": [], "same_bytes": True},
    "lose_node": {
        "lost": ["0.1"],
        "states": ["finished"],
        "trials": 12,
        "distinct": 12,
        "kept": True,
        "ended": True,
        "again": [True, False],
    },
    "lose_progress": {
        "heard": [0, 1, 2, 3, 3, 4, 5, 6, 7],
        "done": list(range(12)),
        "lost": ["b"],
        "nodes": ["b", "c"],
    },
}


@pytest.fixture
def ended(load_script, monkeypatch, tmp_path, capsys):
    """What a program prints and ends with, for something that is not run."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # which they set

    def end(name, **change):
        program, found = load_script(f"faults/{name}"), {**SOUND[name], **change}
        monkeypatch.setattr(program, "survive", lambda *arguments: found)
        monkeypatch.setattr("sys.argv", [f"{name}.py", str(tmp_path / name)])
        with pytest.raises(SystemExit) as ending:
            program.main()
        assert json.loads(capsys.readouterr().out) == found
        return ending.value.code

    return end


@pytest.mark.parametrize("name", SOUND)
def test_what_lost_nothing_is_a_success(ended, name):
    assert ended(name) is None


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("lose_nodes", {"simulations": 792}, "792 of 800 simulations are there"),
        ("lose_nodes", {"damaged": ["shard-03"]}, "damaged shards: ['shard-03']"),
        ("lose_nodes", {"same_bytes": False}, "the bytes are not those of an undist"),
        ("lose_node", {"lost": []}, "lost in the middle: [], not one trial"),
        ("lose_node", {"states": ["failed", "finished"]}, "trials are ['failed', '"),
        ("lose_node", {"trials": 11}, "11 of 12 trials are there"),
        ("lose_node", {"distinct": 11}, "11 of 12 are distinct"),
        ("lose_node", {"kept": False}, "what is kept differs"),
        ("lose_node", {"ended": False}, "not every trial came to its end once"),
        ("lose_node", {"again": [True]}, "the lost trial did not begin again"),
        ("lose_progress", {"done": [0, 1]}, "epochs done are [0, 1]"),
        ("lose_progress", {"heard": [0, 1, 2, 3, 6]}, "were not told: [4, 5]"),
        ("lose_progress", {"nodes": ["b"]}, "worked on ['b'], lost ['b']"),
        ("lose_progress", {"lost": []}, "worked on ['b', 'c'], lost []"),
    ],
)
def test_whatever_was_lost_is_said_and_fails(ended, name, change, complaint):
    # a text is what Python prints before it ends with status 1
    assert complaint in ended(name, **change)
