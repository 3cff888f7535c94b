"""Records of the Milky Way and the LMC: engine, distribution function, replay, moments."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mwlmc import replay as replays
from mwlmc.model import distribution as functions
from mwlmc.model.reflex import Reflex
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.simulator import Simulator, StarParticles
from mwlmc.sky import binning as binnings
from mwlmc.sky import frames, kinematics, moments
from mwlmc.sky import moment_errors as errors_of
from mwlmc.sky import selection_function as selections
from mwlmc.sky.patches import ALL_SKY, PATCHES, Directions
from mwlmc.sky.sampling_noise import sampling_errors
from orrery.parameters import FloatArray, Prior, generator
from orrery.records import Records

from .quantities import Quantity, Record, quantity

SEED = 20251126
STARS = 500

# Of a normal's two sides, as the prior's edges: further out simulations are rare.
_LOW, _HIGH = 2e-4, 1.0 - 2e-4

OUTERMOST = 6  # stars of a simulation that are kept one by one, as datasets hold them


class _Watched(Simulator):
    """Remembers the stars of its last records: they are followed once, not twice."""

    def stars_today(self, *arguments: Any) -> StarParticles:
        stars = super().stars_today(*arguments)
        self.__dict__["seen"] = stars  # the dataclass is frozen
        return stars


def engine() -> Iterator[Record]:
    """Returns simulations drawn from both priors, and those at the prior's corners, in parts."""
    ours = _Watched(stars=STARS)
    paper = _Watched("table1", "wide", STARS, equilibrium="total", accuracy="orbit")
    theta = corners(ours.prior)
    streams = [generator(SEED, index, 1) for index in range(len(theta))]
    drawn = ours.records(SEED, range(8))
    yield scalars("drawn", drawn)
    yield orbits("drawn", ours.seen, chaotic=0.04)
    yield particles("drawn", drawn, chaotic=0.04)
    published = paper.records(SEED, range(8, 12))
    yield scalars("paper", published)
    yield orbits("paper", paper.seen, chaotic=0.04)
    yield particles("paper", published, chaotic=0.04)
    # at the corners halos are concentrated, and stars pass their centres often
    edges = ours.simulate(theta, streams)
    yield scalars("corners", edges, chaos=10.0)
    yield orbits("corners", ours.seen, chaotic=0.1)
    yield particles("corners", edges, chaotic=0.1)


def corners(prior: Prior) -> FloatArray:
    """Returns 16 parameter sets `[16, P]` at the edges of a prior, each parameter at both."""
    probability = np.array([_LOW, _HIGH])
    ends = np.array([d.quantile(probability) for d in prior.distributions])
    number = np.arange(16)
    # each parameter follows the parity of other bits, so that no two move together
    sides = [
        np.array([(n & (1 + j)).bit_count() % 2 for n in number])
        for j in range(len(ends))
    ]
    return np.stack([end[side] for end, side in zip(ends, sides, strict=True)], axis=1)


def scalars(name: str, records: Records, chaos: float = 1.0) -> Record:
    """Returns all scalars of simulations, and how many stars they keep."""
    return {
        **{f"{name}.{c}": _scalar(c, x, chaos) for c, x in records.scalars.items()},
        # rounding may carry a star across the inner edge
        f"{name}.kept": quantity(np.diff(records.offsets), absolute=2.0),
    }


def _scalar(column: str, values: NDArray[Any], chaos: float) -> Quantity:
    fitted = column in Reflex.__dataclass_fields__  # to some sixty stars
    return quantity(values, absolute=0.01 * chaos if fitted else 1e-6)


