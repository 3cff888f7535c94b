"""All figures of both papers, each with the command that makes it: a page of the site.

`make gallery` runs the experiments at toy size and puts what they draw into build/gallery,
where the site finds it. Without it the page lists figures and commands, and says so.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toy_sizes import MOCK_HOSTS, SIMULATIONS, STARS, words

ROOT = Path(__file__).parents[1]
MADE = ROOT / "build" / "gallery"
PAPERS = {
    "Brooks et al. (2025b)": 8,
    "Hayati et al. (2025)": 15,
}
"""How many figures each paper has."""
GALAXIES, HALO = PAPERS

_ONE_FLOW = {**STARS, "members": 1}
TOY = {
    "surveys": words({"simulations": SIMULATIONS}),
    "table2": words(_ONE_FLOW),
    "predictive": (
        *(*words({**_ONE_FLOW, "replicates": 40}), "--rows"),
        *("DESI, with v_tb", "H3+SEGUE+MagE on DESI's sky, with v_tb"),
        "H3+SEGUE+MagE quadrants, with v_tb",
    ),
    "halo-mass": words(MOCK_HOSTS),
}
"""Options by which each experiment takes minutes, and means nothing."""


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper, or some that show the same, and ours.

    Arguments:
        paper: One of `PAPERS`.
        numbers: Of the paper's figures.
        shows: What they show.
        experiment: The command of `orrery` that draws ours; none where there is none.
        keys: Ours, by their keys in `run.json`, those of the paper first.
        remark: What is otherwise, or why there is none.

    Example:
        >>> figure = PaperFigure(GALAXIES, (5,), "The speed", "table2", ("travel_velocity",))
        >>> figure.title
        'Figure 5'
    """

    paper: str
    numbers: tuple[int, ...]
    shows: str
    experiment: str = ""
    keys: tuple[str, ...] = field(default=())
    remark: str = ""

    @property
    def title(self) -> str:
        """What it is called in its paper."""
        if len(self.numbers) == 1:
            return f"Figure {self.numbers[0]}"
        return f"Figures {self.numbers[0]} to {self.numbers[-1]}"


FIGURES = (
    PaperFigure(
        paper=GALAXIES,
        numbers=(1,),
        shows="Stars of the surveys on the sky, and their distances.",
        experiment="surveys",
        keys=("sky",),
        remark="The stars of H3, SEGUE and MagE are not public: simulated ones "
        "stand for them.",
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(2,),
        shows="Mean velocities of their stars against distance.",
        experiment="surveys",
        keys=("velocities",),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(3,),
        shows="Masses of both galaxies within 50 kpc.",
        experiment="table2",
        keys=("masses",),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(4,),
        shows="Components of the travel velocity.",
        experiment="table2",
        keys=("reflex",),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(5,),
        shows="The travel velocity by all data, and by others.",
        experiment="table2",
        keys=("travel_velocity",),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(6,),
        shows="Expected coverage of each posterior.",
        experiment="table2",
        keys=("coverage",),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(7,),
        shows="What the posteriors by DESI's footprint predict.",
        experiment="predictive",
        keys=("predictions.desi.v_gsr_v_tb", "predictions.h3_desi.v_gsr_v_tb"),
    ),
    PaperFigure(
        paper=GALAXIES,
        numbers=(8,),
        shows="What the posterior by quadrants of the sky predicts.",
        experiment="predictive",
        keys=("predictions.h3_quadrants.v_gsr_v_tb",),
    ),
    PaperFigure(
        paper=HALO,
        numbers=(1,),
        shows="A drawing of the network.",
        remark="Five layers of 10, 8, 6, 4 and 2 units: there are no data in it.",
    ),
    PaperFigure(
        paper=HALO,
        numbers=(2,),
        shows="Which satellites a survey finds, by stars and distance.",
        remark="Not made. The limit is `Detectability`; its two numbers are not "
        "printed in the paper.",
    ),
    PaperFigure(
        paper=HALO,
        numbers=(3, 4, 5, 6),
        shows="How well satellites are measured, by stars and distance.",
        remark="Not made. The model of the errors is `halomass.observed.errors`.",
    ),
    PaperFigure(
        paper=HALO,
        numbers=(7,),
        shows="Predicted against true masses, with errors and biases.",
        experiment="halo-mass",
        keys=("predictions.fewer_neighbours",),
        remark="Of mock hosts, by 25 and by 10 neighbours.",
    ),
    PaperFigure(
        paper=HALO,
        numbers=(8, 9, 10),
        shows="The same for the three other catalogues.",
        remark="Not drawn. `halo-mass` has their errors as tables, "
        "`errors.25.esmdpl_um`, `errors.25.vsmdpl_um_saga` and "
        "`errors.25.vsmdpl_um`, and tests each by the hosts of the others, "
        "`mass.domain_shift`.",
    ),
    PaperFigure(
        paper=HALO,
        numbers=(11,),
        shows="The Milky Way's mass beside published ones.",
        experiment="halo-mass",
        keys=("published_masses",),
    ),
    PaperFigure(
        paper=HALO,
        numbers=(12, 13, 14, 15),
        shows="Predicted masses when features are left out.",
        experiment="halo-mass",
        keys=("predictions.features_left_out",),
        remark="All in one; without satellites, distances, radial and tangential "
        "velocities.",
    ),
)


