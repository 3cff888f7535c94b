"""All faults: some beside others, told in order, and one that fails fails them all."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# which waits until others have begun, as many as its options say
SCRIPT = """
import sys, time
from pathlib import Path
own, status, text, *others = sys.argv[1:]
assert Path(own).is_dir()
Path(__file__).with_suffix(".begun").touch()
while not all(Path(other).exists() for other in others):
    time.sleep(0.02)
print(text)
print("why", text, file=sys.stderr)
sys.exit(int(status))
"""


@pytest.fixture(scope="module")
def all_faults(load_script):
    return load_script("faults/all_faults")


@pytest.fixture
def part(all_faults, tmp_path):
    """Makes a part that says something and ends with a status."""

    def make(name, status, *after):
        (tmp_path / f"{name}.py").write_text(SCRIPT)
        others = (str(tmp_path / f"{other}.begun") for other in after)
        words = (str(tmp_path / f"{name}.py"), all_faults.FOLDER, str(status))
        return all_faults.Part((*words, f"{name} speaks", *others))

    return make


@pytest.mark.parametrize(("status", "how"), [(0, "sound"), (3, "FAILED, status 3")])
def test_series_run_side_by_side_and_are_told_in_order(
    all_faults, part, monkeypatch, capsys, status, how
):
    # each of the first two waits for the other, which would never come after it
    one, other = part("one", 0, "other"), part("other", status, "one")
    last = part("last", 0)
    monkeypatch.setattr(all_faults, "ORDER", (last, other, one))
    assert all_faults.main(((one, last), (other,))) == int(status != 0)
    told = capsys.readouterr().out
    errors = "why other speaks\n" if status else ""
    said = (
        "--- last\nlast speaks\n\n--- other\nother speaks\n"
        f"{errors}\n--- one\none speaks\n\n---\n"
    )
    ends = rf"last: sound, \d+ s.*\nother: {how}, \d+ s.*\none: sound, \d+ s.*\n"
    assert re.fullmatch(said + ends, told)


def test_why_a_part_fails_is_said_at_once(all_faults, part, capsys):
    all_faults.run(((part("one", 3), part("other", 0)),))
    told = capsys.readouterr().err
    ends = r"one: FAILED, status 3, .* processors why one speaks\nother: sound, .* processors\n"
    assert re.fullmatch(ends, told)


@pytest.mark.parametrize("name", ["lose_nodes", "lose_node", "lose_progress"])
def test_the_folder_of_a_part_may_be_there_already(
    all_faults, load_script, monkeypatch, tmp_path, name
):
    """As all faults give it."""
    (part,) = (part for part in all_faults.ORDER if part.name == name)
    assert all_faults.FOLDER in part.words
    script = load_script(f"faults/{name}")
    monkeypatch.setattr(script, "survive", lambda *given: {})
    monkeypatch.setattr(script, "wrong", lambda found: [])
    monkeypatch.setenv("RAY_TMPDIR", "restored at the end")
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert not ended.value.code


def test_whoever_ends_them_ends_all(all_faults, part, tmp_path):
    first = part("first", 0, "never")
    words = f"{first.words}"
    text = (
        f"import sys; sys.path.insert(0, {str(Path(all_faults.__file__).parent)!r}); "
        f"import all_faults as a; a.main(((a.Part({words}), a.Part({words})),))"
    )
    process = subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.PIPE)
    while not (tmp_path / "first.begun").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    place = os.fsencode(first.words[0])
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if place in _content(p)]
    assert left == []


def _content(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has just ended


def test_every_part_is_run_and_told_once(all_faults):
    parts = [part for parts in all_faults.SERIES for part in parts]
    assert sorted(p.name for p in parts) == sorted(p.name for p in all_faults.ORDER)
    assert len(set(parts)) == len(parts) == 6
    for part in parts:
        assert (all_faults.TESTS / part.words[0]).is_file()
