"""The six posteriors of Table 2 of Brooks et al. (2025b), beside the published ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from astropy.table import Table

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.options import Measurement
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study import comparison, forecast, published_views, quantities
from mwlmc.study.campaign import simulate_campaign
from mwlmc.study.data_rows import DataRow, Posteriors, data_rows, record_others_stars
from mwlmc.study.literature import HALO_MASS, TABLE2, Published
from mwlmc.study.options import Table2
from mwlmc.study.quantities import QUANTITIES, interval_ends, row_key
from mwlmc.study.study import (
    MASSES,
    REFLEX,
    SURVEYS,
    infer_row,
    infer_rows,
    record_mass_ratio,
)
from mwlmc.study.survey_draws import survey_pairs
from mwlmc.study.versions import SUMMARIES, VERSIONS
from mwlmc.study.wording import table_words
from orrery.execution import cluster
from orrery.judging import calibration
from orrery.parameters import FloatArray
from orrery.results.recording import Recording, record
from orrery.results.result import Result
from orrery.results.sections import FigureSection
from orrery.results.views import Corner, CoverageCurves, Intervals, thinned
from orrery.storage.dataset import Dataset

ERRORS_TWICE = "table2.errors_twice"


def table2(options: Table2) -> Result:
    """Returns the six posteriors of Table 2 of Brooks et al. (2025b), and their figures.

    Raises:
        ValueError: If the stars are not what the options say.
        OSError: If a file cannot be read or written.
    """
    campaign = options.campaign
    stars = load_binned(
        options.stars,
        DESI_FOOTPRINT,
        options.selection,
        most_missing=options.most_missing,
    )
    data = forecast.rows(stars, options.measurement, campaign.seed, campaign.simulator)
    with (
        cluster.connect(),
        record("table2", options, campaign.reports, VERSIONS, SUMMARIES) as recording,
    ):
        recording.words(table_words())
        record_others_stars(recording, {"DESI": [stars]})
        halos = simulate_campaign(recording, campaign)
        rows = data_rows(data, stars=stars)
        found = infer_rows(
            recording, rows, halos, options.measurement, options.inference, campaign
        )
        recording.tables(comparison.compare_with_table2(found.draws, found.prior))
        record_mass_ratio(recording, found, rows, campaign)
        if options.errors_twice:
            _record_errors_twice(recording, rows, found, halos, options)
        _record_calibrations(recording, found)
        _record_joint(recording, found)
        _record_travel_velocity(recording, found)
        _record_full(recording, found, options.measurement)
    return recording.result


def _record_errors_twice(
    recording: Recording,
    rows: Sequence[DataRow],
    once: Posteriors,
    halos: Dataset,
    options: Table2,
) -> None:
    """Records DESI's posteriors with errors that are added as the paper adds them.

    Means of simulated stars that fill a patch have sampling errors of their own. Ours get
    what the survey's errors are larger; the paper's get the survey's whole.
    """
    measurement = options.measurement
    twice = {}
    for row in rows:
        # stars that are drawn as the survey has them have no errors beside its own
        if quantities.is_forecast(row.published) or row.binning.sample is not None:
            continue
        pairs = survey_pairs(
            halos, row.binning, measurement.parameters, measurement.survey_draws
        )
        other = replace(
            row, label=f"{row.label}, errors twice", key=f"{row.key}.errors_twice"
        )
        inferred = infer_row(
            recording,
            other,
            pairs,
            measurement.parameters,
            options.inference,
            options.campaign.seed,
        )
        twice[row.label] = inferred.draws
    if twice:
        published = {row.label: row.published for row in rows if row.label in twice}
        table = errors_twice_table(once.draws, twice, published)
        recording.tables({"Errors counted once, and twice as in the paper": table})


def errors_twice_table(
    once: Mapping[str, FloatArray],
    twice: Mapping[str, FloatArray],
    published: Mapping[str, str],
) -> Table:
    """Returns posteriors with errors counted once and twice, beside the published ones.

    Arguments:
        once: Draws `[n, P]` by the data's label.
        twice: The same with errors counted twice.
        published: The rows of `TABLE2`, by label.
    """
    rows = [
        (
            label,
            name,
            QUANTITIES[name].unit,
            value.median,
            *_interval(quantities.quantities(once[label])[name], value),
            *_interval(quantities.quantities(draws)[name], value),
        )
        for label, draws in twice.items()
        for name, value in TABLE2[published[label]].items()
    ]
    columns = ["median", "lower", "upper", "shift"]
    names = ["data", "quantity", "unit", "published"]
    names += [f"{column}_{times}" for times in ("once", "twice") for column in columns]
    table = Table(rows=rows, names=names)
    for name in names[3:]:
        table[name].info.format = "%+.2f" if name.startswith("shift") else "%.2f"
    table.meta["key"] = ERRORS_TWICE
    halo = table[table["quantity"] == HALO_MASS]
    table.meta["metrics"] = {
        f"{ERRORS_TWICE}.{row_key(published[row['data']])}.halo_mass.{shift}": row[
            shift
        ]
        for row in halo
        for shift in ("shift_once", "shift_twice")
    }
    table.meta["caption"] = _in_words(halo)
    table.meta["shows"] = [*table.meta["metrics"]]
    return table


def _interval(values: FloatArray, published: Published) -> tuple[float, ...]:
    """Returns median, lower and upper end, and how far the median is from the published one."""
    lower, median, upper = interval_ends(values)
    return median, lower, upper, float(published.shift(median))


def _in_words(halo: Table) -> str:
    """Returns the caption, which says what becomes of the halo's mass."""
    said = "; ".join(
        f"{row['data']}: {row['shift_once']:+.2f} and {row['shift_twice']:+.2f}"
        for row in halo
    )
    return (
        "Medians and 16-84 % where means of simulated stars, whose sampling errors are their own, "
        "get what the survey's errors are larger by (once, as in all else here), and where they "
        "get the survey's whole (twice, as in Brooks et al. 2025b); shifts of medians from the "
        f"published ones in published sigma. Of {HALO_MASS}, once and twice: {said}."
    )