def orbits(name: str, stars: StarParticles, chaotic: float) -> Record:
    """Returns the states today of every fiftieth star, by rising distance 2.2 Gyr ago."""
    state = np.concatenate([stars.position.numpy(), stars.velocity.numpy()])
    some = state[..., :: STARS // 10].transpose(1, 2, 0)
    return {
        f"{name}.stars": quantity(some, relative=1e-4, absolute=1e-2, outliers=chaotic)
    }


def particles(name: str, records: Records, chaotic: float) -> Record:
    """Returns the stars that datasets hold: each column's moments, and the last few stars."""
    record: Record = {}
    for column, values in records.particles.items():
        parts = np.split(values.astype(np.float64), records.offsets[1:-1])
        # one star more or less of some 200, at three standard deviations
        mean = quantity([p.mean() for p in parts], absolute=10.0)
        width = quantity([p.std() for p in parts], relative=0.03)
        record[f"{name}.particles.{column}.mean"] = mean
        record[f"{name}.particles.{column}.std"] = width
        # from the end: a star that crosses the inner edge moves those before it only
        last = np.stack([part[-OUTERMOST:] for part in parts])
        record[f"{name}.particles.{column}"] = quantity(
            # one digit of half precision
            last,
            relative=1e-3,
            absolute=0.011,
            outliers=chaotic,
        )
    return record


def replay() -> Record:
    """Returns simulations of given parameters, one of them twice, with other stars."""
    simulator = Simulator(stars=STARS)
    theta = simulator.prior.draw(generator(SEED, 3), 12)
    simulable = replays.simulable(simulator, theta).theta[:3]
    again = replays.Replay(simulator, simulable).records(SEED, range(4))
    return {
        "within": quantity(replays.within_prior(simulator.prior, theta * 1.2)),
        **scalars("replayed", again),
        **particles("replayed", again, chaotic=0.04),
    }


def distribution() -> Record:
    """Returns tables of distribution functions and stars drawn from them."""
    record: Record = {}
    for number, (mass, scale, equilibrium, beta, tracer) in enumerate(
        (
            (2e11, 8.0, "halo", 0.0, 10.0),
            (1.5e12, 20.0, "halo", 0.45, 12.0),
            (1.5e12, 20.0, "total", 0.5, 15.0),
            (4e12, 45.0, "total", 0.9, 10.0),
        )
    ):
        potential = functions.spherical_potential(mass, scale, equilibrium)
        function = functions.distribution_function(potential, beta, tracer)
        record |= _function(f"{equilibrium}.{number}", potential, function)
    return record


def _function(
    name: str,
    potential: functions.SphericalPotential,
    function: functions.DistributionFunction,
) -> Record:
    position, velocity = function.sample(1000, generator(SEED, 5))
    scaled = function.g / function.g.max()
    return {
        f"{name}.potential": quantity(potential.potential[::16]),
        f"{name}.mass": quantity(potential.mass[::16], absolute=1e-30),
        f"{name}.clipped": quantity(function.clipped, absolute=1e-30),
        f"{name}.g": quantity(scaled[::16], absolute=1e-30),
        f"{name}.radial_cdf": quantity(function.radial_cdf[::16], absolute=1e-30),
        f"{name}.speed_cdf": quantity(function.speed_cdf[::64, ::32], absolute=1e-30),
        f"{name}.position": quantity(position[:, ::100].T),
        f"{name}.velocity": quantity(velocity[:, ::100].T),
        f"{name}.radius": quantity(np.median(np.linalg.norm(position, axis=0))),
        f"{name}.dispersion": quantity(velocity.std(axis=1)),
    }


def velocity_moments() -> Record:
    """Returns summaries of synthetic stars by the quadrants, DESI's sky and a survey's sample."""
    records = _halos()
    like_a_survey = binnings.QUADRANTS.survey_like(_sample(binnings.QUADRANTS))
    chosen = {
        "quadrants": binnings.QUADRANTS.with_moments(("mean", "dispersion")),
        "desi": binnings.DESI_FOOTPRINT,
        "survey": like_a_survey,
    }
    found = {
        name: quantity(kinematics.velocity_moments(records, binning))
        for name, binning in chosen.items()
    }
    return found | _edges()


def _edges() -> Record:
    """Returns who is in a patch just within and without its limits, and bins of few stars."""
    near = np.array([0.005, 179.995, 180.005, 359.995])
    grid = np.meshgrid(np.radians(near), np.radians([-0.005, 0.005]))
    towards = Directions(frames.direction(*grid).reshape(-1, 3))
    radial = binnings.QUADRANTS.select(("v_gsr",))
    counts = np.arange(len(radial.bins)) % 4
    values = np.array([1.0, 1.0, 5.0, -1.0, 2.0, 9.0])
    few = moments.clipped_moments(values, np.array([0, 1, 1, 2, 2, 2]), 4)
    return {
        "edges": quantity([patch.contains(towards) for patch in PATCHES]),
        "latitudes": quantity([patch.mean_sin_b for patch in PATCHES]),
        "supported": quantity([b.lower for b in radial.supported(counts).bins]),
        "few": quantity([few.count, few.kept, few.mean, few.dispersion]),
    }


def moment_errors() -> Record:
    """Returns errors of means and dispersions: bootstrapped, and pooled where stars are few."""
    bins = tuple(pairwise((30.0, 60.0, 80.0, 90.0, 100.0, 110.0)))  # [kpc]
    profile = binnings.Profile(ALL_SKY, "v_gsr", bins, ("mean", "dispersion"))
    binning = binnings.SkyBinning("golden", (profile,))
    giants = _giants()
    errors = errors_of.summary_errors(giants, binning, SEED)
    # [km/s], up to half of the dispersion, and unknown of the nearest
    own = np.where(giants.distance < 50.0, np.nan, 0.5 * giants.distance)
    known = errors_of.summary_errors(giants, binning, SEED, star_errors={"v_gsr": own})
    return {
        "mean": quantity(errors.mean),
        "dispersion": quantity(errors.dispersion),
        "mean_of_measured": quantity(known.mean),
        "dispersion_of_measured": quantity(known.dispersion),
        "pooled": quantity([_pooled(count) for count in (19, 20, 21, 22)]),
    }


def sampling_noise() -> Record:
    """Returns the errors that simulated means and dispersions have of their number of stars."""
    records = _halos()
    chosen = {
        "quadrants": binnings.QUADRANTS.with_moments(("mean", "dispersion")),
        "desi": binnings.DESI_FOOTPRINT,
    }
    return {
        name: quantity(sampling_errors(records, binning))
        for name, binning in chosen.items()
    }


def _pooled(count: int) -> float:
    """Returns the dispersion that nine stars share with some of the next bin, or of more."""
    away = np.array([0.0, 10.0, 20.0])
    stars = np.array([9, count, 50])
    scatter = np.array([80.0, 100.0, 150.0])
    return float(np.sqrt(errors_of._pool(away, stars, scatter, np.zeros(3))))


def _giants() -> kinematics.RestFrameStars:
    """Returns observed stars, ever fewer further out; in the first bin some are clipped."""
    random = generator(SEED, 9)
    counts = (150, 40, 10, 9, 5)
    count = sum(counts)
    velocity = 100.0 * random.standard_normal(count)
    velocity[:150] = 100.0 * random.standard_t(4.0, 150)
    return kinematics.RestFrameStars(
        distance=np.repeat([45.0, 70.0, 85.0, 95.0, 105.0], counts),
        directions=Directions(random.normal(size=(count, 3))),
        v_gsr=velocity,
        v_tb=random.normal(0.0, 100.0, count),
        owner=np.zeros(count, dtype=np.int64),
    )


def _halos(simulations: int = 8, stars_each: int = 1500) -> Records:
    """Returns stars on all the sky, ever fewer further out, that move north as a whole."""
    random = generator(SEED, 7)
    total = simulations * stars_each
    towards = random.normal(size=(3, total))
    radius = 30.0 * 10.0 ** random.uniform(0.0, 0.8, total)  # [kpc]
    position = towards / np.linalg.norm(towards, axis=0) * radius
    velocity = random.normal([[5.0], [0.0], [25.0]], 110.0, (3, total))
    state = np.concatenate([position, velocity]).astype(np.float16)
    lmc = {column: random.normal(size=simulations) for column in binnings.LMC_NAMES}
    return Records(
        {"index": np.arange(simulations), **lmc},
        dict(zip(PHASE_SPACE, state, strict=True)),
        np.arange(simulations + 1, dtype=np.int32) * stars_each,
    )


def _sample(binning: binnings.SkyBinning) -> selections.Sample:
    """Returns a survey of 20 stars in each bin, with errors of distances and velocities."""
    random = generator(SEED, 8)
    towards = frames.direction(
        random.uniform(0.0, 2.0 * np.pi, 20_000),
        np.arcsin(random.uniform(-1, 1, 20_000)),
    )
    held = []
    for profile in binning.profiles:
        inside = towards[profile.patch.contains(Directions(towards))]
        held += [
            selections.occupancy(inside[20 * k : 20 * k + 20], np.full(20, 5.0))
            for k in range(len(profile.bins))
        ]
    return selections.Sample(binning.bins, tuple(held), distance_error=0.1, seed=SEED)
