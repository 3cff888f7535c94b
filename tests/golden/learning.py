"""Records of learning: flows and ensembles that are trained for a few epochs on a toy."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from orrery.learning import ensemble as ensembles
from orrery.learning import mixture as mixtures
from orrery.learning import posterior as posteriors
from orrery.learning.members import Cohort
from orrery.learning.networks import Dense
from orrery.learning.options import Flow, Learning, Networks, Training
from orrery.learning.training import Curve, single_precision
from orrery.pairs import Pairs, Splits
from orrery.parameters import FloatArray, Parameter, generator
from orrery.storage.dataset import SPLITS, split

from .quantities import Record, quantity

SEED = 20251126
PARAMETERS = (
    Parameter("a", "kpc", "$a$"),
    Parameter("b", "", "$b$", -4.0, 4.0),  # bounded: learned as a normal quantile
)
NAMES = ("u", "v", "w", "t")
SLOPES = np.array([[1.0, 0.5, -0.3, 0.1], [0.0, 1.0, 0.8, -0.4]])
WARMUP_EPOCHS_AND_MORE = 8
COVARIANCE = np.diag([0.5, 0.4, 0.3, 0.2]) + 0.05


def flow() -> Record:
    """Returns an affine flow of plain summaries, and splines of a set."""
    return {
        **_flow("affine", Flow(2, (16,)), _splits(_plain), 5e-5),
        **_flow("splines", Flow(2, (16,), "nsf"), _splits(_set, (1, 3, 1)), 1e-2),
    }


def _flow(name: str, chosen: Flow, splits: Splits, absolute: float) -> Record:
    training = Training(batch_size=64, max_epochs=3)
    with TemporaryDirectory() as folder:
        found = posteriors.fit(
            splits, PARAMETERS, COVARIANCE, chosen, training, SEED, Path(folder)
        )
    test = splits.test
    draws = found.sample_each(test.x[:4], 500, SEED)
    return {
        **_curve(name, found.curve, absolute),
        f"{name}.log_prob": quantity(
            found.log_prob(test.theta, test.x), absolute=absolute
        ),
        f"{name}.mean": quantity(draws.mean(axis=0), absolute=absolute),
        f"{name}.width": quantity(draws.std(axis=0), absolute=absolute),
    }


def ensemble() -> Record:
    """Returns three networks' predictions, with summaries scaled in two groups."""
    learning = Learning(batch_size=32, learning_rate=4e-3, max_epochs=4)
    splits = _splits(_plain)
    with TemporaryDirectory() as folder:
        found = ensembles.fit(
            splits,
            PARAMETERS,
            Networks(members=3, hidden=(8, 4)),
            learning,
            SEED,
            Path(folder),
            groups=("one", "one", "two", "two"),
        )
    return {
        **_curve("members", found.curve, 2e-5),
        "members.predicted": quantity(found.predict(splits.test.x), absolute=2e-5),
        "members.mean": quantity(found.mean(splits.test.x), absolute=2e-5),
        **_narrow(splits),
        **_warmup(splits),
        "split": quantity([SPLITS.index(split(index)) for index in range(20)]),
    }


def _narrow(splits: Splits) -> Record:
    """Returns deep narrow networks, of which most first weights collapse and are drawn again."""
    with TemporaryDirectory() as folder:
        found = ensembles.fit(
            splits,
            PARAMETERS,
            Networks(members=16, hidden=(3, 2, 2, 2)),
            Learning(batch_size=64, learning_rate=0.02, max_epochs=7),
            SEED,
            Path(folder),
        )
    attempts = found.document["reseeded"]
    return {
        **_curve("narrow", found.curve, 1e-4),
        "narrow.attempts": quantity([attempts.get(str(k), 0) for k in range(16)]),
        "narrow.predicted": quantity(found.predict(splits.test.x[:4]), absolute=1e-3),
    }


