"""Laws of the profile's pairs: labels belong to their simulation, and none is made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mwlmc.model import reflex
from mwlmc.model.reflex_shells import MOTIONS, ReflexShells, reflex_motions
from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.options import Measurement
from mwlmc.parameters import INFERRED
from mwlmc.simulator import Simulator
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study.shell_options import TravelProfile
from mwlmc.study.survey_draws import SIMULATION_NUMBER, survey_pairs
from mwlmc.study.travel_profile import travel_profile
from orrery.execution import simulation, summaries
from orrery.labels import relabelled
from orrery.parameters import parameter_names

RADIAL = DESI_FOOTPRINT.select(("v_gsr",))
USUAL = ReflexShells((50.0, 100.0), fewest_stars=10)
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def halos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("halos")
    simulator = Simulator(stars=500)
    return simulation.generate(
        simulator, 40, 1, folder, name="mwlmc", actors=0, shard_size=8
    )


@pytest.fixture(scope="module")
def binning():
    """DESI's stars in one bin of each field, whose many stars every simulation has."""
    table = read_binned("desi_dr1_bhb.ecsv")
    counts = [
        n if b.lower == 30.0 else 0
        for b, n in zip(RADIAL.bins, table.counts(RADIAL), strict=True)
    ]
    supported = RADIAL.supported(counts)
    return Measurement(sampling="survey-like").drawn(supported, table.sample, seed=3)


@pytest.fixture(scope="module")
def data(halos, binning):
    return survey_pairs(halos, binning, (SIMULATION_NUMBER,), draws=2)


def labels_of(halos, shells, folder=None):
    return summaries.compute(
        reflex_motions, halos, shells, (SIMULATION_NUMBER,), folder
    )


@pytest.mark.slow
def test_the_usual_shell_gives_the_records_labels_to_each_simulation(
    halos, binning, data
):
    found = relabelled(data, labels_of(halos, USUAL))
    stored = survey_pairs(halos, binning, INFERRED, draws=2)
    columns = [parameter_names(INFERRED).index(name) for name in list(MOTIONS)[:3]]
    for part in PARTS:
        one, other = getattr(found, part), getattr(stored, part)
        np.testing.assert_array_equal(one.x, other.x)
        # some sixty stars fix a motion to 15 km/s: one that rounding moves over an edge
        # counts for a few
        np.testing.assert_allclose(one.theta[:, :3], other.theta[:, columns], atol=6.0)
    assert stored.train.theta[:, columns].std(axis=0).min() > 10.0
    assert found.parameters == USUAL.names
    assert len(found.origins) == 3


@pytest.mark.slow
def test_shards_in_another_order_change_no_pair(halos, data, tmp_path):
    shuffled = replace(halos, rows=halos.rows[::-1])
    usual = labels_of(halos, USUAL, tmp_path / "usual")
    other = labels_of(shuffled, USUAL, tmp_path / "other")
    assert usual.train.theta.tolist() != other.train.theta.tolist()
    first, second = relabelled(data, usual), relabelled(data, other)
    for part in PARTS:
        one, again = getattr(first, part), getattr(second, part)
        np.testing.assert_array_equal(one.theta, again.theta)
        np.testing.assert_array_equal(one.x, again.x)


def counted(halos):
    """Yields how many stars each simulation keeps in the usual shell."""
    for records in map(halos.records, halos.shards):
        columns = [records.particles[name].astype(float) for name in "xyz"]
        inside = reflex.shell(np.stack(columns, axis=1))
        ends = zip(records.offsets[:-1], records.offsets[1:], strict=True)
        yield from (inside[slice(*each)].sum() for each in ends)


def numbers(splits):
    """Returns the numbers of the simulations that pairs are of."""
    parts = [getattr(splits, part) for part in PARTS]
    return {number for part in parts for number in part.theta[:, 0].tolist()}


def test_who_has_too_few_stars_in_a_shell_is_left_out_and_counted(halos, data, capsys):
    assert labels_of(halos, USUAL).dropped == 0
    wanted = int(np.quantile([*counted(halos)], 0.3))
    labels = labels_of(halos, replace(USUAL, fewest_stars=wanted))
    assert labels.dropped == sum(count < wanted for count in counted(halos)) > 0
    assert "'v_x_50_100' is not finite" in capsys.readouterr().err
    found = relabelled(data, labels)
    assert found.dropped == len(halos) - len(numbers(data) & numbers(labels))
    assert len(found.train) < len(data.train)
    with pytest.raises(ValueError, match="no simulation has finite summaries: 'v_x_50"):
        labels_of(halos, replace(USUAL, fewest_stars=501))


def test_shells_that_simulations_do_not_keep_are_refused():
    with pytest.raises(ValueError, match="20-50 kpc reach beyond the stars"):
        TravelProfile(shell_edges=(20.0, 50.0))
    with pytest.raises(ValueError, match="reach beyond"):
        TravelProfile(shell_edges=(100.0, 600.0))


@pytest.mark.parametrize("surveys", [(), ("desi", "desi")])
def test_surveys_are_named_once(surveys):
    with pytest.raises(ValueError, match="give one or more, each once"):
        TravelProfile(surveys=surveys)


def test_tangential_velocities_that_a_table_lacks_are_refused():
    """Before Ray starts, and before anything is simulated."""
    table = Path("sdss_kgiants.ecsv")
    assert {b.quantity for b in read_binned(table).bins} == {"v_gsr"}
    options = TravelProfile(
        surveys=("quadrants",), stars=table, velocities="v_gsr+v_tb"
    )
    with pytest.raises(ValueError, match="stars with proper motions"):
        travel_profile(options)
