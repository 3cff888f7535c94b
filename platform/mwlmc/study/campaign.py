"""A campaign: how many simulations, of what, and where they are kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mwlmc.model.compiled_step import can_compile
from mwlmc.model.constants import CIRCULAR_VELOCITY
from mwlmc.model.distribution import Equilibrium
from mwlmc.model.stellar_halo import Accuracy
from mwlmc.parameters import LMCMass, proposal
from mwlmc.simulator import Device, Engine, Simulator

# Where things are kept decides nothing: such fields are no part of a run's fingerprint.
PLACE = {"place": True}


@dataclass(frozen=True)
class Campaign:
    """The simulations of an experiment. Experiments with equal campaigns share their dataset."""

    simulations: int = 2048
    """How many simulations; 128000 is the paper's number."""
    lmc: Literal["auto", "table1", "observed"] = "auto"
    """How the LMC's place and motion are drawn: from the paper's wide prior (table1),
    from near where it is seen (observed), or table1 from 100,000 simulations on
    (auto)."""
    lmc_mass: LMCMass = "table1"
    """How the LMC's mass is drawn: from the paper's prior (table1), or uniformly up to
    5e11 Msun (wide)."""
    equilibrium: Equilibrium = "halo"
    """What holds the stars together before the LMC comes: the dark halo alone, as in
    the paper, or the total of halo, disc and bulge."""
    circular_velocity: float = CIRCULAR_VELOCITY
    """At 8.3 kpc, which fixes the halo's concentration [km/s]."""
    accuracy: Accuracy = "survey"
    """How finely orbits are followed: survey, whose errors move no binned mean or
    dispersion, or orbit, whose single stars are right, for half as much time again."""
    engine: Engine = "torch"
    """What carries the stars: torch, embedded, or agama, where it is installed."""
    device: Device = "cpu"
    """Where torch carries them: cpu, or cuda, a GPU."""
    seed: int = 1
    """Decides everything random."""
    datasets: Path = field(default=Path("datasets"), metadata=PLACE)
    """Where simulations are kept."""
    reports: Path = field(default=Path("runs"), metadata=PLACE)
    """Where reports are kept."""

    def __post_init__(self) -> None:
        if self.simulations < 1 or self.seed < 0:
            raise ValueError(
                f"{self.simulations} simulations with seed {self.seed}: give at least 1 simulation "
                "and a seed from 0 on"
            )

    @property
    def simulator(self) -> Simulator:
        """What is simulated."""
        return Simulator(
            proposal=proposal(self.lmc, self.simulations),
            lmc_mass=self.lmc_mass,
            equilibrium=self.equilibrium,
            circular_velocity=self.circular_velocity,
            accuracy=self.accuracy,
            engine=self.engine,
            device=self.device,
        )

    @property
    def summary(self) -> str:
        """What a reader must know of the simulations, in one paragraph."""
        slow = (
            "" if can_compile() else " No C++ compiler was found: simulating is slower."
        )
        return (
            f"The LMC is drawn from {self.simulator.proposal!r}; stars start in equilibrium in the "
            f"{self.equilibrium!r} potential; {self.circular_velocity:g} km/s at the Sun. Above an "
            "anisotropy of 1/2 no non-negative distribution function makes this halo: df_clipped "
            "counts where more than 0.1 % of the stars were beyond it. runaways counts draws that "
            f"were replaced because their rewind ran away.{slow}"
        )
