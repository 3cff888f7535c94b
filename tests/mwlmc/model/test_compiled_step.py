"""Laws of the compiled step: it is the step, in single precision and without a compiler too."""

import numpy as np
import pytest
import torch

from mwlmc.model import (
    compiled_step,
    disc_and_bulge,
    distribution,
    potentials,
    stellar_halo,
    trajectories,
)
from mwlmc.model.compiled_step import WIDTH, stepper
from mwlmc.model.orbits import Stepper, moving_potential
from mwlmc.model.trajectories import Galaxies
from mwlmc.model.vectors import length

SHARES = stellar_halo.STEP_SHARES


def _halo(count=2):
    mass = np.full(count, 1.5e12)
    return potentials.milky_way_halo(mass, potentials.concentration(mass))


def _galaxies(friction=0.0, count=2):
    """Both galaxies, with an LMC at its observed place today, and their paths."""
    strength = torch.full((count, 1), friction, dtype=torch.float64)
    galaxies = Galaxies(
        _halo(count), potentials.lmc_halo(np.full(count, 1.5e11)), strength
    )
    today = torch.tensor(
        [[-0.6, -41.3, -27.1], [-63.9, -213.8, 206.6]], dtype=torch.float64
    )
    start = today[:, :, None].expand(2, 3, count)
    return galaxies, trajectories.rewind(start[0], start[1], galaxies)


def _among(galaxies, paths, dtype=torch.float64):
    stars = disc_and_bulge.stellar_table()
    return moving_potential(galaxies.milky_way, stars, galaxies.lmc, paths, dtype)


def _stars(count, beta=0.3, seed=4):
    """Two rows of stars in equilibrium with the halo, twice `[3, 2, N]`, in double precision."""
    halo = _halo(1)
    spherical = distribution.spherical_potential(
        float(halo.amplitude), float(halo.scale), "halo"
    )
    function = distribution.distribution_function(spherical, beta, 12.0)
    parts = function.sample(2 * count, np.random.default_rng(seed))
    return tuple(
        torch.as_tensor(part.reshape(3, count, 2).swapaxes(1, 2)) for part in parts
    )


def _integrate(x, v, potential, share, steps=None):
    """Returns positions and velocities today of stars `[3, B, N]`, by the step as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stellar_halo, "WIDTH", x.shape[2])  # rows without empty places
        return stellar_halo.evolve(x, v, potential, 0.0, share, steps or Stepper())[:2]


def _calls(x, v, potential, share, steps=None):
    """What the parts of a step were called with, by their names, on the way of stars."""
    calls = {name: [] for name in ("begin", "stage", "finish")}

    def noting(name):
        def part(*arguments):
            calls[name].append(arguments)
            return getattr(Stepper(), name)(*arguments)

        return part

    _integrate(
        x, v, potential, share, Stepper(**{name: noting(name) for name in calls})
    )
    return calls


@pytest.fixture(scope="module")
def single():
    """Stars in the moving potential, in single precision."""
    x, v = _stars(WIDTH)
    return x.float(), v.float(), _among(*_galaxies(friction=1.0), torch.float32)


def test_compiled_steps_are_the_steps(single):
    x, v, potential = single
    calls = _calls(x, v, potential, 0.5)
    for name, all_arguments in calls.items():
        for arguments in all_arguments[:12:4]:
            found = getattr(stepper(), name)(*arguments)
            wanted = getattr(Stepper(), name)(*arguments)
            for got, exact in zip(found, wanted, strict=True):
                torch.testing.assert_close(got, exact, rtol=2e-5, atol=2e-4)


def test_a_compiled_step_refuses_rows_of_another_width(single):
    x, v, potential = single
    with pytest.raises(
        ValueError, match="rows of 100 stars: the compiled step is for 128"
    ):
        _integrate(x[:, :, :100], v[:, :, :100], potential, 0.5, stepper())


@pytest.mark.parametrize("share", SHARES.values(), ids=SHARES)
def test_single_precision_is_enough(single, share):
    """Beyond 30 kpc, where rounding is far below the error of the steps."""
    x, v, potential = single
    today, _ = _integrate(x, v, potential, share, stepper())
    double = _among(*_galaxies(friction=1.0))
    wanted, _ = _integrate(x.double(), v.double(), double, share)
    off = length(today.double() - wanted)[length(wanted) > 30.0]
    assert off.median() < 3e-4  # [kpc]
    assert torch.quantile(off, 0.99) < 0.01


def test_without_a_compiler_the_step_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(compiled_step, "can_compile", lambda: False)
    with pytest.warns(RuntimeWarning, match="no C\\+\\+ compiler or no Python headers"):
        assert stepper.__wrapped__() == Stepper()


def test_processors_with_other_vectors_never_share_what_is_compiled(
    monkeypatch, tmp_path
):
    """With the step of one the other's stars end at NaN, or its process does."""

    def place(capability):
        monkeypatch.setattr(
            torch.backends.cpu, "get_cpu_capability", lambda: capability
        )
        return compiled_step._kernels()

    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert place("AVX512") == tmp_path / "orrery" / "kernels" / "avx512"
    assert place("AVX2") != place("AVX512")
    # a child process inherits the folder
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(place("AVX2")))
    assert place("AVX2") == tmp_path / "orrery" / "kernels" / "avx2"
    assert place("AVX512").name == "avx512"
