"""Laws of gaps: what is no value is never used, whoever lacks one is named, and no more is lost."""

import gzip

import numpy as np
import pytest

from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
N = 40


def changed(halos, column, row, value):
    columns = {name: values.copy() for name, values in halos.items()}
    columns[column][row] = value
    return columns


def without(halos, row):
    return {name: np.delete(values, row) for name, values in halos.items()}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("vx", -9999.0),
        ("vy", 999.0),
        ("vz", -99.0),
        ("vx", np.nan),
        ("vy", np.inf),
        ("vz", 1e34),
        ("vx", 99999.0),
        ("x", -999.0),
        ("y", 1e20),
        ("z", np.nan),
        ("m_peak", 0.0),
        ("m_peak", -99.0),
        ("m_peak", np.nan),
        ("m_peak", 1e20),
    ],
)
def test_who_lacks_a_value_is_left_out_and_named(halos, tmp_path, column, value, saved):
    table = read_neighbours(saved(tmp_path, changed(halos, column, 6, value)), **AROUND)
    rest = read_neighbours(saved(tmp_path, without(halos, 6)), **AROUND)
    np.testing.assert_array_equal(table.orbits, rest.orbits)
    np.testing.assert_array_equal(table.log_m_star, rest.log_m_star)
    assert "row 7" not in table.names
    assert f"1 of {N} neighbours lacks a value" in table.warnings[-1]
    assert f"row 7 ({column} = " in table.warnings[-1]
    assert list(table.provenance["left_out"]) == ["row 7"]
    assert any(e["column"] == column for e in table.provenance["missing"])


@pytest.mark.parametrize("moved", [0.7, 140.0])
def test_a_neighbour_that_is_there_twice_is_refused_wherever_it_is(
    halos, tmp_path, saved, moved
):
    columns = {name: np.append(values, values[5]) for name, values in halos.items()}
    columns["y"][-1] += moved
    with pytest.raises(
        ValueError, match=f"'row 6' is there twice, once as 'row {N + 1}'"
    ):
        read_neighbours(saved(tmp_path, columns), **AROUND)
    columns["vz"][-1] += 1.5
    assert len(read_neighbours(saved(tmp_path, columns), **AROUND)) >= N


def test_rounded_numbers_may_meet(halos, tmp_path, saved):
    columns = {name: values.copy() for name, values in halos.items()}
    for axis in ("vx", "vy", "vz"):
        columns[axis] = 50 * np.round(columns[axis] / 50)
        columns[axis][:9] = [50.0, -50.0, 100.0] * 3
    columns["m_peak"] = 10 ** np.round(np.log10(columns["m_peak"]))
    columns["m_peak"][[2, 5]] = 1e9
    assert read_neighbours(saved(tmp_path, columns), **AROUND)


def test_who_does_not_move_at_all_has_no_velocity(halos, tmp_path, saved):
    columns = {name: values.copy() for name, values in halos.items()}
    for axis in ("vx", "vy", "vz"):
        columns[axis][3] = 0.0
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert "row 4 (vx = 0.0, vy = 0.0, vz = 0.0)" in table.warnings[-1]
    for axis, slow in (("vx", 1e-3), ("vy", -2e-3), ("vz", 1e-4)):
        columns[axis][3] = slow
    assert len(read_neighbours(saved(tmp_path, columns), **AROUND)) == N


@pytest.mark.parametrize("axis", ["vx", "vy", "vz"])
def test_no_component_is_exactly_zero_where_others_have_decimals(
    halos, tmp_path, saved, axis
):
    columns = changed(halos, axis, 5, 0.0)
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert len(table) == N - 1
    assert f"row 6 ({axis} = 0.0)" in table.warnings[-1]
    whole = {**columns, axis: columns[axis].round()}
    assert len(read_neighbours(saved(tmp_path, whole), **AROUND)) == N


@pytest.mark.parametrize("number", [-1.0, 12.5, -99.0])
@pytest.mark.parametrize("axes", [("x", "y", "z"), ("vx", "vy", "vz")])
def test_no_vector_has_one_number_three_times(halos, tmp_path, saved, number, axes):
    columns = {name: values.copy() for name, values in halos.items()}
    for axis in axes:
        columns[axis][7] = number
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert len(table) == N - 1
    stands = ", ".join(f"{axis} = {number}" for axis in axes)
    assert f"row 8 ({stands})" in table.warnings[-1]


def test_who_is_far_away_lacks_nothing(halos, tmp_path, saved):
    columns = changed(halos, "vx", 6, -9999.0)
    columns["x"][6] = 3000.0
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert len(table) == N - 1
    assert "left_out" not in table.provenance


def test_more_than_a_fifth_is_refused_unless_it_is_allowed(halos, tmp_path, saved):
    path = saved(tmp_path, changed(halos, "vy", slice(0, 9), -999.0))
    with pytest.raises(ValueError, match=r"host.ecsv: 9 of 40 .* than 20 %.*most-miss"):
        read_neighbours(path, **AROUND)
    assert len(read_neighbours(path, **AROUND, most_missing=0.3)) == N - 9


def test_measured_numbers_that_look_like_none_are_warned_of(halos, tmp_path, saved):
    columns = {n: v.round(1) if n != "m_peak" else v for n, v in halos.items()}
    columns["vx"][5] = -99.0
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert len(table) == N
    assert "vx of 'row 6' is -99.0: such numbers often" in table.warnings[-1]