def pictures(figure: PaperFigure) -> Iterator[str]:
    """Yields the paths of a figure's pictures in the gallery."""
    for key in figure.keys:
        yield f"{figure.experiment}/{key}.png"


def page(made: Path) -> str:
    """Returns the gallery's page in Markdown, with those pictures that are there."""
    lines = ["# All figures of both papers", "", _about(made)]
    for paper in PAPERS:
        lines += ["", f"## {paper}"]
        for figure in FIGURES:
            if figure.paper == paper:
                lines += _entry(figure, made)
    return "\n".join(lines) + "\n"


def _about(made: Path) -> str:
    """Returns what the page shows: without pictures, how they are made."""
    listed = "Each figure of the papers, and the command that makes ours"
    full = "Those of full size are under Results."
    if not any(made.rglob("*.png")):
        return (
            f"{listed}. **This copy of the site was built without pictures**: `make gallery` "
            "draws them at toy size in some minutes, and `make docs` after it puts them here. "
            f"{full}"
        )
    return (
        f"{listed}, with a picture. **Pictures are of toy size**, made by `make gallery` in "
        "minutes to show that the command still draws them: their numbers mean nothing. "
        f"{full}"
    )


def _entry(figure: PaperFigure, made: Path) -> Iterator[str]:
    yield from ("", f"### {figure.title}", "", figure.shows)
    if figure.remark:
        yield from ("", figure.remark)
    if figure.experiment:
        yield from ("", "```bash", f"orrery {figure.experiment}", "```")
    for picture in pictures(figure):
        if (made / picture).is_file():
            yield from ("", f"![{figure.shows} Toy size.](gallery/{picture})")


def make(made: Path, work: Path) -> None:
    """Runs the experiments at toy size and copies their figures.

    Arguments:
        made: The gallery's folder, made anew.
        work: Where datasets and runs are kept, so that a second call finds them.

    Raises:
        subprocess.CalledProcessError: If an experiment fails.
        FileNotFoundError: If a run has not drawn a figure that is listed.
    """
    shutil.rmtree(made, ignore_errors=True)
    for experiment in dict.fromkeys(
        one.experiment for one in FIGURES if one.experiment
    ):
        folder = _run(experiment, work)
        (made / experiment).mkdir(parents=True)
        for figure in FIGURES:
            if figure.experiment == experiment:
                for picture in pictures(figure):
                    shutil.copyfile(folder / Path(picture).name, made / picture)


def _run(experiment: str, work: Path) -> Path:
    """Returns the folder of an experiment's attempt at toy size."""
    command = [sys.executable, "-m", "orrery", experiment, *TOY[experiment]]
    places = ("--datasets", work / "datasets", "--reports", work / "runs")
    done = subprocess.run(
        [*command, *map(str, places)], check=True, stdout=subprocess.PIPE, text=True
    )
    # the page's path is the last line, whatever a reader has printed before
    return Path(done.stdout.splitlines()[-1]).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the pictures of the gallery at toy size; returns the exit status."""
    parser = argparse.ArgumentParser("python docs/gallery.py", description=main.__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "gallery-work")
    make(MADE, parser.parse_args(arguments).work)
    print(f"{len([*MADE.rglob('*.png')])} pictures in {MADE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
