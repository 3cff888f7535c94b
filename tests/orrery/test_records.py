import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.identity import canonical, fingerprint
from orrery.records import Column, Observation, Records, Schema, added_covariance

SCHEMA = Schema(
    (Column("index", "", "number", "int64"), Column("mass", "solMass", "mass")),
    (
        Column("x", "kpc", "position", "float16"),
        Column("vx", "km / s", "velocity", "float16"),
    ),
)

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children)
    ),
    max_leaves=8,
)


def records_of(counts):
    total, offsets = sum(counts), np.cumsum([0, *counts]).astype(np.int32)
    scalars = {
        "index": np.arange(len(counts)),
        "mass": np.linspace(0.0, 1.0, len(counts)),
    }
    particles = {name: np.arange(total).astype(np.float16) for name in ("x", "vx")}
    return Records(scalars, particles, offsets)


@pytest.mark.slow
@given(st.dictionaries(st.text(), documents))
def test_fingerprints_do_not_depend_on_the_order_of_keys(document):
    shuffled = dict(reversed(list(document.items())))
    assert fingerprint(document) == fingerprint(shuffled)
    assert fingerprint(document) == fingerprint(json.loads(canonical(document)))


def test_different_documents_have_different_fingerprints():
    texts = [{}, {"a": 1}, {"a": 2}, {"b": 1}, [1], {"a": [1]}, {"a": "1"}]
    assert len({fingerprint(text) for text in texts}) == len(texts)


def test_numbers_without_json_form_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"a": float("nan")})


@given(st.lists(st.integers(0, 5), min_size=1, max_size=10))
def test_tables_return_the_records_they_were_made_of(counts):
    records = records_of(counts)
    again = Records.from_table(records.table(SCHEMA, {}))
    assert len(again) == len(counts)
    assert np.array_equal(again.offsets, records.offsets)
    for kind in ("scalars", "particles"):
        before, after = getattr(records, kind), getattr(again, kind)
        assert list(before) == list(after)
        for name in before:
            assert np.array_equal(before[name], after[name])
            assert before[name].dtype == after[name].dtype


def test_tables_carry_units_and_metadata():
    schema = records_of([2]).table(SCHEMA, {"seed": 1}).schema
    assert schema.field("vx").metadata[b"unit"] == b"km / s"
    assert json.loads(schema.metadata[b"orrery"]) == {"seed": 1}


def observation(**changes):
    choices = {
        "name": "sky", "names": ("a", "b"), "units": ("kpc", "kpc"), "value": np.zeros(2),
        "covariance": np.eye(2), "definition": "d", "provenance": {},
    }  # fmt: skip
    return Observation(**{**choices, **changes})


def test_observations_must_be_complete():
    assert observation().names == ("a", "b")
    with pytest.raises(ValueError, match=r"'sky' has no finite value for \['b'\]"):
        observation(value=np.array([0.0, np.nan]))
    with pytest.raises(ValueError, match="its covariance"):
        observation(covariance=np.diag([1.0, np.inf]))
    with pytest.raises(ValueError, match="2 names but values of shape"):
        observation(value=np.zeros(3))


