"""Laws of the simulator: a record depends on its seed and number alone, and says what it is."""

import json
import pickle

import numpy as np
import pytest

from mwlmc import parameters, potentials, trajectories
from mwlmc.simulator import PHASE_SPACE, Simulator, lmc_today
from orrery.records import Records, canonical

# torch's compiler imports a module of its own that is deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"
)

SMALL = Simulator(stars=600)


@pytest.fixture(scope="module")
def records():
    return SMALL.records(11, [0, 1, 2, 3])


def _one(records, i):
    here = slice(records.offsets[i], records.offsets[i + 1])
    stars = np.stack([records.particles[name][here] for name in PHASE_SPACE])
    return {name: column[i] for name, column in records.scalars.items()}, stars.astype(float)


# --- what a record depends on ----------------------------------------------------------------


def test_same_batch_same_bytes(records):
    again = SMALL.records(11, [0, 1, 2, 3])
    for first, second in ((records.scalars, again.scalars), (records.particles, again.particles)):
        assert set(first) == set(second)
        for name, column in first.items():
            np.testing.assert_array_equal(column, second[name])
    np.testing.assert_array_equal(records.offsets, again.offsets)


def test_a_record_does_not_know_its_batch(records):
    other = SMALL.records(11, [3, 8, 1])
    drawn = parameters.prior("observed").names
    for here, there in ((1, 2), (3, 0)):
        scalars, stars = _one(records, here)
        again, moved = _one(other, there)
        assert scalars["index"] == again["index"]
        assert all(scalars[name] == again[name] for name in drawn)
        for name, value in scalars.items():
            assert again[name] == pytest.approx(value, rel=1e-6, abs=1e-3), name
        assert stars.shape == moved.shape
        np.testing.assert_allclose(moved, stars, rtol=1e-3, atol=1e-3)


def test_other_seeds_and_numbers_are_other_simulations(records):
    other = SMALL.records(12, [0, 1])
    for name in parameters.prior("observed").names:
        values = np.concatenate([records.scalars[name], other.scalars[name]])
        assert len(np.unique(values)) == 6


def test_model_options_change_the_stars_and_not_the_parameters(records):
    total = Simulator(stars=600, equilibrium="total").records(11, [0, 1])
    assert (total.scalars["m_lmc"] == records.scalars["m_lmc"][:2]).all()
    assert not np.array_equal(_one(total, 0)[1], _one(records, 0)[1])


# --- what a record says ----------------------------------------------------------------------


def test_records_have_the_columns_of_the_schema(records):
    schema = SMALL.schema
    assert set(records.scalars) == {column.name for column in schema.scalars}
    assert set(records.particles) == {column.name for column in schema.particles}
    table = records.table(schema, SMALL.describe())
    back = Records.from_table(table)
    np.testing.assert_array_equal(back.offsets, records.offsets)
    for name, column in records.particles.items():
        assert column.dtype == np.float16
        np.testing.assert_array_equal(back.particles[name], column)
    for column in schema.scalars:
        kept = back.scalars[column.name]
        assert kept.dtype == column.dtype
        np.testing.assert_array_equal(kept, records.scalars[column.name])


def test_all_that_is_inferred_is_a_column(records):
    for parameter in parameters.INFERRED:
        assert np.isfinite(records.scalars[parameter.name]).all()


def test_stars_are_those_between_the_edges(records):
    for i in range(len(records)):
        scalars, stars = _one(records, i)
        radius = np.linalg.norm(stars[:3], axis=0)
        assert 0.2 * 600 < len(radius) < scalars["carried"] <= 600
        # half precision rounds to one part in 2,000
        assert radius.min() > 30.0 * (1 - 1e-3)
        assert radius.max() < 500.0 * (1 + 1e-3)
        assert np.isfinite(stars).all()


def test_derived_columns_are_those_of_the_model(records):
    scalars = records.scalars
    np.testing.assert_allclose(scalars["c200"], potentials.concentration(scalars["m200_mw"]))
    np.testing.assert_allclose(scalars["a_lmc"], potentials.lmc_scale(scalars["m_lmc"]))
    within = scalars["m_lmc"] * (50.0 / (50.0 + scalars["a_lmc"])) ** 2
    np.testing.assert_allclose(scalars["log10_m_lmc_50"], np.log10(within))
    halo = 10 ** scalars["log10_m_mw_50"] - potentials.stellar_mass_within(50.0)
    assert (halo < scalars["m200_mw"]).all()
    assert (halo > 0.1 * scalars["m200_mw"]).all()
    position, velocity = lmc_today(scalars)
    today = np.stack([scalars[f"lmc_{name}"] for name in PHASE_SPACE], axis=1)
    np.testing.assert_array_equal(today, np.concatenate([position, velocity], axis=1))


