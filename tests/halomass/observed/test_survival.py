"""Laws of survival: what tides have stripped is left out, by the best columns there are."""

import numpy as np
import pytest

from halomass.mock import stellar_mass
from halomass.mock.mock_universe import MockUniverse
from halomass.observed import neighbour_tables, survival
from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


N = 40


@pytest.fixture(scope="module")
def stripped(halos):
    """Subhalos with what is left of their mass, and with velocities of which nothing is said."""
    random = np.random.default_rng(9)
    v_peak = survival.median_v_peak(np.log10(halos["m_peak"])) * 10 ** random.normal(
        0, 0.05, N
    )
    return {
        **halos,
        "v_peak": v_peak,
        "v_infall": v_peak * random.uniform(0.75, 1.0, N),
        "vmax": v_peak * random.uniform(0.4, 1.0, N),
        "m": halos["m_peak"] * 10 ** random.uniform(-1.5, 0, N),
    }


def ratios(c):
    bound = c["m"] / c["m_peak"]
    usual = 10 ** (1.679 + 0.293 * (np.log10(c["m_peak"]) - 10))
    # over the value at infall, or what this is usually
    return {
        "v_infall": c["vmax"] / c["v_infall"],
        "v_peak": 1.16 * c["vmax"] / c["v_peak"],
        "m_peak": 1.16 * c["vmax"] / usual,
        "m": 2**0.4 * bound**0.3 / (1 + bound) ** 0.4,
    }


BY = {
    "v_infall": ("v_infall", "v_peak", "vmax", "m_peak", "m"),
    "v_peak": ("v_peak", "vmax", "m_peak", "m"),
    "m_peak": ("vmax", "m_peak", "m"),
    "m": ("m_peak", "m"),
}


def chosen(columns, *more):
    return {n: columns[n] for n in ("x", "y", "z", "vx", "vy", "vz", *more)}


@pytest.mark.parametrize("threshold", [0.63, 0.70])
@pytest.mark.parametrize("best", BY)
def test_stripped_subhalos_are_left_out_by_the_best_columns(
    stripped, tmp_path, best, threshold, saved
):
    path = saved(tmp_path, chosen(stripped, *BY[best]))
    table = read_neighbours(path, **AROUND, threshold=threshold)
    alive = ratios(stripped)[best] > threshold
    order = np.argsort(-np.where(alive, stripped["m_peak"], 0))[: alive.sum()]
    assert 0 < alive.sum() < N
    assert table.names == tuple(f"row {i + 1}" for i in order)
    median = stellar_mass.median_log_stellar_mass(np.log10(stripped["m_peak"][order]))
    np.testing.assert_allclose(table.log_m_star, median)
    selection = table.provenance["selection"]
    assert (selection["stripped"], selection["kept"]) == (N - alive.sum(), alive.sum())
    assert f"{N} rows" in table.summary
    assert f"{N - alive.sum()} dropped as stripped by tides" in table.summary
    limit = threshold / 1.16 if best in ("v_peak", "m_peak") else threshold
    assert f"not above {limit:.4g}" in table.summary
    stands_for = f"which stands for {threshold:g} of its value at infall"
    assert (stands_for in table.summary) == (limit != threshold)
    assert table.warnings == ()


def test_the_cut_is_that_of_the_mock_universe(stripped, tmp_path, saved):
    path = saved(tmp_path, stripped)
    one, two = (
        read_neighbours(path, **AROUND),
        read_neighbours(path, **AROUND, threshold=0.7),
    )
    assert one.names == two.names
    assert MockUniverse().limits.threshold == survival.THRESHOLD


@pytest.mark.parametrize("title", ["Vmax@Mpeak", "vmp", "Vacc", "V_infall [km/s]"])
def test_velocities_at_infall_and_at_peak_mass_come_before_peaks(
    stripped, tmp_path, title, saved
):
    known = chosen(stripped, "m_peak", "vmax", "v_peak")
    table = read_neighbours(
        saved(tmp_path, known | {title: stripped["v_infall"]}), **AROUND
    )
    assert len(table) == (ratios(stripped)["v_infall"] > 0.7).sum()
    assert f"vmax over {title} is not above 0.7;" in table.summary
    assert table.provenance["selection"]["criterion"] == "infall"


