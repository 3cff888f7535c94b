"""Small examples of what figures are drawn from."""

import numpy as np
import pytest

from orrery.judging import diagnostics
from orrery.judging.distributions import quantile_bands
from orrery.learning.training import Curve
from orrery.parameters import Parameter, generator
from orrery.records import Observation
from orrery.results import figures
from orrery.results.panels import (
    Band,
    Constraint,
    Panel,
    RadialCounts,
    SkyPanel,
    SkyRegion,
    Track,
)

MEAN = np.array([11.6, -20.0, 0.0])
BINS = ((30, 40), (40, 50), (60, 90))


@pytest.fixture(scope="session")
def parameters():
    return (
        Parameter(
            "log10_m_mw_halo_50",
            "dex(solMass)",
            r"$\log_{10} M_\mathrm{MW,halo}(<50\,\mathrm{kpc})$",
        ),
        Parameter("v_z", "km / s", "$v_z$"),
        Parameter("log10_lambda_df", "", r"$\log_{10}\lambda_\mathrm{DF}$"),
    )


def gaussian(seed, count=2000):
    return MEAN + np.array([0.1, 5.0, 0.5]) * generator(seed).normal(size=(count, 3))


@pytest.fixture(scope="session")
def draws():
    """Returns a function of a seed: draws `[2000, 3]` of the three parameters."""
    return gaussian


def observe(size=6, name="stars", first=0):
    names = tuple(f"e{i}" for i in range(first, first + size))
    covariance = np.diag(np.arange(1.0, size + 1) ** 2)
    value = np.arange(size) * 1.0
    return Observation(name, names, ("km / s",) * size, value, covariance, "", {})


@pytest.fixture(scope="session")
def observation():
    """Returns a function of a size, a name and the first entry's number."""
    return observe


@pytest.fixture(scope="session")
def panels():
    return (
        Panel("North", "mean [km/s]", BINS, ("e0", "e1", "e2")),
        Panel("South", "mean [km/s]", BINS, ("e3", "e4", "e5")),
    )


def calibrated(tests=200, width=1.0):
    """Returns draws and truths of a posterior that is right if its width is one."""
    middle = 3 * generator(3, 0).normal(size=(tests, 2))
    theta = middle + generator(3, 1).normal(size=(tests, 2))
    return middle + width * generator(3, 2).normal(size=(100, tests, 2)), theta


def tarp(tests=200):
    widths = {"flow": 1.0, "narrow": 0.5}
    return {
        name: diagnostics.tarp(*calibrated(tests, w), seed=0)
        for name, w in widths.items()
    }


@pytest.fixture(scope="session")
def coverages():
    """Returns a function of the number of tests: coverages of a right and a narrow posterior."""
    return tarp


@pytest.fixture(scope="session")
def rank_results():
    widths = {"flow": 1.0, "narrow": 0.5}
    return {
        name: diagnostics.sbc_ranks(*calibrated(200, w), seed=0)
        for name, w in widths.items()
    }


@pytest.fixture(scope="session")
def curve():
    return Curve(train=(3.0, 2.0, 1.0, 0.9), validation=(3.1, 2.2, 1.9, 2.0))


def star_map(count=40, title="Simulated stars", tracks=()):
    random = generator(8)
    longitude, sine = random.uniform(0, 2 * np.pi, count), random.uniform(-1, 1, count)
    inside = np.zeros((19, 37), dtype=bool)
    inside[12:] = True
    region = SkyRegion("North", inside)
    velocity = 100 * random.normal(size=count)
    return SkyPanel(title, longitude, np.arcsin(sine), velocity, (region,), tracks)


@pytest.fixture(scope="session")
def sky_panel():
    """Returns a function of a number of stars, a title and tracks: a map with one region."""
    return star_map


@pytest.fixture(scope="session")
def radial():
    return (
        RadialCounts("DESI", "North", np.array([30.0, 40.0, 60.0]), np.array([7, 2])),
        RadialCounts("DESI", "South", np.array([30.0, 40.0, 60.0]), np.array([3, 0])),
    )


@pytest.fixture(scope="session")
def rows():
    return (
        Constraint("DESI", (14.0, 20.0, 28.0), (13.0, 19.0, 30.0)),
        Constraint("Forecast, quadrants", (25.0, 30.0, 36.0)),
    )


@pytest.fixture(scope="session")
def of_draws(parameters, draws, rows):
    """Figures of posteriors, and of published values with them."""
    published = {
        "Published": np.array([11.65, -18.0, np.nan]),
        "Others": np.array(
            [[11.7, -25.0, 0.1], [11.6, -30.0, -0.1], [11.8, -22.0, 0.4]]
        ),
    }
    mass = generator(5).uniform(1, 10, 500)
    labels = ("mass [$M_\\odot$]", "v [km/s]")
    sets = {"a": draws(0), "b": draws(1)}
    bands = [Band("Someone (2024)", (33.0, 40.0, 47.0))]
    return {
        "corner": lambda: figures.corner(sets, parameters, draws(2), published),
        "relation": lambda: figures.relation(mass, mass, labels, {"P": (5.0, 5.0)}),
        "intervals": lambda: figures.intervals(rows, "v [km/s]", bands, (17.0, 42.0)),
    }


@pytest.fixture(scope="session")
def of_bins(observation, panels):
    """Figures of binned summaries."""
    x = generator(4).normal(size=(300, 6))
    bands = quantile_bands(x)
    simulated = {"prior": bands, "posterior": bands / 2}
    two = [observation(), observation(name="other stars")]
    surveys = {"one": observation(), "two": observation()}
    predicted = {"one": x, "two": x + 1}
    tails = dict.fromkeys(surveys, np.full(6, 0.5))
    return {
        "profiles": lambda: figures.profiles(panels, observation(), simulated),
        "measurements": lambda: figures.measurements(panels, two),
        "violins": lambda: figures.violins(panels, surveys, predicted, tails),
    }


@pytest.fixture(scope="session")
def of_checks(coverages, rank_results, parameters, curve):
    """Figures of a training and of the tests of what it gave."""
    return {
        "coverage": lambda: figures.coverage(coverages()),
        "ranks": lambda: figures.ranks(rank_results, parameters[:2]),
        "training": lambda: figures.training_curve({"flow": curve}),
    }


@pytest.fixture(scope="session")
def of_maps(sky_panel, radial):
    """Figures of the sky."""
    track = Track("LMC", np.linspace(2, 5, 30), np.linspace(0.4, -0.6, 30))
    maps = [sky_panel(), sky_panel(title="Others", tracks=(track,))]
    return {"sky": lambda: figures.sky(maps, "v [km/s]", radial)}


NAMES = [
    "corner",
    "profiles",
    "measurements",
    "violins",
    "coverage",
    "ranks",
    "training",
    "relation",
    "intervals",
    "sky",
]


@pytest.fixture(scope="session")
def drawings(of_draws, of_bins, of_checks, of_maps):
    """Functions that draw each kind of figure anew, by name."""
    every = {**of_draws, **of_bins, **of_checks, **of_maps}
    assert every.keys() == {*NAMES}
    return every


@pytest.fixture(params=NAMES)
def kind(request):
    """The name of a figure: each kind in turn."""
    return request.param


@pytest.fixture
def draw(kind, drawings):
    """Returns a function that draws one figure anew: each kind in turn."""
    return drawings[kind]
