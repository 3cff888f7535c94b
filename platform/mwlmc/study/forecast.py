"""Mock data vectors: what a survey would measure if a published row were the truth.

The stars of H3, SEGUE and MagE are not public. A forecast puts the published medians
into the model, simulates that galaxy several times, and gives each that survey's errors.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from mwlmc.model import total_masses
from mwlmc.model.distribution import DEHNEN_SLOPE
from mwlmc.model.lmc import LMC_POSITION, LMC_VELOCITY
from mwlmc.observed.binned_table import BinnedTable
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.mock_survey import mock_data_vector
from mwlmc.observed.options import Measurement
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    SkyBinning,
    without_and_with_v_tb,
)
from mwlmc.sky.frames import galactocentric_to_sky
from mwlmc.study.literature import HALO_MASS, TABLE2
from orrery.parameters import FloatArray, generator
from orrery.records import Observation

VERSION = 6  # of forecasts; raised whenever their numbers change

# The mean of as many posteriors scatters by an eighth of their width.
SIMULATIONS = 64
# No row of the table gives these: they are mid-way through the prior.
_BETA0 = 0.5
_R_DEHNEN = 12.5  # [kpc]


def model_at(row: str, simulator: Simulator) -> FloatArray:
    """Returns the model's parameters `[P]` at the medians of a row of Table 2.

    Arguments:
        row: The row's name in `literature.TABLE2`.
        simulator: Whose circular velocity relates the Milky Way's two masses.
    """
    medians = {name: value.median for name, value in TABLE2[row].items()}
    return model_with(medians, simulator)


def model_with(values: Mapping[str, float], simulator: Simulator) -> FloatArray:
    """Returns the model's parameters `[P]` with published values.

    The masses within 50 kpc, of the halo and of the LMC, fix the total masses, and the
    LMC is where it is observed; the travel velocity follows.

    Arguments:
        values: Both masses and the friction by their names in `literature.QUANTITIES`, in
            its units, and `beta0` where it is published.
        simulator: Whose circular velocity relates the Milky Way's two masses.
    """
    halo = np.array([1e11 * values[HALO_MASS]])
    lmc = np.array([1e10 * values["M_LMC(<50 kpc)"]])
    velocity = simulator.circular_velocity
    sky = galactocentric_to_sky(LMC_POSITION, LMC_VELOCITY)
    theta: Mapping[str, float] = {
        "m200_mw": float(total_masses.milky_way_m200(halo, velocity)[0]),
        "m_lmc": float(total_masses.lmc_total(lmc)[0]),
        "log10_lambda_df": values["log10 lambda_DF"],
        "ra_lmc": float(np.degrees(sky.ra)),
        "dec_lmc": float(np.degrees(sky.dec)),
        "d_lmc": float(sky.distance),
        "vlos_lmc": float(sky.v_los),
        "pmra_lmc": float(sky.pm_ra_cosdec),
        "pmdec_lmc": float(sky.pm_dec),
        "beta0": values.get("beta0", _BETA0),
        "r_dehnen": _R_DEHNEN,
        "outer_slope": DEHNEN_SLOPE,
    }
    return np.array([theta[name] for name in simulator.prior.names])


def forecast(
    row: str, binning: SkyBinning, seed: int, simulator: Simulator | None = None
) -> Observation:
    """Returns the mock data vector of H3+SEGUE+MagE at the medians of a row of Table 2.

    Arguments:
        row: The row's name in `literature.TABLE2`.
        binning: How stars become summaries.
        seed: Of the simulations.
        simulator: What simulates; the paper's model by default.
    """
    simulator = simulator or Simulator()
    mock = mock_at(model_at(row, simulator), binning, seed, simulator)
    return replace(mock, name=f"{row.partition(',')[0]}, forecast")


def mock_at(
    theta: FloatArray, binning: SkyBinning, seed: int, simulator: Simulator
) -> Observation:
    """Returns the mock data vector of H3+SEGUE+MagE in a galaxy of given parameters.

    Its value is the expected one, the mean of simulations. They are kept: the forecast
    is the average posterior of surveys of each, so that its centre is not moved by one
    draw of noise, nor by data that have none.

    Arguments:
        theta: The model's parameters `[P]`, in its prior's order.
        binning: How stars become summaries.
        seed: Of the simulations.
        simulator: What simulates.
    """
    each = np.repeat(theta[None], SIMULATIONS, axis=0)
    streams = [generator(seed, number) for number in range(SIMULATIONS)]
    x = kinematics.velocity_moments(simulator.simulate(each, streams), binning)
    return replace(mock_data_vector(binning, x.mean(0)), simulated=x)


def rows(
    desi: BinnedTable,
    measurement: Measurement,
    seed: int,
    simulator: Simulator,
    wanted: Collection[str] = (),
) -> dict[str, tuple[SkyBinning, Observation]]:
    """Returns the binning and the data vector of rows of Table 2, in its order.

    DESI's rows are its stars; the others are forecasts.

    Arguments:
        desi: DESI's binned stars.
        measurement: What is measured of stars, in all rows.
        seed: Of the simulations of forecasts, and of the draw of simulated stars.
        simulator: What simulates.
        wanted: The rows; all when empty. A forecast that nobody wants is not simulated.

    Raises:
        ValueError: If DESI's stars fill no bin of one of its rows.
    """
    binnings = without_and_with_v_tb(DESI_FOOTPRINT)
    found = vectors(desi, binnings, measurement, seed)
    missing = sorted(set(binnings) - set(found))
    if missing:
        raise ValueError(
            f"{desi.name!r} has nothing for DESI's rows {', '.join(missing)}: give stars at "
            "30-100 kpc in both fields, with proper motions"
        )
    measured = {f"DESI, {label}": found[label] for label in binnings}
    data = {}
    for row in (row for row in TABLE2 if row in (wanted or TABLE2)):
        if row in measured:
            data[row] = measured[row]
            continue
        survey, _, label = row.partition(", ")
        whole = QUADRANTS if survey.endswith("quadrants") else DESI_FOOTPRINT
        binning = forecast_binning(without_and_with_v_tb(whole)[label], measurement)
        data[row] = (binning, forecast(row, binning, seed, simulator))
    return data


def forecast_binning(binning: SkyBinning, measurement: Measurement) -> SkyBinning:
    """Returns a binning with what a forecast measures.

    Its errors account for those of proper motions, so that all dispersions can be used.
    """
    return measurement.entries(binning)
