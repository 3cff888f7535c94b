import subprocess
import sys
import threading
from queue import Queue

import pytest

from orrery.learning import workers


def test_a_worker_that_started_ends_the_alarm_and_reports_no_epoch():
    queue, seen, alarm = Queue(), [], threading.Timer(3600, print)
    for item in (workers.READY, (0, {"train": 1.0}), None):
        queue.put(item)
    workers._listen(queue, lambda *epoch: seen.append(epoch), alarm)
    assert alarm.finished.is_set()
    assert seen == [(0, {"train": 1.0})]


# Ends with the first message.
STARVED = """
import os, sys
from pathlib import Path
from orrery.learning import training, workers
workers.STARTUP_TIMEOUT = 3.0
workers.say = lambda message: os._exit(print(message, flush=True) or 0)
workers.run_workers(print, 1000, Path(sys.argv[1]), training.ignore_epoch)
"""


@pytest.mark.slow
def test_more_workers_than_cpus_are_reported(tmp_path):
    command = [sys.executable, "-c", STARVED, str(tmp_path)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120
    )
    assert "no worker has started yet: 1000 workers need a CPU each" in done.stdout
