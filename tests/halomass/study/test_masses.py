"""Laws of masses: a miss is called one, and nothing else is; published ones stand beside."""

from dataclasses import dataclass

import numpy as np
import pytest

from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study import (
    literature,
    masses,
    published_masses,
)
from halomass.study.ensembles import (
    label_noiseless,
    label_noisy,
)
from orrery.results.sections import table_sections

HEADING = "Mass, {}: predicted means and medians of hosts predicted alike"


@dataclass(frozen=True)
class Estimate:
    prediction: float
    median: float
    lower: float
    upper: float


def even(mass):
    """Returns an answer whose median is not quite the prediction."""
    return Estimate(mass, mass - 0.03, mass - 0.2, mass + 0.1)


def answers(**changes):
    middle = {label_noisy(25): 12.2, label_noisy(10): 12.0} | changes
    return {name: even(value) for name, value in middle.items()}


def only(tables):
    """Returns the one table there is."""
    (table,) = tables.values()
    return table


def misses(tables):
    return [
        miss.text for table in tables.values() for miss in table.meta.get("misses", [])
    ]


@dataclass(frozen=True)
class Score:
    rmse: float
    bias: float
    log_probability: float
    standard_error: float


def test_masses_as_published_are_no_misses(host):
    tables = masses.mass_tables(host(name="Milky Way"), "ESMDPL/UM-SAGA", answers())
    assert misses(tables) == []


@pytest.mark.parametrize(
    ("mass", "missed"), [(11.89, 1), (11.9, 0), (12.4, 0), (12.41, 1)]
)
@pytest.mark.parametrize("count", NEIGHBOUR_COUNTS)
def test_the_milky_way_is_judged_by_our_own_catalogue_alone(count, mass, missed, host):
    own = "ESMDPL/UM-SAGA"

    def told(every):
        return [
            m
            for m in misses(masses.mass_tables(host(name="MW"), own, every))
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
    catalogue, count, shift, missed, host
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
        for m in misses(masses.mass_tables(host(name="MW"), own, every))
        if "beyond" not in m
    ]
    assert found == missed * [
        f"{catalogue}, {label_noisy(count)}: {published + shift:.2f} is more than "
        f"0.15 dex from the published {published:.2f}."
    ]


def test_masses_of_catalogues_are_compared_with_table_3(host):
    every = answers(
        **{
            "VSMDPL/UM, 25 neighbours": 12.1,
            "equilibrium velocities, 10 neighbours": 11.8,
            "25 neighbours, no r": 12.3,
            "25 neighbours, noiseless": 12.3,
        }
    )
    tables = masses.mass_tables(host(name="MW"), "ESMDPL/UM-SAGA", every)
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
        inner = rows[key]["predicted_mean"] - rows[key]["predicted_mean_200c"]
        assert inner == pytest.approx(0.063)


def test_every_estimate_is_in_the_table_with_its_interval(host):
    every = answers(**{"10 neighbours, noiseless": 11.5})
    table = masses.mass_tables(host(name="MW"), "mine", every)[HEADING.format("MW")]
    for row, (name, answer) in zip(table, every.items(), strict=True):
        assert row["ensemble"] == name
        columns = ("predicted_mean", "median_alike", "lower_alike", "upper_alike")
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
def test_rows_that_mean_something_else_are_explained_in_the_caption(name, words, host):
    for every, told in ((answers(), False), (answers(**{name: 12.1}), True)):
        assert (
            words in only(masses.host_mass_table(host(), every)).meta["caption"]
        ) == told


def test_warnings_of_a_host_are_told_under_a_heading_of_their_own(host):
    warned = host(name="A host", warnings=["peak masses alone"])
    assert misses(masses.host_mass_table(warned, answers())) == [
        "A host: peak masses alone."
    ]
    assert misses(masses.host_mass_table(host(name="A host"), answers())) == []
    ((title, table),) = masses.host_mass_table(warned, answers()).items()
    _, caution = table_sections(title, table)
    assert caution.title == f"Warnings of the table, {title}"