def _record_calibrations(recording: Recording, found: Posteriors) -> None:
    judged = {row: one.calibration for row, one in found.inferred.items()}
    recording.tables({"Calibration of all": calibration.calibration_table(judged)})
    curves = {quantities.row_key(row): one.coverage for row, one in judged.items()}
    legend = {quantities.row_key(row): row for row in judged}
    recording.add(
        FigureSection(
            "coverage",
            "Coverage of all",
            CoverageCurves(curves, legend),
            "Expected coverage of each posterior.",
        )
    )


def _record_joint(recording: Recording, found: Posteriors) -> None:
    """Records the joint posteriors of the surveys, with others' values."""
    # with v_tb alone, as in the paper's figures: both would hide each other
    draws = {
        quantities.survey_key(survey): found.draws[f"{survey}, with v_tb"]
        for survey in SURVEYS
    }
    ours = {quantities.survey_key(one): quantities.labelled(one) for one in SURVEYS}
    for key, title, wanted in (
        ("masses", "Masses", MASSES),
        ("reflex", "Reflex motion", REFLEX),
    ):
        joint = {
            survey: quantities.selected_quantities(some, wanted)
            for survey, some in draws.items()
        }
        view = Corner(
            joint,
            quantities.quantity_axes(wanted),
            thinned(quantities.selected_quantities(found.prior, wanted)),
            published_views.published_points(wanted),
            legend={**ours, **published_views.published_legend()},
        )
        caption = "Posteriors with v_tb, the prior in grey, and others' values."
        recording.add(FigureSection(key, title, view, caption))


def _record_travel_velocity(recording: Recording, found: Posteriors) -> None:
    view = Intervals(
        published_views.constraints(found.draws, "v_travel"),
        "travel velocity [km/s]",
        published_views.bands("v_travel"),
        quantities.prior_interval(found.prior, "v_travel"),
    )
    caption = "Ours, published, the prior (dashed), and others'."
    recording.add(FigureSection("travel_velocity", "Travel velocity", view, caption))


def _record_full(
    recording: Recording, found: Posteriors, measurement: Measurement
) -> None:
    for survey in SURVEYS:
        both = {
            key: found.draws[f"{survey}, {label}"]
            for label, key in quantities.VELOCITY_KEYS.items()
        }
        legend = {key: label for label, key in quantities.VELOCITY_KEYS.items()}
        prior = thinned(found.prior)
        view = Corner(both, measurement.parameters, prior, legend=legend)
        recording.add(
            FigureSection(
                f"full.{quantities.survey_key(survey)}",
                f"Full posterior, {survey}",
                view,
                "All parameters, with and without v_tb.",
            )
        )
