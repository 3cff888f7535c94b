"""Laws of the simulator: a record depends on its seed and number alone, and says what it is."""

import json
import pickle
import sys

import numpy as np
import pytest
import torch

from mwlmc import parameters
from mwlmc.model import disc_and_bulge, potentials, reflex, trajectories
from mwlmc.model.lmc import lmc_today
from mwlmc.model.vectors import length
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.simulator import Simulator
from orrery.identity import canonical
from orrery.parameters import generator
from orrery.records import Records

SMALL = Simulator(stars=600)


@pytest.fixture(scope="module")
def records():
    return SMALL.records(11, [0, 1, 2, 3])


def _one(records, i):
    here = slice(records.offsets[i], records.offsets[i + 1])
    stars = np.stack([records.particles[name][here] for name in PHASE_SPACE])
    return {name: column[i] for name, column in records.scalars.items()}, stars.astype(
        float
    )


# --- what a record depends on ----------------------------------------------------------------


@pytest.mark.slow
def test_same_batch_same_bytes(records):
    again = SMALL.records(11, [0, 1, 2, 3])
    for first, second in (
        (records.scalars, again.scalars),
        (records.particles, again.particles),
    ):
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


def test_accuracy_moves_stars_a_little_and_no_parameter(records):
    """The same stars, on finer steps."""
    fine = Simulator(stars=600, accuracy="orbit").records(11, [0, 1, 2, 3])
    for name in (
        *parameters.prior("observed").names,
        "runaways",
        "integrated",
        "df_clipped_share",
    ):
        np.testing.assert_array_equal(fine.scalars[name], records.scalars[name])
    changed = 0
    for i in range(4):
        many, few = _one(records, i)[1], _one(fine, i)[1]
        assert abs(many.shape[1] - few.shape[1]) <= 0.01 * few.shape[1]
        changed += not np.array_equal(many, few)
    assert changed


@pytest.mark.slow
def test_accuracy_moves_the_reflex_far_less_than_sampling():
    """So many stars that no single one decides, by being inside of the shell or outside."""
    numbers, many = [0, 1, 2, 3], 4000
    survey = Simulator(stars=many).records(11, numbers)
    orbit = Simulator(stars=many, accuracy="orbit").records(11, numbers)
    for name in ("v_x", "v_y", "v_z"):  # [km/s]; sampling moves them by four
        np.testing.assert_allclose(orbit.scalars[name], survey.scalars[name], atol=1.0)


# --- the stages of a simulation --------------------------------------------------------------


@pytest.fixture(scope="module")
def stages():
    """The past of two simulations, their stars before the LMC, and today."""
    _, _, past = SMALL.past(11, [0, 1])
    initial = SMALL.initial_stars(past, [generator(11, index, 1) for index in (0, 1)])
    return past, initial, SMALL.evolved(past, initial)


def test_a_record_is_its_stages(records, stages):
    past, initial, today = stages
    for name, values in past.named.items():
        np.testing.assert_array_equal(values, records.scalars[name][:2])
    np.testing.assert_array_equal(
        initial.clipped, records.scalars["df_clipped_share"][:2]
    )
    np.testing.assert_array_equal(today.integrated, records.scalars["integrated"][:2])
    for name, values in SMALL.reflex_motion(today).items():
        np.testing.assert_allclose(
            values, records.scalars[name][:2], rtol=1e-6, atol=1e-3
        )
    particles, offsets = SMALL.particles(today)
    np.testing.assert_array_equal(offsets, records.offsets[:3])
    for name, values in particles.items():
        wanted = records.particles[name][: offsets[-1]].astype(float)
        np.testing.assert_allclose(values.astype(float), wanted, rtol=1e-3, atol=1e-3)


def test_no_star_moves_before_it_is_integrated(stages):
    _, initial, today = stages
    assert (initial.integrated == 0).all()
    assert ((today.integrated > 0) & (today.integrated < 600)).all()
    moved = (today.position != initial.position).any(0).sum(1).numpy()
    np.testing.assert_array_equal(moved, today.integrated)
    np.testing.assert_array_equal(today.clipped, initial.clipped)


