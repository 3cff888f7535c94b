"""Where trials of sweeps lie below a folder, and what their sweeps seek.

What is in the files is read by `orrery.sweeps.trial`, which writes them.
"""

from pathlib import Path

from orrery.storage.documents import read_document
from orrery.sweeps.trial import SWEEP, sweep_folders, trial_paths
from orrery.sweeps.trial_list import SWEEP_REMEDY


def trial_files(root: Path) -> list[Path]:
    """Returns the files of all trials below a folder, by sweep and number.

    Arguments:
        root: The folder of all runs, of one experiment, or of one sweep.
    """
    return [path for sweep in sweep_folders(root) for path in trial_paths(sweep)]


def sweep_goals(sweep: Path) -> dict[str, str]:
    """Returns whether `larger` or `smaller` is better for each objective of a sweep.

    Empty for one that has not said it: the names of objectives must do then.

    Arguments:
        sweep: Its folder.

    Raises:
        ValueError: If the document that says it is damaged.
        OSError: If it cannot be read.
    """
    path = sweep / SWEEP
    if not path.exists():
        return {}
    document = read_document(path, SWEEP_REMEDY)
    try:
        return {str(goal["name"]): str(goal["better"]) for goal in document["goals"]}
    except (TypeError, LookupError) as error:
        raise ValueError(
            f"{path} does not say what is better ({error!r}): {SWEEP_REMEDY}"
        ) from error
