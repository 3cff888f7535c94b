"""Laws of the compiled step: it is the step, in single precision and without a compiler too."""

import pytest
import torch

from mwlmc.model import (
    compiled_step,
    stellar_halo,
)
from mwlmc.model.compiled_step import stepper
from mwlmc.model.orbits import Stepper
from mwlmc.model.step_libraries import WIDTH
from mwlmc.model.vectors import length

SHARES = stellar_halo.STEP_SHARES


@pytest.fixture(scope="module")
def single(draw_stars, potential_among, make_galaxies):
    """Stars in the moving potential, in single precision."""
    x, v = draw_stars(WIDTH)
    return (
        x.float(),
        v.float(),
        potential_among(*make_galaxies(friction=1.0), torch.float32),
    )


@pytest.mark.slow
def test_compiled_steps_are_the_steps(step_calls, single):
    x, v, potential = single
    calls = step_calls(x, v, potential, 0.5)
    for name, all_arguments in calls.items():
        for arguments in all_arguments[:12:4]:
            found = getattr(stepper(), name)(*arguments)
            wanted = getattr(Stepper(), name)(*arguments)
            for got, exact in zip(found, wanted, strict=True):
                torch.testing.assert_close(got, exact, rtol=2e-5, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_traced_steps_are_the_steps_to_the_last_bit(
    draw_stars, potential_among, make_galaxies, step_calls, traced_steps, dtype
):
    """By which the laws of orbits are tested, in rows of other numbers and widths."""
    x, v = (part.to(dtype) for part in draw_stars(20))
    potential = potential_among(*make_galaxies(friction=1.0), dtype)
    for name, all_arguments in step_calls(x, v, potential, 10.0).items():
        for arguments in all_arguments:
            found = getattr(traced_steps(dtype), name)(*arguments)
            wanted = getattr(Stepper(), name)(*arguments)
            for got, exact in zip(found, wanted, strict=True):
                assert torch.equal(got, exact)


def test_a_compiled_step_refuses_rows_of_another_width(integrate, single):
    x, v, potential = single
    with pytest.raises(
        ValueError, match="rows of 100 stars: the compiled step is for 128"
    ):
        integrate(x[:, :, :100], v[:, :, :100], potential, 0.5, stepper())


@pytest.mark.slow
@pytest.mark.parametrize(
    "share",
    [
        # the finer steps take twice the time
        pytest.param(share, id=name, marks=[pytest.mark.slow] * (name == "orbit"))
        for name, share in SHARES.items()
    ],
)
def test_single_precision_is_enough(
    integrate, potential_among, make_galaxies, single, share
):
    """Beyond 30 kpc, where rounding is far below the error of the steps."""
    x, v, potential = single
    today, _ = integrate(x, v, potential, share, stepper())
    double = potential_among(*make_galaxies(friction=1.0))
    wanted, _ = integrate(x.double(), v.double(), double, share)
    off = length(today.double() - wanted)[length(wanted) > 30.0]
    assert off.median() < 3e-4  # [kpc]
    assert torch.quantile(off, 0.99) < 0.01


def test_without_a_compiler_the_step_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(compiled_step, "can_compile", lambda: False)
    with pytest.warns(RuntimeWarning, match="no C\\+\\+ compiler or no Python headers"):
        assert stepper.__wrapped__() == Stepper()


def test_a_compiled_step_refuses_another_precision(
    integrate, draw_stars, make_galaxies, potential_among
):
    x, v = draw_stars(WIDTH)
    potential = potential_among(*make_galaxies(friction=1.0))
    with pytest.raises(RuntimeError, match="dtype"):
        integrate(x, v, potential, 0.5, stepper())
