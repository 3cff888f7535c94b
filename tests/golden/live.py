"""Record of live simulations beside the rigid model."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mwlmc.study import validation
from mwlmc.study.live_orbits import COLUMNS, GALAXIES, read_live_orbits

from .quantities import Record, quantity

TODAY = np.array([-0.6, -41.3, -27.1, -63.9, -213.8, 206.6])
NAMES = ("GC21M1b0", "GC21M2b1", "GC21M3b0", "GC21M4b0", "toy")


def live_orbits() -> Record:
    """Returns what is read of orbits, and how rigid rewinds compare with them."""
    with TemporaryDirectory() as place:
        for number, name in enumerate(NAMES):
            _write(Path(place), name, first=-2.4 + 0.3 * number)
        lines = [",".join(COLUMNS), "toy,6e10,1e12,30"]
        (Path(place) / GALAXIES).write_text("\n".join(lines))
        found = read_live_orbits(Path(place))
    compared = [validation.beside_live(orbits) for orbits in found]
    chosen = compared[0].frictions.searchsorted([-2.0, -0.5, 0.0, 0.8])
    table = validation._orbit_table(compared)["Live simulations"]
    return {
        "galaxies": quantity([(o.lmc_mass, o.milky_way_within) for o in found]),
        "times": quantity([(o.times[0], o.times[-1], len(o.times)) for o in found]),
        "relative": quantity([o.relative[::20].sum(0) for o in found]),
        "began": quantity([c.began for c in compared]),
        "frictions": quantity(compared[0].frictions[::50]),
        "live_changes": quantity([c.live_change for c in compared]),
        "rigid_changes": quantity([c.rigid_changes[:, chosen] for c in compared]),
        "distances": quantity([c.distances[chosen] for c in compared]),
        "ratios": quantity([c.ratios[chosen] for c in compared]),
        "best": quantity([c.best_friction for c in compared]),
        "columns": quantity(np.array([list(row)[1:] for row in table], float)),
        "friction": quantity(list(validation._friction_numbers(compared).values())),
    }


def _write(folder: Path, name: str, first: float) -> None:
    """Writes an LMC on a parabola, and a Milky Way that it pulls along."""
    times = np.arange(round(first / 0.02), 1) * 0.02
    place = (
        TODAY[:3] + np.outer(times, TODAY[3:]) + np.outer(times**2, [12.0, -18.0, 15.0])
    )
    speed = TODAY[3:] + np.outer(2.0 * times, [12.0, -18.0, 15.0])
    pulled = np.outer(np.exp(times), [5.0, 12.0, -28.0])
    for centre, part in (("mw", 0.1), ("lmc", 1.0)):
        orbit = np.column_stack(
            [times, part * place + pulled / 10.0, part * speed + pulled]
        )
        np.savetxt(folder / f"{name}_orbit_{centre}.txt", orbit)