def test_lmc_is_where_it_is_observed():
    """At Table 1's mean sky coordinates: the LMC's phase space of Brooks et al. (2025b)."""
    sky = {"ra_lmc": 80.5, "dec_lmc": -69.5, "d_lmc": 49.6, "vlos_lmc": 262.2}
    sky |= {"pmra_lmc": 1.87, "pmdec_lmc": 0.33}
    position, velocity = lmc_today({name: np.array([value]) for name, value in sky.items()})
    np.testing.assert_allclose(position[0], [-0.6, -41.3, -27.1], atol=1.0)
    np.testing.assert_allclose(velocity[0], [-63.9, -213.8, 206.6], atol=15.0)


def test_clipped_stars_are_flagged():
    simulator = Simulator(stars=500)
    prior = parameters.prior("observed")
    theta, _ = simulator.draw(5, [0, 1])
    theta[:, prior.names.index("beta0")] = 0.4, 0.88
    records = simulator.simulate(theta, [np.random.default_rng(i) for i in range(2)])
    assert records.scalars["df_clipped"].tolist() == [0, 1]
    assert records.scalars["df_clipped_share"][0] < 1e-6


def test_description_is_json_and_tells_simulators_apart():
    described = SMALL.describe()
    assert json.loads(canonical(described))["options"]["stars"] == 600
    others = (
        Simulator(stars=601),
        Simulator(stars=600, proposal="table1"),
        Simulator(stars=600, equilibrium="total"),
        Simulator(stars=600, circular_velocity=230.0),
        Simulator(stars=600, reflex_shell=(50.0, 120.0)),
    )
    assert len({canonical(s.describe()) for s in (SMALL, *others)}) == 6
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL


# --- draws and runaways ----------------------------------------------------------------------


def test_proposals_differ_in_the_sky_alone():
    drawn = {}
    for proposal in ("table1", "observed"):
        theta, runaways = Simulator(proposal=proposal).draw(4, range(12))
        assert (runaways == 0).all()  # rare: none among these
        drawn[proposal] = parameters.columns(theta, parameters.prior(proposal).names)
    for name in drawn["table1"]:
        same = np.array_equal(drawn["table1"][name], drawn["observed"][name])
        assert same == (not name.endswith("_lmc") or name == "m_lmc")


def test_runaways_are_drawn_again_and_counted(monkeypatch):
    before, none = SMALL.draw(8, range(5))
    monkeypatch.setattr(trajectories, "FARTHEST", 300.0)
    theta, runaways = SMALL.draw(8, range(5))
    assert (none == 0).all()
    assert 0 < (runaways > 0).sum() < 5
    np.testing.assert_array_equal((theta != before).any(axis=1), runaways > 0)
    named = parameters.columns(theta, parameters.prior("observed").names)
    _, paths = SMALL._rewind(named)
    assert not paths.runaway.any()
    assert float(paths.relative()[:, :3].norm(dim=1).max()) < 300.0
    # the next draw is of the simulation's own stream, whatever its batch
    again = int(np.flatnonzero(runaways)[0])
    alone, count = SMALL.draw(8, [again])
    np.testing.assert_array_equal(alone[0], theta[again])
    assert count[0] == runaways[again]


def test_a_hundred_runaways_are_an_error(monkeypatch):
    monkeypatch.setattr(Simulator, "_runaway", lambda _, theta: np.ones(len(theta), dtype=bool))
    with pytest.raises(ValueError, match=r"simulation 7: 100 rewinds in a row ran away: narrow"):
        SMALL.draw(1, [7])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proposal": "nearby"}, "no LMC proposal 'nearby'"),
        ({"stars": 60}, "stars = 60 must be 500 or more"),
        ({"inner_edge": 60.0}, "inner_edge 60.0, reflex_shell .* must rise"),
        ({"inner_edge": 0.0}, "inner_edge 0.0, reflex_shell .* must rise"),
        ({"reflex_shell": (100.0, 50.0)}, "must rise"),
        ({"equilibrium": "disc"}, "no equilibrium 'disc'"),
        ({"circular_velocity": 100.0}, "change circular_velocity or the prior"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Simulator(**options)
