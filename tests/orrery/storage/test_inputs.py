"""What a study reads is part of what its run is, whichever option names it."""

from dataclasses import replace

import pytest

from halomass.study import architectures as of_ensembles
from halomass.study import options as halomass_options
from mwlmc.study import architectures as of_flows
from mwlmc.study import (
    binnings,
    desi_choices,
    dispersions,
    travel_profile,
    validation,
)
from mwlmc.study import options as mwlmc_options
from orrery.storage.inputs import changes, input_files
from orrery.storage.run import identify_run
from orrery.tables.bundled import find_table

READ = {
    mwlmc_options.Desi: ["stars"],
    desi_choices.DesiChoices: [f"stars.{number}" for number in range(3)],
    dispersions.Dispersions: ["stars.0", "stars.1"],
    mwlmc_options.Quadrants: ["stars"],
    mwlmc_options.Table2: ["stars"],
    mwlmc_options.PredictiveChecks: ["stars"],
    mwlmc_options.Surveys: ["stars"],
    binnings.Binnings: ["stars"],
    travel_profile.TravelProfile: ["stars", "desi_stars"],
    of_flows.FlowArchitectures: ["stars"],
    halomass_options.HaloMass: ["host.neighbours"],
    of_ensembles.EnsembleArchitectures: [],
}


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_every_table_of_a_study_is_known_by_its_content(kind, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the tables of the defaults are found from anywhere
    found = input_files(kind())
    assert [file.key for file in found] == READ[kind]
    assert all(file.size == file.path.stat().st_size for file in found)


def test_an_edited_table_in_the_same_place_is_another_run(tmp_path):
    table = tmp_path / "stars.ecsv"
    options = mwlmc_options.Desi(stars=table)
    table.write_bytes(find_table(mwlmc_options.DESI_BINNED).read_bytes())
    first = identify_run("desi", options)
    edited = table.read_text().replace("30.0", "30.1", 1)
    table.write_text(edited)
    assert len(edited) == first.inputs[0].size
    assert identify_run("desi", options).fingerprint != first.fingerprint


def test_each_snapshot_of_a_catalogue_is_an_input(tmp_path):
    snapshots = tuple(tmp_path / f"sfr_catalog_{scale}.bin" for scale in ("0.9", "1.0"))
    for path in snapshots:
        path.write_bytes(path.name.encode())
    campaign = replace(halomass_options.HostCampaign(), catalogue=snapshots)
    keys = [file.key for file in input_files(campaign)]
    assert keys == ["catalogue.0", "catalogue.1"]


def test_each_file_of_a_folder_is_an_input(tmp_path):
    for name in ("b_orbit_mw.txt", "a_orbit_mw.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "of_others").mkdir()
    options = validation.Validation(nbody=tmp_path)
    first = identify_run("validation", options)
    assert [file.key for file in first.inputs] == [
        "nbody.a_orbit_mw.txt",
        "nbody.b_orbit_mw.txt",
    ]
    entries = [file.entry for file in first.inputs]
    assert changes(entries, options, options) == []
    (tmp_path / "a_orbit_mw.txt").write_text("another orbit")
    assert identify_run("validation", options).fingerprint != first.fingerprint
    (change,) = changes(entries, options, options)
    assert "a_orbit_mw.txt" in change
