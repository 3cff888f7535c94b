"""Laws of stars under way together: none is lost, none knows its company."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mwlmc.model import (
    orbits,
    stellar_halo,
)
from mwlmc.model.disc_and_bulge import StellarTable
from mwlmc.model.orbits import MovingPotential, Stepper
from mwlmc.model.potentials import NFW, Hernquist
from mwlmc.model.stellar_halo import STEP_SHARES, evolve, reaches
from mwlmc.model.trajectories import LOOKBACK
from mwlmc.model.vectors import length
from mwlmc.simulator import Simulator

NODES = orbits._PATH_NODES


# --- every star arrives, once ----------------------------------------------------------------


class Counting:
    """Steps that count: a star arrives after as many as its first coordinate says.

    Its second coordinate counts them, and its third adds up the numbers of the
    simulations in whose row it made them.
    """

    def __init__(self):
        self.shapes = []

    @property
    def places(self):
        """Of stars, in each step."""
        return [rows * width for rows, width in self.shapes]

    def advance(self, start, field, *_):
        x, v, time = start
        self.shapes.append(tuple(time.shape))
        moving = time < 0.0
        counted = torch.stack(
            [x[0], x[1] + moving, x[2] + moving * (field.first // NODES)]
        )
        left = torch.where(moving, LOOKBACK * (counted[1] / x[0] - 1.0), time)
        return counted, v, torch.where(counted[1] >= x[0], 0.0, left)


def _numbered(simulations, stars, seed):
    """Stars with random numbers of steps, who carry their own numbers as velocities."""
    random = torch.Generator().manual_seed(seed)
    x = torch.zeros(3, simulations, stars)
    x[0] = torch.randint(1, 40, (simulations, stars), generator=random)
    v = torch.arange(3 * simulations * stars).reshape(3, simulations, stars).float()
    share = torch.rand(simulations, 1, generator=random)
    return x, v, torch.rand(simulations, stars, generator=random) < share * share


def _nowhere(simulations):
    """A potential that no one feels."""
    column, table = torch.ones(simulations, 1), torch.zeros(1)
    path = torch.zeros(3, simulations * NODES)
    return MovingPotential(
        NFW(column, column), StellarTable(table, table), Hernquist(column, column), path
    )


@pytest.mark.slow
@settings(max_examples=60)
@given(
    simulations=st.integers(1, 7),
    stars=st.integers(1, 70),
    width=st.integers(1, 20),
    under_way=st.integers(1, 300),
    seed=st.integers(0, 1000),
)
def test_every_star_makes_all_its_own_steps(simulations, stars, width, under_way, seed):
    x, v, member = _numbered(simulations, stars, seed)
    count = Counting()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stellar_halo, "reaches", lambda *_: member)
        patch.setattr(stellar_halo, "WIDTH", width)
        patch.setattr(stellar_halo, "_IN_FLIGHT", {"cpu": under_way})
        today, after, carried = evolve(x, v, _nowhere(simulations), 30.0, steps=count)
    assert (carried == member).all()
    assert (after == v).all()
    assert (today[0] == x[0]).all()
    assert (today[1] == torch.where(member, x[0], 0.0)).all()
    simulation = torch.arange(simulations)[:, None]
    assert (today[2] == torch.where(member, simulation * x[0], 0.0)).all()
    # Room is for one simulation at least; each row of stars may have some places left.
    most = max(under_way, stars) + width * (simulations + 1)
    assert max(count.places, default=0) <= most


@pytest.mark.parametrize("room", [2**14, 2**20])
def test_the_work_is_no_more_than_the_orbits_need(monkeypatch, room):
    """Whether simulations wait for room or all are under way at once."""
    monkeypatch.setattr(stellar_halo, "_IN_FLIGHT", {"cpu": room})
    x, v, _ = _numbered(40, 3000, seed=1)
    count = Counting()
    evolve(x, v, _nowhere(40), 0.0, steps=count)
    needed = float(x[0].sum())
    assert needed < sum(count.places) < 1.25 * needed
    assert max(count.places) < 1.1 * room


def test_there_is_never_a_single_row():
    """The compiler takes a size of 1 at its first call to be fixed."""
    x, v, _ = _numbered(1, stellar_halo.WIDTH, seed=3)
    count = Counting()
    evolve(x, v, _nowhere(1), 0.0, steps=count)
    assert all(places > 1 for places, _ in count.shapes)


def test_the_stars_given_are_not_written_to():
    x, v, _ = _numbered(2, 50, seed=2)
    before = x.clone(), v.clone()
    today, after, _ = evolve(x, v, _nowhere(2), 0.0, steps=Counting())
    today += 1.0
    after += 1.0
    assert (x == before[0]).all()
    assert (v == before[1]).all()


# --- stars move independently ----------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd():
    """Five simulations of 900 stars, drawn from the prior, and where they are today."""
    simulator = Simulator(stars=900)
    _, _, past = simulator.past(21, range(5))
    stars = simulator.initial_stars(past, [np.random.default_rng(i) for i in range(5)])
    potential = past.potential()
    x, v = stars.position, stars.velocity
    return SimpleNamespace(
        x=x, v=v, potential=potential, today=evolve(x, v, potential, 30.0)
    )


def _of(potential, some):
    """The potential of some of the simulations."""
    halo, lmc = potential.milky_way, potential.lmc
    return MovingPotential(
        NFW(halo.amplitude[some], halo.scale[some]),
        potential.stars,
        Hernquist(lmc.mass[some], lmc.scale[some]),
        potential.path.view(3, -1, NODES)[:, some].reshape(3, -1),
    )


def _same(found, wanted):
    return all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("some", [[0], [3], [4, 1], [2, 0, 3, 1, 4], [1, 1]], ids=str)
def test_a_simulation_does_not_know_its_company(crowd, some):
    found = evolve(crowd.x[:, some], crowd.v[:, some], _of(crowd.potential, some), 30.0)
    assert _same(
        found, (crowd.today[0][:, some], crowd.today[1][:, some], crowd.today[2][some])
    )


def test_a_star_does_not_know_its_place(crowd):
    order = torch.randperm(crowd.x.shape[2], generator=torch.Generator().manual_seed(0))
    found = evolve(crowd.x[:, :, order], crowd.v[:, :, order], crowd.potential, 30.0)
    assert _same(found, [part[..., order] for part in crowd.today])


def test_a_star_does_not_know_its_neighbours(crowd):
    few = evolve(crowd.x[:, :, ::7], crowd.v[:, :, ::7], crowd.potential, 30.0)
    assert _same(few, [part[..., ::7] for part in crowd.today])


@pytest.mark.parametrize("under_way", [1, 700, 2**16])
def test_nor_how_many_are_under_way(crowd, monkeypatch, under_way):
    monkeypatch.setattr(stellar_halo, "_IN_FLIGHT", {"cpu": under_way})
    assert _same(evolve(crowd.x, crowd.v, crowd.potential, 30.0), crowd.today)


@pytest.mark.slow
def test_nor_how_many_are_in_its_row(crowd, monkeypatch):
    def carried(
        width,
    ):  # by the step as it is: the compiled one is for rows of one width
        monkeypatch.setattr(stellar_halo, "WIDTH", width)
        x, v = crowd.x[:, :2, ::9], crowd.v[:, :2, ::9]
        return evolve(x, v, _of(crowd.potential, [0, 1]), 30.0, steps=Stepper())

    assert _same(carried(32), carried(512))


@pytest.mark.slow
def test_one_compilation_serves_all_batches(crowd):
    """Whether simulations or stars are many, few or one."""
    for simulations, stars in ((1, 900), (3, 501), (2, 600)):
        simulator = Simulator(stars=stars)
        _, _, past = simulator.past(22, range(simulations))
        initial = simulator.initial_stars(
            past, [np.random.default_rng(3)] * simulations
        )
        with torch._dynamo.config.patch(error_on_recompile=True):
            assert (simulator.evolved(past, initial).integrated > 100).all()
    for some, stars in (([4], 129), ([2, 3], 1), ([1], 1)):
        x, v = crowd.x[:, some, :stars], crowd.v[:, some, :stars]
        with torch._dynamo.config.patch(error_on_recompile=True):
            assert evolve(x, v, _of(crowd.potential, some), 0.0)[2].all()


# --- which stars are carried -----------------------------------------------------------------


def test_stars_that_stay_inside_are_left_as_they_were(crowd):
    today, after, carried = crowd.today
    assert 0.2 < float((~carried).float().mean()) < 0.6
    assert (today[:, ~carried] == crowd.x[:, ~carried]).all()
    assert (after[:, ~carried] == crowd.v[:, ~carried]).all()
    assert (today[:, carried] != crowd.x[:, carried]).any(dim=0).all()


@pytest.mark.slow
def test_with_no_edge_all_are_integrated(crowd):
    """And those that need not have been end inside the survey's edge, with the LMC about."""
    today, after, everyone = evolve(crowd.x, crowd.v, crowd.potential, 0.0)
    assert everyone.all()
    carried = crowd.today[2]
    assert length(today)[~carried].max() < 30.0
    assert _same(
        (today[:, carried], after[:, carried]), [k[:, carried] for k in crowd.today[:2]]
    )


