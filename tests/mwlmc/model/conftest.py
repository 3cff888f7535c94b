"""Galaxies, and stars in equilibrium with them, as the laws of orbits need them."""

import warnings
from functools import cache

import numpy as np
import pytest
import torch

from mwlmc.model import (
    disc_and_bulge,
    distribution,
    potentials,
    stellar_halo,
    trajectories,
)
from mwlmc.model.orbits import Stepper, moving_potential, stage_weights
from mwlmc.model.trajectories import Galaxies


@pytest.fixture(scope="session")
def make_halo():
    """Returns the dark halo of some simulations."""

    def make(count=2):
        mass = np.full(count, 1.5e12)
        return potentials.milky_way_halo(mass, potentials.concentration(mass))

    return make


@pytest.fixture(scope="session")
def make_galaxies(make_halo):
    """Returns both galaxies, with an LMC at its observed place today, and their paths."""

    def make(friction=0.0, count=2):
        strength = torch.full((count, 1), friction, dtype=torch.float64)
        galaxies = Galaxies(
            make_halo(count), potentials.lmc_halo(np.full(count, 1.5e11)), strength
        )
        today = torch.tensor(
            [[-0.6, -41.3, -27.1], [-63.9, -213.8, 206.6]], dtype=torch.float64
        )
        start = today[:, :, None].expand(2, 3, count)
        return galaxies, trajectories.rewind(start[0], start[1], galaxies)

    return make


@pytest.fixture(scope="session")
def potential_among():
    """Returns the potential in which stars move among both galaxies."""

    def make(galaxies, paths, dtype=torch.float64):
        stars = disc_and_bulge.stellar_table()
        return moving_potential(galaxies.milky_way, stars, galaxies.lmc, paths, dtype)

    return make


@pytest.fixture(scope="session")
def draw_stars(make_halo):
    """Returns two rows of stars in equilibrium with the halo, twice `[3, 2, N]`, as float64."""

    def make(count, beta=0.3, seed=4):
        halo = make_halo(1)
        spherical = distribution.spherical_potential(
            float(halo.amplitude), float(halo.scale), "halo"
        )
        function = distribution.distribution_function(spherical, beta, 12.0)
        parts = function.sample(2 * count, np.random.default_rng(seed))
        return tuple(
            torch.as_tensor(part.reshape(3, count, 2).swapaxes(1, 2)) for part in parts
        )

    return make


@pytest.fixture(scope="session")
def draw_stars_of():
    """Returns stars in equilibrium with each halo, in single precision, twice `[3, B, N]`."""

    def make(halo, count, beta, seed=4):
        parts = []
        for amplitude, scale in zip(
            halo.amplitude.tolist(), halo.scale.tolist(), strict=True
        ):
            spherical = distribution.spherical_potential(amplitude[0], scale[0], "halo")
            function = distribution.distribution_function(spherical, beta, 12.0)
            parts.append(np.stack(function.sample(count, np.random.default_rng(seed))))
            seed += 1
        return tuple(torch.as_tensor(np.stack(parts, axis=2), dtype=torch.float32))

    return make


@pytest.fixture(scope="session")
def traced_steps(potential_among, make_galaxies):
    """Returns the step as it is in a precision, traced: the same bits in half the time."""

    @cache
    def make(dtype):
        field = potential_among(*make_galaxies(), dtype).rows(torch.tensor([0, 1]))
        vectors = torch.full((3, 2, 5), 50.0, dtype=dtype)
        numbers = -torch.ones((2, 5), dtype=dtype)
        start, felt = (vectors, vectors, numbers), field.tensors
        weights = stage_weights(vectors)[1]
        arguments = {
            "begin": (*start, torch.tensor(0.5, dtype=dtype), *felt),
            "stage": (*start, numbers, vectors, vectors, vectors, weights, *felt),
            "finish": (*start, numbers, vectors, vectors, vectors, vectors),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch calls it outdated
            parts = {
                name: torch.jit.trace(
                    getattr(Stepper(), name), given, check_trace=False
                )
                for name, given in arguments.items()
            }
        return Stepper(**parts)

    return make


@pytest.fixture(scope="session")
def integrate(traced_steps):
    """Returns positions and velocities today of stars `[3, B, N]`, by the step as it is."""

    def make(x, v, potential, share, steps=None):
        steps = steps or traced_steps(x.dtype)
        with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
            patch.setattr(stellar_halo, "WIDTH", x.shape[2])  # no empty places in rows
            today = stellar_halo.evolve(x, v, potential, 0.0, share, steps)
        return today[:2]

    return make


@pytest.fixture(scope="session")
def step_calls(integrate):
    """Returns what the parts of a step were called with, by their names, on the way of stars."""

    def make(x, v, potential, share, steps=None):
        calls = {name: [] for name in ("begin", "stage", "finish")}

        def noting(name):
            def part(*arguments):
                calls[name].append(arguments)
                return getattr(Stepper(), name)(*arguments)

            return part

        integrate(
            x, v, potential, share, Stepper(**{name: noting(name) for name in calls})
        )
        return calls

    return make
