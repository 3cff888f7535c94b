import threading
from queue import Queue

import pytest

from orrery.learning import workers
from orrery.learning.training import ignore_epoch


def test_a_worker_that_started_ends_the_alarm_and_reports_no_epoch():
    queue, seen, alarm = Queue(), [], threading.Timer(3600, print)
    for item in (workers.READY, (0, {"train": 1.0}), None):
        queue.put(item)
    workers._listen(queue, lambda *epoch: seen.append(epoch), alarm)
    assert alarm.finished.is_set()
    assert seen == [(0, {"train": 1.0})]


@pytest.mark.slow  # Ray counts its CPUs
@pytest.mark.usefixtures("connected")
def test_more_workers_than_cpus_are_reported(monkeypatch):
    said = Queue()
    monkeypatch.setattr(workers, "say", said.put)
    monkeypatch.setattr(workers, "STARTUP_TIMEOUT", 0.0)
    with workers._listening(ignore_epoch, 1000):  # none of them ever starts
        message = said.get(timeout=60)
    assert "no worker has started yet: 1000 workers need a CPU each" in message
