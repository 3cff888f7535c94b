"""An account whose connections by ssh are nobody else's."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def connections(monkeypatch):
    """Returns where Ray has the connections by ssh of this account, called otherwise here."""
    user = f"tester-{os.getpid()}"
    monkeypatch.setenv("LOGNAME", user)
    folder = Path("/tmp", f"ray_ssh_{hashlib.sha256(user.encode()).hexdigest()[:10]}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