def test_a_batch_without_stars_to_carry_is_left_as_it_was(crowd):
    inner = (length(crowd.x) < 5.0).sum(1).min()
    x, v = crowd.x[:, :, :inner].clone(), 0.1 * crowd.v[:, :, :inner]
    assert inner > 0
    assert length(x).max() < 20.0  # stars come by rising radius
    today, after, carried = evolve(x, v, crowd.potential, 30.0)
    assert not carried.any()
    assert _same((today, after), (x, v))


def test_one_star_may_be_integrated_alone(crowd):
    here = crowd.today[2][2].nonzero()[-1]
    found = evolve(
        crowd.x[:, [2]][..., here],
        crowd.v[:, [2]][..., here],
        _of(crowd.potential, [2]),
        30.0,
    )
    assert _same(found[:2], [part[:, [2]][..., here] for part in crowd.today[:2]])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("speed", [torch.nan, torch.inf])
def test_a_star_without_a_number_shows_and_stops_no_one(crowd, speed):
    x, v = crowd.x.clone(), crowd.v.clone()
    lost = crowd.today[2].clone()
    lost[:, :-3] = False  # the outermost three of each simulation, which are carried
    v[0][lost] = speed
    x[1, 0, 0] = torch.nan
    today, after, carried = evolve(x, v, crowd.potential, 30.0)
    assert not torch.isfinite(today[:, lost]).all(0).any()
    others = ~lost & crowd.today[2]
    assert carried[others].all()
    assert _same(
        (today[:, others], after[:, others]), [k[:, others] for k in crowd.today[:2]]
    )