def test_of_several_velocities_at_infall_the_one_at_peak_mass_counts(
    stripped, tmp_path, saved
):
    known = chosen(stripped, "m_peak", "vmax")
    more = {"Vacc": stripped["v_peak"], "Vmax@Mpeak": stripped["v_infall"]}
    table = read_neighbours(saved(tmp_path, known | more), **AROUND)
    assert len(table) == (ratios(stripped)["v_infall"] > 0.7).sum()


@pytest.mark.parametrize("best", BY)
def test_any_criterion_that_columns_allow_can_be_asked_for(
    stripped, tmp_path, best, saved
):
    path = saved(tmp_path, chosen(stripped, *BY["v_infall"]))
    names = dict(
        zip(BY, ("infall", "peak_velocity", "peak_mass", "bound_mass"), strict=True)
    )
    table = read_neighbours(path, **AROUND, criterion=names[best])
    assert len(table) == (ratios(stripped)[best] > 0.7).sum()
    alone = saved(tmp_path, chosen(stripped, "m"))
    with pytest.raises(ValueError, match=f"cut by {names[best]}: .* no criterion"):
        read_neighbours(alone, **AROUND, criterion=names[best])


def test_without_a_threshold_all_survive(stripped, tmp_path, saved):
    assert len(read_neighbours(saved(tmp_path, stripped), **AROUND, threshold=0.0)) == N
    with pytest.raises(ValueError, match="threshold 1"):
        read_neighbours(saved(tmp_path, stripped), **AROUND, threshold=1.0)


def test_peak_velocities_stand_for_peak_masses(stripped, tmp_path, saved):
    columns = chosen(stripped, "vmax", "m") | {"PeakVmax[km/s]": stripped["v_peak"]}
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    rows = [int(name.split()[1]) - 1 for name in table.names]
    masses = 10 + (np.log10(stripped["v_peak"][rows]) - 1.679) / 0.293
    np.testing.assert_allclose(
        table.log_m_star, stellar_mass.median_log_stellar_mass(masses)
    )
    assert table.environment.vmax == AROUND["vmax"]
    np.testing.assert_allclose(
        survival.median_v_peak(survival.log_m_peak_of(stripped["v_peak"])),
        stripped["v_peak"],
    )


def test_velocities_at_infall_stand_for_peak_masses_where_no_peak_is_known(
    stripped, tmp_path, saved
):
    columns = chosen(stripped, "vmax", "v_infall")
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    rows = [int(name.split()[1]) - 1 for name in table.names]
    peaks = survival.log_m_peak_of(1.16 * stripped["v_infall"][rows])
    np.testing.assert_allclose(
        table.log_m_star, stellar_mass.median_log_stellar_mass(peaks)
    )


def test_stars_rank_those_that_survive(stripped, tmp_path, saved):
    stars = np.random.default_rng(0).uniform(3, 9, N)
    table = read_neighbours(
        saved(tmp_path, {**stripped, "log_m_star": stars}), **AROUND
    )
    alive = ratios(stripped)["v_infall"] > survival.THRESHOLD
    np.testing.assert_allclose(table.log_m_star, np.sort(stars[alive])[::-1])


def test_peak_masses_alone_are_warned_of(stripped, tmp_path, saved):
    for alone in ("m_peak", "v_peak", "v_infall"):
        table = read_neighbours(saved(tmp_path, chosen(stripped, alone)), **AROUND)
        assert len(table) == N - table.provenance["selection"]["light"] >= N - 1
        assert "give vmax too, or present masses" in table.summary
        (warning,) = table.warnings
        assert warning.startswith("peak masses alone")
        neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
        assert read_neighbours(tmp_path / "written.ecsv").warnings == (warning,)


@pytest.mark.parametrize(("today", "ever"), [("vmax", "v_peak"), ("m", "m_peak")])
def test_what_is_today_is_never_more_than_what_it_ever_was(
    stripped, tmp_path, saved, today, ever
):
    columns = chosen(stripped, "vmax", "v_peak", "m", "m_peak")
    read_neighbours(saved(tmp_path, columns), **AROUND)
    # rounded, or of another definition
    nearly = {**columns, today: np.maximum(columns[today], 1.01 * columns[ever])}
    read_neighbours(saved(tmp_path, nearly), **AROUND)
    exchanged = {**columns, today: columns[ever], ever: columns[today]}
    with pytest.raises(
        ValueError, match=f"{today} is larger than {ever} in .* exchanged"
    ):
        read_neighbours(saved(tmp_path, exchanged), **AROUND)


