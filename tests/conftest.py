import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared():
    """The folder with star tables that are too large or not ours to keep in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("ORRERY_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip("star tables not at hand: set ORRERY_SHARED to a folder with data/")
    return folder
