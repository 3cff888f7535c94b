"""What figures show, in the machinery's types: panels of a profile, maps of the sky."""

from collections.abc import Mapping

from mwlmc.sky.binning import SkyBinning
from mwlmc.sky.kinematics import RestFrameStars
from mwlmc.sky.patches import DESI_NORTH, DESI_SOUTH
from mwlmc.study import figure_data
from mwlmc.study.figure_data import SkyPath
from mwlmc.study.wording import patch_title
from orrery.parameters import FloatArray
from orrery.results.panels import Panel, RadialCounts, SkyPanel, SkyRegion, Track
from orrery.results.views import SkyMaps

FIELDS = {"North": DESI_NORTH, "South": DESI_SOUTH}


def profile_panels(binning: SkyBinning) -> tuple[Panel, ...]:
    """Returns a panel for each profile and moment of a binning."""
    return tuple(
        Panel(patch_title(patch), label, bins, entries)
        for patch, label, bins, entries in binning.panels
    )


def shared_panels(binnings: Mapping[str, SkyBinning]) -> tuple[Panel, ...]:
    """Returns the panels of several binnings, each of those that show the same once."""
    # one profile belongs to the binnings with and without v_tb: it is drawn once
    panels = {
        panel.entries: panel
        for binning in binnings.values()
        for panel in profile_panels(binning)
    }
    return tuple(panels.values())


def sky_maps(
    surveys: Mapping[str, RestFrameStars], path: SkyPath, edges: FloatArray
) -> SkyMaps:
    """Returns surveys on the sky with the LMC's path, and their stars against distance.

    Arguments:
        surveys: Each survey's stars, by its name.
        path: The LMC's, on today's sky.
        edges: Of the distance bins, ascending `[K + 1]` [kpc].
    """
    lmc = Track("LMC", path.longitude, path.latitude)
    regions = tuple(
        SkyRegion(label, figure_data.inside(patch)) for label, patch in FIELDS.items()
    )
    counts = tuple(
        RadialCounts(name, label, edges, figure_data.radial_counts(stars, patch, edges))
        for name, stars in surveys.items()
        for label, patch in FIELDS.items()
    )
    maps = tuple(
        _sky_panel(name, stars, regions, lmc) for name, stars in surveys.items()
    )
    return SkyMaps(maps, r"$v_{\rm GSR}$ [km/s]", counts)


def _sky_panel(
    name: str, stars: RestFrameStars, regions: tuple[SkyRegion, ...], lmc: Track
) -> SkyPanel:
    title = f"{name}, {len(stars)} stars"
    seen = figure_data.on_sky(stars)
    return SkyPanel(title, seen.longitude, seen.latitude, seen.v_gsr, regions, (lmc,))
