"""A hundred networks trained as one against one after another. The aim: 30 times faster.

    python tests/benchmarks/ensemble.py
    python tests/benchmarks/ensemble.py --device cuda --members 1000

Both train the same architecture on the same standardised examples, in batches of the
same size and for the same number of epochs, with Adam and without looking at validation
examples: 15,000 examples with 78 features, as the hosts have that are weighed by 25
neighbours. One after another is the loop that anybody would write in torch: a
`Sequential` network, autograd, torch's fastest ("fused") Adam, examples that are chosen
by their indices on the device, and no framework around it. Fewer members train in it,
and their time is scaled to all of them; the JSON says how many. The same batched code
with one member at a time is timed too.

It needs torch and numpy alone, so that it also runs where there is no Ray. The last
line is one JSON object with times in seconds: `ratio` (and `ratio_cpu`) of the loop's
time over the batch's, `ratio_same_code` of the batched code with one member over it,
and for each of the three `seconds` and `cpu_seconds` of one epoch of all members,
`trained` members and the mean squared `error` after training, which is about the same
for all three. The three take turns, and the fastest turn of each counts: other work on
the machine disturbs it least.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from orrery.learning.members import Cohort
from orrery.learning.networks import initialise_members
from orrery.learning.options import Learning, Networks

SEED = 1
Examples = tuple[Tensor, Tensor]
Way = Callable[[list[int], Examples, int], list[float]]


def options() -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=100, help="in one batch")
    parser.add_argument(
        "--alone", type=int, default=5, help="one after another, 5 or more"
    )
    parser.add_argument("--epochs", type=int, default=4, help="of each")
    parser.add_argument(
        "--repeats", type=int, default=3, help="of which the fastest counts"
    )
    parser.add_argument("--examples", type=int, default=15_000)
    parser.add_argument("--features", type=int, default=78)
    parser.add_argument(
        "--threads", type=int, default=1, help="of torch; more are slower"
    )
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu"
    )
    chosen = parser.parse_args()
    if min(chosen.alone, chosen.members) < 5:
        parser.error("five members or more, so that their times are comparable")
    return chosen


def draw(chosen: argparse.Namespace) -> Examples:
    """Returns inputs `[N, S]` and outputs `[N, 1]`, standardised."""
    random = torch.Generator().manual_seed(SEED)
    x = torch.randn(chosen.examples, chosen.features, generator=random)
    slopes = torch.linspace(1.0, 0.1, chosen.features)
    y = (
        x @ slopes
        + (x[:, :5] ** 2).sum(dim=1)
        + torch.randn(chosen.examples, generator=random)
    )
    y = (y - y.mean()) / y.std()
    return x.to(chosen.device), y[:, None].to(chosen.device)


def timed(work: Callable[[], list[float]], device: str) -> dict[str, float]:
    """Returns times of some work [s], and the mean of the errors that it returns."""
    settle(device)
    wall, cpu = time.perf_counter(), time.process_time()
    errors = work()
    settle(device)
    spent = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }
    return {**spent, "error": sum(errors) / len(errors)}


def settle(device: str) -> None:
    """Waits until the device has done all that it was asked for."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def batched(numbers: list[int], examples: Examples, epochs: int) -> list[float]:
    """Returns the errors of members that are trained as one."""
    x, y = examples
    widths = (x.shape[1], *Networks().hidden, 1)
    network, needed = initialise_members(
        widths, SEED, dict.fromkeys(numbers, 0), x[:1000]
    )
    cohort = Cohort(
        numbers, needed, network, examples, (x[:1000], y[:1000]), Learning(), SEED
    )
    for epoch in range(epochs):
        cohort.learn(epoch)
    return (cohort.network.predict(x) - y.T).square().mean(dim=(1, 2)).tolist()


def one_after_another(
    numbers: list[int], examples: Examples, epochs: int
) -> list[float]:
    """Returns the errors of networks that are trained in a plain loop."""
    return [plain(number, examples, epochs) for number in numbers]


def plain(number: int, examples: Examples, epochs: int) -> float:
    """Returns the error of one network."""
    (x, y), batch_size = examples, Learning().batch_size
    network = sequential(number, x)
    adam = torch.optim.Adam(network.parameters(), Learning().learning_rate, fused=True)
    squared_error = nn.MSELoss()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), device=x.device).split(batch_size):
            adam.zero_grad()
            squared_error(network(x[batch]), y[batch]).backward()
            adam.step()
    with torch.no_grad():
        return float(squared_error(network(x), y))


def sequential(number: int, x: Tensor) -> nn.Module:
    """Returns a network that is not collapsed, with the first weights of the batch's member."""
    widths = (x.shape[1], *Networks().hidden, 1)
    first, _ = initialise_members(widths, SEED, {number: 0}, x[:1000])
    layers: list[nn.Module] = []
    for weight, bias in zip(first.weights, first.biases, strict=True):
        layers += [nn.Linear(weight.shape[2], weight.shape[1]), nn.ReLU()]
        layers[-2].load_state_dict({"weight": weight[0], "bias": bias[0, :, 0]})
    return nn.Sequential(*layers[:-1]).to(x.device)


def per_epoch(
    spent: dict[str, float], trained: int, chosen: argparse.Namespace
) -> dict:
    """Returns times of one epoch of all members."""
    scale = chosen.members / trained / chosen.epochs
    times = {name: round(spent[name] * scale, 4) for name in ("seconds", "cpu_seconds")}
    return {**times, "trained": trained, "error": round(spent["error"], 4)}


def main() -> None:
    """Prints what was measured."""
    chosen = options()
    torch.set_num_threads(chosen.threads)
    examples, numbers = draw(chosen), list(range(chosen.members))
    some = numbers[: chosen.alone]
    ways = {
        "batched": (batched, [numbers]),
        "one_after_another": (one_after_another, [some]),
        "same_code_alone": (batched, [[number] for number in some]),
    }
    for way, groups in ways.values():
        way(groups[0][:5], examples, 1)  # the first call of anything is slow
    rounds = [
        {name: once(*way, examples, chosen) for name, way in ways.items()}
        for _ in range(chosen.repeats)
    ]
    found = {name: least([one[name] for one in rounds]) for name in ways}
    print(json.dumps({**ratios(found), **found, **circumstances(chosen)}))


def once(
    way: Way, groups: list[list[int]], examples: Examples, chosen: argparse.Namespace
) -> dict:
    """Returns the times of one way."""
    spent = timed(
        lambda: [
            error for group in groups for error in way(group, examples, chosen.epochs)
        ],
        chosen.device,
    )
    return per_epoch(spent, sum(map(len, groups)), chosen)


def least(rounds: list[dict]) -> dict:
    """Returns the times of the least disturbed round."""
    return {name: min(one[name] for one in rounds) for name in rounds[0]}


def ratios(found: dict[str, dict]) -> dict[str, float]:
    """Returns how many times faster the batch is."""
    batch, loop, alone = (
        found[name] for name in ("batched", "one_after_another", "same_code_alone")
    )
    return {
        "ratio": round(loop["seconds"] / batch["seconds"], 1),
        "ratio_cpu": round(loop["cpu_seconds"] / batch["cpu_seconds"], 1),
        "ratio_same_code": round(alone["seconds"] / batch["seconds"], 1),
    }


def circumstances(chosen: argparse.Namespace) -> dict:
    """Returns what was timed, and where."""
    gpu = chosen.device.startswith("cuda")
    name = (
        torch.cuda.get_device_name()
        if gpu
        else platform.processor() or platform.machine()
    )
    return {
        "options": {**vars(chosen)},
        "device_name": name,
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
