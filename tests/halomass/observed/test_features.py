"""Laws of features: which neighbours are seen, paired draws, and no host knows of another."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units

from halomass import systems
from halomass.observed.errors import ErrorModel
from halomass.observed.features import ASINH_SCALE, Features, NeighbourSet, features
from halomass.observed.mock_survey import Detectability, observe_neighbours
from orrery.records import Records

HOSTS = 300


NOISELESS = Features(neighbours=4, errors=False, detectability=False)


def chosen(records, hosts):
    """Returns some hosts' systems, in a new order."""
    rows = [np.arange(records.offsets[i], records.offsets[i + 1]) for i in hosts]
    taken = np.concatenate(rows)
    return Records(
        {name: column[hosts] for name, column in records.scalars.items()},
        {name: column[taken] for name, column in records.particles.items()},
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32),
    )


def brute_force(records, binning):
    """Returns features without errors, host by host as one would write them down."""
    rows = []
    for i in range(len(records)):
        here = slice(records.offsets[i], records.offsets[i + 1])
        own = {k: v[here].astype(float) for k, v in records.particles.items()}
        best = np.argsort(-own["log_m_star"])[: binning.neighbours]
        if len(best) < binning.neighbours:
            rows.append(np.full(len(binning.names), np.nan))
            continue
        row = [np.log10(own["r"][best]), np.log10(own["v_t"][best])]
        row += [np.log10(np.abs(own["v_r"][best])), np.log10(own["vmax"][best[:1]])]
        around = [
            records.scalars[n][i] for n in ("distance_larger", "distance_cluster")
        ]
        rows.append(np.concatenate([*row, np.log10(around)]))
    return np.array(rows)


@pytest.mark.parametrize("neighbours", [1, 4, 60])
def test_features_are_what_a_loop_over_hosts_gives(records, neighbours):
    binning = replace(NOISELESS, neighbours=neighbours)
    np.testing.assert_allclose(
        features(records, binning), brute_force(records, binning)
    )


def test_the_paper_has_33_and_78_inputs():
    assert len(Features(neighbours=10).names) == 33
    assert len(Features().names) == len(Features().units) == 78


def test_units_can_be_read():
    for binning in (Features(), Features(radial="asinh"), NeighbourSet()):
        assert len(set(binning.names)) == len(binning.names) == len(binning.units)
        assert all(units.Unit(unit) is not None for unit in binning.units)


def test_hosts_with_too_few_neighbours_have_no_features(made):
    x = features(made([3, 4, 0, 5]), NOISELESS)
    assert np.isnan(x).all(axis=1).tolist() == [True, False, True, False]
    assert np.isfinite(x[[1, 3]]).all()


@pytest.mark.parametrize("binning", [Features(neighbours=10), NeighbourSet()])
def test_a_host_is_independent_of_others(records, binning):
    hosts = np.array([170, 3, 42])
    np.testing.assert_array_equal(
        features(chosen(records, hosts), binning), features(records, binning)[hosts]
    )


@pytest.mark.parametrize("binning", [Features(neighbours=10), NeighbourSet()])
def test_records_may_begin_anywhere(records, binning):
    part = Records(
        {name: column[5:9] for name, column in records.scalars.items()},
        records.particles,
        records.offsets[5:10],
    )
    np.testing.assert_array_equal(
        features(part, binning), features(records, binning)[5:9]
    )


@pytest.mark.parametrize(
    "binning", [Features(neighbours=10), NeighbourSet(radial="asinh")]
)
def test_the_order_of_neighbours_does_not_matter(records, binning):
    particles = {name: column.copy() for name, column in records.particles.items()}
    particles["log_m_star"] = np.round(
        particles["log_m_star"], 1
    )  # many are equally massive
    rounded = replace(records, particles=particles)
    order = np.random.default_rng(5).permutation(len(particles["r"]))
    host = np.repeat(np.arange(HOSTS), np.diff(records.offsets))
    order = order[np.argsort(host[order], kind="stable")]
    mixed = replace(
        records, particles={n: column[order] for n, column in particles.items()}
    )
    np.testing.assert_array_equal(features(mixed, binning), features(rounded, binning))


