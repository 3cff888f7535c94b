"""Laws of what is inferred: by name, each once, and the records' own numbers."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.model.reflex_shells import ReflexShells, reflex_motions
from mwlmc.parameters import INFERRED, LMC_TODAY, prior
from mwlmc.simulator import Simulator
from mwlmc.study.inferred_quantities import (
    INFERABLE,
    InferredQuantities,
    inferred_labels,
)

SHELL = ReflexShells((80.0, 120.0), fewest_stars=10)
# whose records have all that can be inferred
WIDEST = Simulator(stars=500, tracer="double-power-law")


@pytest.fixture(scope="module")
def records():
    return Simulator(stars=1500).records(3, [0, 1])


def test_each_is_a_column_of_the_records_with_its_unit():
    columns = {one.name: one.unit for one in WIDEST.schema.scalars}
    assert {
        name: one.unit for name, one in INFERABLE.items()
    }.items() <= columns.items()
    # all that is drawn, all that the paper infers but the motion, and the LMC today
    drawn = {one.name for one in prior("observed").parameters}
    named = {one.name for one in INFERRED if not one.name.startswith("v_")}
    assert drawn | named | {one.name for one in LMC_TODAY} <= set(INFERABLE)


@pytest.mark.slow
def test_labels_are_the_records_and_the_shells(records):
    wanted = InferredQuantities(("beta0", "m_lmc"), SHELL)
    found = inferred_labels(records, wanted)
    np.testing.assert_array_equal(found[:, 0], records.scalars["beta0"])
    np.testing.assert_array_equal(found[:, 1], records.scalars["m_lmc"])
    motions = reflex_motions(records, SHELL)[:, :3]
    assert np.isfinite(motions).all()
    np.testing.assert_array_equal(found[:, 2:], motions)
    assert len(wanted.names) == len(wanted.units) == found.shape[1]


def test_labels_without_a_shell_look_at_no_star(records):
    found = inferred_labels(records, InferredQuantities(("r_dehnen",)))
    np.testing.assert_array_equal(found[:, 0], records.scalars["r_dehnen"])
    only = inferred_labels(records, InferredQuantities((), SHELL))
    np.testing.assert_array_equal(only, reflex_motions(records, SHELL)[:, :3])


def test_what_is_not_known_twice_or_nothing_is_refused():
    for names in (("beta0", "beta0"), ("v_x",), ("mass",)):
        with pytest.raises(ValueError, match=r"choose from .* beta0 .*, once"):
            InferredQuantities(names)
    with pytest.raises(ValueError, match="nothing is inferred"):
        InferredQuantities(())
    with pytest.raises(ValueError, match="about one shell"):
        InferredQuantities(("beta0",), ReflexShells())


def test_other_quantities_are_other_labels():
    some = [
        InferredQuantities(("beta0",)),
        InferredQuantities(("r_dehnen",)),
        InferredQuantities(("beta0",), SHELL),
        InferredQuantities(("beta0",), ReflexShells((80.0, 110.0))),
    ]
    assert len({one.fingerprint for one in some}) == len(some)


def test_what_needs_an_lmc_is_left_out_without_one():
    alone = replace(WIDEST, lmc_mass="none").records(3, [0])
    finite = {name for name in INFERABLE if np.isfinite(alone.scalars[name]).all()}
    kept = InferredQuantities(tuple(INFERABLE), SHELL).without_lmc
    assert set(kept.columns) <= finite
    assert kept.shell is None
    assert kept.columns == (
        *("log10_m_mw_halo_50", "log10_m_mw_total_50", "m200_mw"),
        *("beta0", "r_dehnen", "outer_slope"),
    )
    with pytest.raises(ValueError, match="nothing is inferred"):
        _ = InferredQuantities(("m_lmc",), SHELL).without_lmc
