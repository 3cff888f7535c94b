"""Every number in README's sentences is one of the files', or of the code's options."""

import math
import re
import tomllib

import pytest

from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study.options import HaloMass
from halomass.study.robustness import COPIES
from halomass.systems import RADIUS
from mwlmc.model.constants import GYR
from mwlmc.model.trajectories import LOOKBACK
from mwlmc.simulator import Simulator
from mwlmc.study.comparison import WIDTHS
from orrery.identity import fingerprint
from orrery.judging.regression import INTERVAL_LEVEL

from .choices_for_desi import of_choices_for_desi
from .dispersions import of_dispersions
from .files import (
    MINUS,
    NUMBER,
    PROSE,
    ROOT,
    TEXT,
    ends,
    interval,
    measured,
    result,
)
from .milky_way_masses import of_errors_counted_twice, of_table_2
from .other_universes import of_other_universes
from .own_simulator import of_own_simulators, of_priors_with_edges
from .papers_campaign import of_the_papers_campaign
from .picture import of_the_picture
from .recoveries import of_recoveries
from .searches import of_architectures, of_binnings
from .sky import of_the_sky
from .table2_calibration import of_its_calibration
from .travel_velocities import of_travel_velocities


def claims():
    """Returns what README's sentences say, and the numbers that must stand there."""
    return {
        **of_table_2(),
        **of_errors_counted_twice(),
        **of_its_calibration(),
        **of_label_noise(),
        **of_the_papers_campaign(),
        **of_choices_for_desi(),
        **of_recoveries(),
        **of_travel_velocities(),
        **of_dispersions(),
        **of_live_orbits(),
        **of_halo_mass(),
        **of_its_errors(),
        **of_its_estimators(),
        **of_other_universes(),
        **of_architectures(),
        **of_binnings(),
        **of_speed(),
        **of_scaling(),
        **of_the_code(),
        **of_the_sky(),
        **of_the_picture(),
        **of_own_simulators(),
        **of_priors_with_edges(),
        **of_neighbours(),
    }


def of_neighbours():
    most, fewest = (f"{count}" for count in NEIGHBOUR_COUNTS)
    return {
        rf"At least {NUMBER} neighbours are needed within {NUMBER} kpc: with {NUMBER} or more": [
            fewest,
            f"{RADIUS:g}",
            most,
        ],
        rf"with {NUMBER} to {NUMBER} only those of {NUMBER} neighbours": [
            fewest,
            f"{int(most) - 1}",
            fewest,
        ],
        rf"a host with fewer than {NUMBER} is refused\. Neighbours beyond {NUMBER} kpc": [
            fewest,
            f"{RADIUS:g}",
        ],
    }


def of_label_noise():
    found = measured("label_noise")
    noise = found["noise"]["v_x"]
    rows = list(found["rows"].values())
    inner, outer = Simulator().reflex_shell
    *_, last = rows

    def ratios(share):
        each = [row["half_width"][share] / row["published"] for row in rows]
        return ends(each, "%.2f")

    beyond = measured("reflex_scatter")["beyond"]["v_x"]
    assert float(ratios("1")[1]) > 1 + WIDTHS > float(ratios("0.55")[1])
    return {
        rf"stars beyond {NUMBER} kpc, which the paper names, scatter by {NUMBER} km/s": [
            f"{inner:g}",
            f"{beyond:.2f}",
        ],
        rf"which of a simulation's {NUMBER} stars lie": [f"{Simulator().stars:,}"],
        rf"stars lie between {NUMBER} and {NUMBER} kpc moves it by {NUMBER} km/s, by itself "
        rf"{NUMBER} times the last": [
            *(f"{edge:g}" for edge in (inner, outer)),
            f"{noise:.2f}",
            f"{noise / last['published']:.2f}",
        ],
        rf"half widths would be {NUMBER} to {NUMBER} times the published ones, with {NUMBER} of "
        rf"it, as labels of {NUMBER} times as many stars have, {NUMBER} to {NUMBER} times": [
            *ratios("0"),
            "0.55",
            f"{0.55**-2:.1f}",
            *ratios("0.55"),
        ],
    }


def of_live_orbits():
    lines = result("live_orbits")
    masses = [line["lmc_mass"] / 1e11 for line in lines]
    best = lines["best_friction"]
    return {
        rf"velocity changes {NUMBER}, {NUMBER}, {NUMBER} and {NUMBER} times as much, for LMCs of "
        rf"{NUMBER}, {NUMBER}, {NUMBER} and {NUMBER}e11 Msun": [
            *(f"{line['ratio']:.2f}" for line in lines),
            *(f"{mass:.1f}" for mass in masses),
        ],
        rf"log10 λ_DF = {MINUS}{NUMBER} to {MINUS}{NUMBER} ": [
            *(f"{-end(best):.2f}" for end in (min, max)),
        ],
    }


