"""Figures: arrays go in, a matplotlib figure comes out, and nothing else happens.

Nothing here samples, computes a diagnostic or writes a file, and no figure touches pyplot's global
state, so that figures can be drawn in any process and in any order. Colours are those of Okabe and
Ito, which people with any kind of colour vision can tell apart; line styles and markers repeat what
colours say.
"""

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import corner as corner_plot
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy import stats

from orrery.diagnostics import Coverage, Ranks
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation

if TYPE_CHECKING:  # drawing a curve needs no Ray and no Lightning
    from orrery.training import Curve

T = TypeVar("T")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
GREY = "#7f7f7f"
INK = "#222222"
MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ("-", "--", "-.", ":") * 2
INKS = tuple(zip((GREY, *COLOURS), DASHES, strict=False))

# Fractions of a distribution within one and two standard deviations: on a line, in a plane.
ONE_SIGMA, TWO_SIGMA = (0.16, 0.84), (0.025, 0.975)
CONTOURS = (1 - np.exp(-0.5), 1 - np.exp(-2.0))

STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "axes.edgecolor": "#444444",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "figure.facecolor": "white",
    # Text stays text, so that a figure in a paper can be searched and edited.
    "pdf.fonttype": 42,
    "svg.hashsalt": "orrery",
}


@dataclass(frozen=True)
class Panel:
    """One panel of a profile: some entries of the summaries against their bins.

    Arguments:
        title: What is above the panel, such as a patch of the sky.
        label: The quantity with its unit.
        bins: The lower and upper edge of each of the B bins.
        entries: The names of the summary entries in these bins, with shape `[B]`.
    """

    title: str
    label: str
    bins: tuple[tuple[float, float], ...]
    entries: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.bins) != len(self.entries):
            raise ValueError(
                f"panel {self.title!r} has {len(self.bins)} bins for {len(self.entries)} entries: "
                "give one name for each bin"
            )


