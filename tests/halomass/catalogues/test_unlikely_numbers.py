"""Laws of unlikely numbers: a share of the halos that has them is refused, and no few are."""

import numpy as np
import pytest

from halomass.catalogues.unlikely_numbers import UnlikelyNumbers

COUNT = 2000


def halos(seed=0):
    random = np.random.default_rng(seed)
    peak = random.uniform(8, 14, COUNT)
    velocities = {name: random.normal(0, 250, COUNT) for name in ("vx", "vy", "vz")}
    return {
        **{name: values.astype(np.float32) for name, values in velocities.items()},
        **{name: random.uniform(0, 64, COUNT).astype(np.float32) for name in "xyz"},
        "vmax": (vmax := random.uniform(10, 300, COUNT)),
        "v_infall": vmax * random.uniform(0.8, 2.0, COUNT),
        "v_peak": vmax * random.uniform(1.0, 2.5, COUNT),
        "log_m_peak": peak,
        "log_m_vir": peak - random.uniform(0, 0.5, COUNT),
        "log_m_star": np.maximum(peak - 4, 0),
    }


def check(columns):
    counts = UnlikelyNumbers("a.bin")
    for part in np.array_split(np.arange(COUNT), 3):
        counts.add({name: values[part] for name, values in columns.items()})
    counts.check()


def test_likely_numbers_pass():
    check(halos())
    check({name: np.round(values, 2) for name, values in halos().items()})
    check({**halos(), "log_m_star": np.zeros(COUNT)})  # an hlist has none
    check({**halos(), "v_infall": np.zeros(COUNT)})  # a file without this column


@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (("vmax",), 0.0, "have a circular velocity of 0"),
        (("v_infall",), 0.0, "have a circular velocity at infall or peak mass of 0"),
        (("v_peak",), 0.0, "have a largest circular velocity of 0"),
        (("vx", "vy", "vz"), 0.0, "vx is 0 for .* stands for none"),
        (("vy",), -888.0, "vy is -888 for .* stands for none"),
        (("vz",), 0.0, "vz is 0 for"),
        (("log_m_vir",), 15.0, "more than the largest mass in their past"),
    ],
)
def test_a_share_of_unlikely_numbers_is_refused(names, value, message):
    for every, is_refused in ((8, True), (400, False)):
        columns = halos()
        for name in names:
            columns[name][::every] = value
        if is_refused:
            with pytest.raises(ValueError, match=f"a.bin: .*{message}"):
                check(columns)
        else:
            check(columns)


@pytest.mark.parametrize(
    ("name", "value"), [("x", 0.0), ("y", 63.0), ("z", 6.4), ("vx", -77.7), ("vz", 0.0)]
)
@pytest.mark.parametrize("decimals", [6, 2])
def test_one_number_for_a_few_of_a_hundred_halos_stands_for_none(name, value, decimals):
    columns = {key: np.round(values, decimals) for key, values in halos().items()}
    columns[name][:400:40] = value  # 10 of 667 in a chunk
    with pytest.raises(ValueError, match=f"a.bin: {name}.* is {value:g} for 10 of 667"):
        check(columns)


def test_velocities_in_another_unit_are_refused():
    for name in ("vx", "vy", "vz"):
        light = {key: halos()[key] / 299_792.458 for key in ("vx", "vy", "vz")}
        with pytest.raises(
            ValueError, match=r"a.bin: no halo moves with more than .* km/s"
        ):
            check(halos() | light)
        check(halos() | {name: light[name]})  # by one axis nobody can tell


def test_halos_that_all_rest_are_refused():
    columns = halos() | {name: np.zeros(COUNT) for name in ("vx", "vy", "vz")}
    with pytest.raises(ValueError, match="2000 of its 2000 halos have no velocity"):
        check(columns)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_stars_of_more_mass_than_their_halos_are_refused(share):
    columns = halos()
    rows = np.arange(COUNT) < share * COUNT
    exchanged = np.where(rows, columns["log_m_vir"], columns["log_m_star"])
    with pytest.raises(
        ValueError, match=r"stellar masses \(sm\) of .* columns were exch"
    ):
        check({**columns, "log_m_star": exchanged})


def test_scatter_of_stellar_masses_is_honest():
    """The most efficient halos, 4 % of whose mass are stars, with twice the usual scatter."""
    columns = halos()
    scatter = np.random.default_rng(7).normal(0, 0.5, COUNT)
    check({**columns, "log_m_star": columns["log_m_peak"] - 1.4 + scatter})


def test_logarithms_of_stellar_masses_are_none():
    columns = halos()
    written = columns["log_m_star"]  # these instead of the masses
    columns["log_m_star"] = np.log10(np.maximum(written, 1))
    with pytest.raises(
        ValueError, match=r"largest stellar mass is 10 Msun.*logarithms; write"
    ):
        check(columns)


@pytest.mark.parametrize(("share", "refused"), [(0.03, True), (0.0005, False)])
def test_peak_masses_above_all_masses_are_refused(share, refused):
    columns = halos()
    columns["log_m_peak"][: int(share * COUNT)] = 16.0
    if refused:
        with pytest.raises(ValueError, match=r"peak masses .* of any, 10\^1[34]"):
            check(columns)
    else:
        check(columns)


@pytest.mark.parametrize(
    ("name", "end"), [("vmax", np.min), ("log_m_vir", np.min), ("log_m_peak", np.max)]
)
def test_a_column_of_one_number_is_none(name, end):
    columns = halos()
    columns[name] = np.full(COUNT, end(columns[name]))
    if name == "vmax":  # which those of the past follow
        columns |= {past: columns[name].copy() for past in ("v_infall", "v_peak")}
    with pytest.raises(ValueError, match=f"a.bin: {name} is .* in all of its 2000"):
        check(columns)


def test_a_column_of_two_numbers_is_one():
    slow = np.full(COUNT, 30.0)
    slow[1200] = 31.0  # in another chunk than the first
    check({**halos(), **dict.fromkeys(("vmax", "v_infall", "v_peak"), slow)})
