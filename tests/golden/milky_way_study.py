"""Records of the study of both galaxies: forecasts, answers, comparisons and checks."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from astropy.table import Table

from mwlmc.model import total_masses
from mwlmc.observed.options import Measurement
from mwlmc.record_schema import PHASE_SPACE
from mwlmc.replay import Simulable
from mwlmc.simulator import Simulator
from mwlmc.sky import kinematics
from mwlmc.sky.binning import DESI_FOOTPRINT, LMC_NAMES, QUADRANTS
from mwlmc.sky.patches import DESI_NORTH, DESI_SOUTH
from mwlmc.study import (
    comparison,
    desi_choices,
    figure_data,
    mass_ratio,
    predictive_checks,
    published_views,
    quantities,
    surveys,
)
from mwlmc.study import forecast as forecasts
from mwlmc.study.literature import HALO_MASS, QUANTITIES, TABLE2, published_measurements
from orrery.judging import predictive
from orrery.parameters import FloatArray, generator
from orrery.records import Observation, Records
from orrery.results.views import Violins

from .observed_stars import survey_table
from .quantities import Record, quantity, table_numbers

SEED = 20251126
STARS = 1500  # of one synthetic simulation


class _Synthetic(Simulator):
    """Returns stars on all the sky that move as its parameters say, without any dynamics."""

    def simulate(
        self, theta: FloatArray, streams: Sequence[np.random.Generator]
    ) -> Records:
        parts = [
            _stars(row, random) for row, random in zip(theta, streams, strict=True)
        ]
        lmc = {name: theta[:, 5 + i] / 10.0 for i, name in enumerate(LMC_NAMES)}
        state = np.concatenate(parts, axis=1)
        return Records(
            lmc,
            dict(zip(PHASE_SPACE, state, strict=True)),
            np.arange(len(theta) + 1, dtype=np.int32) * STARS,
        )

    def rewind(self, theta: FloatArray) -> Any:
        times = torch.linspace(-2.0, 0.0, 12)
        path = torch.stack(
            [40.0 + 30.0 * times, -41.0 - 20.0 * times, -27.0 + times**2]
        )
        state = torch.cat([path, path]).T[..., None]
        return SimpleNamespace(
            trajectories=SimpleNamespace(
                times=times, relative=lambda: state, runaway=[False]
            )
        )


def _stars(theta: FloatArray, random: np.random.Generator) -> FloatArray:
    towards = random.normal(size=(3, STARS))
    radius = 30.0 * 10.0 ** random.uniform(0.0, 0.73, STARS)  # [kpc]
    position = towards / np.linalg.norm(towards, axis=0) * radius
    drift = np.array([[theta[0] / 1e11], [0.0], [theta[1] / 1e10]])
    return np.concatenate([position, random.normal(drift, 90.0, (3, STARS))])


# --- forecasts -------------------------------------------------------------------------------


def forecast() -> Record:
    """Returns the model at each published row, and the data vectors of all rows."""
    simulator = _Synthetic(stars=STARS)
    slow = _Synthetic(stars=STARS, circular_velocity=222.0)
    measurement = Measurement(moments="mean+dispersion")
    found = forecasts.rows(survey_table(), measurement, SEED, simulator)
    record = {
        "model": quantity([forecasts.model_at(row, simulator) for row in TABLE2]),
        "slow": quantity(forecasts.model_at("DESI, with v_tb", slow)),
        "light": quantity([_lightest(total_masses.milky_way_m200)]),
        "light_lmc": quantity([_lightest(total_masses.lmc_total)]),
    }
    for number, (_, seen) in enumerate(found.values()):
        record[f"{number}.value"] = quantity(seen.value)
        record[f"{number}.error"] = quantity(np.sqrt(np.diag(seen.covariance)))
        if seen.simulated is not None:
            record[f"{number}.mocks"] = quantity(seen.realisations(SEED).sum(1)[::8])
    return record


def _lightest(total: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Returns the mass that the lightest galaxies have instead of a smaller one."""
    return total(np.array([1e9, 1e10]))


# --- answers ---------------------------------------------------------------------------------


def answers() -> Record:
    """Returns answers and what is compared with them: published values, the prior, replicates."""
    draws, prior = _draws(0, 400), _draws(1, 900)
    barely_trained = draws[:4].copy()
    barely_trained[:, 0] = [299.0, 301.0, 305.0, 12.0]
    found = quantities.answers("desi.v_gsr", "DESI", draws, prior)
    masses = quantities.quantities(barely_trained)[HALO_MASS]
    return {
        "answers": quantity([(a.median, a.lower, a.upper) for a in found]),
        "finite": quantity(np.log10(masses)),
        "prior": quantity([quantities.prior_interval(prior, n) for n in QUANTITIES]),
        "ratio": quantity(mass_ratio.mass_ratio(draws, 228.0)[:40]),
        "published_ratio": quantity(
            [mass_ratio.published_ratio(row, 235.0) for row in TABLE2.values()]
        ),
        "selected": quantity(quantities.selected_quantities(draws, ["v_x"])[:9]),
        **_compared(draws, prior),
        **_choices(draws),
        **_many(),
        **_misses(),
        **_shown(draws, prior),
        **_checks(),
        **_sky(),
    }