def test_misses_are_those_of_table_2():
    lines = result("table2")
    # friction is not judged: its interval is that of its prior
    judged = lines[lines["quantity"] != "log10 lambda_DF"]
    assert sum(abs(judged["width_ratio"] - 1) > WIDTHS) == 4
    assert max(result("table2_calibration")["atc"]) < 0


def of_halo_mass():
    options = HaloMass()
    networks = f"{options.ensemble.networks.members}"
    counts = [f"{count}" for count in NEIGHBOUR_COUNTS]
    return {
        rf"trains ensembles of {NUMBER} networks on {NUMBER} hosts": [
            networks,
            f"{options.campaign.hosts:,}",
        ],
        rf"its {NUMBER} or {NUMBER} brightest satellites": counts,
        rf"\*predicted mean\* is that of the {NUMBER} networks": [networks],
        rf"with {NUMBER} % of them, is that of the test hosts whose predicted means are "
        rf"within {NUMBER} dex": [
            f"{100 * INTERVAL_LEVEL:g}",
            f"{options.ensemble.window:g}",
        ],
        rf"and from {NUMBER} mock observations of it": [f"{COPIES}"],
    }


def of_its_errors():
    errors = {line["ensemble"]: line for line in result("halo_mass_errors")}
    named = [
        errors[f"{count} neighbours{data}"]
        for data in ("", ", noiseless")
        for count in NEIGHBOUR_COUNTS
    ]
    ours = [f"{line['smallest_rmse']:.3f}" for line in named]
    theirs = [f"{line['published']:.3f}" for line in named]
    counts = [f"{count}" for count in NEIGHBOUR_COUNTS]
    variances = {line["left_out"]: line for line in result("halo_mass_variances")}
    without = [variances[name] for name in ("no v_t", "no r")]
    (published,) = {f"{line['published']:g}" for line in without}
    return {
        rf"is {NUMBER} dex with {NUMBER} neighbours and {NUMBER} with {NUMBER}": [
            *(ours[0], counts[0], ours[1], counts[1])
        ],
        rf"\(published {NUMBER} and {NUMBER}\), {NUMBER} and {NUMBER} on noiseless": [
            *(*theirs[:2], *ours[2:])
        ],
        rf"noiseless data \(published {NUMBER} and {NUMBER}\)": theirs[2:],
        rf"variance of the errors is {NUMBER} times as large, without distances {NUMBER} "
        rf"times \(published about {NUMBER} for both\)": [
            *(f"{line['variance_ratio']:.2f}" for line in without),
            published,
        ],
    }


def of_its_estimators():
    counts = [f"{count}" for count in NEIGHBOUR_COUNTS]
    moves = result("halo_mass_leaving_out_one")
    farthest = max(abs(moves[f"{count} neighbours"]).max() for count in counts)
    by_name = {line["estimator"]: line for line in result("halo_mass_estimators")}
    flow, of_set, ensemble = (
        by_name[name] for name in ("flow", "flow of a set", "ensemble")
    )
    return {
        rf"left out moves the mass by more than {NUMBER} dex": [
            f"{math.ceil(100 * farthest) / 100:.2f}"
        ],
        rf"that see the same {NUMBER} neighbours gives (\S+ \S+), one that .*? order, "
        r"(\S+ \S+);": [counts[0], interval(flow, "%.2f"), interval(of_set, "%.2f")],
        rf"log-densities are {NUMBER} and {NUMBER} nat, the ensemble's {NUMBER}\.": [
            f"{line['log_probability']:.2f}" for line in (flow, of_set, ensemble)
        ],
    }


def of_speed():
    survey = measured("simulate")
    orbit = measured("simulate_orbit")
    cold = survey["first_simulation_seconds"]
    return {
        rf"finer steps, {NUMBER} simulations of the prior give": [
            f"{measured('accuracy')['simulations']}"
        ],
        rf"simulates {NUMBER} stars in each of {NUMBER} simulations: on two": [
            f"{Simulator().stars:,}",
            f"{survey['simulations']:,}",
        ],
        rf"counts {NUMBER} simulations a second once it runs and {NUMBER} with": [
            f"{survey['steady_per_second']:.1f}",
            f"{survey['simulations_per_second']:.1f}",
        ],
        rf"summaries, {NUMBER} kB each": [
            f"{survey['bytes_per_simulation'] / 1e3:.0f}"
        ],
        rf"gives {NUMBER} and {NUMBER}\.": [
            f"{orbit['steady_per_second']:.1f}",
            f"{orbit['simulations_per_second']:.1f}",
        ],
        rf"on a new machine takes {NUMBER} s, most of it compilation, and {NUMBER} s": [
            f"{cold['cold']:.0f}",
            f"{cold['warm']:.0f}",
        ],
    }


