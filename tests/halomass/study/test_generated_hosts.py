"""Laws of the hosts of a study: those of another time are told, and what that does to a mass."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from colossus.cosmology import cosmology as colossus_cosmology
from colossus.halo import mass_defs

from halomass import cosmology
from halomass.study.generated_hosts import _record_catalogues, gained_mass
from halomass.universe import MULTIDARK, Universe
from orrery.results.recording import record


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def reader(scale):
    return SimpleNamespace(
        path=Path(f"hlist_{scale:.5f}.list"),
        account="A list",
        box=64.0,
        scale=scale,
        universe=MULTIDARK,
    )


@pytest.fixture
def warned(tmp_path):
    def found(*scales):
        with record("toy", Choices(), tmp_path) as recording:
            _record_catalogues(recording, [reader(scale) for scale in scales])
        result = recording.result
        return [s for s in result.sections if s["kind"] == "warning"], result.metrics

    return found


@pytest.mark.parametrize("scale", [0.5, 0.8, 0.95])
def test_a_halo_that_keeps_its_profile_gains_what_colossus_says(scale):
    cosmology.colossus()
    assert colossus_cosmology.getCurrent().name == "halomass"
    redshift = 1 / scale - 1
    then, _, concentration = mass_defs.pseudoEvolve(
        np.array([1e12]), np.array([10.0]), "vir", 0.0, redshift
    )
    assert concentration[0] < 10
    assert gained_mass(MULTIDARK, scale) == pytest.approx(
        12 - np.log10(then[0]), abs=2e-3
    )


def test_nothing_is_gained_today_and_more_the_longer_ago():
    gained = [gained_mass(Universe(), scale) for scale in (1.0, 0.9, 0.7, 0.3)]
    assert gained[0] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.diff(gained) > 0)


def test_snapshots_of_another_time_are_warned_of(warned):
    [caution], metrics = warned(1.0, 0.5, 0.9)
    assert "hlist_0.50000.list is of the scale factor 0.5" in caution["text"]
    assert "has 0.18 dex more virial mass today" in caution["text"]
    assert "hlist_1.0" not in caution["text"]
    assert "hlist_0.9" not in caution["text"]
    assert [metrics[key] for key in caution["shows"]] == [
        "hlist_0.50000.list",
        0.5,
        pytest.approx(0.183, abs=1e-3),
    ]


def test_snapshots_of_about_today_are_not(warned):
    found, metrics = warned(1.0, 0.9, 1.001)
    assert found == []
    assert not [name for name in metrics if "gained" in name]
