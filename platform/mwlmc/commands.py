"""The commands of this science: its experiments by name, known before any is imported."""

from orrery.commands import Command, StudyCommand
from orrery.table_kinds import ColumnsCommand, TableKind

_ALL: tuple[Command, ...] = (
    StudyCommand(
        "quadrants",
        "what halo giants in the four quadrants of the sky say about both galaxies",
        "mwlmc.study.study:quadrants_posteriors",
        "mwlmc.study.options:Quadrants",
    ),
    StudyCommand(
        "desi",
        "what DESI's blue horizontal branch stars say about both galaxies",
        "mwlmc.study.study:desi",
        "mwlmc.study.options:Desi",
    ),
    StudyCommand(
        "desi-choices",
        "what DESI's posterior depends on",
        "mwlmc.study.desi_choices:desi_choices",
        "mwlmc.study.options:DesiChoices",
    ),
    StudyCommand(
        "table2",
        "all six posteriors of Table 2 of Brooks et al. (2025b)",
        "mwlmc.study.table2:table2",
        "mwlmc.study.options:Table2",
    ),
    StudyCommand(
        "surveys",
        "what the surveys see: their stars on the sky, and how fast they are",
        "mwlmc.study.surveys:surveys",
        "mwlmc.study.options:Surveys",
    ),
    StudyCommand(
        "predictive",
        "whether the model can make the data: each posterior simulated again",
        "mwlmc.study.predictive_checks:predictive_checks",
        "mwlmc.study.options:PredictiveChecks",
    ),
    StudyCommand(
        "travel-profile",
        "how fast the disc moves against stars at which distance, and whereto",
        "mwlmc.study.travel_profile:travel_profile",
        "mwlmc.study.shell_options:TravelProfile",
    ),
    StudyCommand(
        "dispersions",
        "what velocity dispersions add, and what a model without an LMC finds",
        "mwlmc.study.dispersions:dispersions",
        "mwlmc.study.shell_options:Dispersions",
    ),
    StudyCommand(
        "validation",
        "whether rigid galaxies are enough: orbits of N-body simulations",
        "mwlmc.study.validation:validation",
        "mwlmc.study.options:Validation",
    ),
    StudyCommand(
        "flow-architectures",
        "which flow learns best, and how much that matters",
        "mwlmc.study.architectures:flow_architectures",
        "mwlmc.study.sweep_options:FlowArchitectures",
    ),
    StudyCommand(
        "binnings",
        "which binning tells most, and what a bin, a patch, a proper motion is worth",
        "mwlmc.study.binnings:binnings",
        "mwlmc.study.sweep_options:Binnings",
    ),
    ColumnsCommand(
        (
            TableKind(
                "stars",
                "of the halo, as seen from the Sun",
                "mwlmc.observed.star_reading:star_report",
            ),
            TableKind(
                "binned",
                "velocities of stars in bins, which quadrants and desi take too",
                "mwlmc.observed.binned_reports:binned_report",
                "mwlmc.observed.binned_reports:is_binned_table",
            ),
        )
    ),
)
COMMANDS = {command.name: command for command in _ALL}
