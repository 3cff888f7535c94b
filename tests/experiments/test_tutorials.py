"""Every tutorial runs as a reader runs it, cell by cell, at toy size."""

import ast
import os
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

from toy_sizes import FLOW, HOSTS, SIMULATIONS, arguments

TUTORIALS = Path(__file__).parents[2] / "docs/tutorials"
TOY_HOSTS = arguments({**HOSTS, "acceptance_hosts": 128})
TOY_SWEEP = {"max_epochs": 2, "repeats": 2, "concurrent": 1}
# What is put in the place of the values in each page's cell of parameters.
TOY = {
    "first-posterior": {"simulations": SIMULATIONS, "small": arguments(FLOW)},
    "own-stars": {"simulations": SIMULATIONS, "small": arguments(FLOW)},
    "own-simulator": {},  # as it is: its posterior must be calibrated
    "milky-way-mass": {"hosts": 400, "small": TOY_HOSTS},
    "sweep": {"trials": 5, "simulations": SIMULATIONS, "small": TOY_SWEEP},
    "cluster": {"simulations": 64, "shard_size": 16},
}
MOST_LINES = 40  # of a reader's own, from a simulator to a calibrated posterior


@dataclass(frozen=True)
class Cell:
    """A cell of code of a page, and the line on which it begins."""

    line: int
    code: str
    tags: tuple[str, ...] = ()


def cells(text):
    """Returns the cells of code of a page, as jupytext reads them."""
    pattern = r"^```python(?: tags=(\[[^\n]*\]))?\n(.*?)^```$"
    return [
        Cell(
            text.count("\n", 0, match.start(2)) + 1,
            match[2],
            tuple(ast.literal_eval(match[1] or "[]")),
        )
        for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL)
    ]


def with_parameters(found, values):
    """Returns cells in which values stand in the place of the parameters'."""
    (place,) = [i for i, cell in enumerate(found) if "parameters" in cell.tags]
    known = {
        target.id
        for node in ast.parse(found[place].code).body
        for target in node.targets
    }
    assert set(values) <= known, "a parameter that the page does not have"
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    replaced = Cell(found[place].line, found[place].code + given)
    return [*found[:place], replaced, *found[place + 1 :]]


def shown(value):
    """Returns what a notebook would show of a value."""
    for name in ("_repr_html_", "_repr_png_"):
        if hasattr(value, name):
            return getattr(value, name)()
    return repr(value)


def execute(cell, page, names):
    """Executes a cell, and returns what a notebook would show below it."""
    # as many lines as stand above it, so that an error names the line of the page
    tree = ast.parse("\n" * (cell.line - 1) + cell.code, str(page))
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, str(page), "exec"), names)
        return None
    first = ast.Module(tree.body[:-1], [])
    exec(compile(first, str(page), "exec"), names)
    value = eval(compile(ast.Expression(last.value), str(page), "eval"), names)
    return shown(value)


def failure(page, found):
    """Returns where a page fails and why, after executing its cells; nothing if it does not."""
    names = {"__name__": "__main__"}
    for cell in found:
        try:
            execute(cell, page, names)
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == str(page)]
            line = lines[-1] if lines else getattr(error, "lineno", cell.line)
            told = "".join(traceback.format_exception(error))
            return f"{page.name}, line {line}: {error}\n\n{told}"
    return ""


def run_in(folder, page, found, sketches):
    """Executes cells in a folder, and leaves there what went wrong."""
    from orrery.results import figures

    os.chdir(folder)
    os.environ |= {"WANDB_MODE": "disabled", "ORRERY_CPUS": "1"}
    for name, function in sketches.functions.items():
        setattr(figures, name, function)
    (folder / "failure.txt").write_text(failure(page, found))


@pytest.fixture
def failure_of(forked, load_script, tmp_path):
    """Executes cells in a process and a folder of their own, and returns what failed."""
    from orrery.results import figures

    sketches = load_script("experiments/sketching").Sketches(figures.draw)

    def start(page, found):
        process = forked(run_in, tmp_path, page, found, sketches)
        process.join()
        told = tmp_path / "failure.txt"
        return told.read_text() if told.exists() else f"ended by {process.exitcode}"

    return start


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TOY))
def test_a_tutorial_runs(name, failure_of, tmp_path, request):
    if TOY[name].get("simulations") == SIMULATIONS:
        # those of all experiments, made once
        simulated = request.getfixturevalue("toy_datasets")
        (tmp_path / "datasets").symlink_to(simulated)
    page = TUTORIALS / f"{name}.md"
    found = with_parameters(cells(page.read_text()), TOY[name])
    if name == "own-simulator":
        found.append(Cell(1, "assert judged.verdict.names == (), judged.verdict"))
        found.append(Cell(1, "assert False not in judged.passed.values()"))
        found.append(Cell(1, "assert judged.negative_control.verdict.names"))
    told = failure_of(page, found)
    assert told == "", told


def test_every_tutorial_is_run_and_begins_as_a_notebook():
    pages = sorted(TUTORIALS.glob("*.md"))
    assert [page.stem for page in pages] == sorted(TOY)
    for page in pages:
        text = page.read_text()
        assert text.startswith("---\njupyter:\n  jupytext:\n")
        found = cells(text)
        assert len(found) == text.count("\n```python")
        first = found[0]
        assert first.tags == ("parameters",)
        assert all(not cell.tags for cell in found[1:])


def own_lines(found):
    """Returns the lines of code that a reader writes, without blank ones and comments."""
    lines = [line.strip() for cell in found for line in cell.code.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_ones_own_simulator_needs_few_lines_of_ones_own():
    lines = own_lines(cells((TUTORIALS / "own-simulator.md").read_text()))
    assert 20 < len(lines) < MOST_LINES
    assert all(len(line) < 90 for line in lines)


def test_lines_are_counted_without_blank_ones_and_comments():
    assert own_lines([Cell(1, "a = 1\n\n# so\nb = 2  # too\n")]) == [
        "a = 1",
        "b = 2  # too",
    ]


PAGE = """# Page

```python tags=["parameters"]
count = 100
```

```
orrery runs
```

```python
half = 1 / (count - 7)
half
```
"""


@pytest.mark.slow
def test_a_cell_that_fails_is_told_by_page_and_line(failure_of):
    found = cells(PAGE)
    assert [cell.line for cell in found] == [4, 12]
    page = Path("page.md")
    assert failure_of(page, found) == ""
    wrong = with_parameters(found, {"count": 7})
    assert failure_of(page, wrong).startswith("page.md, line 12: division by zero")
    with pytest.raises(AssertionError, match="does not have"):
        with_parameters(found, {"counts": 7})
