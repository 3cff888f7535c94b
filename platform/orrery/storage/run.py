"""A run: one execution of an experiment, with the options it was given and a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orrery.identity import JSON, describe, fingerprint
from orrery.storage.files import ensure_writable, write_json
from orrery.versions import versions


@dataclass(frozen=True)
class Run:
    """One execution of an experiment.

    Arguments:
        experiment: The experiment's name.
        folder: Where everything the run writes goes.
        fingerprint: Identifies the options; the same options always find the same
            folder.
        options: The options as plain JSON.
    """

    experiment: str
    folder: Path
    fingerprint: str
    options: JSON


def start(experiment: str, choices: Any, root: Path = Path("runs")) -> Run:
    """Returns the run of an experiment with the given options, its folder ready.

    The folder is `<root>/<experiment>/<fingerprint of the options>`. It receives
    `options.json` and `versions.json`. Where things are kept decides nothing: fields of
    a dataclass whose metadata has `"place": True` are not part of the fingerprint.

    Arguments:
        experiment: The experiment's name.
        choices: The options, a dataclass.
        root: The folder of all runs.

    Raises:
        OSError: If the folder cannot be written.
    """
    document = describe(choices)
    identity = fingerprint([experiment, describe(choices, places=False)])
    folder = ensure_writable(root / experiment / identity)
    write_json(folder / "options.json", {"experiment": experiment, "options": document})
    write_json(folder / "versions.json", versions())
    return Run(experiment, folder, identity, document)
