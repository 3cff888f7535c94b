"""Our training of a flow against sbi's, on the same pairs. The aim: a quarter of the time.

    python tests/benchmarks/train_flow.py
    python tests/benchmarks/train_flow.py --pairs 24576 --repeats 3

Both train the same architecture with their own defaults. The pairs come from a
simulator of the real problem's shape: 6 normal parameters and 26 summaries, which are
nonlinear functions of the parameters, blurred by 4 unknown nuisances, with noise whose
width depends on the parameters. Noise is in the pairs once, since sbi cannot draw it
anew (`orrery.learning.posterior.fit` does). sbi chooses its validation pairs from all
that it gets, as many as ours are.

After each of our epochs the held-out log-probability of the weights is looked at
outside the timed region. The last line is one JSON object, times in seconds by the
clock, and all of it for each repeat. It tells for `sbi` and `ours`: `seconds` of the
whole training, `cpu_seconds` likewise (a busy machine changes them less),
`log_probability` of held-out pairs under the final weights [nat], `epochs`. For ours
also `seconds_to_equal` and `cpu_seconds_to_equal`: until our weights were as good as
sbi's final ones, null if they never were. `times_faster` is sbi's time over that one,
`times_faster_whole` sbi's over our whole training, `gain` our final log-probability
less sbi's; medians of the repeats stand in front, null if one of them never got there.
"""

import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from sbi.inference import NPE
from sbi.neural_nets import posterior_nn
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from torch import Tensor, nn

from orrery import identity, runs, terminal
from orrery.identity import JSON
from orrery.learning import loop
from orrery.learning.options import Flow, Training
from orrery.parameters import FloatArray, generator

P, S, NUISANCES = 6, 26, 4
NOISE = 0.5  # of a summary whose signal has a width of about 1
Tensors = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Options:
    """Times our training against sbi's."""

    pairs: int = 8192
    """For training."""
    validation: int = 1024
    """For early stopping."""
    test: int = 8192
    """Held out: they compare the results."""
    repeats: int = 1
    """Each with other pairs and other first weights."""
    seed: int = 1
    """Root seed."""
    threads: int = 1
    """Of torch, for sbi; ours takes one. One is best on a busy machine, for both."""
    flow: Flow = field(default_factory=Flow)
    """The architecture of both."""
    training: Training = field(default_factory=Training)
    """How ours is trained."""


@dataclass(frozen=True)
class Problem:
    """The pairs `(theta [N, P], x [N, S])` of one repeat."""

    train: Tensors
    validation: Tensors
    test: Tensors


class Loss(nn.Module):
    """The negative log-probability of each pair."""

    def __init__(self, estimator: ConditionalDensityEstimator) -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, theta: Tensor, x: Tensor) -> Tensor:
        """Returns the losses `[N]`."""
        return self.estimator.loss(theta, x)


@dataclass
class Clock:
    """Time since the start by the clock and by the CPU [s], without pauses."""

    wall: float = 0.0
    cpu: float = 0.0

    def __post_init__(self) -> None:
        self.resume()

    def resume(self) -> None:
        """Goes on."""
        self.began = time.perf_counter(), time.process_time()

    def pause(self) -> None:
        """Stops."""
        self.wall += time.perf_counter() - self.began[0]
        self.cpu += time.process_time() - self.began[1]


def main(options: Options) -> None:
    """Prints what was measured."""
    results = []
    for repeat in range(options.repeats):
        results.append(compare(options, options.seed + repeat))
        terminal.say(json.dumps(results[-1]))
    ratios = [name for name in results[0] if name not in ("sbi", "ours")]
    medians = {name: median([result[name] for result in results]) for name in ratios}
    print(
        json.dumps(
            {**medians, "options": identity.describe(options), "repeats": results}
        )
    )


def median(values: list[float | None]) -> float | None:
    """Returns the median, null if a repeat never got there."""
    found = float(np.median([np.nan if value is None else value for value in values]))
    return round(found, 3) if np.isfinite(found) else None


