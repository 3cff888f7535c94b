import threading
from dataclasses import replace
from queue import Queue

import pytest
from ray.exceptions import ActorDiedError

from orrery.execution.same_code import installed_code
from orrery.learning import workers
from orrery.learning.training import ignore_member


def test_a_worker_that_started_ends_the_alarm_and_reports_no_epoch():
    queue, seen, alarm = Queue(), [], threading.Timer(3600, print)
    for item in (workers.READY, (0, 0, {"train": 1.0}), None):
        queue.put(item)
    workers._listen(queue, lambda *epoch: seen.append(epoch), alarm)
    assert alarm.finished.is_set()
    assert seen == [(0, 0, {"train": 1.0})]


class LostQueue:
    """A queue whose actor dies after what it holds was read."""

    def __init__(self, items):
        self.items = items

    def get(self):
        if not self.items:
            raise ActorDiedError
        return self.items.pop(0)

    def put(self, item):
        raise ActorDiedError


def test_a_queue_that_dies_ends_the_listening_and_says_so(monkeypatch):
    seen, said = [], []
    monkeypatch.setattr(workers, "say", said.append)
    alarm = threading.Timer(3600, print)
    queue = LostQueue([workers.READY, (0, 0, {"train": 1.0})])
    workers._listen(queue, lambda *epoch: seen.append(epoch), alarm)
    assert seen == [(0, 0, {"train": 1.0})]
    (line,) = said
    assert line.startswith("the training goes on, but tells no more of its epochs")


def test_a_queue_that_died_is_no_death_of_the_worker_that_sends():
    workers._Sender(LostQueue([]))(0, 3, {"train": 1.0})


def test_a_worker_that_has_other_code_refuses_before_it_works():
    here = installed_code(())
    other = replace(here, versions={**here.versions, "torch": "0.0.1"})
    with pytest.raises(ValueError, match=r"\(torch .* instead of 0\.0\.1\)"):
        workers._as_worker({"code": other})


@pytest.mark.slow  # Ray counts its CPUs
@pytest.mark.usefixtures("connected")
def test_more_workers_than_cpus_are_reported(monkeypatch, tmp_path):
    said, told = Queue(), []

    class Waiting:
        """A trainer none of whose workers ever starts."""

        def __init__(self, *arguments, **settings):
            pass

        def fit(self):
            told.append(said.get(timeout=60))

    monkeypatch.setattr(workers, "TorchTrainer", Waiting)
    monkeypatch.setattr(workers, "say", said.put)
    monkeypatch.setattr(workers, "STARTUP_TIMEOUT", 0.0)
    workers.run_workers(print, 1000, tmp_path, ignore_member)
    (message,) = told
    assert "no worker has started yet: 1000 workers need a CPU each" in message