def encode(figure: Figure, kind: Literal["png", "pdf", "svg"], dpi: int = 160) -> bytes:
    """Returns the figure as the bytes of a file, the same bytes for the same figure."""
    undated = {"png": None, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
    with io.BytesIO() as file, rc_context(STYLE):
        figure.savefig(file, format=kind, dpi=dpi, metadata=undated, bbox_inches="tight")
        return file.getvalue()


@rc_context(STYLE)
def corner(
    draws: Mapping[str, FloatArray],
    parameters: Sequence[Parameter],
    prior: FloatArray | None = None,
    points: Mapping[str, FloatArray] | None = None,
) -> Figure:
    """Returns one- and two-dimensional marginals of posteriors, with the prior in grey.

    Contours hold 39 and 86 % of the draws (1 and 2 sigma of a Gaussian in two dimensions); bands
    on the diagonal hold 16-84 %; the numbers above it are medians and that band.

    Arguments:
        draws: For each posterior's label its draws, with shape `[n, P]`.
        parameters: The P parameters.
        prior: Draws from the prior, with shape `[n, P]`.
        points: For each label published or true values, with shape `[P]`; NaN where unknown.

    Raises:
        ValueError: If there are no draws, or a set has not P finite columns.
    """
    _check_columns({**draws, **({} if prior is None else {"prior": prior})}, parameters)
    spans = _spans([*draws.values()], prior)
    figure = Figure(figsize=(1.75 * len(parameters) + 1.0,) * 2)
    figure.subplots(len(parameters), len(parameters), squeeze=False)
    if prior is not None:
        _overlay(figure, prior, spans, GREY, filled=False)
    for _, values, colour in _coloured(draws):
        _overlay(figure, values, spans, colour, filled=True)
    _name_axes(figure, parameters)
    _annotate_diagonal(figure, draws)
    _mark_points(figure, spans, points or {})
    _corner_legend(figure, draws, prior is not None, points or {})
    return figure


def _check_columns(sets: Mapping[str, FloatArray], parameters: Sequence[Parameter]) -> None:
    if not sets.keys() - {"prior"}:
        raise ValueError("a corner figure needs at least one set of draws")
    for label, values in sets.items():
        if values.ndim != 2 or values.shape[1] != len(parameters) or not np.isfinite(values).all():
            raise ValueError(
                f"{label!r} has shape {values.shape}: draws must be finite, with one column for "
                f"each of the {len(parameters)} parameters"
            )


def _coloured(items: Mapping[str, T]) -> list[tuple[str, T, str]]:
    """Returns each label, its item and a colour; colours repeat after the sixth."""
    return [(*item, c) for item, c in zip(items.items(), itertools.cycle(COLOURS), strict=False)]


def _spans(sets: Sequence[FloatArray], prior: FloatArray | None) -> list[tuple[float, float]]:
    """Returns a range for each parameter: nearly all draws, most of the prior, and a margin."""
    ends = [np.quantile(values, (0.002, 0.998), axis=0) for values in sets]
    if prior is not None:
        ends.append(np.quantile(prior, TWO_SIGMA, axis=0))
    low, high = np.min(ends, axis=(0, 1)), np.max(ends, axis=(0, 1))
    # A parameter that never changes still needs an axis.
    margin = np.where(high > low, 0.06 * (high - low), 0.5)
    return [(float(a), float(b)) for a, b in zip(low - margin, high + margin, strict=True)]


def _overlay(
    figure: Figure,
    values: FloatArray,
    spans: list[tuple[float, float]],
    colour: str,
    filled: bool,
) -> None:
    width, dashes = (1.2, "-") if filled else (0.9, "--")
    corner_plot.corner(
        values,
        fig=figure,
        range=spans,
        bins=32,
        smooth=1.2,
        smooth1d=0.8,
        color=colour,
        levels=CONTOURS,
        weights=np.full(len(values), 1.0 / len(values)),
        plot_datapoints=False,
        plot_density=False,
        no_fill_contours=True,  # an opaque base would hide what was drawn before
        fill_contours=filled,
        max_n_ticks=4,
        hist_kwargs={"linewidth": width, "linestyle": dashes},
        contour_kwargs={"linewidths": width, "linestyles": dashes},
    )


def _name_axes(figure: Figure, parameters: Sequence[Parameter]) -> None:
    grid = _grid(figure)
    for i, parameter in enumerate(parameters):
        label = with_unit(parameter.label, parameter.unit, between="\n")
        grid[-1, i].set_xlabel(label)
        grid[-1, i].xaxis.set_label_coords(0.5, -0.32)
        if i > 0:
            grid[i, 0].set_ylabel(label)
            grid[i, 0].yaxis.set_label_coords(-0.32, 0.5)


def with_unit(label: str, unit: str, between: str = " ") -> str:
    """Returns a label with its unit in brackets, as readers of a figure expect it.

    Arguments:
        label: The quantity, in mathtext.
        unit: The unit in astropy's generic format; a logarithm `dex(u)` reads as `u`.
        between: What separates the two.
    """
    plain = unit[4:-1] if unit.startswith("dex(") else unit
    plain = plain.replace("solMass", r"$M_\odot$").replace(" / ", "/")
    return f"{label}{between}[{plain}]" if plain else label


def _annotate_diagonal(figure: Figure, draws: Mapping[str, FloatArray]) -> None:
    """Writes each median with its 16-84 % band above the diagonal, and shades that band."""
    for row, (_, values, colour) in enumerate(reversed(_coloured(draws))):
        low, median, high = np.quantile(values, (ONE_SIGMA[0], 0.5, ONE_SIGMA[1]), axis=0)
        for i, axes in enumerate(_grid(figure).diagonal()):
            axes.axvspan(low[i], high[i], color=colour, alpha=0.12, linewidth=0)
            place, text = (0.5, 1.05 + 0.17 * row), interval(low[i], median[i], high[i])
            axes.text(*place, text, color=colour, ha="center", transform=axes.transAxes)


def interval(low: float, median: float, high: float) -> str:
    """Returns a median with its upper and lower errors in mathtext, to two digits of the errors."""
    error = max(high - median, median - low)
    digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 6)) if error > 0 else 2
    errors = f"^{{+{high - median:.{digits}f}}}_{{-{median - low:.{digits}f}}}"
    return f"${round(median, digits) + 0.0:.{digits}f}{errors}$"  # + 0.0: no minus before a zero


def _mark_points(
    figure: Figure, spans: list[tuple[float, float]], points: Mapping[str, FloatArray]
) -> None:
    grid = _grid(figure)
    for marker, dashes, point in zip(MARKERS, DASHES, points.values(), strict=False):
        for i, j in zip(*np.tril_indices(len(grid)), strict=True):
            if i == j:
                grid[i, i].axvline(point[i], color=INK, linestyle=dashes, linewidth=1.0)
            else:
                grid[i, j].plot(point[j], point[i], marker, color=INK, markersize=5, zorder=5)
                grid[i, j].set_ylim(spans[i])
            grid[i, j].set_xlim(spans[j])