def of_scaling():
    found = measured("scheduler")
    survey = measured("simulate")
    spent = found["cluster"]
    most = f"{found['cpus']}"
    each = survey["steady_per_second"] / found["machine_cpus"]
    rates = [each * count for count in (8, 64, found["cpus"])]
    two_digits = [float(f"{rate / found['shard_size']:.2g}") for rate in rates]
    shards = [f"{number:g}" for number in two_digits]
    written = [f"{rate * survey['bytes_per_simulation'] / 1e6:.0f}" for rate in rates]
    return {
        rf"make {NUMBER} simulations a second on {NUMBER}, {NUMBER} on {NUMBER} and {NUMBER} on "
        rf"{NUMBER}: {NUMBER}, {NUMBER} and {NUMBER} shards of {NUMBER}\.": [
            *(f"{rates[0]:.0f}", "8", f"{rates[1]:.0f}", "64", f"{rates[2]:,.0f}"),
            *(most, *shards, f"{found['shard_size']}"),
        ],
        rf"in flight as {NUMBER} CPUs have, .*? for {NUMBER} ms .*? disk for {NUMBER} ms": [
            *(most, f"{spent['cpu_ms_per_shard']}", f"{spent['waited_ms_per_shard']}"),
        ],
        rf"at most {NUMBER} shards a second": [f"{spent['most_shards_per_second']}"],
        rf"{NUMBER} simulations that do nothing": [f"{found['simulations']:,}"],
        rf"must take {NUMBER}, {NUMBER} and {NUMBER} MB a second": written,
    }


def of_the_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # springs: a normal prior of 10 +- 2 and a pull of 8 +- 1 over 1 m
    precision = 1 / 2**2 + 1 / 1**2
    springs = (10 / 2**2 + 8 / 1**2) / precision
    (count,) = re.findall(r"orrery\.generate\(Spring\(\), (\d+)", TEXT)
    return {
        rf"are {NUMBER} digits that stand for": [f"{len(fingerprint({}))}"],
        rf"Python {NUMBER} or newer": [project["requires-python"].removeprefix(">=")],
        rf"both centres are rewound {NUMBER} Gyr": [f"{LOOKBACK / GYR:g}"],
        rf"stretches springs by {NUMBER} m": ["1"],
        rf"pulls with {NUMBER} ± {NUMBER} N\?": ["8", "1"],
        rf"formula says {NUMBER} ± {NUMBER} N / m": [
            f"{springs:.1f}",
            f"{precision**-0.5:.1f}",
        ],
        rf"flow that has seen {NUMBER} springs": [f"{int(count):,}"],
    }


# What a reader takes for a name and not for a number.
NAMES = (
    r"et al\. \(20\d\d[a-z]?\)|\bCox \(1958\)|\bTable [12]\b|CC BY 4\.0|BSD-3-Clause|16-84 %"
    r"|<50 kpc|\bwithin 50 kpc\b"
)


@pytest.mark.parametrize("pattern", claims())
def test_a_sentence_says_what_the_files_do(pattern):
    found = [match.groups() for match in re.finditer(pattern, PROSE)]
    assert found, f"no page has such a sentence: {pattern}"
    # README may say once more what a page says
    assert {*found} == {tuple(claims()[pattern])}


def test_no_number_in_a_sentence_is_without_a_claim():
    sentences = re.sub(r"^```.*?^```", " ", TEXT, flags=re.DOTALL | re.MULTILINE)
    sentences = re.sub(
        r"^\|.*$|!\[[^\]]*\]\([^)]*\)", " ", sentences, flags=re.MULTILINE
    )
    sentences = " ".join(sentences.split())
    for pattern in claims():
        matches = [*re.finditer(pattern, sentences)]
        assert matches, pattern
        spans = [m.span(i) for m in matches for i in range(1, len(m.groups()) + 1)]
        for start, end in sorted(spans, reverse=True):
            sentences = f"{sentences[:start]}{'#' * (end - start)}{sentences[end:]}"
    sentences = re.sub(rf"`[^`]*`|{NAMES}", " ", sentences)
    assert re.findall(r"[^.]{0,40}(?<![\w.])\d[\d.,]*[^.]{0,20}", sentences) == []
