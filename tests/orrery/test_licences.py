"""What the packages that we build on say of their licences."""

from pathlib import Path

import pytest

from orrery import __main__ as commands
from orrery import licences

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def test_every_installed_package_of_the_constraints_has_a_licence_that_is_told():
    found = licences.licences(CONSTRAINTS)
    lines = CONSTRAINTS.read_text().splitlines()
    assert len(found) == sum(bool(line) and line[0] != "#" for line in lines)
    told = {one.package: one.licence for one in found}
    assert "BSD" in told["numpy"]
    assert "Apache" in told["ray"]
    silent = [name for name, licence in told.items() if licence == licences.UNNAMED]
    assert len(silent) <= 3, silent
    assert max(map(len, told.values())) < 200


def test_they_are_listed_and_the_network_is_named(tmp_path, capsys):
    place = tmp_path / "constraints.txt"
    place.write_text("# of today\nnumpy==2.4.1\nnobodys-package==1.0\n")
    assert commands.main(["licences", str(place)]) == 0
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.split()[:2] == ["numpy", "2.4.1"]
    assert second.split(maxsplit=2) == ["nobodys-package", "1.0", "not installed here"]
    assert "over the network" in err


def test_without_the_program_that_asks_it_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(licences, "AUDIT", "no-such-audit")
    place = tmp_path / "constraints.txt"
    place.write_text("numpy==2.4.1\n")
    assert commands.main(["licences", str(place), "--vulnerabilities"]) == 1
    assert "no-such-audit is not installed" in capsys.readouterr().err


def test_a_line_without_an_exact_version_is_refused(tmp_path):
    place = tmp_path / "constraints.txt"
    place.write_text("numpy>=2\n")
    with pytest.raises(ValueError, match="line 1: 'numpy>=2' is no exact version"):
        licences.licences(place)