def test_the_reflex_is_that_of_the_shell(stages):
    today = stages[2]
    columns = SMALL.reflex_motion(today)
    for b in range(2):
        x, v = today.position[:, b].numpy().T, today.velocity[:, b].numpy().T
        radius = np.linalg.norm(x, axis=1)
        shell = (radius >= 50.0) & (radius < 100.0)
        fit = reflex.fit_error_free(x[shell], v[shell])
        assert columns["v_z"][b] == pytest.approx(fit.v_z, abs=1e-6)
        assert columns["sigma_los"][b] == pytest.approx(fit.sigma_los, abs=1e-6)


def test_kept_are_the_stars_between_the_edges(stages):
    today = stages[2]
    particles, offsets = SMALL.particles(today)
    radius = length(today.position.double())
    between = (radius >= 30.0) & (radius < 500.0)
    np.testing.assert_array_equal(np.diff(offsets), between.sum(1).numpy())
    wanted = today.velocity[1][between].numpy().astype(np.float16)
    np.testing.assert_array_equal(particles["vy"], wanted)


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
        assert 0.2 * 600 < len(radius) < scalars["integrated"] <= 600
        # half precision rounds to one part in 2,000
        assert radius.min() > 30.0 * (1 - 1e-3)
        assert radius.max() < 500.0 * (1 + 1e-3)
        assert np.isfinite(stars).all()


def test_derived_columns_are_those_of_the_model(records):
    scalars = records.scalars
    np.testing.assert_allclose(
        scalars["c200"], potentials.concentration(scalars["m200_mw"])
    )
    np.testing.assert_allclose(scalars["a_lmc"], potentials.lmc_scale(scalars["m_lmc"]))
    within = scalars["m_lmc"] * (50.0 / (50.0 + scalars["a_lmc"])) ** 2
    np.testing.assert_allclose(scalars["log10_m_lmc_50"], np.log10(within))
    halo, total = (10 ** scalars[f"log10_m_mw_{kind}_50"] for kind in ("halo", "total"))
    np.testing.assert_allclose(total - halo, disc_and_bulge.stellar_mass_within(50.0))
    assert (halo < scalars["m200_mw"]).all()
    assert (halo > 0.1 * scalars["m200_mw"]).all()
    position, velocity = lmc_today(scalars)
    today = np.stack([scalars[f"lmc_{name}"] for name in PHASE_SPACE], axis=1)
    np.testing.assert_array_equal(today, np.concatenate([position, velocity], axis=1))


def test_lmc_is_where_it_is_observed():
    """At Table 1's mean sky coordinates: the LMC's phase space of Brooks et al. (2025b)."""
    sky = {"ra_lmc": 80.5, "dec_lmc": -69.5, "d_lmc": 49.6, "vlos_lmc": 262.2}
    sky |= {"pmra_lmc": 1.87, "pmdec_lmc": 0.33}
    position, velocity = lmc_today(
        {name: np.array([value]) for name, value in sky.items()}
    )
    np.testing.assert_allclose(position[0], [-0.6, -41.3, -27.1], atol=1.0)
    np.testing.assert_allclose(velocity[0], [-63.9, -213.8, 206.6], atol=15.0)


def test_clipped_stars_are_flagged():
    simulator = Simulator(stars=500)
    prior = parameters.prior("observed")
    theta, _, _ = simulator.past(5, [0, 1])
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
        Simulator(stars=600, inner_edge=25.0),
        Simulator(stars=600, outer_edge=400.0),
        Simulator(stars=600, accuracy="orbit"),
        Simulator(stars=600, device="cuda"),
    )
    assert len({canonical(s.describe()) for s in (SMALL, *others)}) == 1 + len(others)
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL


# --- draws and runaways ----------------------------------------------------------------------


@pytest.mark.slow
def test_proposals_differ_in_the_sky_alone():
    drawn = {}
    for proposal in ("table1", "observed"):
        theta, runaways, _ = Simulator(proposal=proposal).past(4, range(12))
        assert (runaways == 0).all()  # rare: none among these
        drawn[proposal] = parameters.columns(theta, parameters.prior(proposal).names)
    for name in drawn["table1"]:
        same = np.array_equal(drawn["table1"][name], drawn["observed"][name])
        assert same == (not name.endswith("_lmc") or name == "m_lmc")


