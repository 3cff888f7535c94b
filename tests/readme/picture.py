"""What README says of its picture."""

from orrery.judging.regression import INTERVAL_LEVEL
from orrery.results.figures.style import CONTOURS

from .files import NUMBER


def of_the_picture():
    inner, outer = (f"{100 * level:.0f}" for level in CONTOURS)
    return {
        rf"with its median and {NUMBER} % interval above": [
            f"{100 * INTERVAL_LEVEL:.0f}"
        ],
        rf"with {NUMBER} % and {NUMBER} % probability": [inner, outer],
    }
