"""Records of the reflex motion in shells of distance: fits, and what draws of them say."""

from types import SimpleNamespace
from unittest.mock import Mock, patch

import numpy as np

from mwlmc.model import reflex_shells
from mwlmc.model.reflex_shells import ReflexShells
from mwlmc.sky import kinematics
from mwlmc.study import shell_profiles, travel_profile
from mwlmc.study.figure_data import SkyPath
from mwlmc.study.shell_options import TravelProfile
from orrery.parameters import FloatArray, generator

from .milky_way import SEED, _halos
from .quantities import Record, quantity

SHELLS = ReflexShells()


def reflex_motions() -> Record:
    """Returns fits to synthetic stars in the usual shells, some of which lack stars."""
    records = kinematics._block(_halos(), 0, 3)
    shells = ReflexShells(fewest_stars=140)
    return {
        "motions": quantity(reflex_shells.reflex_motions(records, shells)),
        "errors": quantity(reflex_shells.shell_errors(records, shells)),
    }


def travel_profiles() -> Record:
    """Returns what draws in the usual shells say, and what is recorded of two surveys."""
    draws = _draws(41, 600)
    found = shell_profiles.shell_answers("a", "A", draws, draws, SHELLS)
    motions = shell_profiles.shell_motions(draws, SHELLS)
    tables = shell_profiles.profile_tables({"a": draws}, SHELLS, np.arange(16.0))
    profile = tables["Travel velocity against distance"]
    speeds = shell_profiles.published_speeds()
    regions = [shell_profiles.credible_region(motions.apex[:, k]) for k in range(4)]
    return {
        "answers": quantity([(a.median, a.lower, a.upper) for a in found]),
        "profile": quantity([profile[name] for name in profile.colnames[2:]]),
        "regions": quantity([region.sum() for region in regions], absolute=5.0),
        "others": quantity(np.minimum([*speeds.values()], 999.0)),
        **_rows(),
        **_recorded(),
    }


def _draws(stream: int, count: int) -> FloatArray:
    """Returns draws of the motions in the usual shells, about what simulations have."""
    middle = [2.6, 0.4, -22, -5, 3.8, 0.6, -26, -8, 5.7, 2.7, -40, -10, 9, 12, -44, -9]
    return np.array(middle) + 7.0 * generator(SEED, stream).normal(size=(count, 16))


def _rows() -> Record:
    """Returns the bins and data vectors of both surveys, and of DESI's proper motions."""
    choices = (
        TravelProfile(surveys=("quadrants",)),
        TravelProfile(surveys=("desi",)),
        TravelProfile(surveys=("desi",), velocities="v_gsr+v_tb"),
    )
    rows = [travel_profile._row(one.surveys[0], one) for one in choices]
    bins = [[b.lower + b.upper for b in row.binning.bins] for row in rows]
    values = [row.observation.value[::3] for row in rows]
    return {
        "rows.bins": quantity(np.concatenate(bins)),
        "rows.values": quantity(np.concatenate(values)),
    }


def _recorded() -> Record:
    """Returns what figures show of a survey and the prior, and errors of simulations."""
    notes = Mock()
    seen = SimpleNamespace(simulated=None)
    row = SimpleNamespace(
        key="a", label="A", published="DESI, without v_tb", observation=seen
    )
    halos = SimpleNamespace(
        shards=range(6),
        in_turn=iter,
        records=lambda i: kinematics._block(_halos(), i, 1),
    )
    path = SkyPath(*np.linspace(0.0, 1.0, 12).reshape(4, 3))
    with patch.object(travel_profile.figure_data, "lmc_path", lambda *_: path):
        travel_profile._record_profile(
            notes,
            [row],
            {"A": _draws(42, 2100)},
            _draws(44, 2500),
            halos,
            TravelProfile(),
        )
    shown = [section.view for call in notes.add.call_args_list for section in call.args]
    *bands, maps = shown
    regions = [[r.inside.sum() for r in panel.regions] for panel in maps.panels]
    return {
        "bands": quantity([[*view.bands.values(), view.prior] for view in bands]),
        "maps": quantity([(p.longitude[-1], p.latitude[-1]) for p in maps.panels]),
        "shown": quantity([len(panel.values) for panel in maps.panels]),
        "areas": quantity(regions, absolute=5.0),
        "errors": quantity(travel_profile._label_errors(halos, SHELLS)),
        "published": quantity([*shell_profiles.LI_2026.values()][1:]),
    }
