"""A view comes back from its files as it was, whatever it holds."""

import dataclasses

import numpy as np
import pytest

from orrery.judging import diagnostics
from orrery.parameters import Parameter
from orrery.records import Observation
from orrery.results import panels, views
from orrery.results.encoding import decode_view, encode_view, from_parquet, to_parquet
from orrery.results.keys import is_key

A = Parameter("a", "kpc", "$a$", 0.0)


def observation():
    return Observation(
        "stars", ("u",), ("kpc",), np.ones(1), np.eye(1), "binning", {"file": [1, "x"]}
    )


def ranks():
    random = np.random.default_rng(1)
    return diagnostics.sbc_ranks(
        random.normal(size=(20, 30, 1)), random.normal(size=(30, 1)), 1
    )


VIEWS = {
    "corner": lambda: views.Corner(
        {"a.b": np.arange(4.0)[:, None]}, (A,), legend={"a.b": "a, b"}
    ),
    "ranks": lambda: views.RankCurves({"it": ranks()}, (A,)),
    "profiles": lambda: views.Profiles(
        (panels.Panel("n", "v", ((30.0, 50.0),), ("u",)),),
        observation(),
        {"prior": np.full((5, 1), np.nan)},
    ),
    "intervals": lambda: views.Intervals(
        (panels.Constraint("DESI", (1.0, 2.0, 3.0)),), "v", (), (0.0, 1.0)
    ),
    "sky": lambda: views.SkyMaps(
        (
            panels.SkyPanel(
                "sky",
                *np.zeros((3, 2)),
                regions=(panels.SkyRegion("n", np.eye(3, 4, dtype=bool)),),
            ),
        ),
        "v",
        (panels.RadialCounts("a", "n", np.array([0.0, 1.0]), np.array([3])),),
    ),
    "radial": lambda: views.RadialBands(
        np.array([50.0, 100.0]),
        {"a.b": np.ones((3, 1))},
        "v",
        points={"c_2021": np.array([50.0, np.inf, 1.0, 2.0, 3.0])},
        legend={"a.b": "a, b"},
    ),
    "training": lambda: views.TrainingCurves(
        {"it": panels.LossCurve(np.array([1.0]), np.array([np.inf]))}
    ),
}


def assert_equal(one, other):
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_equal(one[name], other[name])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for mine, its in zip(one, other, strict=True):
            assert_equal(mine, its)
    else:
        assert one == other


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_comes_back_as_it_was(name):
    view = VIEWS[name]()
    document, arrays = encode_view(view)
    assert_equal(view, decode_view(document, from_parquet(to_parquet(arrays))))


@pytest.mark.parametrize("name", VIEWS)
def test_columns_are_named_by_keys(name):
    _, arrays = encode_view(VIEWS[name]())
    assert all(is_key(column) for column in arrays), list(arrays)


def test_a_label_instead_of_a_key_is_refused():
    view = views.Corner({"DESI, with v_tb": np.zeros((4, 1))}, (A,))
    with pytest.raises(ValueError, match=r"'DESI, with v_tb' in draws .* is a label"):
        encode_view(view)


def test_another_legend_leaves_the_columns_as_they_are():
    draws = {"desi": np.zeros((4, 1)), "others": np.ones((4, 1))}
    columns = [
        list(encode_view(views.Corner(draws, (A,), legend=legend))[1])
        for legend in ({}, {"desi": "DESI"}, {"desi": "The survey", "others": "<2>"})
    ]
    assert columns == [["draws.desi", "draws.others"]] * 3


def test_a_file_never_decides_what_is_called():
    with pytest.raises(ValueError, match="'Path' is no kind of figure"):
        decode_view({"$kind": "Path"}, {})
    with pytest.raises(ValueError, match="has no 'x'"):
        decode_view({"$array": "x"}, {})


def test_what_has_no_plain_form_is_refused_by_its_place():
    view = views.Relation(np.zeros(1), np.zeros(1), ("x", object()))
    with pytest.raises(ValueError, match=r"labels\.1 of a figure is a object"):
        encode_view(view)


def test_other_files_are_refused():
    with pytest.raises(ValueError, match="not the arrays of a figure"):
        from_parquet(b"PAR1")