def compare(options: Options, seed: int) -> JSON:
    """Returns times and held-out log-probabilities of both trainings."""
    problem = draw(options, seed)
    theirs = train_sbi(problem, options, seed)
    ours = train_ours(problem, options, seed, theirs["log_probability"])
    return {
        "times_faster": ratio(theirs["seconds"], ours["seconds_to_equal"]),
        "times_faster_cpu": ratio(theirs["cpu_seconds"], ours["cpu_seconds_to_equal"]),
        "times_faster_whole": ratio(theirs["seconds"], ours["seconds"]),
        "times_faster_whole_cpu": ratio(theirs["cpu_seconds"], ours["cpu_seconds"]),
        "gain": round(ours["log_probability"] - theirs["log_probability"], 4),
        "sbi": theirs,
        "ours": ours,
    }


def ratio(slow: float, fast: float | None) -> float | None:
    """Returns how many times faster, null if never."""
    return None if fast is None else round(slow / fast, 2)


def draw(options: Options, seed: int) -> Problem:
    """Returns the pairs of a repeat; what the simulator is does not depend on it."""
    counts = (options.pairs, options.validation, options.test)
    return Problem(*(simulate(n, generator(seed, k)) for k, n in enumerate(counts)))


def simulate(count: int, random: np.random.Generator) -> Tensors:
    """Returns `count` pairs of the nonlinear problem."""
    fixed = generator(0)
    linear, squares, widths = fixed.normal(size=(3, P, S)) / np.sqrt(P)
    theta = random.normal(size=(count, P))
    signal = (theta + 0.5 * np.sin(2 * theta)) @ linear
    signal += 0.4 * (theta * np.roll(theta, 1, axis=1)) @ squares
    signal += (
        0.3 * random.normal(size=(count, NUISANCES)) @ fixed.normal(size=(NUISANCES, S))
    )
    noise = NOISE * np.exp(0.3 * theta @ widths) * random.normal(size=(count, S))
    return single(theta), single(signal + noise)


def single(values: FloatArray) -> Tensor:
    """Returns a tensor in single precision."""
    return torch.from_numpy(values.astype(np.float32))


def train_sbi(problem: Problem, options: Options, seed: int) -> JSON:
    """Returns how sbi fared with its defaults."""
    builder = posterior_nn(
        "zuko_maf",
        num_transforms=options.flow.transforms,
        hidden_features=list(options.flow.hidden),
    )
    pairs = (
        torch.cat(both) for both in zip(problem.train, problem.validation, strict=True)
    )
    torch.manual_seed(seed)
    with (
        torch_threads(options.threads),
        contextlib.redirect_stdout(sys.stderr),
        tempfile.TemporaryDirectory() as logs,
        contextlib.chdir(logs),  # sbi logs into the working directory
    ):
        inference = NPE(density_estimator=builder, show_progress_bars=False)
        inference.append_simulations(*pairs)
        clock = Clock()
        share = options.validation / (options.pairs + options.validation)
        estimator = inference.train(validation_fraction=share)
        clock.pause()
    return {
        "seconds": round(clock.wall, 3),
        "cpu_seconds": round(clock.cpu, 3),
        "log_probability": log_probability(Loss(estimator), problem.test),
        "epochs": inference.summary["epochs_trained"][-1],
    }


@contextlib.contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Returns a context in which torch computes on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def log_probability(loss: nn.Module, pairs: Tensors) -> float:
    """Returns the mean log-probability of pairs [nat]."""
    with torch.no_grad():
        return round(-float(loss(*pairs).double().mean()), 4)


def train_ours(problem: Problem, options: Options, seed: int, goal: float) -> JSON:
    """Returns how ours fared, and when it was as good as `goal`."""
    reached: list[Clock] = []

    def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
        clock.pause()
        if not reached and log_probability(module, problem.test) >= goal:
            reached.append(dataclasses.replace(clock))
        clock.resume()

    with tempfile.TemporaryDirectory() as folder, torch_threads(1):
        clock = Clock()
        torch.manual_seed(seed)
        module = Loss(options.flow.build(*problem.train))
        task = loop.TrainingTask(
            module,
            lambda epoch: problem.train,
            problem.validation,
            options.training,
            seed,
            Path(folder),
        )
        trained = loop.trained(task, on_epoch)
        clock.pause()
    module.load_state_dict(trained.weights)
    return {
        "seconds": round(clock.wall, 3),
        "cpu_seconds": round(clock.cpu, 3),
        "log_probability": log_probability(module, problem.test),
        "epochs": len(trained.curve.train),
        "seconds_to_equal": round(reached[0].wall, 3) if reached else None,
        "cpu_seconds_to_equal": round(reached[0].cpu, 3) if reached else None,
    }


if __name__ == "__main__":
    runs.main(main, Options)
