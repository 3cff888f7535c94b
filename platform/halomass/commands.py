"""The commands of this science: its experiments by name, known before any is imported."""

from orrery.commands import Command, StudyCommand
from orrery.table_kinds import ColumnsCommand, TableKind

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
    ColumnsCommand(
        (
            TableKind(
                "satellites",
                "galaxies around the Milky Way, as seen from the Sun",
                "halomass.observed.column_reports:satellite_report",
                "halomass.observed.column_reports:is_satellite_table",
            ),
            TableKind(
                "neighbours",
                "galaxies or subhalos around a host, relative to it",
                "halomass.observed.column_reports:neighbour_report",
                "halomass.observed.column_reports:is_neighbour_table",
            ),
        )
    ),
)
COMMANDS = {command.name: command for command in _ALL}
