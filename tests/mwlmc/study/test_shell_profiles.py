"""Laws of profiles of the reflex motion: speeds and apexes are those of each draw."""

import numpy as np
import pytest

from mwlmc.model.reflex import Reflex
from mwlmc.model.reflex_shells import ReflexShells
from mwlmc.sky import frames
from mwlmc.study import shell_profiles
from mwlmc.study.literature import published_measurements
from mwlmc.study.shell_profiles import credible_region, mean_apex, shell_motions
from orrery.parameters import generator

SHELLS = ReflexShells((50.0, 60.0, 100.0))
MIDDLE = np.array([3.0, 0.0, -20.0, -6.0, 7.0, 9.0, -40.0, -12.0])
SPREAD = np.array([4.0, 4.0, 6.0, 3.0, 4.0, 6.0, 7.0, 3.0])


def drawn(count=4000):
    return MIDDLE + SPREAD * generator(4).normal(size=(count, 8))


def around(centre, concentration, count, seed=5):
    """Returns unit vectors `[count, 3]` from a von Mises-Fisher distribution."""
    random = generator(seed)
    ends = np.exp(-2 * concentration)
    cosine = 1 + np.log(ends + (1 - ends) * random.uniform(size=count)) / concentration
    angle = random.uniform(0, 2 * np.pi, size=count)
    sine = np.sqrt(1 - cosine**2)
    axes = np.linalg.qr(np.column_stack([centre, np.eye(3)[:, :2]]))[0]
    axes[:, 0] = centre
    return np.stack([cosine, sine * np.cos(angle), sine * np.sin(angle)], 1) @ axes.T


def test_speed_and_apex_of_a_draw_are_those_of_its_motion():
    draws = drawn(20)
    motions = shell_motions(draws, SHELLS)
    for row, speeds, apexes, radial in zip(
        draws, motions.v_travel, motions.apex, motions.mean_v_r, strict=True
    ):
        for k in range(2):
            motion = Reflex(*row[4 * k : 4 * k + 4], 0.0, 0.0, 1.0, 1.0, 1.0)
            assert speeds[k] == pytest.approx(motion.v_travel)
            towards = np.degrees(frames.angles(apexes[k]))
            np.testing.assert_allclose(towards, motion.apex)
            assert radial[k] == motion.mean_v_r


def test_answers_are_of_each_draw_and_have_a_key_for_each_shell():
    draws = drawn()
    prior = 3.0 * draws
    found = shell_profiles.shell_answers("a.b", "A", draws, prior, SHELLS)
    by_key = {answer.key: answer for answer in found}
    assert [*by_key] == [
        "posterior.a.b.v_travel_50_60",
        "posterior.a.b.v_travel_60_100",
        "posterior.a.b.mean_v_r_50_60",
        "posterior.a.b.mean_v_r_60_100",
        "posterior.a.b.rise",
    ]
    speed = np.linalg.norm(draws[:, 4:7], axis=1)
    answer = by_key["posterior.a.b.v_travel_60_100"]
    assert answer.median == np.median(speed)
    # the length of the median vector is another, smaller number
    assert answer.median > np.linalg.norm(np.median(draws[:, 4:7], axis=0)) + 0.3
    rise = speed - np.linalg.norm(draws[:, :3], axis=1)
    ends = by_key["posterior.a.b.rise"]
    expected = np.percentile(rise, [16, 50, 84])
    np.testing.assert_allclose((ends.lower, ends.median, ends.upper), expected)
    np.testing.assert_allclose(ends.prior, 3.0 * expected[[0, 2]])


def test_one_shell_alone_does_not_rise():
    found = shell_profiles.shell_answers(
        "a", "A", drawn()[:, :4], drawn()[:, :4], ReflexShells((50.0, 60.0))
    )
    assert [answer.key.rpartition(".")[2] for answer in found] == [
        "v_travel_50_60",
        "mean_v_r_50_60",
    ]


