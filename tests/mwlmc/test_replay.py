"""A replay is the simulator with parameters that are given: the same sky comes out again."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from mwlmc import parameters
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.replay import VERSION, Replay, Simulable, runaways, simulable, within_prior
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import QUADRANTS, Profile, SkyBinning, contiguous
from mwlmc.sky.patches import ALL_SKY
from orrery.execution import simulation, summaries
from orrery.identity import canonical
from orrery.judging import predictive
from orrery.learning import posterior
from orrery.learning.options import Flow, Training
from orrery.pairs import Pairs, convolve
from orrery.parameters import generator
from orrery.records import Observation

SMALL = Simulator(stars=600)


@pytest.fixture(scope="module")
def original():
    return SMALL.records(11, range(4))


@pytest.fixture(scope="module")
def theta(original):
    return np.stack([original.scalars[name] for name in SMALL.prior.names], axis=1)


@pytest.fixture(scope="module")
def lost(theta):
    """Parameters of an LMC so far away that its rewind leaves the neighbourhood."""
    rows = theta.copy()
    rows[:, SMALL.prior.names.index("d_lmc")] = 262.0
    assert runaways(SMALL, rows).all()
    return rows


def assert_same(found, wanted):
    for mine, theirs in (
        (found.scalars, wanted.scalars),
        (found.particles, wanted.particles),
    ):
        assert set(mine) == set(theirs)
        for name, column in theirs.items():
            if name != "runaways":  # nothing is drawn, so nothing ran away before
                np.testing.assert_array_equal(mine[name], column, err_msg=name)
    np.testing.assert_array_equal(found.offsets, wanted.offsets)


@pytest.mark.slow
def test_a_datasets_own_parameters_and_seed_give_its_records_again(original, theta):
    assert_same(Replay(SMALL, theta).records(11, range(4)), original)


@pytest.mark.slow
def test_another_seed_gives_the_same_galaxies_and_other_stars(original, theta):
    again = Replay(SMALL, theta).records(12, range(4))
    galaxies = (
        *SMALL.prior.names,
        "c200",
        "a_lmc",
        "log10_m_mw_halo_50",
        "log10_m_mw_total_50",
        "log10_m_lmc_50",
        "lmc_vz",
    )
    for name in galaxies:
        np.testing.assert_array_equal(again.scalars[name], original.scalars[name])
    for name in PHASE_SPACE:
        assert not np.array_equal(again.particles[name], original.particles[name])


@pytest.mark.slow
def test_stars_of_another_seed_follow_the_same_law(theta):
    """Radii and velocities of many skies of one parameter set, by the two-sample statistic."""
    one = Replay(SMALL, theta[:1])
    first, second = one.records(1, range(4)), one.records(2, range(4))
    for name in PHASE_SPACE:
        a, b = (np.sort(r.particles[name].astype(float)) for r in (first, second))
        both = np.concatenate([a, b])
        distance = np.abs(
            np.searchsorted(a, both, "right") / len(a)
            - np.searchsorted(b, both, "right") / len(b)
        ).max()
        assert distance < 1.95 * np.sqrt(1 / len(a) + 1 / len(b))  # 0.1 % by chance


@pytest.mark.slow
def test_numbers_beyond_the_last_begin_again_with_other_stars(theta):
    found = Replay(SMALL, theta[:2]).records(11, [0, 1, 2, 3])
    for name in SMALL.prior.names:
        np.testing.assert_array_equal(found.scalars[name][2:], found.scalars[name][:2])
    assert list(found.scalars["index"]) == [0, 1, 2, 3]
    assert len(set(found.scalars["v_x"])) == 4


@pytest.mark.slow
def test_a_dataset_of_replays_has_as_many_records_as_parameters(theta, tmp_path):
    replay = Replay(SMALL, theta[:3])
    made = simulation.generate(
        replay, 3, 5, tmp_path, name="replay", actors=0, shard_size=2
    )
    records = [made.records(shard) for shard in made.shards]
    assert [len(some) for some in records] == [2, 1]
    masses = np.concatenate([some.scalars["m_lmc"] for some in records])
    np.testing.assert_array_equal(masses, theta[:3, SMALL.prior.names.index("m_lmc")])
    x = kinematics.velocity_moments(records[0], QUADRANTS)
    assert x.shape == (2, len(QUADRANTS.names))


@pytest.mark.slow
def test_it_can_be_sent_and_says_what_it_replays(theta):
    replay = Replay(SMALL, theta)
    again = pickle.loads(pickle.dumps(replay))
    assert canonical(again.describe()) == canonical(replay.describe())
    assert_same(again.records(3, [1]), replay.records(3, [1]))
    own = {"replay": None, "versions": {**SMALL.versions, "replay": VERSION}}
    assert {**replay.describe(), "replay": None} == {**SMALL.describe(), **own}
    assert replay.rounding == SMALL.rounding
    moved = theta.copy()
    moved[0, 0] *= 1 + 1e-12
    assert Replay(SMALL, moved).describe() != replay.describe()
    assert Replay(SMALL, np.asfortranarray(theta)).describe() == replay.describe()
    assert (replay.schema, replay.gpus) == (SMALL.schema, SMALL.gpus)


def test_the_callers_array_is_not_the_replays(theta):
    mine = theta.copy()
    replay = Replay(SMALL, mine)
    before = replay.describe()
    mine[:] = 0.0
    assert replay.describe() == before


# --- what can be simulated -------------------------------------------------------------------


@pytest.mark.parametrize("proposal", ["observed", "table1"])
@pytest.mark.parametrize("mass", ["table1", "wide"])
def test_the_priors_own_draws_are_within(proposal, mass):
    prior = parameters.prior(proposal, mass)
    assert within_prior(prior, prior.draw(generator(3), 5000)).all()


@pytest.mark.parametrize(
    ("name", "value", "proposal", "inside"),
    [
        ("log10_lambda_df", 1.01, "observed", False),
        ("beta0", -0.01, "observed", False),
        ("m_lmc", 1.7e10, "observed", False),
        ("m_lmc", 9e11, "observed", True),
        ("m200_mw", 1.9e11, "observed", False),
        ("m200_mw", np.nan, "observed", False),
        (
            "d_lmc",
            0.5,
            "observed",
            False,
        ),  # the distribution ends before the parameter does
        ("ra_lmc", 95.0, "observed", True),
        ("ra_lmc", 95.0, "table1", False),
    ],
)
def test_parameters_without_density_are_outside(theta, name, value, proposal, inside):
    prior = parameters.prior(proposal)
    row = prior.draw(generator(1))
    row[0, prior.names.index(name)] = value
    assert within_prior(prior, row).tolist() == [inside]


@pytest.mark.slow
def test_draws_that_cannot_be_simulated_are_dropped_and_counted(theta, lost):
    outside = theta[:2].copy()
    outside[:, SMALL.prior.names.index("beta0")] = 0.95
    found = simulable(SMALL, np.concatenate([outside, theta, lost[:3]]))
    np.testing.assert_array_equal(found.theta, theta)
    assert (found.outside, found.runaway) == (2, 3)
    assert str(found).startswith(
        "Of 9 draws 4 can be simulated: 2 are beyond the prior"
    )
    assert isinstance(found, Simulable)


def test_nothing_that_cannot_be_simulated_is_simulated(theta, lost):
    with pytest.raises(ValueError, match=r"simulation 7 runs away .* `simulable`"):
        Replay(SMALL, lost).records(1, [7])
    with pytest.raises(ValueError, match="Of 4 draws 0 can be simulated"):
        simulable(SMALL, lost)
    for wrong in (theta * 1e3, theta[:0]):
        with pytest.raises(ValueError, match="beyond the prior"):
            Replay(SMALL, wrong)
    with pytest.raises(ValueError, match="one column for each"):
        Replay(SMALL, theta[:, :6])


# --- from a posterior back to stars ----------------------------------------------------------


@pytest.mark.slow
def test_a_simulation_is_among_what_its_own_posterior_predicts(tmp_path):
    """All eleven parameters are inferred from one simulation, its draws simulated
    again: the data are unremarkable among them, until one bin of them is moved."""
    simulator = Simulator(stars=1000)
    profile = Profile(ALL_SKY, "v_gsr", contiguous((30.0, 50.0, 100.0)))
    binning = SkyBinning("coarse", (profile,))
    every = simulator.prior.parameters

    def pairs(source, count, seed, name):
        halos = simulation.generate(source, count, seed, tmp_path, name=name, actors=0)
        return summaries.compute(kinematics.velocity_moments, halos, binning, every)

    learned = pairs(simulator, 64, 1, "prior")
    size = len(binning.names)
    covariance = np.diag([1.0] * 3 + [10.0] * 3 + [20.0] * (size - 6)) ** 2
    clean = Pairs(learned.test.theta[:1], learned.test.x[:1])
    value = convolve(clean, covariance, generator(5)).x[0]
    seen = Observation(
        "mock", binning.names, binning.units, value, covariance, learned.definition, {}
    )
    options = Training(max_epochs=20, batch_size=32)
    estimate = posterior.fit(
        learned, every, covariance, Flow(2, (32,)), options, 1, tmp_path / "posterior"
    )
    drawn = simulable(simulator, estimate.draws(seen, 60, 1))
    assert len(drawn.theta) > 20
    predicted = predictive.all_summaries(
        pairs(Replay(simulator, drawn.theta), len(drawn.theta), 2, "again")
    )
    found = predictive.check(predicted, seen, 1)
    assert min(found.worst_entry, found.whole_vector) > 0.03
    moved = replace(seen, value=value + 200.0 * (np.arange(size) == 6))
    assert predictive.check(predicted, moved, 1).worst_entry == 1 / (
        len(found.predicted) + 1
    )