def _warmup(splits: Splits) -> Record:
    """Returns when a network of nought ends its training, and what one beside it learns."""
    pairs = (splits.train, splits.validation)
    train, validation = (
        (single_precision(p.x), single_precision(p.theta)) for p in pairs
    )
    weights = [torch.zeros(2, 3, len(NAMES)), torch.zeros(2, len(PARAMETERS), 3)]
    for tensor in weights:
        tensor[1] = torch.linspace(-0.5, 0.8, tensor[1].numel()).view_as(tensor[1])
    biases = [torch.zeros(*tensor.shape[:2], 1) for tensor in weights]
    cohort = Cohort(
        numbers=[0, 1],
        attempts=[0, 0],
        network=Dense(weights, biases),
        train=train,
        validation=validation,
        options=Learning(learning_rate=0.01),
        seed=SEED,
    )
    learning = []
    for epoch in range(WARMUP_EPOCHS_AND_MORE):
        cohort.learn(epoch)
        learning.append(len(cohort.active))
    return {
        "warmup.learning": quantity(learning),
        "warmup.validation": quantity(cohort.reached.validation.numpy(), absolute=1e-4),
    }


def mixture() -> Record:
    """Returns stacking weights of members that are good, alike, useless, and without density."""
    random = generator(SEED, 9)
    quality = np.array([0.0, -0.1, -0.1, -3.0])
    log_prob = random.normal(quality, 1.0, (64, 4))
    log_prob[:, 3] = np.where(random.random(64) < 0.2, -np.inf, log_prob[:, 3])
    # so alike that the rounds run out before the best weights are found
    alike = np.tile([-1.0, -1.0 - 5e-5], (64, 1))
    return {
        "weights": quantity(mixtures.stacking_weights(log_prob)),
        "two": quantity(mixtures.stacking_weights(log_prob[:, :2])),
        "alike": quantity(mixtures.stacking_weights(alike)),
        "origins": quantity(mixtures._origins(np.array([0.2, 0.5, 0.3]), 30, SEED)),
        "seeds": quantity([mixtures.member_seed(SEED, k) for k in range(4)]),
        **_mixed(),
    }


class _Member:
    """A member that is normal about a number, whatever the summaries are."""

    parameters = PARAMETERS[:1]
    names = NAMES
    units = ("km / s",) * len(NAMES)
    definition = "golden"
    covariance = COVARIANCE

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def sample_each(self, x: FloatArray, count: int, seed: int) -> FloatArray:
        return self.mean + generator(seed).standard_normal((count, len(x), 1))

    def log_prob(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        return -0.5 * (theta[:, 0] - self.mean) ** 2


def _mixed() -> Record:
    """Returns densities and draws of a mixture, and which weights it refuses."""
    members = (_Member(-1.0), _Member(3.0), _Member(9.0))
    found = mixtures.Mixture(members, np.array([0.3, 0.6, 0.1]))
    theta = np.linspace(-4.0, 12.0, 9)[:, None]
    refused = []
    for off in (9e-7, 1.1e-6):
        try:
            mixtures.Mixture(members[:2], np.array([0.5, 0.5 + off]))
        except ValueError:
            refused.append(off)
    return {
        "mixed.log_prob": quantity(found.log_prob(theta, np.zeros((9, len(NAMES))))),
        "mixed.draws": quantity(found.sample_each(np.zeros((2, len(NAMES))), 20, SEED)),
        "mixed.refused": quantity(len(refused)),
    }


def _curve(name: str, curve: Curve, absolute: float) -> Record:
    return {
        f"{name}.train": quantity(curve.train, absolute=absolute),
        f"{name}.validation": quantity(curve.validation, absolute=absolute),
    }


def _plain(theta: FloatArray) -> FloatArray:
    return theta @ SLOPES


def _set(theta: FloatArray) -> FloatArray:
    """Returns one place of two numbers, with a flag that is 1 if it is there, and one beside."""
    x = theta @ SLOPES
    x[:, 2] = np.arange(len(x)) % 3 > 0
    x[:, :2] *= x[:, 2:3]
    return x


def _splits(summarise, layout=None) -> Splits:
    pairs = []
    for stream, count in enumerate((512, 128, 16)):
        random = generator(SEED, stream)
        theta = np.stack([random.normal(size=count), random.uniform(-4, 4, count)], 1)
        theta[0, 1] = PARAMETERS[1].upper
        pairs.append(Pairs(theta, summarise(theta)))
    names = tuple(parameter.name for parameter in PARAMETERS)
    units = ("km / s",) * len(NAMES)
    return Splits(*pairs, names, NAMES, units, "golden", "golden", 0, layout)