CENTRE = frames.direction(np.radians(330.0), np.radians(-70.0))


def test_the_apex_is_the_middle_of_the_draws():
    apex = mean_apex(around(CENTRE, 30.0, 20_000))
    assert apex.longitude == pytest.approx(330.0, abs=1.0)
    assert apex.latitude == pytest.approx(-70.0, abs=0.5)
    # 68 % of a von Mises-Fisher distribution
    angle = np.degrees(np.arccos(1 + np.log(1 - 0.68) / 30.0))
    assert apex.radius == pytest.approx(angle, rel=0.02)


@pytest.mark.parametrize("concentration", [5.0, 40.0])
def test_a_region_holds_its_share_of_draws_and_no_more_sky_than_that_needs(
    concentration,
):
    inside = credible_region(around(CENTRE, concentration, 2000))
    rows, columns = inside.shape
    fresh = around(CENTRE, concentration, 20_000, seed=6)
    longitude, latitude = frames.angles(fresh)
    longitude = (longitude + np.pi) % (2 * np.pi) - np.pi
    row = np.rint((latitude / np.pi + 0.5) * (rows - 1)).astype(int)
    column = np.rint((longitude / (2 * np.pi) + 0.5) * (columns - 1)).astype(int)
    assert inside[row, column].mean() == pytest.approx(0.68, abs=0.05)
    # the smallest such region is a cap
    weight = np.cos(np.linspace(-np.pi / 2, np.pi / 2, rows))[:, None]
    area = (inside * weight)[:, 1:].sum() / (weight.sum() * (columns - 1))
    cap = -np.log(1 - 0.68) / concentration / 2
    assert area == pytest.approx(cap, rel=0.15)
    assert (inside[:, 0] == inside[:, -1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("count", [30, 100])
def test_a_region_of_few_directions_holds_its_share_of_others(count):
    fresh = around(CENTRE, 5.0, 4000, seed=6)
    longitude, latitude = frames.angles(fresh)
    longitude = (longitude + np.pi) % (2 * np.pi) - np.pi
    held = []
    for seed in range(20):
        inside = credible_region(around(CENTRE, 5.0, count, seed=100 + seed))
        row = np.rint((latitude / np.pi + 0.5) * 90).astype(int)
        column = np.rint((longitude / (2 * np.pi) + 0.5) * 180).astype(int)
        held.append(inside[row, column].mean())
    assert np.mean(held) == pytest.approx(0.68, abs=0.04)


def test_tables_have_a_row_for_each_shell_of_each_data():
    draws = drawn()
    errors = np.arange(8.0)
    tables = shell_profiles.profile_tables(
        {"stars": draws, "prior": draws[:900]}, SHELLS, errors
    )
    profile, error = tables.values()
    assert [*zip(profile["data"], profile["shell"], strict=True)] == [
        ("stars", "50-60"),
        ("stars", "60-100"),
        ("prior", "50-60"),
        ("prior", "60-100"),
    ]
    speed = np.linalg.norm(draws[:900, 4:7], axis=1)
    np.testing.assert_allclose(
        [profile[f"v_travel{end}"][3] for end in ("_lower", "", "_upper")],
        np.percentile(speed, [16, 50, 84]),
    )
    assert (profile["mean_v_r_lower"] < profile["mean_v_r"]).all()
    np.testing.assert_array_equal(error["v_z"], [2.0, 6.0])


def test_others_speeds_are_the_published_ones():
    found = shell_profiles.published_speeds()
    known = {one.key: one.values for one in published_measurements()}
    for key, (nearest, furthest, *ends) in found.items():
        speed = known[key]["v_travel"]
        assert nearest <= furthest
        assert ends == [
            speed.median - speed.minus,
            speed.median,
            speed.median + speed.plus,
        ]
    # whoever has measured a speed is shown
    assert found.keys() == {k for k, values in known.items() if "v_travel" in values}