def test_an_unknown_interval_is_missing_and_the_caption_says_why(host):
    known, unknown = (
        answers(),
        answers() | {label_noisy(10): Estimate(12.0, *[np.nan] * 3)},
    )
    score = Score(0.16, -0.01, 0.4, 0.02)
    for every, why in ((known, False), (unknown, True)):
        for table in (
            only(masses.host_mass_table(host(name="A host"), every)),
            only(
                masses.estimator_table(
                    {name: (score, one) for name, one in every.items()}
                )
            ),
        ):
            assert (
                "predicted alike, or all of them on one side" in table.meta["caption"]
            ) == why
    row = only(masses.host_mass_table(host(name="A host"), unknown))[1]
    assert row["predicted_mean"] == 12.0
    assert np.isnan([row["lower_alike"], row["upper_alike"]]).all()
    drawn = [row.label for row in masses.published_intervals(unknown) if row.ours]
    assert drawn == [f"{label_noisy(25)} (median)"]


def test_moves_are_from_the_first_ensemble(host):
    every = answers(**{"25 neighbours, no r": 12.5}) | {
        label_noiseless(n): even(12.9) for n in NEIGHBOUR_COUNTS
    }
    moved = masses.mass_tables(host(name="MW"), "mine", every)[
        "What moves the predicted mean"
    ]
    assert not {*map(label_noiseless, NEIGHBOUR_COUNTS)} & {*moved["ensemble"]}, (
        "they take errors for none"
    )
    np.testing.assert_allclose(moved["moved"], [0, -0.2, 0.3], atol=1e-12)


def test_nothing_is_published_of_another_host(host):
    tables = masses.mass_tables(
        host(name="Andromeda"), None, answers(**{label_noisy(25): 10.6})
    )
    assert list(tables) == [HEADING.format("Andromeda")]
    assert misses(tables) == []


def test_ours_come_before_published_masses():
    every = answers(**{"25 neighbours, no r": 12.5, "VSMDPL/UM, 25 neighbours": 12.1})
    rows = masses.published_intervals(every)
    ours = [row for row in rows if row.ours is not None]
    assert rows[: len(ours)] == ours
    assert [row.label for row in ours] == [
        f"{name} (median)"
        for name in (label_noisy(25), label_noisy(10), "VSMDPL/UM, 25 neighbours")
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
    biased = {label_noisy(25): Estimate(12.4, 12.2, 12.1, 12.3)}
    (ours,) = (row for row in masses.published_intervals(biased) if row.ours)
    low, middle, high = ours.ours
    assert low < middle < high


def test_the_caption_of_published_masses_says_how_they_were_converted():
    for words in ("200 times the critical", "0.063 dex", "68 %", "marked"):
        assert words in masses.PUBLISHED_CAPTION


def test_the_two_masses_of_an_ensemble_are_named_in_tables_and_figure(host):
    tables = masses.mass_tables(host(name="MW"), "ESMDPL/UM-SAGA", answers())
    for title in (HEADING.format("MW"), "Masses by catalogue"):
        caption = tables[title].meta["caption"]
        assert {"predicted_mean", "median_alike"} <= {*tables[title].colnames}
        assert "predicted" in caption
        assert "predicted alike" in caption
    assert "predicted alike (median_alike in the tables)" in masses.PUBLISHED_CAPTION
    (first, *_) = masses.published_intervals(answers())
    assert first.ours[1] == tables[HEADING.format("MW")]["median_alike"][0]
    assert first.label.endswith("(median)")


def test_estimators_are_shown_with_their_mass():
    score = Score(0.16, -0.01, 0.4, 0.02)
    table = only(
        masses.estimator_table({"flow": (score, Estimate(12.2, 12.1, 12.0, 12.3))})
    )
    (row,) = table
    assert [row[name] for name in table.colnames] == [
        *("flow", *vars(score).values()),
        *(12.2, 12.1, 12.0, 12.3),
    ]
    assert "several draws of the errors" in table.meta["caption"]
    assert "up to 50 of them" in table.meta["caption"]
