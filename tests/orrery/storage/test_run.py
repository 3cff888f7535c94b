import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orrery.storage import run


@dataclass(frozen=True)
class Training:
    """How to train."""

    epochs: int = 3


@dataclass(frozen=True)
class Choices:
    """An experiment."""

    simulations: int = 10
    edges: tuple[float, ...] = (30.0, 80.0)
    training: Training = field(default_factory=Training)


def start(experiment, chosen, root):
    return run.start(run.identify_run(experiment, chosen), root)


def test_the_same_options_find_the_same_folder_and_a_new_attempt(tmp_path):
    first = start("sky", Choices(), tmp_path)
    second = start("sky", Choices(), tmp_path)
    others = [
        start("sky", Choices(training=Training(4)), tmp_path),
        start("ground", Choices(), tmp_path),
    ]
    assert second.shared == first.shared == tmp_path / "sky" / first.fingerprint
    assert (first.attempt, second.attempt) == (1, 2)
    assert run.attempts(first.shared) == [first.folder, second.folder]
    assert len({one.shared for one in [first, *others]}) == 3


def test_attempts_are_in_the_order_of_their_numbers(tmp_path):
    for number in (9, 1000, 10):
        (tmp_path / f"attempt-{number:03d}").mkdir()
    numbers = [run.attempt_number(path) for path in run.attempts(tmp_path)]
    assert numbers == [9, 10, 1000]


def test_a_run_knows_its_options(tmp_path):
    options = start("sky", Choices(), tmp_path).options
    assert options["training"] == {"type": "Training", "epochs": 3}
    assert options["edges"] == [30.0, 80.0]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(simulations=True), "^simulations is True: give a whole number"),
        (Choices(edges=(30.0, float("inf"))), "^edges is .*: give a list"),
        (Choices(training=Training("3")), "^training.epochs is '3'"),
    ],
)
def test_options_of_another_type_are_refused(tmp_path, choices, message):
    with pytest.raises(ValueError, match=message):
        start("sky", choices, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_equal_options_find_the_same_folder(tmp_path):
    first, second = (
        start("sky", Choices(edges=edges), tmp_path)
        for edges in ((30.0, 80.0), (30, 80))
    )
    assert first.shared == second.shared


def test_options_without_json_form_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has no plain JSON form"):
        start("sky", {"random": object()}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"cannot write .*file/sky.*choose a folder"
    ) as raised:
        start("sky", Choices(), tmp_path / "file")
    assert raised.value.errno


@dataclass(frozen=True)
class Placed:
    """Options with a folder."""

    edge: float = 1.0
    folder: Path = field(default=Path("here"), metadata={"place": True})


def test_a_bucket_is_no_place_for_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^s3:/stars/runs is in a bucket, .*a folder"):
        start("sky", Choices(), Path("s3://stars/runs"))
    assert not any(tmp_path.iterdir())


def test_where_things_are_kept_does_not_decide_the_run(tmp_path):
    first = start("sky", Placed(), tmp_path)
    second = start("sky", Placed(folder=Path("there")), tmp_path)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != start("sky", Placed(edge=2.0), tmp_path).fingerprint
    assert second.options["folder"] == "there"


@dataclass(frozen=True)
class Reading:
    """Options with files of each kind."""

    stars: Path
    more: tuple[Path, ...] = ()
    folder: Path = field(default=Path("here"), metadata={"place": True})


@pytest.fixture
def reading(tmp_path):
    names = ("stars.csv", "a.bin", "b.bin")
    for name in names:
        (tmp_path / name).write_text(name)
    stars, *more = (tmp_path / name for name in names)
    return Reading(stars, tuple(more))


def test_another_content_in_the_same_place_is_another_run(reading):
    first = run.identify_run("sky", reading)
    assert run.identify_run("sky", reading) == first
    for path in (reading.stars, reading.more[1]):
        kept = path.read_bytes()
        path.write_bytes(kept[::-1])  # as long as before
        assert run.identify_run("sky", reading).fingerprint != first.fingerprint
        path.write_bytes(kept)
    assert run.identify_run("sky", reading) == first


def test_the_same_content_in_another_place_is_the_same_run(
    reading, tmp_path, monkeypatch
):
    first = run.identify_run("sky", reading)
    monkeypatch.chdir(tmp_path)
    near = Reading(Path("stars.csv"), (Path("a.bin"), Path("b.bin")))
    copied = reading.stars.with_name("renamed.csv")
    copied.write_bytes(reading.stars.read_bytes())
    for same in (near, replace(reading, stars=copied)):
        assert run.identify_run("sky", same).fingerprint == first.fingerprint
    # another ending is read another way, and another order is other data
    as_table = copied.rename("renamed.fits")
    for other in (
        replace(reading, stars=as_table),
        replace(reading, more=reading.more[::-1]),
        replace(reading, more=reading.more[:1]),
    ):
        assert run.identify_run("sky", other).fingerprint != first.fingerprint
    assert run.identify_run("sky", near).options["stars"] == "stars.csv"


def test_every_file_is_known_by_the_option_that_names_it(reading):
    found = run.identify_run("sky", reading).inputs
    assert [file.key for file in found] == ["stars", "more.0", "more.1"]
    for file in found:
        content = file.path.read_bytes()
        assert file.entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert file.entry["bytes"] == len(content)


def test_a_file_that_is_not_read_decides_nothing(reading):
    first = run.identify_run("sky", reading, unread=("stars",))
    reading.stars.unlink()
    assert run.identify_run("sky", reading, unread=("stars",)) == first
    elsewhere = replace(reading, stars=Path("nowhere.fits"))
    found = run.identify_run("sky", elsewhere, unread=("stars",))
    assert found.fingerprint == first.fingerprint
    with pytest.raises(OSError, match=r"stars\.csv.*is the option stars.*say where"):
        run.identify_run("sky", reading)


def test_summaries_of_another_version_are_another_run():
    fingerprints = {
        run.identify_run("sky", Choices(), versions).fingerprint
        for versions in ({}, {"moments": 1}, {"moments": 2})
    }
    assert len(fingerprints) == 3


@pytest.mark.parametrize(
    "name",
    [
        *(
            "stars/near",
            "../above",
            "/tmp/elsewhere",
            "attempt-7",
            "attempt-x",
            "wandb",
        ),
        *("", ".", "..", ".hidden", "a\nb", "a\\b", "tab\t", "x\0", "-r", "é" * 200),
    ],
)
def test_a_name_that_is_no_folder_of_runs_is_refused(name):
    with pytest.raises(ValueError, match="names the folder of its runs: use letters"):
        run.identify_run(name, Choices())


@pytest.mark.parametrize(
    "name", ["desi", "flow-architectures", "Springs 2.1", "étoiles"]
)
def test_runs_of_any_plain_name_are_found_by_commands(tmp_path, name):
    begun = start(name, Choices(), tmp_path)
    assert run.attempt_folders(tmp_path) == [begun.folder]
