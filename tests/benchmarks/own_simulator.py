"""How many simulations, data and parameters the page on one's own simulator can do with.

    python tests/benchmarks/own_simulator.py
    python tests/benchmarks/own_simulator.py --sizes --heights 100 --simulations 30000

The last line is one JSON object. The example of `docs/tutorials/own-simulator.md` runs as it
stands there with other numbers of simulations, and of heights. Its simulator is linear and its
noise normal, so that the exact posterior is known: `missing` is by how much the expected log
density of the truth falls short of it, in nats for each parameter. `rejects` are the tests that
reject the posterior, `control` those that reject the one that is too narrow on purpose. The
same is asked of simulators with more parameters, each datum a sum of all. Seconds are CPU time
of one process with one thread, which a busy machine changes least.
"""

import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import orrery
from orrery import runs, terminal
from orrery.execution import cluster
from orrery.identity import JSON

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "own-simulator.md"
VERSION = 1  # of `Sums` and `sums`
ERROR = 0.5  # of each datum, as on the page
DATA_OF_EACH = 4  # data for each parameter
FITTED = "judged = orrery.calibrate(posterior, pairs, seed=1)\n"


@dataclass(frozen=True)
class OwnSimulator:
    """Runs the page's example with other sizes."""

    sizes: tuple[int, ...] = (300, 1000, 3000, 10_000, 30_000)
    """Numbers of simulations."""
    heights: tuple[int, ...] = (2, 32, 100)
    """Numbers of data."""
    parameters: tuple[int, ...] = (2, 5, 10)
    """Numbers of parameters."""
    simulations: tuple[int, ...] = (3000, 30_000)
    """Numbers of simulations with which these two are tried."""


def main(options: OwnSimulator) -> None:
    """Prints what was measured."""
    found = []
    with cluster.one_thread():
        for size in options.sizes:
            found.append(measured(page_example(size, 8), simulations=size))
        for size in options.simulations:
            for count in options.heights:
                example = page_example(size, count)
                found.append(measured(example, simulations=size, heights=count))
            for count in options.parameters:
                example = sums_example(size, count)
                found.append(measured(example, simulations=size, parameters=count))
    print(json.dumps({"measured": found}))


def measured(example: Any, **sizes: int) -> JSON:
    """Returns how an example does, run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        before, start = Path.cwd(), time.process_time()
        os.chdir(folder)
        try:
            judged, exact, parameters = example()
        finally:
            os.chdir(before)
    gained = judged.log_probability
    found = {
        **sizes,
        "cpu_seconds": round(time.process_time() - start, 1),
        "tests": judged.tests,
        "missing": round((exact - gained.mean) / parameters, 3),
        "missing_error": round(gained.standard_error / parameters, 3),
        "rejects": list(judged.verdict.names),
        "control": list(judged.negative_control.verdict.names),
    }
    terminal.say(json.dumps(found))
    return found


def page_example(size: int, heights: int) -> Any:
    """Returns the page's example with other numbers of simulations and heights."""
    code = "\n".join(
        re.findall(r"^```python.*?\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    )
    for ours, theirs in (
        ("simulations = 3000\n", f"simulations = {size}\n"),
        ("np.linspace(0.25, 2.0, 8)", f"np.linspace(0.25, 2.0, {heights})"),
        ("for i in range(8))", f"for i in range({heights}))"),
    ):
        assert ours in code, ours
        code = code.replace(ours, theirs)
    fitted = code[: code.index(FITTED) + len(FITTED)]

    def example() -> Any:
        names: dict[str, Any] = {}
        exec(fitted, names)
        times = names["TIMES"]
        design = np.stack([times, -(times**2) / 2], axis=1)
        return names["judged"], best_log_density(design, np.array([3.0, 2.0])), 2

    return example


def best_log_density(design: Any, prior: Any) -> float:
    """Returns the expected log density of the truth by the exact posterior.

    Arguments:
        design: By how much each of D data grows with each of P parameters `[D, P]`.
        prior: Standard deviations of the parameters `[P]`.
    """
    precision = np.diag(prior**-2) + design.T @ design / ERROR**2
    log_volume = -np.linalg.slogdet(precision)[1]
    return float(-0.5 * (len(prior) * np.log(2 * np.pi * np.e) + log_volume))


class Sums:
    """A simulator whose data are sums of parameters, each of which is 0 ± 1."""

    def __init__(self, parameters: int) -> None:
        shape = (DATA_OF_EACH * parameters, parameters)
        random = np.random.default_rng(parameters)
        self.design = random.normal(size=shape) / np.sqrt(parameters)
        self.names = [f"p{i}" for i in range(parameters)]
        self.seen = [f"y{i}" for i in range(shape[0])]
        columns = [orrery.Column(name, "m", "") for name in self.names + self.seen]
        self.schema = orrery.Schema(tuple(columns))

    def describe(self) -> JSON:
        """Returns what decides the numbers."""
        return {"model": "sums", "parameters": len(self.names), "version": VERSION}

    def records(self, seed: int, indices: Any) -> orrery.Records:
        """Returns simulations by their numbers."""
        count = len(self.names)
        theta = np.array(
            [orrery.generator(seed, i).normal(size=count) for i in indices]
        )
        rows = np.hstack([theta, theta @ self.design.T])
        return orrery.Records(dict(zip(self.names + self.seen, rows.T, strict=True)))


def sums(records: orrery.Records, entries: orrery.Entries) -> Any:
    """Returns the data of all simulations `[N, D]`."""
    return np.stack([records.scalars[name] for name in entries.names], axis=1)


def sums_example(size: int, count: int) -> Any:
    """Returns an example with more parameters, inferred as on the page."""

    def example() -> Any:
        model = Sums(count)
        seen = tuple(model.seen)
        parameters = [orrery.Parameter(name, "m", name) for name in model.names]
        made = orrery.generate(model, size, seed=1, folder="datasets", actors=0)
        entries = orrery.Entries(seen, ("m",) * len(seen))
        pairs = orrery.summarise(sums, made, entries, parameters)
        posterior = orrery.fit(
            pairs,
            tuple(parameters),
            ERROR**2 * np.eye(len(seen)),
            orrery.Flow(1),
            orrery.Training(64, max_epochs=10),
            seed=4,
            folder=made.folder / "fit",
        )
        judged = orrery.calibrate(posterior, pairs, seed=1)
        return judged, best_log_density(model.design, np.ones(count)), count

    return example


if __name__ == "__main__":
    runs.main(main, OwnSimulator)
