"""What is said where no interval of a host's mass is known, and what would give one."""

from collections.abc import Iterator, Mapping
from math import floor, isnan, log10

from halomass.study.options import HostCampaign
from orrery.judging.regression import FEWEST_ALIKE, PredictionInterval
from orrery.results.recording import Number, Recording
from orrery.results.sections import Caution, Headline
from orrery.sentences import Sentence

_TO_SPARE = 1.25  # of how many hosts predicted alike scatter about what is expected


def record_unknown_intervals(
    recording: Recording,
    host: str,
    answers: Mapping[str, tuple[str, PredictionInterval]],
    campaign: HostCampaign,
) -> None:
    """Records which masses have no interval, why, and how many hosts would give one.

    At the head of the page, where no mass has one.

    Arguments:
        recording: Where it goes.
        host: The host's name.
        answers: By key, such as `10`, what an answer is called and the answer.
        campaign: The hosts that networks were trained on.
    """
    unknown = {key: one for key, one in answers.items() if isnan(one[1].median)}
    if not unknown:
        return
    said = []
    for key, (label, interval) in unknown.items():
        recording.metrics(_numbers(key, label, interval, campaign))
        said.append(_sentence(key, label, interval, campaign))
    title = f"Mass of {host}: no interval"
    text = "\n\n".join(one.text for one in said)
    shows = tuple(name for one in said for name in one.shows)
    if len(unknown) == len(answers):
        recording.add(Headline("no_interval", title, text, shows))
    recording.add(Caution("no_interval.why", title, text, shows))


def hosts_for_an_interval(hosts: int, alike: int) -> int:
    """Returns how many hosts give an interval, to two digits.

    Arguments:
        hosts: How many gave too few tests that were predicted alike.
        alike: How many of these tests there were.

    Example:
        >>> hosts_for_an_interval(512, 21), hosts_for_an_interval(512, 0)
        (3100, 64000)
    """
    wanted = _TO_SPARE * hosts * FEWEST_ALIKE / max(alike, 1)
    step = 10 ** (floor(log10(wanted)) - 1)
    return int(-(-wanted // step) * step)


def _numbers(
    key: str, label: str, interval: PredictionInterval, campaign: HostCampaign
) -> dict[str, Number]:
    found: dict[str, Number] = {"ensemble": label, "alike": interval.tests}
    if interval.tests < FEWEST_ALIKE:
        found["needed"] = FEWEST_ALIKE
        if not campaign.catalogue:
            found["hosts"] = hosts_for_an_interval(campaign.hosts, interval.tests)
    return {f"no_interval.{key}.{name}": number for name, number in found.items()}


def _sentence(
    key: str, label: str, interval: PredictionInterval, campaign: HostCampaign
) -> Sentence:
    prefix = f"no_interval.{key}"
    if isnan(interval.prediction):
        text = f"{label}: no mass, because no mock survey finds enough neighbours."
        return Sentence(text, (f"{prefix}.ensemble",))
    parts = [(f"{label}: no interval, because", "ensemble")]
    parts += _reason(interval, campaign)
    text = " ".join(words for words, _ in parts)
    mean = f"The predicted mean of log10 M_vir is {interval.prediction:.2f}."
    shows = (
        *(f"{prefix}.{name}" for _, name in parts if name),
        f"posterior.mass.{key}.predicted_mean",
    )
    return Sentence(f"{text} {mean}", shows)


def _reason(
    interval: PredictionInterval, campaign: HostCampaign
) -> Iterator[tuple[str, str]]:
    """Returns why there is no interval and what to do, in words with the number in each."""
    if interval.tests >= FEWEST_ALIKE:
        yield f"all {interval.tests} hosts that were predicted alike", "alike"
        yield "are on one side of it, at the edge of what was simulated.", ""
        return
    yield f"too few hosts were predicted alike ({interval.tests}", "alike"
    yield f"of the {FEWEST_ALIKE} that it takes):", "needed"
    if campaign.catalogue:
        yield "give more catalogues, or a larger box.", ""
        return
    enough = hosts_for_an_interval(campaign.hosts, interval.tests)
    yield f"simulate more, such as --hosts {enough}.", "hosts"
    if not interval.tests:
        yield "Or its mass is beyond those that were simulated.", ""
