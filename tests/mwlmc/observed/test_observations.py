"""Laws of observations: the same path as simulations, whole files, and the published numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from astropy_healpix import HEALPix

from mwlmc.observed import observations
from mwlmc.observed.star_tables import Selection, StarTable, read_stars, select
from mwlmc.sky import frames, kinematics, survey
from orrery.pairs import Pairs, convolve
from orrery.parameters import names
from orrery.records import Records

OBSERVED = Path(__file__).resolve().parents[3] / "datasets" / "observed"
BOTH = ("mean", "dispersion")

# DESI DR1 blue horizontal-branch stars, reduced independently: stars before clipping,
# mean and its bootstrap error, dispersion after clipping [km/s]. No error where fewer
# than ten stars are.
NORTH = [
    (242, -1.4, 6.7, 107),
    (156, 4.2, 6.7, 81),
    (135, -2.8, 6.6, 78),
    (52, -10.9, 12.0, 85),
    (24, -6.0, 17.5, 87),
    (20, 12.7, 15.6, 71),
    (12, -3.4, 23.8, 86),
]
SOUTH = [
    (85, -17.2, 10.8, 99),
    (44, -25.2, 17.1, 116),
    (49, -28.9, 14.1, 101),
    (27, -41.2, 21.1, 108),
    (4, 5.9, None, None),
    (4, -59.2, None, None),
    (2, 20.3, None, None),
]


@pytest.fixture(scope="module")
def desi():
    return observations.read_binned(OBSERVED / "desi_dr1_bhb.ecsv")


@pytest.fixture(scope="module")
def giants():
    return observations.read_binned(OBSERVED / "sdss_kgiants.ecsv")


def test_desi_radial_velocities_are_those_found_independently(desi):
    assert dict(desi.provenance["steps"])["30-100 kpc"] == 856
    for i, (count, mean, error, dispersion) in enumerate([*NORTH, *SOUTH]):
        assert desi.moments.count[i] == count
        assert desi.moments.mean[i] == pytest.approx(mean, abs=0.1)
        if error is not None:
            # Standard deviations there were divided by N - 1.
            sigma = desi.moments.dispersion[i] * np.sqrt(count / (count - 1))
            assert sigma == pytest.approx(dispersion, abs=1)
            assert desi.errors.mean[i] == pytest.approx(error, rel=0.1)


def test_bins_with_a_few_stars_have_honest_errors(desi):
    few = desi.moments.count < kinematics.FEW_STARS
    expected = 100 / np.sqrt(desi.moments.count[few])
    np.testing.assert_allclose(desi.errors.mean[few], expected, rtol=0.15)


def test_desi_proper_motions_are_those_found_independently(desi):
    across = [b.quantity == "v_tb" for b in desi.bins]
    assert desi.moments.kept[across].tolist() == [510, 252, 51]
    np.testing.assert_allclose(desi.moments.mean[across], [18.4, 10.3, -45.0], atol=0.6)
    np.testing.assert_allclose(desi.errors.mean[across], [2.9, 7.6, 48.0], rtol=0.1)


def test_giants_are_those_found_independently(giants):
    mean = {
        (b.patch, b.lower): m
        for b, m in zip(giants.bins, giants.moments.mean, strict=True)
    }
    expected = {
        "q1": (3.8, 18.0, -15.0),
        "q2": (-11.1, 25.1, 21.0),
        "q3": (-24.9, -46.0, 15.0),
    }
    for patch, means in expected.items():
        found = [mean[patch, lower] for lower in (30.0, 56.0, 82.0)]
        np.testing.assert_allclose(found, means, atol=0.6)
    in_q4 = [b.patch == "q4" for b in giants.bins]
    assert giants.moments.count[in_q4].sum() == 17


@pytest.mark.parametrize("name", ["desi", "giants"])
def test_committed_tables_are_what_the_command_makes(
    name, request, shared, tmp_path, capsys
):
    table = request.getfixturevalue(name)
    source = shared / "data" / table.provenance["source"]["file"]
    kind = "desi" if name == "desi" else "quadrants"
    out = tmp_path / "table.ecsv"
    assert observations.main([kind, str(source), str(out), "--name", table.name]) == 0
    assert "rows" in capsys.readouterr().out
    again = observations.read_binned(out)
    assert again.bins == table.bins
    assert again.provenance["source"] == table.provenance["source"]
    for ours, theirs in zip(_numbers(again), _numbers(table), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    for ours, theirs in zip(again.sample.stars, table.sample.stars, strict=True):
        assert (ours.cells, ours.counts) == (theirs.cells, theirs.counts)
        np.testing.assert_allclose(ours.errors, theirs.errors, rtol=1e-6)


def _numbers(table):
    return [*vars(table.moments).values(), *vars(table.errors).values()]


def _halo(count=4000, seed=15):
    random = np.random.default_rng(seed)
    position = random.normal(size=(count, 3))
    position *= (
        random.uniform(30, 160, (count, 1)) / np.linalg.norm(position, axis=1)[:, None]
    )
    return position, random.normal([0, 0, 30], 100, (count, 3))


def _observed(position, velocity):
    sky = frames.galactocentric_to_sky(position, velocity)
    none = np.zeros(len(position))
    return StarTable(
        *frames.equatorial_to_galactic(sky.ra, sky.dec),
        sky.distance,
        sky.v_los,
        *frames.rotate_proper_motion(sky.ra, sky.dec, sky.pm_ra_cosdec, sky.pm_dec),
        *[none] * 5,
    )


@pytest.mark.parametrize(
    "binning", [survey.DESI_FOOTPRINT, survey.QUADRANTS], ids=lambda b: b.name
)
def test_simulated_stars_observed_without_errors_give_the_simulations_summaries(
    binning,
):
    radial = binning.select(("v_gsr",)).with_moments(BOTH)
    binning = survey.Binning("both", (*radial.profiles, binning.profiles[-1]))
    position, velocity = _halo()
    particles = dict(zip(("x", "y", "z"), position.T, strict=True))
    particles |= dict(zip(("vx", "vy", "vz"), velocity.T, strict=True))
    lmc = np.concatenate([observations.LMC_POSITION, observations.LMC_VELOCITY])
    scalars = {n: np.array([v]) for n, v in zip(survey.LMC_NAMES, lmc, strict=True)}
    records = Records(scalars, particles, np.array([0, len(position)], dtype=np.int32))
    stars = select(
        _observed(position, velocity), Selection(sagittarius=False, outer=200.0)
    )
    observed = observations.observe(
        observations.bin_stars(stars, binning, "mock"), binning
    )
    simulated = kinematics.velocity_moments(records, binning)[0]
    np.testing.assert_allclose(observed.value, simulated, atol=1e-6)
    assert observed.definition == binning.fingerprint
    assert observed.names == binning.names


def test_observation_has_independent_errors_after_the_lmc(desi):
    binning = survey.DESI_FOOTPRINT.select(("v_gsr",)).with_moments(BOTH)
    seen = observations.observe(desi, binning)
    below = seen.covariance[6:, 6:]
    np.testing.assert_array_equal(below, np.diag(np.diag(below)))
    assert not seen.covariance[:6, 6:].any()
    sigma = dict(zip(seen.names, np.sqrt(np.diag(seen.covariance)), strict=True))
    assert sigma["v_gsr_dispersion_north_30_40"] == desi.errors.dispersion[0]
    assert sigma["v_gsr_mean_south_90_100"] == desi.errors.mean[13] > 60


def test_lmcs_covariance_is_the_scatter_of_its_perturbed_coordinates():
    errors = observations.LMCErrors()
    sky = np.array(
        frames.galactocentric_to_sky(
            observations.LMC_POSITION, observations.LMC_VELOCITY
        )
    )
    sigma = np.array(list(vars(errors).values()))
    sigma[:2] = np.radians(sigma[:2])
    drawn = np.random.default_rng(16).normal(sky, sigma, (20_000, 6))
    scatter = np.cov(np.concatenate(frames.sky_to_galactocentric(*drawn.T), axis=1).T)
    ours = observations.lmc_covariance(errors)
    scale = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
    np.testing.assert_allclose(scatter / scale, ours / scale, atol=0.04)
    # Vasiliev (2023), section 3.1.
    np.testing.assert_allclose(
        np.sqrt(np.diag(ours)), [0.2, 0.4, 0.3, 12, 5, 6], rtol=0.2
    )


def test_fewer_bins_can_be_asked_for_but_not_others(desi, giants):
    only = survey.DESI_FOOTPRINT.select(("v_gsr",))
    seen, whole = (observations.observe(desi, b) for b in (only, survey.DESI_FOOTPRINT))
    np.testing.assert_array_equal(seen.value, whole.value[: len(seen.value)])
    with pytest.raises(
        ValueError, match="nothing on v_gsr of patch 'q1' at 108-134 kpc"
    ):
        observations.observe(giants, survey.QUADRANTS)
    supported = survey.QUADRANTS.supported(giants.counts(survey.QUADRANTS))
    assert observations.observe(giants, supported).definition == supported.fingerprint


def test_a_table_of_other_patches_is_refused(desi):
    narrow = survey.Patch("north", (survey.Window(b=(30.0, 90.0)),))
    bins = survey.DESI_FOOTPRINT.profiles[0].bins
    binning = survey.Binning("narrow", (survey.Profile(narrow, "v_gsr", bins),))
    with pytest.raises(ValueError, match="binned with patches"):
        observations.observe(desi, binning)


def test_binned_tables_survive_a_file(desi, tmp_path):
    observations.write_binned(desi, tmp_path / "table.ecsv")
    again = observations.read_binned(tmp_path / "table.ecsv")
    assert (again.name, again.bins, again.provenance) == (
        desi.name,
        desi.bins,
        desi.provenance,
    )
    for ours, theirs in zip(_numbers(again), _numbers(desi), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [p.name for p in tmp_path.iterdir()] == ["table.ecsv"]


def _no_rows(table):
    table.remove_rows(slice(None))


def _no_mean(table):
    table["mean"][2] = np.nan


def _other_unit(table):
    table["r_lo"].unit = "pc"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.remove_column("mean_error"), "no mean_error"),
        (_no_rows, "no rows"),
        (_no_mean, "column mean has no value in row 2"),
        (_other_unit, "column r_lo is in pc, not kpc"),
        (lambda t: t.meta.pop("definition"), "no definition"),
    ],
)
def test_damaged_binned_tables_are_refused(tmp_path, change, message):
    table = Table.read(OBSERVED / "desi_dr1_bhb.ecsv", format="ascii.ecsv")
    change(table)
    table.write(tmp_path / "table.ecsv", format="ascii.ecsv")
    with pytest.raises(ValueError, match=message):
        observations.read_binned(tmp_path / "table.ecsv")


def test_command_reports_bad_input_in_one_line_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "stars.csv").write_text("ra_deg,dec_deg\n1,2\n")
    out = tmp_path / "out.ecsv"
    for name in ("stars.csv", "missing.csv"):
        assert observations.main(["desi", str(tmp_path / name), str(out)]) == 1
        message = capsys.readouterr().err
        assert message.startswith("error: ")
        assert message.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stars.csv"]


def _write_stars(table, path):
    columns = {
        "l_deg": np.degrees(table.l),
        "b_deg": np.degrees(table.b),
        "distance_kpc": table.distance,
        "vlos_kms": table.v_los,
        "pml_cosb_masyr": table.pm_l,
        "pmb_masyr": table.pm_b,
    }
    Table(columns).write(path, format="ascii.csv")


def test_command_leaves_out_bins_without_stars_and_says_so(tmp_path, capsys):
    position, velocity = _halo()
    near = np.linalg.norm(position, axis=1) < 120
    _write_stars(_observed(position[near], velocity[near]), tmp_path / "stars.csv")
    out = tmp_path / "out.ecsv"
    options = ["quadrants", str(tmp_path / "stars.csv"), str(out), "--proper-motions"]
    assert observations.main(options) == 0
    assert (
        "fewer than two stars: v_gsr of patch 'q4' at 134-160 kpc"
        in capsys.readouterr().out
    )
    table = observations.read_binned(out)
    assert len(table.provenance["left_out"]) == len(survey.QUADRANTS.bins) - len(
        table.bins
    )
    assert {b.quantity for b in table.bins} == {"v_gsr", "v_tb"}
    assert "--proper-motions" in table.provenance["command"]
    assert str(tmp_path) not in out.read_text()
    supported = survey.QUADRANTS.supported(table.counts(survey.QUADRANTS))
    assert observations.observe(table, supported).name == "stars"


def test_forecasts_shrink_with_the_number_of_stars_and_scatter_as_they_say():
    binning = survey.QUADRANTS
    errors = observations.forecast_errors(binning)
    assert errors.shape == (len(binning.names),)
    first = errors[6]
    assert first == pytest.approx(95 / np.sqrt(survey.expected_counts(binning)[0]))
    more = observations.forecast_errors(binning, stars=4 * survey.GIANTS)
    np.testing.assert_allclose(more[6:10] * 2, errors[6:10])
    truth = np.linspace(-40, 40, len(binning.names))
    exact = observations.forecast(binning, truth)
    np.testing.assert_array_equal(exact.value, truth)
    drawn = np.array(
        [observations.forecast(binning, truth, seed=s).value for s in range(400)]
    )
    np.testing.assert_allclose(drawn.std(axis=0), errors, rtol=0.2)
    np.testing.assert_allclose((drawn.mean(axis=0) - truth) / errors, 0, atol=0.2)
    with pytest.raises(ValueError, match="32 summaries"):
        observations.forecast(binning, truth[:5])
    with pytest.raises(ValueError, match="no finite value"):
        observations.forecast(binning, truth * np.nan)


def test_forecast_dispersions_pay_for_the_errors_of_motions():
    # measured dispersions of many mock bins, with the known error taken out
    binning = survey.QUADRANTS.with_moments(("mean", "dispersion"))
    index = binning.names.index("v_tb_dispersion_all_95_116.7")
    expected = observations.forecast_errors(binning)[index]
    cell = next(b for b in binning.bins if b.quantity == "v_tb" and b.lower == 95.0)
    count = round(float(survey.expected_counts(binning)[binning.bins.index(cell)]))
    motion = 4.74047 * 0.1 * (cell.lower + cell.upper) / 2
    random = np.random.default_rng(1)
    seen = random.normal(0, np.hypot(95.0, motion), (20_000, count)).std(axis=1)
    own = np.sqrt(np.maximum(seen**2 - motion**2, 0))
    assert own.std() == pytest.approx(expected, rel=0.1)


def test_stars_outside_a_binnings_patches_do_not_count(shared):
    stars = select(read_stars(shared / "data" / "desi_dr1_bhb.csv"), Selection())
    numbers = observations.counts(stars, survey.DESI_FOOTPRINT.select(("v_gsr",)))
    assert sum(numbers) == len(stars) == 856


def test_dispersions_that_hold_proper_motion_errors_are_refused(desi):
    with pytest.raises(ValueError, match="proper motions"):
        observations.observe(desi, survey.DESI_FOOTPRINT.with_moments(BOTH))


def test_stars_that_fill_their_patch_unevenly_are_told(desi, giants):
    told = observations.uneven(giants)
    assert sum("'q1'" in line for line in told) == 3
    assert not any("'north'" in line for line in observations.uneven(desi))


def test_a_selection_that_cuts_through_a_bin_is_refused(tmp_path):
    stars = tmp_path / "stars.csv"
    stars.write_text("ra_deg,dec_deg,distance_kpc,vlos_kms\n150,30,50,10\n")
    with pytest.raises(
        ValueError, match="cuts through v_gsr of patch 'north' at 30-40 kpc"
    ):
        observations.load(stars, survey.DESI_FOOTPRINT, Selection(inner=35.0))


def test_a_quantity_without_any_bin_is_left_out(desi):
    radial = survey.DESI_FOOTPRINT.select(("v_gsr",))
    rows = [i for i, b in enumerate(desi.bins) if b.quantity == "v_gsr"]

    def pick(group):
        return type(group)(*(column[rows] for column in vars(group).values()))

    table = replace(
        desi,
        bins=radial.bins,
        moments=pick(desi.moments),
        errors=pick(desi.errors),
        mean_sin_b=desi.mean_sin_b[rows],
    )
    binnings = {"radial": radial, "both": survey.DESI_FOOTPRINT}
    assert list(observations.vectors(table, binnings)) == ["radial"]
    assert list(observations.vectors(desi, binnings)) == ["radial", "both"]


def test_a_survey_that_is_drawn_has_the_lmcs_errors_only(giants):
    supported = survey.QUADRANTS.supported(giants.counts(survey.QUADRANTS))
    drawn = supported.survey_like(giants.sample)
    seen, filled = (
        observations.observe(giants, drawn),
        observations.observe(giants, supported),
    )
    assert seen.definition == drawn.fingerprint != filled.definition
    assert seen.names == filled.names
    np.testing.assert_array_equal(seen.value, filled.value)
    np.testing.assert_array_equal(seen.covariance[:6, :6], filled.covariance[:6, :6])
    assert not seen.covariance[6:].any()
    noise = np.random.default_rng(0)
    pairs = Pairs(np.zeros((50, 1)), np.zeros((50, len(seen.names))))
    noisy = convolve(pairs, seen.covariance, noise).x
    assert (noisy[:, :6] != 0).all()
    np.testing.assert_allclose(noisy[:, 6:], 0, atol=1e-6)


def test_dispersions_of_drawn_proper_motions_are_allowed_and_hold_their_errors(desi):
    binning = survey.DESI_FOOTPRINT.with_moments(BOTH).survey_like(desi.sample)
    seen = dict(
        zip(binning.names, observations.observe(desi, binning).value, strict=True)
    )
    assert seen["v_tb_dispersion_desi_70_90"] == desi.moments.dispersion[-1] > 300
    nothing = tuple(replace(stars, errors=(0.0,)) for stars in desi.sample.stars)
    unknown = replace(desi, sample=replace(desi.sample, stars=nothing))
    with pytest.raises(ValueError, match="no errors of proper motions"):
        observations.observe(unknown, binning.survey_like(unknown.sample))


def test_dispersions_of_all_simulated_stars_are_compared_without_errors(desi):
    radial = survey.DESI_FOOTPRINT.select(("v_gsr",)).with_moments(BOTH)
    seen = dict(
        zip(radial.names, observations.observe(desi, radial).value, strict=True)
    )
    error = np.sqrt(np.mean(np.square(desi.sample.stars[5].errors)))
    assert error > 10
    assert np.hypot(seen["v_gsr_dispersion_north_80_90"], error) == pytest.approx(
        desi.moments.dispersion[5]
    )


def test_another_surveys_stars_are_refused(desi):
    other = replace(desi.sample.stars[0], counts=(1,) * len(desi.sample.stars[0].cells))
    sample = replace(desi.sample, stars=(other, *desi.sample.stars[1:]))
    with pytest.raises(ValueError, match="another survey's stars"):
        observations.observe(desi, survey.DESI_FOOTPRINT.survey_like(sample))
    reseeded = survey.DESI_FOOTPRINT.survey_like(replace(desi.sample, seed=5))
    assert observations.observe(desi, reseeded).definition == reseeded.fingerprint


def test_the_sample_has_the_tables_stars_where_they_are(desi, giants):
    for table in (desi, giants):
        counts = [sum(stars.counts) for stars in table.sample.stars]
        np.testing.assert_array_equal(counts, table.moments.count)
        centres = HEALPix(table.sample.nside, order="nested").healpix_to_lonlat
        sine = [
            np.average(np.sin(centres(np.array(s.cells))[1].value), weights=s.counts)
            for s in table.sample.stars
        ]
        np.testing.assert_allclose(sine, table.mean_sin_b, atol=0.04)
    assert desi.sample.distance_error == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["desi", "giants"])
def test_a_sample_survives_a_file(name, request, tmp_path):
    table = request.getfixturevalue(name)
    observations.write_binned(table, tmp_path / "table.ecsv")
    assert observations.read_binned(tmp_path / "table.ecsv").sample == table.sample


def test_the_lmc_may_be_data_or_inferred():
    data, inferred = (
        observations.Measurement(lmc_today=how) for how in ("data", "inferred")
    )
    whole = survey.DESI_FOOTPRINT
    assert (
        inferred.binning(whole).names
        == data.binning(whole).names[len(survey.LMC_NAMES) :]
    )
    assert names(data.parameters) == names(inferred.parameters)[: len(data.parameters)]
    left_out = set(names(inferred.parameters)) - set(names(data.parameters))
    assert left_out == set(survey.LMC_NAMES)


def test_what_is_measured_decides_the_binning(giants):
    binnings = {"radial": survey.QUADRANTS.select(("v_gsr",))}
    both = observations.Measurement(
        "mean+dispersion", "survey-like", distance_errors=True
    )
    binning, seen = observations.vectors(giants, binnings, both, seed=3)["radial"]
    assert len(binning.names) == 6 + 2 * len(giants.bins)
    assert (binning.sample.seed, binning.sample.distance_error) == (
        3,
        giants.sample.distance_error,
    )
    assert seen.definition == binning.fingerprint
    plain, _ = observations.vectors(giants, binnings)["radial"]
    assert plain.sample is None
    exact = replace(both, distance_errors=False)
    assert exact.drawn(plain, giants.sample, 0).sample.distance_error == 0
    across = observations.Measurement("mean+dispersion").binning(survey.DESI_FOOTPRINT)
    assert sum("dispersion" in name for name in across.names) == 14  # of v_gsr only
    with pytest.raises(ValueError, match="survey-like"):
        observations.Measurement(distance_errors=True)


def test_stars_drawn_as_observed_are_not_called_uneven(giants):
    drawn = observations.Measurement(sampling="survey-like")
    tables = observations.reports(giants, drawn), observations.reports(giants)
    misses = [table["Binned velocities"].meta["misses"] for table in tables]
    assert misses == [[], observations.uneven(giants)]
    assert misses[1]


def test_the_lmc_can_be_left_out_of_data_vectors(desi):
    whole = survey.DESI_FOOTPRINT
    stellar = replace(whole, lmc=False)
    seen, all_of_it = (observations.observe(desi, b) for b in (stellar, whole))
    assert seen.names == all_of_it.names[6:]
    np.testing.assert_array_equal(seen.value, all_of_it.value[6:])
    np.testing.assert_array_equal(seen.covariance, all_of_it.covariance[6:, 6:])
    truth = np.linspace(-40, 40, len(whole.names))
    mocks = (
        observations.forecast(stellar, truth[6:]),
        observations.forecast(whole, truth),
    )
    np.testing.assert_array_equal(mocks[0].covariance, mocks[1].covariance[6:, 6:])
    np.testing.assert_array_equal(mocks[0].value, mocks[1].value[6:])


def test_a_forecast_has_no_stars_to_draw(desi):
    drawn = survey.DESI_FOOTPRINT.survey_like(desi.sample)
    with pytest.raises(ValueError, match="no observed stars"):
        observations.forecast(drawn, np.zeros(len(drawn.names)))


def test_other_distance_bins_need_the_stars_themselves(tmp_path, shared, capsys):
    committed, selection = OBSERVED / "sdss_kgiants.ecsv", Selection(False, 30.0, 160.0)
    with pytest.raises(ValueError, match="holds other bins"):
        observations.load(committed, survey.quadrants(3), selection)
    stars, out = shared / "data" / "sdss_kgiants.csv", tmp_path / "three.ecsv"
    assert observations.main(["quadrants", str(stars), str(out), "--bins", "3"]) == 0
    table = observations.load(out, survey.quadrants(3), selection)
    assert {b.upper for b in table.bins if b.patch == "q2"} <= {
        30 + 130 / 3 * n for n in (1, 2, 3)
    }
    assert "--bins 3" in table.provenance["command"]
    assert observations.main(["desi", str(stars), str(out), "--bins", "3"]) == 1
    assert "leave this out" in capsys.readouterr().err
