"""Each import contract can fail: an import that it forbids, planted in a copy, breaks it."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUDIES = "Studies take of the results only what records and describes"
# What is left to studies: what records findings, and words for what these are.
RECORDS = {
    *("recording", "late_readers", "result", "section_files", "encoding", "keys"),
    "inventory",
    *("lineage", "ancestry", "sections", "views", "panels", "dataset_sections"),
    *("posterior_sections", "calibration_sections", "calibration_doubts"),
    "ensemble_sections",
    *("sweep_sections", "binning_sections", "kept_bins", "wording"),
}


def contracts():
    """Returns each contract's settings by its name."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    found = {}
    for section in parser.sections():
        if ":contract:" in section:
            found[parser[section]["name"]] = dict(parser[section])
    return found


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def layers(settings):
    """Returns the layers of a contract from the top down, each a list of full names."""
    container = settings["containers"].strip()
    rows = [re.split(r"[|:]", line) for line in lines(settings["layers"])]
    return [[f"{container}.{name.strip().strip('()')}" for name in row] for row in rows]


def forbidden_import(settings):
    """Returns the module in which an import is planted, and what it imports."""
    kind = settings["type"]
    if kind == "layers":
        top, *_, bottom = layers(settings)
        return bottom[0], top[0]
    if kind == "forbidden":
        return lines(settings["source_modules"])[0], lines(
            settings["forbidden_modules"]
        )[0]
    if kind == "independence":
        first, second = lines(settings["modules"])[:2]
        return first, second
    return "mwlmc.parameters", lines(settings["protected_modules"])[0]


def file_of(platform, module):
    place = platform.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def kept_and_broken(folder):
    """Returns the names of the contracts that are kept and of those that are broken."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(folder / "platform"), "COLUMNS": "500"},
    )
    found = {"KEPT": set(), "BROKEN": set()}
    text = " ".join(done.stdout.split())
    for name in contracts():
        for verdict, names in found.items():
            if f"{name} {verdict}" in text or f"{name}{verdict}" in text:
                names.add(name)
    return found


def test_every_contract_breaks_on_an_import_that_it_forbids(tmp_path):
    platform = tmp_path / "platform"
    shutil.copytree(
        ROOT / "platform", platform, ignore=shutil.ignore_patterns("*.egg-info")
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    before = kept_and_broken(tmp_path)
    assert before == {"KEPT": set(contracts()), "BROKEN": set()}
    for settings in contracts().values():
        module, wanted = forbidden_import(settings)
        with file_of(platform, module).open("a") as file:
            file.write(f"\n\ndef planted() -> None:\n    import {wanted}  # noqa\n")
    assert kept_and_broken(tmp_path) == {"KEPT": set(), "BROKEN": set(contracts())}


def test_every_layered_room_refuses_a_file_without_a_place(tmp_path):
    platform = tmp_path / "platform"
    shutil.copytree(
        ROOT / "platform", platform, ignore=shutil.ignore_patterns("*.egg-info")
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    rooms = {}
    for name, settings in contracts().items():
        if settings["type"] == "layers":
            assert settings["exhaustive"].strip() == "true", name
            rooms[name] = settings["containers"].strip()
    for room in rooms.values():
        (platform.joinpath(*room.split(".")) / "unplaced.py").write_text('"""New."""\n')
    assert kept_and_broken(tmp_path)["BROKEN"] >= set(rooms)


def test_every_file_of_the_results_records_or_is_kept_from_studies():
    room = ROOT / "platform" / "orrery" / "results"
    files = {path.stem for path in room.iterdir() if path.suffix == ".py"}
    rooms = {path.parent.name for path in room.glob("*/__init__.py")}
    kept = {
        name.rpartition(".")[2]
        for name in lines(contracts()[STUDIES]["forbidden_modules"])
    }
    assert kept & RECORDS == set()
    assert (files | rooms) - {"__init__"} == RECORDS | kept - {"command_line", "runs"}