def _choices(draws: FloatArray) -> Record:
    """Returns what a table of choices says of draws, and what the choices are."""
    rows = {"a": "DESI, with v_tb", "b": "DESI, without v_tb"}
    table = desi_choices.choice_table({"a": draws, "b": draws[::2]}, rows)["Choices"]
    numbers = ("median", "lower", "upper", "published", "shift")
    chosen = [
        (one.floor, one.largest_error or 0.0, sum(one.edges), one.table)
        for one in desi_choices.MOTION_CHOICES
    ]
    return {
        "choices.lines": quantity([table[name] for name in numbers]),
        "choices.motions": quantity(chosen),
    }


def _draws(stream: int, count: int) -> FloatArray:
    """Returns draws of the inferred parameters, about what is published."""
    normal = generator(SEED, 30, stream).standard_normal((count, 6))
    return np.array([11.65, 10.9, 4.0, -1.0, -22.0, 0.1]) + normal * np.array(
        [0.08, 0.15, 2.0, 3.0, 6.5, 0.7]
    )


def _compared(draws: FloatArray, prior: FloatArray) -> Record:
    """Returns the numbers of all tables that put ours beside published ones."""
    rows = dict.fromkeys(TABLE2, draws)
    tables = comparison.compare_with_table2(rows, prior)
    other = comparison.compare_with_published(draws, "DESI, with v_tb", prior, "other")
    tables = {**tables, **other, **comparison.prior_tables(prior)}
    record = {
        f"table.{number}": quantity(table_numbers(table))
        for number, table in enumerate(tables.values())
        if table.meta["key"] != "table2"
    }
    misses = [len(table.meta.get("misses", ())) for table in tables.values()]
    return record | {"misses.all": quantity(misses)}


def _many() -> Record:
    """Returns what the prior implies where friction is strong, of which many draws tell."""
    tables = comparison.prior_tables(_draws(2, 9000))
    return {
        f"many.{number}": quantity(table_numbers(table))
        for number, table in enumerate(tables.values())
    }


def _misses() -> Record:
    """Returns how many deviations are called misses, just below and above what is allowed."""
    shifts = (-0.501, 0.499, 0.501, 0.999, 1.001, 1.199, 1.201)
    ratios = (0.699, 0.701, 1.299, 1.301)
    record: Record = {}
    for row in ("DESI, without v_tb", "DESI, with v_tb"):
        for stars in ("same", "mock"):
            said = [
                [len(comparison.misses(_line(q, s, w), row, stars)) for q in QUANTITIES]
                for s, w in [*((s, 1.0) for s in shifts), *((0.0, w) for w in ratios)]
            ]
            record[f"misses.{row}.{stars}"] = quantity(said)
    return record | {"misses.reasons": quantity(_reasons())}


def _reasons() -> list[bool]:
    """Returns whether the reason is the same just below and above where another is given."""
    row = "DESI, with v_tb"
    near = [{"prior_median": median} for median in (1.4999, 1.5001)]
    wide = [{"width_ratio": width} for width in (0.999, 1.001)]
    strong = [{"median_ratio": m, "width_ratio": 1.4} for m in (0.999, 1.001)]
    across = [_altered("v_x", change) for change in wide]
    rising = [_altered("v_z", change) for change in strong]
    sideways = [_altered("v_y", change) for change in strong]
    return [
        len({comparison._reason(_altered("v_z", change)) for change in near}) == 1,
        *(
            len({comparison._cause(line, row, "same").text[:30] for line in lines}) == 1
            for lines in (across, rising, sideways)
        ),
    ]


def _altered(name: str, change: Mapping[str, float]) -> Any:
    line = _line(name, 0.0, 1.0)[0]
    return {**dict(zip(line.colnames, line, strict=True)), **change}


def _line(name: str, shift: float, width: float) -> Table:
    """Returns one line of a comparison with a published row."""
    line = {
        **{"quantity": name, "unit": "", "median": 1.0, "published": 0.0},
        **{"minus": 1.0, "plus": 1.0, "shift": shift, "width_ratio": width},
        **{"median_ratio": 1.0, "prior_median": 3.0},
    }
    return Table([line])


def _shown(draws: FloatArray, prior: FloatArray) -> Record:
    """Returns what figures show of published values."""
    relation = published_views.mass_velocity_relation(prior[:20])
    wanted = tuple(QUANTITIES)
    points = published_views.published_points(wanted)
    some = published_views.published_points(("v_y",))
    rows = dict.fromkeys(TABLE2, draws)
    ends = [
        (c.ours, c.published)
        for name in wanted
        for c in published_views.constraints(rows, name)
    ]
    bands = [b.interval for name in wanted for b in published_views.bands(name)]
    forecast_rows = [quantities.is_forecast(row) for row in TABLE2]
    widths = [[p.width for p in m.values.values()] for m in published_measurements()]
    return {
        "relation": quantity([relation.x, relation.y]),
        "points": quantity(np.stack([*points.values()])),
        "some": quantity(np.stack([*some.values()])),
        "constraints": quantity(ends),
        "bands": quantity(bands),
        "forecasts": quantity(forecast_rows),
        "widths": quantity(np.concatenate(widths)),
    }


