"""Laws of comparisons: a miss is called one, and nothing else is; published numbers stand beside.

Estimators are made by hand here, so that what they find is known.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from halomass.observed.errors import Orbits
from halomass.observed.features import Features, features
from halomass.observed.host_neighbours import (
    HostEnvironment,
    Neighbours,
    as_records,
    observation,
)
from halomass.study import (
    accuracy,
    ensembles,
    literature,
    masses,
    published_masses,
    robustness,
)
from halomass.study.ensembles import (
    LEFT_OUT_FEATURES,
    NEIGHBOUR_COUNTS,
    ensemble_features,
    label_noiseless,
    label_noisy,
    label_without,
)

AROUND = HostEnvironment(80.0, 900.0, 12_000.0)
# What estimators of known quality would find: nothing here is a miss.
GOOD = {
    label_noisy(25): 0.16,
    label_noisy(10): 0.20,
    label_noiseless(25): 0.12,
    label_noiseless(10): 0.165,
}


@dataclass(frozen=True)
class Made:
    """An estimator of a known error, which weighs a host by the mean of some features."""

    smallest: float = 0.16
    middle: tuple[float, ...] = (0.17, 0.16)
    weights: dict[str, float] = field(default_factory=dict)
    bias: float = 0.03
    scatter: tuple[float, float] = (0.06, 0.006)

    def predict(self, observation):
        kinds = dict(zip(observation.names, observation.value, strict=True))
        return 12 + sum(weight * kinds[name] for name, weight in self.weights.items())

    def smallest_rmse(self):
        return self.smallest

    def rmse_between(self, low, high):
        assert (low, high) == accuracy.MIDDLE
        return np.array(self.middle)

    def largest_bias(self, low, high):
        assert (low, high) == accuracy.BIASED
        return self.bias


@dataclass(frozen=True)
class Weighed:
    prediction: float
    median: float
    lower: float
    upper: float


def even(mass):
    """Returns an answer whose median is not quite the prediction."""
    return Weighed(mass, mass - 0.03, mass - 0.2, mass + 0.1)


@dataclass(frozen=True)
class Fared:
    rmse: float
    bias: float
    log_probability: float
    standard_error: float


def host(count=40, seed=1, log_m_star=None):
    random = np.random.default_rng(seed)
    orbits = Orbits(
        random.uniform(20, 200, count),
        random.normal(0, 90, count),
        random.uniform(20, 200, count),
    )
    stars = (
        np.linspace(9, 4, count) if log_m_star is None else np.full(count, log_m_star)
    )
    return Neighbours(
        "host", tuple(f"n{i}" for i in range(count)), orbits, stars, AROUND
    )


def named(name, **provenance):
    return replace(host(), name=name, provenance=provenance)


def answers(**changes):
    middle = {label_noisy(25): 12.2, label_noisy(10): 12.0} | changes
    return {name: even(value) for name, value in middle.items()}


def only(tables):
    """Returns the one table there is."""
    (table,) = tables.values()
    return table


def ratios(**changes):
    usual = {"no satellites": (3.0, 0.3), "no r": (2.0, 0.2), "no v_t": (2.0, 0.2)}
    every = {**usual, "no v_r": (1.5, 0.1)} | changes
    return {label_without(what): value for what, value in every.items()}


def exactness(changes=None, found_ratios=None):
    found = {name: Made(smallest) for name, smallest in GOOD.items()} | (changes or {})
    return accuracy.accuracy_tables(found, found_ratios or ratios())


def misses(tables):
    return [miss for table in tables.values() for miss in table.meta.get("misses", [])]


def test_what_is_as_published_is_no_miss():
    assert misses(exactness()) == []
    assert (
        misses(masses.mass_tables(named("Milky Way"), "ESMDPL/UM-SAGA", answers()))
        == []
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({label_noisy(25): Made(0.16, (0.25, 0.21))}, "25 neighbours: 0.210 dex at 10"),
        ({label_noisy(25): Made(0.16, (0.12, 0.19))}, "25 neighbours: 0.120 dex at 10"),
        (
            {label_noisy(25): Made(0.16, (np.nan, 0.21))},
            "25 neighbours: 0.210 dex at 10",
        ),
        (
            {label_noisy(25): Made(0.18), label_noisy(10): Made(0.18)},
            "25 neighbours should be better than 10 neighbours: 0.180",
        ),
        (
            {label_noiseless(25): Made(0.141), label_noisy(25): Made(0.141)},
            "25 neighbours, noiseless should be better than 25",
        ),
        (
            {label_noiseless(10): Made(0.197), label_noisy(10): Made(0.197)},
            "10 neighbours, noiseless should be better than 10",
        ),
        (
            {label_noisy(10): Made(0.24)},
            "10 neighbours: the smallest error is 0.240 dex, published",
        ),
        (
            {label_noiseless(25): Made(0.09)},
            "25 neighbours, noiseless: the smallest error is 0.090",
        ),
        (
            {label_noiseless(10): Made(0.165, bias=0.051)},
            "10 neighbours, noiseless: the largest median",
        ),
    ],
)
def test_one_error_that_is_wrong_is_one_miss(changes, message):
    (miss,) = misses(exactness(changes))
    assert miss.startswith(message)


@pytest.mark.parametrize(
    ("factor", "missed"), [(0.79, True), (0.81, False), (1.19, False), (1.21, True)]
)
@pytest.mark.parametrize("name", GOOD)
def test_smallest_errors_are_judged_by_published_ones_on_both_sides(
    name, factor, missed
):
    published = accuracy.published_rmse()[name]
    found = misses(exactness({name: Made(factor * published)}))
    told = [miss for miss in found if miss.startswith(f"{name}: the smallest error")]
    assert len(told) == missed
    assert all(
        f"{factor * published:.3f}" in m and f"{published:.3f}" in m for m in told
    )


def test_what_is_unknown_is_not_judged():
    unknown = Made(np.nan, (np.nan, np.nan), bias=np.nan, scatter=(np.nan, np.nan))
    nothing = ratios(**dict.fromkeys(LEFT_OUT_FEATURES, (np.nan, np.nan)))
    assert misses(exactness(dict.fromkeys(GOOD, unknown), nothing)) == []


def test_biases_and_scatter_stand_above_published_ones():
    one = Made(bias=0.02, scatter=(0.04, 0.004))
    others = {"VSMDPL/UM, 25 neighbours": Made(bias=0.9), label_noisy(25): one}
    tables = exactness(others)
    assert misses(tables) == [], "nothing is published of other ensembles"
    *rows, published = tables["Bias and scatter compared with published values"]
    found = {name: values for name, *values in rows}
    assert found.keys() == {*GOOD, *others}
    assert found[label_noisy(25)] == [0.02, 0.04, 0.004]
    assert [*published] == [literature.SOURCE, 0.05, 0.05, 0.005]


@pytest.mark.parametrize(
    ("best", "missed"), [(0.129, 1), (0.13, 0), (0.20, 0), (0.201, 1)]
)
def test_bounds_of_the_smallest_error_belong_to_what_is_good(best, missed):
    found = {label_noisy(25): Made(0.16, (0.5, best))}
    assert len(misses(exactness(found))) == missed


@pytest.mark.parametrize("what", LEFT_OUT_FEATURES)
@pytest.mark.parametrize(
    ("factor", "missed"), [(0.66, 1), (0.67, 0), (1.49, 0), (1.51, 1)]
)
def test_variances_are_judged_by_published_ones_on_both_sides(what, factor, missed):
    published = literature.VARIANCE_RATIOS[LEFT_OUT_FEATURES[what]]
    found = misses(exactness(found_ratios=ratios(**{what: (factor * published, 0.1)})))
    assert len(found) == missed
    for miss in found:
        assert miss.startswith(
            f"{what}: the variance is {factor * published:.2f} times"
        )
        assert f"about {published:g} times" in miss
        reasons = {
            ("no satellites", True): "the prior",
            ("no r", False): "a property of the mock",
        }
        reason = reasons.get((what, factor > 1))
        assert (reason in miss) if reason else miss.endswith("times.")


def test_published_errors_stand_beside_ours():
    others = {"VSMDPL/UM, 25 neighbours": Made(0.3)}
    table = exactness(others)["Errors compared with published values"]
    rows = {row["ensemble"]: row for row in table}
    assert rows.keys() == {*GOOD, *others}
    for count in NEIGHBOUR_COUNTS:
        assert rows[label_noisy(count)]["published"] == literature.RMSE[count]
        assert (
            rows[label_noiseless(count)]["published"]
            == literature.RMSE_WITHOUT_ERRORS[count]
        )
    assert all(rows[name]["smallest_rmse"] == GOOD[name] for name in GOOD)
    assert (
        rows[label_noisy(25)]["rmse_11_5_to_12"],
        rows[label_noisy(25)]["rmse_12_to_12_5"],
    ) == (
        0.17,
        0.16,
    )
    assert np.isnan(rows["VSMDPL/UM, 25 neighbours"]["published"])


def test_published_variances_stand_beside_ours():
    table = exactness()["Variance without some features"]
    for row, (what, without) in zip(table, LEFT_OUT_FEATURES.items(), strict=True):
        assert row["left_out"] == what
        assert (row["variance_ratio"], row["error"]) == ratios()[label_without(what)]
        assert row["published"] == literature.VARIANCE_RATIOS[without]


@pytest.mark.parametrize(
    ("mass", "missed"), [(11.89, 1), (11.9, 0), (12.4, 0), (12.41, 1)]
)
@pytest.mark.parametrize("count", NEIGHBOUR_COUNTS)
def test_the_milky_way_is_judged_by_our_own_catalogue_alone(count, mass, missed):
    own = "ESMDPL/UM-SAGA"

    def told(every):
        return [
            m
            for m in misses(masses.mass_tables(named("MW"), own, every))
            if "beyond" in m
        ]

    found = told(answers(**{label_noisy(count): mass}))
    assert len(found) == missed
    assert all(f"{own}, {label_noisy(count)}: {mass:.2f}" in miss for miss in found)
    others = {
        f"VSMDPL/UM, {label_noisy(count)}": mass,
        f"{label_noisy(25)}, no r": mass,
    }
    assert told(answers(**others)) == []


@pytest.mark.parametrize(
    ("shift", "missed"), [(-0.16, True), (-0.14, False), (0.14, False), (0.16, True)]
)
@pytest.mark.parametrize("count", NEIGHBOUR_COUNTS)
@pytest.mark.parametrize("catalogue", ["ESMDPL/UM-SAGA", "VSMDPL/UM"])
def test_masses_are_judged_by_the_published_one_of_their_row(
    catalogue, count, shift, missed
):
    own, published = "ESMDPL/UM-SAGA", literature.VARIANTS[catalogue].milky_way[count]
    name = (
        label_noisy(count) if catalogue == own else f"{catalogue}, {label_noisy(count)}"
    )
    every = answers(
        **{name: published + shift, "equilibrium velocities, 10 neighbours": 9.0}
    )
    found = [
        m
        for m in misses(masses.mass_tables(named("MW"), own, every))
        if "beyond" not in m
    ]
    assert found == missed * [
        f"{catalogue}, {label_noisy(count)}: {published + shift:.2f} is more than "
        f"0.15 dex from the published {published:.2f}."
    ]


def test_masses_of_catalogues_stand_beside_table_3():
    every = answers(
        **{
            "VSMDPL/UM, 25 neighbours": 12.1,
            "equilibrium velocities, 10 neighbours": 11.8,
            "25 neighbours, no r": 12.3,
            "25 neighbours, noiseless": 12.3,
        }
    )
    tables = masses.mass_tables(named("MW"), "ESMDPL/UM-SAGA", every)
    rows = {
        (row["trained_on"], row["neighbours"]): row
        for row in tables["Masses by catalogue"]
    }
    published = {
        ("ESMDPL/UM-SAGA", 25): 12.20,
        ("ESMDPL/UM-SAGA", 10): 12.07,
        ("VSMDPL/UM", 25): 11.98,
        ("equilibrium velocities", 10): np.nan,
    }
    assert rows.keys() == published.keys(), "those without a feature are not in Table 3"
    for key, value in published.items():
        np.testing.assert_equal(rows[key]["published"], value)
        interval = np.array(
            [rows[key]["published_lower"], rows[key]["published_upper"]]
        )
        given = key == ("ESMDPL/UM-SAGA", 25)
        np.testing.assert_allclose(
            interval, [12.062, 12.363] if given else [np.nan] * 2
        )
        inner = rows[key]["log_m_vir"] - rows[key]["log_m_200c"]
        assert inner == pytest.approx(0.063)


def test_every_answer_is_in_the_table_with_its_interval():
    every = answers(**{"10 neighbours, noiseless": 11.5})
    table = masses.mass_tables(named("MW"), "mine", every)["Mass, MW"]
    for row, (name, answer) in zip(table, every.items(), strict=True):
        assert row["ensemble"] == name
        columns = ("log_m_vir", "median", "lower", "upper")
        assert [row[c] for c in columns] == [*vars(answer).values()]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (label_noiseless(25), "intervals hold for noiseless data only"),
        (
            f"{label_noisy(25)}, mock observations (7 of 200)",
            "those that find enough neighbours",
        ),
    ],
)
def test_rows_that_mean_something_else_are_told_in_the_caption(name, words):
    for every, told in ((answers(), False), (answers(**{name: 12.1}), True)):
        assert (
            words in only(masses.host_mass_table(host(), every)).meta["caption"]
        ) == told


def test_who_weighs_a_host_is_told_what_to_beware_of():
    warned = named("A host", warnings=["peak masses alone"])
    assert misses(masses.host_mass_table(warned, answers())) == [
        "A host: peak masses alone."
    ]
    assert misses(masses.host_mass_table(named("A host"), answers())) == []


def test_an_unknown_interval_is_missing_and_the_caption_says_why():
    known, unknown = (
        answers(),
        answers() | {label_noisy(10): Weighed(12.0, *[np.nan] * 3)},
    )
    score = Fared(0.16, -0.01, 0.4, 0.02)
    for every, why in ((known, False), (unknown, True)):
        for table in (
            only(masses.host_mass_table(named("A host"), every)),
            only(
                masses.estimator_table(
                    {name: (score, one) for name, one in every.items()}
                )
            ),
        ):
            assert (
                "predicted alike, or all of them on one side" in table.meta["caption"]
            ) == why
    row = only(masses.host_mass_table(named("A host"), unknown))[1]
    assert row["log_m_vir"] == 12.0
    assert np.isnan([row["lower"], row["upper"]]).all()
    drawn = [row.label for row in masses.published_intervals(unknown) if row.ours]
    assert drawn == [label_noisy(25)]


def test_moves_are_from_the_first_ensemble():
    every = answers(**{"25 neighbours, no r": 12.5}) | {
        label_noiseless(n): even(12.9) for n in NEIGHBOUR_COUNTS
    }
    moved = masses.mass_tables(named("MW"), "mine", every)["What moves the mass"]
    assert not {*map(label_noiseless, NEIGHBOUR_COUNTS)} & {*moved["ensemble"]}, (
        "they take errors for none"
    )
    np.testing.assert_allclose(moved["moved"], [0, -0.2, 0.3], atol=1e-12)


def test_nothing_is_published_of_another_host():
    tables = masses.mass_tables(
        named("Andromeda"), None, answers(**{label_noisy(25): 10.6})
    )
    assert list(tables) == ["Mass, Andromeda"]
    assert misses(tables) == []


def some(**weights):
    """Returns the two plain binnings and estimators that weigh by these features."""
    wanted = {
        name: b
        for name, b in ensemble_features(1, 40).items()
        if name in map(label_noisy, NEIGHBOUR_COUNTS)
    }
    return wanted, {name: Made(weights=weights) for name in wanted}


def test_each_neighbour_that_an_ensemble_sees_is_left_out_in_turn():
    wanted, found = some(log_r_1=1.0)
    table = only(robustness.leave_one_out(host(), wanted, found))
    assert list(table["left_out"]) == [f"n{i}" for i in range(25)]
    assert table.colnames == ["left_out", *wanted]


def test_a_neighbour_that_an_ensemble_does_not_see_moves_nothing():
    wanted, found = some(**{f"log_r_{i}": 0.1 * i for i in range(1, 11)})
    table = only(robustness.leave_one_out(host(), wanted, found))
    few = np.asarray(table[label_noisy(10)])
    assert (few[10:] == 0).all()
    assert (few[:10] != 0).all()


def test_the_next_neighbour_comes_in():
    wanted, found = some(log_r_10=1.0)
    galaxy = host()
    table = only(robustness.leave_one_out(galaxy, wanted, found))
    expected = np.log10(galaxy.orbits.r[10] / galaxy.orbits.r[9])
    np.testing.assert_allclose(table[label_noisy(10)][:10], expected)


def test_the_environment_stays_when_a_neighbour_is_left_out():
    wanted, found = some(
        log_vmax=5.0, log_distance_larger=1.0, log_distance_cluster=1.0
    )
    table = only(robustness.leave_one_out(host(), wanted, found))
    for name in wanted:
        assert (np.asarray(table[name]) == 0).all()


@pytest.mark.parametrize(("scale", "missed"), [(0.99, False), (1.01, True)])
def test_who_alone_moves_the_mass_far_is_a_miss(scale, missed):
    galaxy = host()
    # only the first neighbour is elsewhere, so that it alone can move the mass
    r = np.full(len(galaxy), 100.0)
    r[0] = 50.0
    galaxy = replace(galaxy, orbits=galaxy.orbits._replace(r=r))
    weight = scale * robustness.LEAVE_ONE_OUT / np.log10(2)
    wanted, found = some(log_r_1=weight)
    table = only(robustness.leave_one_out(galaxy, wanted, found))
    told = [f"n0 alone moves the mass by +0.15 dex with {name}." for name in wanted]
    assert table.meta["misses"] == (told if missed else [])


def test_who_has_no_next_neighbour_cannot_lose_one():
    wanted, found = some(log_r_1=1.0)
    assert robustness.leave_one_out(host(10), wanted, found) == {}
    table = only(robustness.leave_one_out(host(11), wanted, found))
    assert table.colnames == ["left_out", label_noisy(10)]
    assert len(table) == 10
    assert only(robustness.leave_one_out(host(25), wanted, found)).colnames[1:] == [
        label_noisy(10)
    ]


def test_a_simulated_host_is_looked_at_as_those_that_networks_learned_from():
    wanted, galaxy = ensemble_features(3, 40), host(40, log_m_star=8.0)
    seen = robustness.mock_observations(galaxy, wanted)
    assert list(seen) == [label_noisy(25), label_noisy(10)]
    for name, x in seen.items():
        every = features(as_records(galaxy, robustness.COPIES), wanted[name])
        np.testing.assert_array_equal(x, every[np.isfinite(every).all(axis=1)])
        assert len(np.unique(x, axis=0)) == len(x), "each copy has errors of its own"


def test_copies_in_which_too_few_are_found_are_left_out():
    # so few stars that a survey finds all or none but for its own limit
    seen = robustness.mock_observations(
        host(40, log_m_star=3.3), ensemble_features(3, 40)
    )
    assert np.isfinite(seen[label_noisy(10)]).all()
    kept = len(seen[label_noisy(25)])
    assert 0 < kept <= len(seen[label_noisy(10)]) < robustness.COPIES
    name = robustness.mock_observation_label(label_noisy(25), seen[label_noisy(25)])
    assert name == f"25 neighbours, mock observations ({kept} of 200)"


def test_a_host_that_no_survey_finds_is_said_to_be():
    seen = robustness.mock_observations(
        host(40, log_m_star=0.0), ensemble_features(3, 40)
    )
    names = [robustness.mock_observation_label(name, x) for name, x in seen.items()]
    assert names == [
        f"{label_noisy(n)}, mock observations (0 of 200)" for n in NEIGHBOUR_COUNTS
    ]
    every = dict.fromkeys(names, Weighed(*[np.nan] * 4))
    table = only(masses.host_mass_table(host(), every))
    assert np.isnan(table["log_m_vir"]).all()


def test_hosts_are_looked_at_alike_by_all_ensembles():
    wanted = ensemble_features(7, 25)
    assert {b.seed for b in wanted.values()} == {7}
    assert wanted.keys() == {
        *GOOD,
        *map(label_without, LEFT_OUT_FEATURES),
        "25 neighbours, signed v_r",
    }
    for what, without in LEFT_OUT_FEATURES.items():
        left = wanted[label_without(what)]
        assert left == replace(wanted[label_noisy(25)], without=without)
    for count in NEIGHBOUR_COUNTS:
        assert wanted[label_noiseless(count)] == replace(
            wanted[label_noisy(count)], errors=False
        )
    assert wanted["25 neighbours, signed v_r"].radial == "asinh"
    assert len({b.fingerprint for b in wanted.values()}) == len(wanted)


def test_who_has_fewer_neighbours_is_weighed_by_fewer():
    for most, counts in ((10, {10}), (24, {10}), (25, {10, 25})):
        wanted = ensemble_features(1, most)
        assert {b.neighbours for b in wanted.values()} == counts
        for binning in wanted.values():
            assert np.isfinite(observation(host(most), binning).value).all()
    with pytest.raises(ValueError, match="9 neighbours: 10 are the fewest"):
        ensemble_features(1, 9)


def test_other_hosts_have_the_plain_features_under_their_own_name():
    own, other = ensemble_features(4, 30), ensemble_features(4, 30, "VSMDPL/UM")
    assert other == {
        f"VSMDPL/UM, {name}": b for name, b in ensembles.noisy_features(own).items()
    }


def test_plain_features_have_errors_and_lack_nothing():
    found = ensembles.noisy_features(ensemble_features(4, 30))
    assert found == {label_noisy(n): Features(n, seed=4) for n in (25, 10)}
    assert list(ensembles.noisy_features(ensemble_features(4, 12))) == [label_noisy(10)]


def test_figures_show_ensembles_that_there_are():
    known = ensemble_features(1, 25)
    for names in ensembles.FIGURES.values():
        assert set(names) <= known.keys()


def test_ours_come_before_published_masses():
    every = answers(**{"25 neighbours, no r": 12.5, "VSMDPL/UM, 25 neighbours": 12.1})
    rows = masses.published_intervals(every)
    ours = [row for row in rows if row.ours is not None]
    assert rows[: len(ours)] == ours
    assert [row.label for row in ours] == [
        label_noisy(25),
        label_noisy(10),
        "VSMDPL/UM, 25 neighbours",
    ]
    assert ours[0].ours == pytest.approx((12.0, 12.17, 12.3)), (
        "the middle is the median"
    )
    assert all((row.ours is None) != (row.published is None) for row in rows)


def test_published_intervals_hold_their_mass():
    rows = {row.label: row.published for row in masses.published_intervals({})}
    assert not any("Zaritsky et al. 2020" in label for label in rows), (
        "a limit is no interval"
    )
    assert "Slizewski et al. 2022 (95 %)" in rows
    assert len(rows) == len(published_masses.PUBLISHED_MASSES) - 1
    for study in published_masses.PUBLISHED_MASSES:
        if study.label_with_interval in rows:
            low, middle, high = rows[study.label_with_interval]
            assert low < middle < high
            widths = study.log_m_vir()[1:]
            assert (middle - low, high - middle) == pytest.approx(widths)


def test_a_prediction_outside_its_interval_is_drawn():
    biased = {label_noisy(25): Weighed(12.4, 12.2, 12.1, 12.3)}
    (ours,) = (row for row in masses.published_intervals(biased) if row.ours)
    low, middle, high = ours.ours
    assert low < middle < high


def test_the_caption_of_published_masses_tells_what_was_done_to_them():
    for words in ("200 times the critical", "0.063 dex", "68 %", "marked"):
        assert words in masses.PUBLISHED_CAPTION


def test_estimators_are_told_with_their_mass():
    score = Fared(0.16, -0.01, 0.4, 0.02)
    table = only(
        masses.estimator_table({"flow": (score, Weighed(12.2, 12.1, 12.0, 12.3))})
    )
    (row,) = table
    assert [row[name] for name in table.colnames] == [
        *("flow", *vars(score).values()),
        *(12.2, 12.1, 12.0, 12.3),
    ]
    assert "several draws of the errors" in table.meta["caption"]
    assert "up to 50 neighbours" in table.meta["caption"]
