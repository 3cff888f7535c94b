"""The table of a host that the documentation shows is one that can be read."""

import re
from pathlib import Path

from halomass.observed.neighbour_tables import read_neighbours

PAGE = Path(__file__).parents[2] / "docs" / "your-host.md"


def test_the_host_of_the_page_is_read_as_observed(tmp_path):
    (table,) = re.findall(r"```\n(# %ECSV.*?)```", PAGE.read_text(), re.DOTALL)
    others = [
        f"n{i} {8 - 0.1 * i:.1f} {10 + 7 * i} {20 - i} {2 * i - 30} {50 + i} {3 * i - 80} 20\n"
        for i in range(25)
    ]
    path = tmp_path / "host.ecsv"
    path.write_text(table + "".join(others))
    host = read_neighbours(path)
    assert (host.name, len(host.names)) == ("My host", 26)
    assert not host.of_simulation
    assert host.warnings == ()
    assert (host.environment.vmax, host.environment.distance_larger) == (91.7, 761.0)
