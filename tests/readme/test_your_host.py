"""The table of a host that the documentation shows is one that can be read."""

import re
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from halomass.observed.neighbour_tables import read_neighbours
from orrery.commands import installed_commands

PAGE = Path(__file__).parents[2] / "docs" / "your-host.md"


def test_the_host_of_the_page_is_read_as_observed(tmp_path):
    (table,) = re.findall(r"```\n(# %ECSV.*?)```", PAGE.read_text(), re.DOTALL)
    others = [
        f"n{i} {8 - 0.1 * i:.1f} {10 + 7 * i} {20 - i} {2 * i - 30} "
        f"{50 + i} {3 * i - 80} {7 * i % 41 - 20}\n"
        for i in range(25)
    ]
    path = tmp_path / "host.ecsv"
    path.write_text(table + "".join(others))
    host = read_neighbours(path)
    assert (host.name, len(host.names)) == ("My host", 26)
    assert not host.of_simulation
    assert host.warnings == ()
    assert (host.environment.vmax, host.environment.distance_larger) == (91.7, 761.0)


def test_what_is_seen_from_the_sun_becomes_places_and_velocities_about_the_host():
    text = PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found = {}
    exec(code, found)
    seen = [
        SkyCoord(ra * u.deg, dec * u.deg, distance * u.kpc)
        for ra, dec, distance in [(10.685, 41.269, 776.0), (10.674, 40.865, 763.0)]
    ]
    away = np.linalg.norm([found["x"], found["y"], found["z"]])
    assert np.isclose(away, seen[0].separation_3d(seen[1]).value, rtol=1e-6)
    # along the line to the host, 101 km/s are the difference of both velocities
    line = seen[0].cartesian.xyz.value / 776.0
    speed = np.dot(line, [found["vx"], found["vy"], found["vz"]])
    assert abs(speed - 101.0) < 2.0


def test_columns_of_the_pages_host_are_understood(tmp_path):
    (table,) = re.findall(r"```\n(# %ECSV.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "host.ecsv"
    path.write_text(table)
    command = installed_commands()["columns"]
    head, *lines = command.report(path).lines
    assert head.startswith("read as a table of neighbours (")
    assert not [line for line in lines if "not u" in line]
    report = command.report(path, "neighbours")
    assert lines == report.lines
    assert report.found[-1] == "1 of 1 rows can be used"
    # the page shows one row of many, and says how many there must be
    assert "1 of use where the ensembles need 10 or 25" in report.refusal


def test_a_number_that_may_stand_for_no_value_is_warned_of_as_the_page_says(tmp_path):
    (table,) = re.findall(r"```\n(# %ECSV.*?)```", PAGE.read_text(), re.DOTALL)
    speeds = np.random.default_rng(1).normal(0.0, 100.0, 24).round(1)
    speeds[3] = 99.9
    path = tmp_path / "host.ecsv"
    path.write_text(
        table
        + "".join(
            f"n{i} {8 - 0.1 * i:.1f} {10 + 7 * i} {20 - i} {2 * i - 30} "
            f"{50 + i} {speed} {7 * i % 41 - 20}\n"
            for i, speed in enumerate(speeds)
        )
    )
    (warning,) = read_neighbours(path).warnings
    assert warning.startswith(
        "vy of 'n3' is 99.9: such numbers often stand for no value"
    )
    assert "of such tables have one by chance; look" in warning
