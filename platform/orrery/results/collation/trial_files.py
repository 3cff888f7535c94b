"""Where trials of sweeps lie below a folder, and what their sweeps seek.

What is in the files is read by `orrery.sweeps.trial`, which writes them.
"""

from contextlib import suppress
from pathlib import Path

from orrery.storage.documents import read_document
from orrery.sweeps.trial import SWEEP, TRIAL_REMEDY, sweep_folders, trial_paths


def trial_files(root: Path) -> list[Path]:
    """Returns the files of all trials below a folder, by sweep and number.

    Arguments:
        root: The folder of all runs, of one experiment, or of one sweep.
    """
    return [path for sweep in sweep_folders(root) for path in trial_paths(sweep)]


def sweep_goals(sweep: Path) -> dict[str, str]:
    """Returns whether `larger` or `smaller` is better for each objective of a sweep.

    Arguments:
        sweep: Its folder.
    """
    # without it the names of objectives must do
    with suppress(OSError, ValueError, TypeError, LookupError):
        goals = read_document(sweep / SWEEP, TRIAL_REMEDY)["goals"]
        return {str(goal["name"]): str(goal["better"]) for goal in goals}
    return {}