def _corner_legend(
    figure: Figure, draws: Mapping[str, FloatArray], prior: bool, points: Mapping[str, FloatArray]
) -> None:
    lines = [Line2D([], [], color=c, linewidth=3, label=label) for label, _, c in _coloured(draws)]
    if prior:
        lines.append(Line2D([], [], color=GREY, linestyle="--", label="prior"))
    for marker, label in zip(MARKERS, points, strict=False):
        lines.append(Line2D([], [], color=INK, marker=marker, linestyle="none", label=label))
    figure.legend(handles=lines, loc="upper right", bbox_to_anchor=(0.98, 0.98), fontsize=12)


def _grid(figure: Figure) -> NDArray[Any]:
    """Returns the axes of a corner figure, with shape `[P, P]`."""
    side = round(len(figure.axes) ** 0.5)
    return np.array(figure.axes, dtype=object).reshape(side, side)


@rc_context(STYLE)
def profiles(
    panels: Sequence[Panel],
    observation: Observation,
    simulated: Mapping[str, FloatArray],
    abscissa: str = "distance [kpc]",
) -> Figure:
    """Returns observed summaries with errors against their bins, over bands of simulations.

    Dark bands hold 16-84 % of the simulations in each bin, light bands 2.5-97.5 %; lines are
    medians. The first set is the backdrop, in grey.

    Arguments:
        panels: What stands in each panel.
        observation: The measured values `[S]` with their covariance `[S, S]`.
        simulated: For each label simulated summaries, with shape `[n, S]`; bins without stars are
            NaN and left out.
        abscissa: The label of the bins, with their unit.

    Raises:
        ValueError: If simulations do not have the observation's number of entries.
    """
    _check_entries(panels, observation, simulated)
    figure, grid = _panels(len(panels))
    for panel, axes in zip(panels, grid, strict=True):
        columns = [observation.names.index(name) for name in panel.entries]
        for (label, x), ink in zip(simulated.items(), INKS, strict=False):
            _bands(axes, panel, x[:, columns], label, ink)
        _points(axes, panel, observation, columns)
        axes.set(title=panel.title, xlabel=abscissa, ylabel=panel.label)
    _legend_below(figure, grid[0])
    return figure


def _check_entries(
    panels: Sequence[Panel], observation: Observation, simulated: Mapping[str, FloatArray]
) -> None:
    unknown = {name for panel in panels for name in panel.entries} - {*observation.names}
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no entries of observation {observation.name!r}")
    for label, x in simulated.items():
        if x.ndim != 2 or x.shape[1] != len(observation.names):
            raise ValueError(
                f"{label!r} has shape {x.shape}, but the observation {observation.name!r} has "
                f"{len(observation.names)} entries: use the summaries of the same binning"
            )


