"""The machinery: runs, learns, judges and reports. It knows no galaxy.

What notebooks and one's own simulator need can be imported from here, and is loaded when it
is first asked for: `from orrery import study`, `generate, summarise, fit, calibrate`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orrery.execution.simulation import generate
    from orrery.execution.summaries import Entries
    from orrery.execution.summaries import compute as summarise
    from orrery.judging.calibration import calibrate
    from orrery.judging.misspecification import learn_prior_predictive
    from orrery.learning.options import Flow, Training
    from orrery.learning.posterior import fit, load
    from orrery.parameters import Parameter, generator
    from orrery.records import Column, Observation, Records, Schema
    from orrery.results.notebook import NotebookResult as Result
    from orrery.results.recording import record
    from orrery.studies import study

# Where each name is defined, and what it is called there.
_HOMES = {
    "Column": ("orrery.records", "Column"),
    "Entries": ("orrery.execution.summaries", "Entries"),
    "Flow": ("orrery.learning.options", "Flow"),
    "Observation": ("orrery.records", "Observation"),
    "Parameter": ("orrery.parameters", "Parameter"),
    "Records": ("orrery.records", "Records"),
    "Result": ("orrery.results.notebook", "NotebookResult"),
    "Schema": ("orrery.records", "Schema"),
    "Training": ("orrery.learning.options", "Training"),
    "calibrate": ("orrery.judging.calibration", "calibrate"),
    "fit": ("orrery.learning.posterior", "fit"),
    "generate": ("orrery.execution.simulation", "generate"),
    "generator": ("orrery.parameters", "generator"),
    "learn_prior_predictive": (
        "orrery.judging.misspecification",
        "learn_prior_predictive",
    ),
    "load": ("orrery.learning.posterior", "load"),
    "record": ("orrery.results.recording", "record"),
    "study": ("orrery.studies", "study"),
    "summarise": ("orrery.execution.summaries", "compute"),
}

__all__ = [
    "Column",
    "Entries",
    "Flow",
    "Observation",
    "Parameter",
    "Records",
    "Result",
    "Schema",
    "Training",
    "calibrate",
    "fit",
    "generate",
    "generator",
    "learn_prior_predictive",
    "load",
    "record",
    "study",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module 'orrery' has no {name!r}: it has {sorted(_HOMES)}"
        )
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