@pytest.mark.timeout(60)
def test_a_star_that_loses_its_numbers_under_way_shows(crowd):
    """At rest in the centre, where no force is defined."""
    x, v = crowd.x.clone(), crowd.v.clone()
    x[:, 1, 0], v[:, 1, 0] = 0.0, 0.0
    today, _, _ = evolve(x, v, crowd.potential, 0.0)
    assert not torch.isfinite(today[:, 1, 0]).any()
    assert torch.isfinite(today[:, 1, 1:]).all()


def test_a_wider_survey_is_reached_by_fewer(crowd):
    halo = crowd.potential.milky_way
    near, far = (reaches(crowd.x, crowd.v, halo, edge) for edge in (30.0, 60.0))
    assert (near | ~far).all()
    assert 0 < far.sum() < near.sum()


# --- accuracy --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "anisotropy", "typical", "tail"),
    [
        ("survey", 0.0, 0.02, 1.0),
        ("survey", 0.3, 0.02, 1.0),
        ("survey", 0.6, 0.05, 1.0),
        ("orbit", 0.0, 0.003, 0.1),
        ("orbit", 0.3, 0.003, 0.1),
        ("orbit", 0.6, 0.003, 0.1),
    ],
)
def test_stars_end_where_fine_steps_take_them(
    draw_stars_of, crowd, name, anisotropy, typical, tail
):
    """Beyond 30 kpc, against a tenth of the step: the median, and 99 % of the stars [kpc]."""
    potential, share = _of(crowd.potential, [1, 2]), STEP_SHARES[name]
    x, v = draw_stars_of(potential.milky_way, 2000, anisotropy)
    today, _, carried = evolve(x, v, potential, 30.0, share)
    wanted, _, _ = evolve(x, v, potential, 30.0, 0.1 * share)
    off = length(today - wanted)[carried & (length(wanted) > 30.0)]
    assert off.median() < typical
    assert torch.quantile(off, 0.99) < tail