def _panels(count: int, width: float = 3.7, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    """Returns a figure with this many panels, three at most beside each other."""
    if count < 1:
        raise ValueError("a figure needs at least one panel")
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.remove()
    return figure, list(grid[:count])


def _bands(axes: Axes, panel: Panel, x: FloatArray, label: str, ink: tuple[str, str]) -> None:
    colour, dashes = ink
    filled = np.flatnonzero(np.isfinite(x).any(axis=0))
    if not filled.size:
        return
    low, high = np.asarray(panel.bins)[filled].T
    levels = np.nanquantile(x[:, filled], (*TWO_SIGMA, *ONE_SIGMA, 0.5), axis=0)
    for below, above, alpha in ((0, 1, 0.16), (2, 3, 0.30)):
        height = levels[above] - levels[below]
        axes.bar(low, height, high - low, levels[below], align="edge", color=colour, alpha=alpha)
    axes.hlines(levels[4], low, high, color=colour, linestyle=dashes, label=label)


def _points(axes: Axes, panel: Panel, observation: Observation, columns: list[int]) -> None:
    errors = np.sqrt(observation.covariance.diagonal())
    axes.errorbar(
        np.mean(panel.bins, axis=1),
        observation.value[columns],
        errors[columns],
        label=observation.name,
        fmt="o",
        color=INK,
        markersize=4.5,
        capsize=2.5,
        zorder=5,
    )


def _legend_below(figure: Figure, axes: Axes, columns: int = 6) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


@rc_context(STYLE)
def coverage(curves: Mapping[str, Coverage]) -> Figure:
    """Returns how often the truth lies within credible regions against what they promise.

    The bands hold 68 and 95 % of the curves that a calibrated posterior would give at each level,
    from the binomial distribution of the number of tests.

    Arguments:
        curves: For each posterior's label its coverage.
    """
    figure = Figure(figsize=(4.8, 5.4), layout="constrained")
    axes = figure.subplots()
    tests = min(len(curve.fractions) for curve in curves.values())
    level = np.linspace(0.0, 1.0, 101)
    for probability, alpha in ((TWO_SIGMA, 0.15), (ONE_SIGMA, 0.3)):
        low, high = (stats.binom.ppf(p, tests, level) / tests for p in probability)
        axes.fill_between(level, low, high, color=GREY, alpha=alpha, linewidth=0)
    axes.plot((0, 1), (0, 1), color=INK, linewidth=0.8, label=f"calibrated, {tests} tests")
    for (label, curve, colour), dashes in zip(_coloured(curves), DASHES, strict=False):
        text = f"{label}: ATC {curve.atc:+.3f}, KS $p$ = {curve.ks_pvalue:.2g}"
        axes.plot(curve.levels, curve.coverage, color=colour, linestyle=dashes, label=text)
    axes.set(xlabel="credibility level", ylabel="expected coverage", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    _legend_below(figure, axes, columns=1)
    return figure


@rc_context(STYLE)
def ranks(results: Mapping[str, Ranks], parameters: Sequence[Parameter]) -> Figure:
    """Returns how far the truths' ranks among the draws are from uniform, for each parameter.

    A curve that leaves the grey band anywhere is a miss at 5 %. A hump says that the posterior lies
    too high, a dip too low; a dip and then a hump that it is too wide, the reverse too narrow.

    Arguments:
        results: For each posterior's label its ranks.
        parameters: The P parameters.
    """
    figure, grid = _panels(len(parameters))
    band = next(iter(results.values()))
    for i, (axes, parameter) in enumerate(zip(grid, parameters, strict=True)):
        axes.fill_between(band.levels, band.lower, band.upper, color=GREY, alpha=0.3, linewidth=0)
        axes.axhline(0.0, color=INK, linewidth=0.8)
        for (label, result, colour), dashes in zip(_coloured(results), DASHES, strict=False):
            step = axes.step(result.levels, result.difference[:, i], where="post", label=label)
            step[0].set(color=colour, linestyle=dashes)
        pvalues = ", ".join(f"{result.ks_pvalue[i]:.2g}" for result in results.values())
        axes.set(xlabel="rank of the truth", ylabel="ECDF less uniform", xlim=(0, 1))
        axes.set_title(f"{parameter.label}\nKS $p$ = {pvalues}")
    _legend_below(figure, grid[0])
    return figure


@rc_context(STYLE)
def training_curve(curves: "Mapping[str, Curve]") -> Figure:
    """Returns the losses of the training and of the validation pairs against the epoch.

    Arguments:
        curves: For each estimator's label its losses; a dot marks the epoch whose weights are kept.
    """
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    for label, curve, colour in _coloured(curves):
        axes.plot(curve.train, color=colour, linestyle=":", label=f"{label}, training")
        axes.plot(curve.validation, color=colour, label=f"{label}, validation")
        axes.plot(curve.best, curve.validation[curve.best], "o", color=colour, markersize=5)
    axes.set(xlabel="epoch", ylabel=r"$-\log q(\theta\,|\,x)$, mean over pairs")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure


@rc_context(STYLE)
def relation(
    x: FloatArray,
    y: FloatArray,
    labels: tuple[str, str],
    points: Mapping[str, tuple[float, float]] | None = None,
    bins: int = 10,
) -> Figure:
    """Returns how one quantity depends on another: draws, and the median of equally full bins.

    Arguments:
        x: The abscissa, with shape `[n]`.
        y: The ordinate, with shape `[n]`.
        labels: Their labels, with units.
        points: For each label a published pair of values.
        bins: How many bins the medians have; the band holds 16-84 % in each.
    """
    figure = Figure(figsize=(5.4, 4.4), layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(2e4 / len(x), 1.0, 16.0))
    axes.scatter(x, y, s=size, color=GREY, alpha=0.3, linewidth=0, rasterized=True)
    middle, low, median, high = _running(x, y, bins)
    axes.fill_between(middle, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.plot(middle, median, color=COLOURS[0], label="median and 16-84 %")
    for (label, place), colour, marker in zip(
        (points or {}).items(), COLOURS[1:], MARKERS[1:], strict=False
    ):
        axes.plot(*place, marker, color=colour, markersize=8, markeredgecolor=INK, label=label)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.legend()
    return figure


def _running(x: FloatArray, y: FloatArray, bins: int) -> FloatArray:
    """Returns median abscissa, and 16, 50 and 84 % of the ordinate, in equally full bins."""
    parts = [part for part in np.array_split(np.argsort(x, kind="stable"), bins) if len(part)]
    levels = (ONE_SIGMA[0], 0.5, ONE_SIGMA[1])
    return np.array([[np.median(x[i]), *np.quantile(y[i], levels)] for i in parts]).T