@pytest.mark.slow
def test_runaways_are_drawn_again_and_counted(monkeypatch):
    before, none, _ = SMALL.past(8, range(5))
    monkeypatch.setattr(trajectories, "FARTHEST", 300.0)
    theta, runaways, past = SMALL.past(8, range(5))
    assert (none == 0).all()
    assert 0 < (runaways > 0).sum() < 5
    np.testing.assert_array_equal((theta != before).any(axis=1), runaways > 0)
    paths = past.trajectories
    assert not paths.runaway.any()
    assert float(paths.relative()[:, :3].norm(dim=1).max()) < 300.0
    # the past is that of the parameters drawn last
    torch.testing.assert_close(SMALL.rewind(theta).trajectories.lmc, paths.lmc)
    for name, values in parameters.columns(
        theta, parameters.prior("observed").names
    ).items():
        np.testing.assert_array_equal(past.named[name], values)
    # the next draw is of the simulation's own stream, whatever its batch
    again = int(np.flatnonzero(runaways)[0])
    alone, count, _ = SMALL.past(8, [again])
    np.testing.assert_array_equal(alone[0], theta[again])
    assert count[0] == runaways[again]


def test_a_hundred_runaways_are_an_error(monkeypatch):
    rewind = trajectories.rewind
    monkeypatch.setattr(trajectories, "rewind", lambda *past: rewind(*past, steps=1))
    monkeypatch.setattr(trajectories, "FARTHEST", 1.0)
    with pytest.raises(
        ValueError, match=r"simulation 7: 100 rewinds in a row ran away: narrow"
    ):
        SMALL.past(1, [7])


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
        (
            {"accuracy": "star"},
            r"no accuracy 'star': choose one of \['orbit', 'survey'\]",
        ),
        ({"engine": "galpy"}, "no engine 'galpy': choose 'torch' or 'agama'"),
        ({"device": "tpu"}, "no device 'tpu': choose 'cpu' or 'cuda'"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Simulator(**options)


# --- where and by what stars are carried -----------------------------------------------------


def test_a_gpu_is_requested_where_it_is_used():
    assert SMALL.gpus == 0.0
    assert 0.0 < Simulator(device="cuda").gpus <= 1.0


def test_without_agama_its_engine_is_refused_before_anything_is_drawn(monkeypatch):
    monkeypatch.setitem(sys.modules, "agama", None)
    with pytest.raises(ImportError, match=r"engine 'agama' .* pip install .*\[agama\]"):
        Simulator(engine="agama")
    assert SMALL.describe()["agama"] is None


@pytest.fixture(scope="module")
def by_agama():
    pytest.importorskip(
        "agama", reason="agama is not installed: pip install -e '.[agama]' adds it"
    )
    return Simulator(stars=600, engine="agama")


def test_agama_gives_records_of_the_same_schema(by_agama, records):
    theirs = by_agama.records(11, [0, 1])
    assert by_agama.schema == SMALL.schema
    assert set(theirs.scalars) == set(records.scalars)
    for name, column in theirs.scalars.items():
        assert column.dtype == records.scalars[name].dtype, name
    Records.from_table(theirs.table(by_agama.schema, by_agama.describe()))
    for i in range(2):
        scalars, stars = _one(theirs, i)
        ours, _ = _one(records, i)
        # parameters and all that follows from them alone; the stars are other ones
        for name in (
            *parameters.prior("observed").names,
            "index",
            "runaways",
            "df_clipped",
        ):
            assert scalars[name] == ours[name], name
        for name in (
            "c200",
            "a_lmc",
            "log10_m_mw_halo_50",
            "log10_m_mw_total_50",
            "log10_m_lmc_50",
            "lmc_x",
            "lmc_vz",
        ):
            assert scalars[name] == pytest.approx(ours[name], rel=1e-6), name
        assert scalars["df_clipped_share"] == pytest.approx(
            ours["df_clipped_share"], abs=1e-4
        )
        assert scalars["integrated"] == 600
        number = records.offsets[i + 1] - records.offsets[i]
        assert abs(stars.shape[1] - number) < 4.0 * np.sqrt(2.0 * number)


def test_agama_is_part_of_what_its_records_depend_on(by_agama):
    described = by_agama.describe()
    assert described["agama"][0].isdigit()
    assert described["versions"]["agama_engine"] > 0
    assert "agama_engine" not in SMALL.describe()["versions"]


def test_with_agama_too_a_record_does_not_know_its_batch(by_agama):
    both, alone = by_agama.records(11, [0, 1]), by_agama.records(11, [1])
    np.testing.assert_array_equal(_one(both, 1)[1], _one(alone, 0)[1])