# --- checks ----------------------------------------------------------------------------------


class _Notes:
    """Keeps what a study records, instead of a run."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.passed: list[bool] = []
        self.shown: list[Any] = []

    def metrics(self, numbers: dict[str, float]) -> None:
        self.numbers |= numbers

    def tables(self, tables: dict[str, Table]) -> None:
        self.shown += tables.values()
        for table in tables.values():
            self.numbers |= table.meta["metrics"]

    def verdicts(self, verdicts: Sequence[Any]) -> None:
        self.passed += [verdict.passed for verdict in verdicts]

    def add(self, *sections: Any) -> None:
        self.shown += sections


def _checks() -> Record:
    """Returns what is recorded of replicates among which data are more and more unusual."""
    binning = DESI_FOOTPRINT.select(("v_gsr",))
    size = len(binning.names)
    replicates = generator(SEED, 31).normal(size=(400, size))
    passed, numbers = [], []
    for far in (0.0, 3.2, 3.3, 3.4, 3.5, 5.0):
        value = np.zeros(size)
        value[7] = far
        none = np.zeros((size, size))
        seen = Observation("stars", binning.names, binning.units, value, none, "", {})
        notes = _Notes()
        row = SimpleNamespace(key="a", label="A", binning=binning, observation=seen)
        check = predictive.check(replicates, seen, SEED)
        predictive_checks._record_check(notes, row, check)
        passed += notes.passed
        names = ("whole_vector_pvalue", "worst_entry_pvalue", "replicates")
        numbers.append([notes.numbers[f"predictive.a.{name}"] for name in names])
    views = [s.view for s in notes.shown if isinstance(getattr(s, "view", 0), Violins)]
    return {
        "checks.passed": quantity(passed),
        "checks.numbers": quantity(numbers),
        "checks.panels": quantity([len(view.panels) for view in views]),
        "checks.again": quantity(_again()),
    }


def _again() -> list[int]:
    """Returns with which seed, and how many, simulations of draws are made again."""
    asked: list[int] = []

    def generate(source: Any, count: int, seed: int, *_: Any, **__: Any) -> None:
        asked.extend((count, seed))

    theta = np.zeros((12, 11))
    row = SimpleNamespace(key="a", label="A", binning=None)
    simulator = _Synthetic(stars=STARS)
    campaign = SimpleNamespace(simulator=simulator, seed=4, datasets=None)
    with (
        patch.object(predictive_checks.replay, "simulable", _first),
        patch.object(predictive_checks, "Replay"),
        patch.object(predictive_checks.simulation, "generate", generate),
        patch.object(predictive_checks.summaries, "compute"),
        patch.object(predictive_checks, "record_dataset_lineage"),
        patch.object(predictive_checks, "record_summary_lineage"),
    ):
        predictive_checks._simulated_again(_Notes(), row, theta, campaign)
    return asked


def _first(simulator: Simulator, theta: FloatArray) -> Simulable:
    return Simulable(theta[:5], outside=4, runaway=3)


def _sky() -> Record:
    """Returns what is shown of surveys on the sky."""
    simulator = _Synthetic(stars=STARS)
    theta = forecasts.model_at(surveys.MOCK, simulator)
    made = simulator.simulate(
        np.stack([theta] * 6), [generator(1, i) for i in range(6)]
    )
    halo = kinematics.simulated_stars(made, *QUADRANTS.distances)
    drawn = figure_data.surveyed(halo, QUADRANTS, SEED)
    few = figure_data.surveyed(halo, QUADRANTS.select(("v_gsr",)), SEED, 200)
    path = figure_data.lmc_path(simulator, theta)
    on_sky = figure_data.on_sky(few)
    masks = [figure_data.inside(patch) for patch in (DESI_NORTH, DESI_SOUTH)]
    edges = surveys.DISTANCE_EDGES
    return {
        "sky.rows": quantity([mask.sum(axis=1)[::4] for mask in masks]),
        "sky.columns": quantity([mask.sum(axis=0)[::4] for mask in masks]),
        "sky.counts": quantity(figure_data.radial_counts(drawn, DESI_NORTH, edges)),
        "sky.drawn": quantity(drawn.distance[::40]),
        "sky.stars": quantity([on_sky.longitude[::20], on_sky.v_gsr[::20]]),
        "sky.path": quantity(np.stack(path)),
        "sky.simulated": quantity(len(_simulated(theta))),
        "sky.first": quantity(_simulated(theta).distance[::50]),
    }


def _simulated(theta: FloatArray) -> kinematics.RestFrameStars:
    """Returns the stars of the figure's mock survey, of six times as many simulated ones."""

    class Larger(_Synthetic):
        def simulate(self, theta: FloatArray, streams: Sequence[Any]) -> Records:
            return super().simulate(np.repeat(theta, 6, axis=0), list(streams) * 6)

    campaign = SimpleNamespace(seed=SEED, simulator=Larger(stars=STARS))
    return surveys._simulated(SimpleNamespace(campaign=campaign), theta)
