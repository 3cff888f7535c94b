"""What is recorded of a dataset: how many simulations, what they took, and where they are."""

from orrery.results.lineage import record_dataset_lineage
from orrery.results.recording import Number, Recording
from orrery.results.sections import Text
from orrery.storage import card
from orrery.storage.dataset import Dataset, counters
from orrery.storage.manifest import total
from orrery.storage.work_log import combined, sessions


def record_dataset(
    recording: Recording,
    key: str,
    title: str,
    dataset: Dataset,
    more: str = "",
    shows: tuple[str, ...] = (),
) -> None:
    """Records which simulations a result rests on, and what they took.

    Arguments:
        recording: Where it goes.
        key: Of the section and of the numbers, such as `simulations`.
        title: Its heading.
        dataset: The simulations.
        more: Further sentences on them.
        shows: The keys of the numbers in these, such as `options.campaign.seed`.
    """
    record_dataset_lineage(recording, key, dataset)
    numbers = {f"{key}.{name}": value for name, value in _numbers(dataset).items()}
    recording.metrics(numbers)
    text = f"{card.summary(dataset)} {more}".strip()
    summarised = tuple(f"{key}.{name}" for name in _summarised(dataset))
    recording.add(Text(key, title, text, (*summarised, *shows)))


def _summarised(dataset: Dataset) -> list[str]:
    """Returns the names of the numbers that stand in the card's summary."""
    numbers = _numbers(dataset)
    # shards stand with the totals, and one process has no actors
    absent = set() if counters(dataset.metadata) else {"shards"}
    if not numbers.get("actors"):
        absent.add("actors")
    return [name for name in numbers if name not in absent]


def _numbers(dataset: Dataset) -> dict[str, Number]:
    """Returns the numbers in the order in which the card's summary tells them."""
    totals = {name: total(name, dataset.rows) for name in counters(dataset.metadata)}
    numbers: dict[str, Number] = {
        "count": len(dataset),
        "seed": dataset.metadata["seed"],
        "shards": len(dataset.rows),
        **totals,
    }
    work = sessions(dataset.folder)
    if work:
        both = combined(work)
        numbers |= {
            "seconds": both.seconds,
            "actors": both.actors,
            "rate": both.rate,
        }
    return numbers
