"""Laws of units: masses and radii in two systems of units are refused, and named."""

import re

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.halo_units import HaloUnits
from halomass.universe import Universe


def hosts(universe, scale, count=400, scatter=0.01, seed=0):
    """Returns masses, peak masses [Msun] and radii [comoving kpc/h] of hosts."""
    random = np.random.default_rng(seed)
    mass = random.uniform(9, 14, count)
    # three quarters have never been heavier
    lost = np.maximum(random.exponential(0.05, count) - 0.07, 0)
    radius = universe.virial_radius(mass, scale) * universe.hubble / scale
    return mass, mass + lost, radius * 10 ** random.normal(0, scatter, count)


UNIVERSES = [(Universe(), 1.0), (Universe(0.7, 0.27), 0.5), (Universe(0.73, 0.25), 0.1)]


def judged(universe, scale, mass, peak, radius, **choices):
    units = HaloUnits("a.list", scale, universe, **choices)
    for part in np.array_split(np.arange(len(mass)), 3):
        units.add(mass[part], peak[part], radius[part])
    units.check()


@pytest.mark.parametrize(("universe", "scale"), UNIVERSES)
@pytest.mark.parametrize("masses", ["Msun", "Msun/h"])
def test_right_units_are_accepted(universe, scale, masses):
    judged(universe, scale, *hosts(universe, scale), masses=masses)
    # what is assumed of the density of matter decides nothing
    other = Universe(universe.hubble, 0.28)
    judged(other, scale, *hosts(universe, scale), masses=masses)


@pytest.mark.parametrize(("universe", "scale"), UNIVERSES)
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(
    ("masses", "of_mass", "of_radius", "named"),
    [
        ("Msun/h", -1, 0, "masses were in Msun, not Msun/h"),
        ("Msun", 1, 0, "masses were in Msun/h, not Msun"),
        ("Msun/h", 0, -1, "radii were in kpc, not kpc/h"),
        ("Msun/h", -1, -1, "masses were in Msun, not Msun/h and radii were in kpc"),
        ("Msun", 0, "Mpc/h", "radii were in Mpc/h, not kpc/h"),
    ],
)
def test_other_units_are_named(
    universe, scale, share, masses, of_mass, of_radius, named
):
    mass, peak, radius = hosts(universe, scale)
    other = np.arange(len(mass)) < share * len(mass)
    shift = other * of_mass * np.log10(universe.hubble)
    if of_radius == "Mpc/h":
        radius = np.where(other, radius / 1000, radius)
    else:
        radius = radius * universe.hubble ** (other * of_radius)
    message = rf"a.list: \d+ of its 400 hosts .*, as if {named}.*: convert them"
    with pytest.raises(ValueError, match=message):
        judged(universe, scale, mass + shift, peak + shift, radius, masses=masses)


@pytest.mark.parametrize(
    ("shift", "times"), [(-1, r"1\.47"), (1, r"0\.678")], ids=["peak", "today"]
)
@pytest.mark.parametrize("lost", [0.0, 0.021])
def test_peak_masses_in_other_units_are_named(shift, times, lost):
    mass, peak, _ = hosts(Universe(), 1.0)
    peak = peak + lost + shift * np.log10(0.678)
    message = rf"peak masses that are {times} times their masses of today, as if the on"
    with pytest.raises(ValueError, match=message):
        judged(Universe(), 1.0, mass, peak, np.zeros(len(mass)))


def test_what_is_no_radius_is_not_judged():
    mass, peak, radius = hosts(Universe(), 1.0)
    random = np.random.default_rng(1)
    for none in (0 * radius, 0 * radius + 0.5, random.uniform(1, 900, len(mass))):
        judged(Universe(), 1.0, mass, peak, none)
    judged(Universe(), 1.0, mass[:15], peak[:15], 2 * radius[:15])


def physical(listed):
    """Returns the radii of halos `[N]` [comoving kpc/h]."""
    masses = np.log10([halo.m / 0.678 for halo in listed])
    return 0.678 * Universe().virial_radius(masses, 1.0)


@pytest.mark.parametrize("kind", ["hlist", "rockstar", "binary", "ascii"])
def test_radii_are_found_in_all_files(kind, tmp_path, halos, write, refused):
    listed = halos(600)
    radii = physical(listed)
    path = write(kind, tmp_path, listed)

    def fill(values):
        if kind == "binary":
            rows = np.fromfile(path, [("a", "<i8", 3), ("b", "<i4"), ("f", "<f4", 25)])
            rows["f"][:, 12] = values
            rows.tofile(path)
            return
        lines = path.read_text().splitlines()
        head = [line for line in lines if line.startswith("#")]
        names = re.sub(r"\(\d+\)", "", head[0][1:]).lower().split()
        place = names.index("r" if kind == "ascii" else "rvir")
        rows = [line.split() for line in lines if not line.startswith("#")]
        for row, value in zip(rows, values, strict=True):
            row[place] = f"{value:.3f}"
        path.write_text("\n".join([*head, *map(" ".join, rows), ""]))

    fill(radii)
    assert open_catalogue(path).describe()
    fill(radii / 0.678)
    refused(r"as if radii were in kpc, not kpc/h: convert", path, tmp_path, box=64.0)
