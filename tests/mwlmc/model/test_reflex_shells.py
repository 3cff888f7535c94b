"""Laws of the reflex motion in shells: each finds its own, and the usual one is the record's."""

import numpy as np
import pytest

from mwlmc.model.reflex import Reflex
from mwlmc.model.reflex_shells import (
    MOTIONS,
    ReflexShells,
    reflex_motions,
    shell_errors,
)
from mwlmc.simulator import Simulator
from mwlmc.sky import frames
from orrery.records import Records

SHELLS = ReflexShells((50.0, 60.0, 80.0, 160.0))
# of each shell: travel velocity and mean radial velocity [km/s]
TRUTH = np.array(
    [
        [3.0, 1.0, -20.0, -5.0],
        [4.0, -2.0, -30.0, -9.0],
        [9.0, 12.0, -44.0, -19.0],
    ]
)


def halo(counts, spread, random):
    """Returns the stars `[N, 6]` of one simulation: some in each shell, which moves as in TRUTH."""
    stars = []
    for (lower, upper), motion, count in zip(SHELLS.shells, TRUTH, counts, strict=True):
        outward = random.normal(size=(count, 3))
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        position = outward * random.uniform(lower + 0.1, upper - 0.1, (count, 1))
        velocity = -motion[:3] + motion[3] * outward
        velocity = velocity + spread * random.normal(size=(count, 3))
        stars.append(np.hstack([position, velocity]))
    return np.concatenate(stars)


def recorded(halos):
    columns = np.concatenate(halos).T
    names = ("x", "y", "z", "vx", "vy", "vz")
    offsets = np.concatenate([[0], np.cumsum([len(stars) for stars in halos])])
    scalars = {"index": np.arange(len(halos))}
    particles = dict(zip(names, columns, strict=True))
    return Records(scalars, particles, offsets.astype(np.int32))


@pytest.mark.slow
def test_the_shell_of_the_records_labels_gives_them_back():
    """Stars are stored in half precision: some near an edge change their shell."""
    records = Simulator(stars=6000).records(seed=5, indices=range(6))
    usual = ReflexShells((50.0, 100.0))
    found = reflex_motions(records, usual)
    stored = np.stack([records.scalars[name] for name in MOTIONS], axis=1)
    assert stored.std(axis=0).min() > 1.0
    assert (np.abs(found - stored) < 0.3 * shell_errors(records, usual)).all()


def test_each_shell_has_its_own_motion():
    random = np.random.default_rng(2)
    records = recorded([halo((200, 300, 150), 0.0, random) for _ in range(3)])
    found = reflex_motions(records, SHELLS)
    assert found.shape == (3, len(SHELLS.names))
    for one in found:
        np.testing.assert_allclose(one, TRUTH.ravel(), atol=1e-6)


def test_stars_outside_a_shell_change_nothing_in_it():
    stars = halo((200, 300, 150), 80.0, np.random.default_rng(3))
    outer = np.linalg.norm(stars[:, :3], axis=1) >= 60.0
    both = reflex_motions(recorded([stars]), SHELLS)
    alone = reflex_motions(recorded([stars[outer]]), SHELLS)
    assert np.isnan(alone[0, :4]).all()
    np.testing.assert_array_equal(alone[0, 4:], both[0, 4:])


@pytest.mark.parametrize(("count", "known"), [(100, True), (99, False)])
def test_a_shell_with_too_few_stars_has_no_motion(count, known):
    records = recorded([halo((count, 150, 150), 80.0, np.random.default_rng(4))])
    found = reflex_motions(records, SHELLS)[0]
    error = shell_errors(records, SHELLS)[0]
    for numbers in (found, error):
        assert np.isfinite(numbers).tolist() == 4 * [known] + 8 * [True]


@pytest.mark.slow
def test_fits_scatter_by_their_errors():
    random = np.random.default_rng(6)
    records = recorded([halo((400, 200, 300), 90.0, random) for _ in range(400)])
    error = shell_errors(records, SHELLS).mean(axis=0)
    away = (reflex_motions(records, SHELLS) - TRUTH.ravel()) / error
    # the scatter of 400 numbers is known to 3.5 %, their mean to a twentieth of it
    np.testing.assert_allclose(away.std(axis=0), 1.0, atol=0.12)
    assert np.abs(away.mean(axis=0)).max() < 0.2
    spread = error.reshape(3, 4)[:, 0]
    np.testing.assert_allclose(spread, 90.0 / np.sqrt([400, 200, 300]), rtol=0.02)


def test_names_say_motion_and_shell():
    assert set(MOTIONS) <= set(Reflex.__dataclass_fields__)
    second = ("v_x_60_80", "v_y_60_80", "v_z_60_80", "mean_v_r_60_80")
    assert SHELLS.names[4:8] == second
    assert len(SHELLS.units) == len(SHELLS.names)
    assert SHELLS.labels == ("50-60", "60-80", "80-160")


def test_what_decides_the_motions_is_in_the_fingerprint(monkeypatch):
    others = [ReflexShells((50.0, 60.0, 80.0)), ReflexShells(SHELLS.edges, 200)]
    assert len({one.fingerprint for one in (SHELLS, *others)}) == 3
    before = SHELLS.fingerprint
    monkeypatch.setattr(frames, "SUN_POSITION", frames.SUN_POSITION + 0.1)
    assert SHELLS.fingerprint != before


@pytest.mark.parametrize(
    "edges", [(50.0,), (60.0, 50.0), (50.0, 50.0), (-1.0, 50.0), (50.0, np.inf)]
)
def test_edges_must_ascend(edges):
    with pytest.raises(ValueError, match="ascending"):
        ReflexShells(edges)


def test_so_few_stars_that_no_motion_is_fixed_are_refused():
    assert ReflexShells(fewest_stars=10).fewest_stars == 10
    with pytest.raises(ValueError, match="fewest_stars = 9 must be 10 or more"):
        ReflexShells(fewest_stars=9)


def test_shells_beyond_the_stored_stars_are_refused():
    SHELLS.check_stored(50.0, 160.0)
    for nearest, furthest in ((51.0, 160.0), (50.0, 159.0)):
        with pytest.raises(ValueError, match="reach beyond the stars"):
            SHELLS.check_stored(nearest, furthest)
