"""The commands of this science: its experiments by name, known before any is imported."""

from orrery.commands import Command, StudyCommand

_ALL: tuple[Command, ...] = (
    StudyCommand(
        "halo-mass",
        "what the orbits of its neighbours say about the mass of a halo",
        "halomass.study.study:halo_mass",
        "halomass.study.options:HaloMass",
    ),
    StudyCommand(
        "ensemble-architectures",
        "which networks read the mass best, and how much that matters",
        "halomass.study.architectures:ensemble_architectures",
        "halomass.study.options:EnsembleArchitectures",
    ),
)
COMMANDS = {command.name: command for command in _ALL}