def test_seeds_decide(records):
    one, again, other = (
        features(records, Features(neighbours=5, seed=s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    both = np.isfinite(one[:, 0]) & np.isfinite(other[:, 0])
    assert (one[both] != other[both]).mean() > 0.9


def columns(x, binning):
    return dict(zip(binning.names, x.T, strict=True))


@pytest.mark.parametrize(
    "other",
    [
        Features(neighbours=5),
        Features(neighbours=10, without=("r",)),
        Features(neighbours=10, without=("satellites",)),
        Features(neighbours=10, radial="asinh"),
    ],
    ids=str,
)
def test_binnings_with_one_seed_see_the_same_sky(records, other):
    binning = Features(neighbours=10)
    one = columns(features(records, binning), binning)
    two = columns(features(records, other), other)
    both = np.isfinite(one["log_r_1"]) & np.isfinite(two["log_vmax"])
    assert both.sum() > HOSTS / 2
    same = one.keys() & two.keys()
    assert len(same) >= 3
    for name in same:
        np.testing.assert_array_equal(one[name][both], two[name][both])


def test_errors_do_not_change_which_neighbours_are_detected(records):
    quiet = ErrorModel(
        smallest_distance=1e-9, vmax=0.0, distance_larger=0.0, distance_cluster=0.0
    )
    quiet = replace(
        quiet,
        **{
            name: replace(getattr(quiet, name), intercept=-30.0)
            for name in ("distance", "proper_motion", "radial_velocity")
        },
    )
    with_errors = features(records, Features(neighbours=10, error_model=quiet))
    without = features(records, Features(neighbours=10, errors=False))
    np.testing.assert_allclose(with_errors, without, atol=1e-9)


def test_the_hosts_of_the_removal_study_are_the_same(records):
    finite = [
        np.isfinite(features(records, Features(neighbours=10, without=without))).all(
            axis=1
        )
        for without in ((), ("r",), ("v_t",), ("v_r",), ("satellites",))
    ]
    assert finite[0].any()
    for other in finite[1:]:
        np.testing.assert_array_equal(finite[0], other)


def test_vmax_is_that_of_the_detected_neighbour_with_the_most_stars(made):
    records = made([3])
    records.particles["log_m_star"][:] = [4.0, 7.0, 5.0]
    records.particles["vmax"][:] = [10.0, 60.0, 20.0]
    x = columns(
        features(records, replace(NOISELESS, neighbours=3)),
        replace(NOISELESS, neighbours=3),
    )
    assert x["log_vmax"][0] == pytest.approx(np.log10(60.0))
    records.particles["r"][:] = [20.0, 250.0, 20.0]  # too far to be seen
    far = replace(
        NOISELESS,
        neighbours=2,
        detectability=True,
        survey=Detectability(-3.0, 0.05, 0.0),
    )
    assert columns(features(records, far), far)["log_vmax"][0] == pytest.approx(
        np.log10(20.0)
    )


def test_left_out_features_are_gone():
    assert len(Features(neighbours=10, without=("v_t",)).names) == 23
    assert Features(without=("satellites",)).kinds == (
        "vmax",
        "distance_larger",
        "distance_cluster",
    )
    assert (
        Features(without=("r", "v_t")).fingerprint
        == Features(without=("v_t", "r")).fingerprint
    )


def test_every_column_belongs_to_its_kind_of_feature():
    binning = Features(neighbours=7, without=("v_t",))
    assert tuple(dict.fromkeys(binning.groups)) == binning.kinds
    for kind, name in zip(binning.groups, binning.names, strict=True):
        assert kind in name


def test_fingerprints_tell_definitions_apart():
    binnings = [
        Features(),
        Features(neighbours=10),
        Features(errors=False),
        Features(detectability=False),
        Features(radial="asinh"),
        Features(without=("r",)),
        Features(seed=1),
        Features(error_model=ErrorModel(smallest_distance=8.0)),
        Features(survey=Detectability(intercept=2.0)),
        NeighbourSet(),
        NeighbourSet(largest=40),
    ]
    assert len({binning.fingerprint for binning in binnings}) == len(binnings)


def test_signed_radial_velocities_keep_their_sign(records):
    binning = replace(NOISELESS, radial="asinh")
    log, signed = features(records, NOISELESS), features(records, binning)
    group = [kind == "v_r" for kind in binning.groups]
    assert (signed[:, group] < 0).any()
    np.testing.assert_allclose(
        np.abs(np.sinh(signed[:, group])) * ASINH_SCALE, 10 ** log[:, group], rtol=1e-9
    )


def test_neighbours_at_rest_have_finite_features(made):
    records = made([4])
    for name in ("v_r", "v_t", "r", "vmax"):
        records.particles[name][:] = 0.0
    assert np.isfinite(features(records, NOISELESS)).all()


def test_a_set_holds_the_same_neighbours_as_the_features(records):
    ranked, every = Features(neighbours=10), NeighbourSet(largest=30)
    x, places = features(records, ranked), features(records, every)
    both = np.isfinite(x[:, 0])
    inside = places[both, : 30 * 4].reshape(-1, 30, 4)
    for i, kind in enumerate(("r", "v_t", "v_r")):
        group = [other == kind for other in ranked.groups]
        np.testing.assert_array_equal(inside[:, :10, i], x[both][:, group])
    np.testing.assert_array_equal(places[both, 120:], x[both, -3:])


def test_a_set_says_where_neighbours_are(records):
    binning = NeighbourSet(largest=20)
    assert binning.layout == (20, 4, 3)
    seen, x = observe_neighbours(records, binning, 20), features(records, binning)
    assert len(binning.names) == x.shape[1] == 83
    good = seen.count >= 3
    assert np.isfinite(x[good]).all()
    assert np.isnan(x[~good]).all()
    entries = x[good, :80].reshape(-1, 20, 4)
    np.testing.assert_array_equal(
        entries[..., 3].sum(axis=1), np.minimum(seen.count[good], 20)
    )
    assert (entries[entries[..., 3] == 0] == 0).all()


def test_systems_without_a_column_are_refused(records):
    some = {name: column for name, column in records.particles.items() if name != "v_t"}
    with pytest.raises(ValueError, match="no column v_t"):
        features(replace(records, particles=some), Features())


def test_the_schema_of_systems_is_enough(made):
    names = {c.name for c in (*systems.SCHEMA.scalars, *systems.SCHEMA.particles)}
    records = made([30])
    assert {*records.scalars, *records.particles} <= names


@pytest.mark.parametrize(
    "wrong",
    [
        {"neighbours": 0},
        {"seed": -1},
        {"radial": "linear"},
        {"without": ("speed",)},
        {"without": "r"},
        {"without": ("satellites", "vmax", "distance_larger", "distance_cluster")},
    ],
)
def test_wrong_choices_are_refused(wrong):
    with pytest.raises(ValueError, match=r"give|leave"):
        Features(**wrong)


def test_a_set_needs_places_for_the_neighbours_it_asks_for():
    with pytest.raises(ValueError, match="places"):
        NeighbourSet(largest=2)