def test_what_is_added_to_simulations_is_what_they_do_not_have_of_themselves():
    covariance = np.array([[4.0, 1.0, 0.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
    three = {"names": ("a", "b", "c"), "units": ("kpc",) * 3, "value": np.zeros(3)}
    known = observation(
        **three, covariance=covariance, simulation_error=np.array([1.0, 0.0, 2.0])
    )
    added = known.added_covariance
    assert added.diagonal() == pytest.approx([3.0, 9.0, 0.0])
    assert known.simulation_noise.tolist() == [0.5, 0.0, 0.0]
    assert not observation().simulation_noise.any()
    # simulations' own errors are independent: what measured entries share is not theirs
    assert added[0, 1] == added[1, 0] == 1.0
    noisier = observation(
        **three, covariance=covariance, simulation_error=np.full(3, 5.0)
    )
    assert not noisier.added_covariance.any()


@pytest.mark.parametrize("seed", range(20))
def test_simulations_with_what_is_added_scatter_as_measured_ones(seed):
    """Or more, where they scatter more by themselves; what entries share is not lost."""
    random = np.random.default_rng(seed)
    own = random.uniform(0.1, 30.0, 5)
    shared = random.uniform(0.0, 10.0, 5)
    covariance = np.diag(own**2) + np.outer(shared, shared)
    smaller = 0.9 * own
    assert added_covariance(covariance, smaller) + np.diag(smaller**2) == pytest.approx(
        covariance
    )
    larger = own * random.uniform(0.5, 3.0, 5)
    added = added_covariance(covariance, larger)
    units = np.outer(*[np.sqrt(covariance.diagonal())] * 2)
    more = added + np.diag(larger**2) - covariance
    assert np.linalg.eigvalsh(added / units).min() > -1e-9
    assert np.linalg.eigvalsh(more / units).min() > -1e-9


def test_simulations_without_errors_of_themselves_get_the_whole_measured_ones():
    assert np.array_equal(observation().added_covariance, np.eye(2))
    none = observation(simulation_error=np.zeros(2))
    assert np.array_equal(none.added_covariance, np.eye(2))


@pytest.mark.parametrize(
    "own", [np.zeros(3), np.array([1.0, -1.0]), np.full(2, np.nan)]
)
def test_simulation_errors_that_are_none_are_refused(own):
    with pytest.raises(ValueError, match="give each a finite one that is not negative"):
        observation(simulation_error=own)


def test_realisations_of_a_mock_scatter_about_the_truth_as_noisy_simulations_do():
    simulated = np.random.default_rng(1).normal([3.0, -2.0], 0.6, size=(4000, 2))
    covariance = np.array([[1.0, 0.3], [0.3, 4.0]])
    mock = observation(
        value=simulated.mean(0),
        covariance=covariance,
        simulation_error=np.array([0.6, 0.6]),
        simulated=simulated,
    )
    drawn = mock.realisations(seed=2)
    assert drawn.mean(0) == pytest.approx([3.0, -2.0], abs=0.1)
    assert drawn.std(0) == pytest.approx([1.0, 2.0], rel=0.05)
    assert np.array_equal(drawn, mock.realisations(seed=2))
    assert not np.array_equal(drawn, mock.realisations(seed=3))


def test_what_was_observed_has_one_realisation():
    with pytest.raises(ValueError, match="'sky' is no mock"):
        observation().realisations(1)


@pytest.mark.parametrize(
    ("simulated", "message"),
    [
        (np.zeros((5, 3)), r"shape \(5, 3\) for 2 names"),
        (np.zeros(2), r"shape \(2,\) for 2 names"),
        (np.zeros((0, 2)), "one row for each simulation"),
        (np.array([[0.0, np.inf]]), "not finite"),
    ],
)
def test_simulated_summaries_that_are_none_are_refused(simulated, message):
    with pytest.raises(ValueError, match=message):
        observation(simulated=simulated)


@pytest.mark.parametrize("unit", ["furlongs", "km s kpc-", "-", None, 3])
def test_a_unit_that_cannot_be_read_is_refused_where_it_enters(unit):
    with pytest.raises(ValueError, match=r"'mass' has the unit .*which astropy cannot"):
        Column("mass", unit, "of the host")


@pytest.mark.parametrize("unit", ["", "dex(solMass)", "km / s", "km2 s-2", "mas/yr"])
def test_units_in_each_spelling_are_taken(unit):
    assert Column("mass", unit, "").unit == unit


def test_two_columns_of_one_name_are_refused():
    mass, other = Column("mass", "kg", ""), Column("mass", "g", "")
    for columns in (((mass, other),), ((mass,), (other,)), ((), (mass, other))):
        with pytest.raises(ValueError, match="the schema has two columns 'mass'"):
            Schema(*columns)
    with pytest.raises(ValueError, match="observation 'two' has two columns 'v'"):
        Observation(
            *("two", ("v", "v"), ("m", "m"), np.zeros(2), np.eye(2), "by hand", {})
        )


def test_an_observation_has_a_readable_unit_for_each_name():
    for units, wrong in ((("m",), "2 names and 1 units"), (("m", "cubits"), "cubits")):
        with pytest.raises(ValueError, match=wrong):
            Observation("x", ("u", "v"), units, np.zeros(2), np.eye(2), "by hand", {})


@pytest.mark.parametrize(
    "dtype", ["str", "complex128", ">f8", "longdouble", "datetime64", "number"]
)
def test_a_type_that_no_file_can_have_is_refused(dtype):
    with pytest.raises(ValueError, match=f"'mass' has the type '{dtype}'.*'float64'"):
        Column("mass", "kg", "", dtype)