def test_a_table_without_gaps_has_no_warning(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    assert not {"left_out", "missing"} & set(table.provenance)
    assert [w for w in table.warnings if "peak masses alone" not in w] == []


def test_the_same_neighbour_twice_is_refused_under_any_name(halos, tmp_path, saved):
    again = {name: np.append(values, values[8]) for name, values in halos.items()}
    with pytest.raises(ValueError, match=r"host.ecsv: 'row 9' is there twice, once as"):
        read_neighbours(saved(tmp_path, again), **AROUND)
    names = [f"Leo {i}" for i in range(1, N + 1)]
    names[20] = "LEO_IV"
    with pytest.raises(ValueError, match="'Leo 4' is there twice, once as 'LEO_IV'"):
        read_neighbours(saved(tmp_path, halos | {"name": names}), **AROUND)


def test_neighbours_without_a_name_are_called_by_their_row(halos, tmp_path, saved):
    identity = np.ma.masked_array(
        np.arange(N) + 500, mask=np.isin(np.arange(N), [4, 9])
    )
    identity[[12, 14]] = -1
    table = read_neighbours(saved(tmp_path, halos | {"id": identity}), **AROUND)
    assert {"row 5", "row 10", "row 13", "row 15", "500"} < set(table.names)


def csv(halos):
    rows = np.stack([*halos.values()], axis=1).tolist()
    lines = [",".join(halos), *(",".join(map(repr, row)) for row in rows)]
    return "\n".join([*lines, ""])


def test_a_mark_in_front_or_a_packed_file_is_the_same_table(halos, tmp_path):
    plain = tmp_path / "host.csv"
    plain.write_text(csv(halos))
    one = read_neighbours(plain, **AROUND)
    plain.write_text(csv(halos), encoding="utf-8-sig")
    packed = tmp_path / "host.csv.gz"
    packed.write_bytes(gzip.compress(csv(halos).encode()))
    for path in (plain, packed):
        np.testing.assert_array_equal(
            read_neighbours(path, **AROUND).orbits, one.orbits
        )


@pytest.mark.parametrize("ending", ["csv", "dat"])
def test_a_torn_table_is_refused(halos, tmp_path, ending):
    path = tmp_path / f"host.{ending}"
    text = csv(halos) if ending == "csv" else csv(halos).replace(",", " ")
    path.write_text(text[: int(0.7 * len(text))])
    with pytest.raises(ValueError, match=rf"host.{ending}, line \d+: the last line is"):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize(
    ("encoding", "message"), [("utf-16", "UTF-16"), ("latin-1", "no UTF-8")]
)
def test_other_encodings_are_refused_by_name(halos, tmp_path, encoding, message):
    path = tmp_path / "host.csv"
    path.write_text(csv(halos).replace("m_peak", "m_peak,é"), encoding=encoding)
    with pytest.raises(ValueError, match=f"host.csv.*{message}"):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize("value", ["-9999", "1e34", "9999", "fast"])
def test_an_environment_that_is_none_is_refused(halos, tmp_path, value, saved):
    path = saved(tmp_path, halos, {"dnl": 900.0, "d14": 12_000.0, "vmax": value})
    with pytest.raises(ValueError, match="vmax is"):
        read_neighbours(path)


@pytest.mark.parametrize(("log_mass", "doubted"), [(5.0, True), (9.5, False)])
def test_masses_that_may_be_those_of_stars_are_doubted(
    halos, tmp_path, saved, log_mass, doubted
):
    others = {n: v for n, v in halos.items() if n not in ("m_peak", "log_m_peak", "m")}
    masses = 10 ** np.linspace(log_mass, log_mass + 1, N)
    warned = read_neighbours(
        saved(tmp_path, {**others, "m": masses}), **AROUND
    ).warnings
    assert (
        any("call the column m_star if they are of stars" in w for w in warned)
        == doubted
    )


@pytest.mark.parametrize("faster", [3.0, 40.0, -300.0])
def test_two_at_one_place_are_one_whatever_their_velocity(
    halos, tmp_path, saved, faster
):
    columns = {name: np.append(values, values[5]) for name, values in halos.items()}
    columns["vx"][-1] += faster
    columns["m_peak"][-1] *= 1.1
    with pytest.raises(ValueError, match=r"'row 6' is there twice.*are at one place"):
        read_neighbours(saved(tmp_path, columns), **AROUND)
    coarse = {n: v.round(-1) if n in "xyz" else v for n, v in columns.items()}
    assert len(read_neighbours(saved(tmp_path, coarse), **AROUND)) > N - 5


@pytest.mark.parametrize("number", [11.2, 9.04, 35.0])
def test_a_logarithm_among_masses_is_no_mass(halos, tmp_path, saved, number):
    columns = changed(halos, "m_peak", int(np.argmax(halos["m_peak"])), number)
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert f"(m_peak = {number})" in table.warnings[-1]


def test_who_is_left_out_for_its_speed_lacks_nothing_else(halos, tmp_path, saved):
    columns = changed(halos, "vx", 6, 4400.0)
    columns["distance_larger"] = np.full(N, np.nan)
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert "row 7 (moves with 44" in table.warnings[-1]