@pytest.mark.parametrize(("factor", "told"), [(1.0, False), (10.0, False), (1e3, True)])
def test_a_peak_mass_that_no_halo_so_slow_has_is_told_of(
    stripped, tmp_path, saved, factor, told
):
    row = int(np.argmin(stripped["m_peak"] + 1e99 * (stripped["vmax"] < 30)))
    masses = stripped["m_peak"].copy()
    masses[row] *= factor
    table = saved(tmp_path, {**stripped, "m_peak": masses})
    found = read_neighbours(table, threshold=0.0, **AROUND)
    said = [one for one in found.warnings if "no halo has both" in one]
    assert len(said) == told


def test_a_cut_that_leaves_few_is_doubted(stripped, tmp_path, saved):
    """As where velocities are those of another simulation than the usual ones."""
    columns = chosen(stripped, "m_peak", "vmax")
    columns["vmax"] = columns["vmax"].copy()
    quiet = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert not any("count as stripped" in warning for warning in quiet.warnings)
    columns["vmax"] *= 0.7
    found = read_neighbours(saved(tmp_path, columns), **AROUND)
    lost = found.provenance["selection"]["stripped"]
    assert lost > 0.6 * N
    (warning,) = (w for w in found.warnings if "count as stripped" in w)
    assert warning.startswith(f"{lost} of {N} subhalos count as stripped by vmax over")


@pytest.mark.parametrize("more", [("m",), ("m", "vmax"), ("m", "v_peak")])
def test_present_masses_rank_where_peaks_are_unknown_or_cannot_be_cut(
    stripped, tmp_path, more, saved
):
    table = read_neighbours(saved(tmp_path, chosen(stripped, *more)), **AROUND)
    order = np.argsort(-stripped["m"])
    assert table.names == tuple(f"row {i + 1}" for i in order)
    assert table.warnings == ()
    assert "stripped" not in table.provenance["selection"]


def test_neighbours_of_small_peak_mass_are_left_out_as_in_catalogues(
    stripped, tmp_path, saved
):
    columns = stripped | {"m_peak": stripped["m_peak"] / 30, "m": stripped["m"] / 30}
    small = columns["m_peak"] <= 1e8
    for names in (("m_peak",), ("m_peak", "m")):
        table = read_neighbours(
            saved(tmp_path, chosen(columns, *names)), **AROUND, threshold=0.0
        )
        assert len(table) == N - small.sum()
        assert table.provenance["selection"]["light"] == small.sum() > 0
    alone = read_neighbours(saved(tmp_path, chosen(columns, "m")), **AROUND)
    assert len(alone) == N, "a present mass is no peak mass"


@pytest.mark.parametrize(
    ("name", "value"),
    [("vmax", np.nan), ("v_infall", 0.0), ("m", 0.0), ("v_infall", -99.0)],
)
def test_who_has_no_speed_or_mass_is_left_out_and_named(
    stripped, tmp_path, name, value, saved
):
    columns = stripped | {name: np.where(np.arange(N) == 2, value, stripped[name])}
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert "row 3" not in table.names
    (warning,) = table.warnings
    assert f"is left out: row 3 ({name} = {value})" in warning
    assert table.provenance["selection"]["missing"] == 1
    assert "1 left out for want of a value" in table.summary
    assert table.counts["rows"] == N


def test_a_table_of_which_nothing_is_left_is_refused(stripped, tmp_path, saved):
    columns = stripped | {"vmax": stripped["vmax"] / 1000}
    with pytest.raises(ValueError, match=r"none of 40 subhalos .*check the units"):
        read_neighbours(saved(tmp_path, columns), **AROUND)


def test_the_largest_satellite_is_one_that_survives(stripped, tmp_path, saved):
    path = saved(tmp_path, stripped, {"dnl": 900.0, "d14": 12_000.0})
    alive = ratios(stripped)["v_infall"] > survival.THRESHOLD
    largest = np.argmax(np.where(alive, stripped["m_peak"], 0))
    assert read_neighbours(path).environment.vmax == stripped["vmax"][largest]


@pytest.mark.parametrize("column", ["v_infall", "v_peak"])
def test_a_velocity_that_is_the_same_in_all_rows_is_refused(
    halos, tmp_path, column, saved
):
    columns = halos | {"vmax": np.linspace(20.0, 60.0, N), column: np.full(N, 40.0)}
    with pytest.raises(ValueError, match=rf"host.ecsv: {column} is 40 in all 40 rows"):
        read_neighbours(saved(tmp_path, columns), **AROUND)
