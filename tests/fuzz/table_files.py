"""Small sound tables of stars, neighbours and halos, and who reads them."""

import gzip
import struct

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Table

from orrery.tables.bundled import bundled_tables

ROWS = 12


def stars():
    random = np.random.default_rng(1)
    return Table(
        {
            "ra": random.uniform(130, 250, ROWS) * units.deg,
            "dec": random.uniform(0, 60, ROWS) * units.deg,
            "distance": random.uniform(32, 98, ROWS) * units.kpc,
            "v_los": random.normal(0, 100, ROWS) * units.km / units.s,
            "v_los_error": random.uniform(1, 9, ROWS) * units.km / units.s,
        }
    )


def plain_stars():
    table = stars()
    for name, ending in (("ra", "deg"), ("dec", "deg"), ("distance", "kpc")):
        table.rename_column(name, f"{name}_{ending}")
    table.rename_column("v_los", "vlos_kms")
    table.remove_column("v_los_error")
    return table


def write_stars(form, name, make=stars, **choices):
    def write(folder):
        make().write(folder / name, format=form, **choices)

    return write


def write_satellites(folder):
    random = np.random.default_rng(6)
    columns = {
        "name": [f"Dwarf {i}" for i in range(ROWS)],
        "ra_deg": random.uniform(0, 360, ROWS),
        "dec_deg": random.uniform(-70, 70, ROWS),
        "dist_kpc": random.uniform(30, 240, ROWS),
        "vlos_kms": random.normal(0, 99, ROWS),
        "pmra_masyr": random.normal(0, 0.2, ROWS),
        "pmdec_masyr": random.normal(0, 0.2, ROWS),
        "M_V": random.uniform(-14, -6, ROWS),
    }
    Table(columns).write(folder / "satellites.csv", format="ascii.csv")


def read_satellites(path):
    from halomass.observed.milky_way import read_satellites as read

    return read(path)


def write_orbits(folder):
    """Writes the orbits of a live simulation, and what is known of its galaxies."""
    times = np.linspace(-1, 0, ROWS)
    for name, far in (("mw", 12.0), ("lmc", 60.0)):
        rows = np.column_stack([times, *(far * np.cos(times + i) for i in range(6))])
        np.savetxt(folder / f"toy_orbit_{name}.txt", rows)
    names = "name,lmc_mass,milky_way_mass,milky_way_scale"
    (folder / "galaxies.csv").write_text(f"{names}\ntoy,1.5e11,1.2e12,30.5\n")


def read_orbits(path):
    from mwlmc.study.live_orbits import read_live_orbits

    return read_live_orbits(path.parent)


def write_desi(folder):
    one = stars()
    tables = {
        "RVTAB": {"VRAD": one["v_los"].value, "VRAD_ERR": one["v_los_error"].value,
                  "PRIMARY": np.ones(ROWS, bool)},
        "FIBERMAP": {"DIST": one["distance"].value, "DISTERR": np.ones(ROWS)},
        "GAIA": {"RA": one["ra"].value, "DEC": one["dec"].value, "PMRA": np.ones(ROWS),
                 "PMRA_ERROR": np.ones(ROWS), "PMDEC": np.ones(ROWS),
                 "PMDEC_ERROR": np.ones(ROWS), "PMRA_PMDEC_CORR": np.zeros(ROWS)},
    }  # fmt: skip
    hdus = [fits.table_to_hdu(Table(columns)) for columns in tables.values()]
    for hdu, name in zip(hdus, tables, strict=True):
        hdu.name = name
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / "MWS_BHB.fits")


def read_stars(path):
    from mwlmc.observed.star_reading import read_stars as read

    return read(path)


def neighbours():
    random = np.random.default_rng(2)
    columns = {"log_m_star": random.uniform(5, 9, ROWS), "r": random.uniform(20, 240, ROWS),
               "v_r": random.normal(0, 90, ROWS), "v_t": random.uniform(10, 200, ROWS)}  # fmt: skip
    return Table(columns, meta={"name": "a host", "vmax": 80.0})


def write_neighbours(form, name):
    def write(folder):
        table = neighbours()
        if form == "ascii.csv":
            table["vmax"] = table.meta.pop("vmax")
        table.write(folder / name, format=form)

    return write


def read_neighbours(path):
    from halomass.observed.neighbour_tables import read_neighbours as read

    return read(path)


def write_hlist(folder):
    words = (
        "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir "
    )
    words += (
        "rvir rs vrms mmp? scale_of_last_MM vmax x y z vx vy vz Macc Mpeak Vacc Vpeak"
    )
    names = words.split(" ")
    random = np.random.default_rng(3)
    header = "#" + " ".join(f"{name}({i})" for i, name in enumerate(names))
    about = "#Omega_M = 0.307000; Omega_L = 0.693000; h0 = 0.678000\n"
    about += "#Full box size = 64.000000 Mpc/h\n"
    whole = {"id", "desc_id", "pid", "upid", "desc_pid"}
    masses = {"mvir", "sam_mvir", "Macc", "Mpeak"}
    lines = []
    for row in range(ROWS):
        values = random.uniform(0, 64, len(names))
        values[names.index("scale")] = 1.0
        words = [
            str(row if name == "id" else -1) if name in whole
            else f"{10 ** random.uniform(9, 13):.4e}" if name in masses
            else f"{value:.3f}"
            for name, value in zip(names, values, strict=True)
        ]  # fmt: skip
        lines.append(" ".join(words) + "\n")
    (folder / "hlist_1.00000.list").write_text(f"{header}\n{about}{''.join(lines)}")


def write_sfr_text(folder):
    words = (
        "ID DescID UPID Flags Uparent_Dist X Y Z VX VY VZ M V MP VMP R Rank1 Rank2 RA RARank SM "
        "ICL SFR Obs_SM Obs_SFR SSFR SM/HM Obs_UV"
    )
    random = np.random.default_rng(5)
    lines = [f"#{words}\n"]
    for row in range(ROWS):
        place = " ".join(f"{number:.4f}" for number in random.uniform(0, 64, 3))
        speed = " ".join(f"{number:.2f}" for number in random.normal(0, 99, 3))
        masses = (
            f"{10 ** random.uniform(9, 13):.4e} {random.uniform(20, 90):.3f} 5.5e13"
        )
        lines.append(f"{row} -1 -1 0 0.1 {place} {speed} {masses}{' 1.5' * 14}\n")
    (folder / "sfr_catalog_1.000000.txt").write_text("".join(lines))


def write_packed(folder):
    write_sfr_text(folder)
    plain = folder / "sfr_catalog_1.000000.txt"
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


def write_structs(folder):
    random = np.random.default_rng(4)
    content = b"".join(
        struct.pack(
            "<qqqi25f", row, -1, -1, 0, 0.1, *random.uniform(0, 64, 3),
            *random.normal(0, 99, 3), 9, 8, *(10 ** random.uniform(9, 13, 2)),
            *random.uniform(1, 9, 14),
        )[:128]
        for row in range(ROWS)
    )  # fmt: skip
    (folder / "sfr_catalog_1.000000.bin").write_bytes(content)


def read_catalogue(path):
    from halomass.catalogues.catalogue import open_catalogue

    found = open_catalogue(path, box=64.0, part_of_box=True, memory=64.0)
    return [found.records(0, [chunk]) for chunk in range(found.chunks)]


def write_binned(folder):
    (folder / "binned.ecsv").write_bytes(
        bundled_tables()["desi_dr1_bhb.ecsv"].read_bytes()
    )


def read_binned(path):
    from mwlmc.observed.binned_table import read_binned as read

    return read(path)


def observation():
    from orrery.records import Observation

    errors = np.array([[4.0, 1.0], [1.0, 9.0]])
    return Observation(
        "DESI", ("v_r", "s_r"), ("km / s",) * 2, np.ones(2), errors, "0f", {}
    )


def write_vector(folder):
    from orrery.data_vector import to_table

    to_table(observation()).write(folder / "vector.ecsv", format="ascii.ecsv")


def read_vector(path):
    from orrery.data_vector import from_table

    try:
        table = Table.read(path, format="ascii.ecsv")
    except Exception:
        return None  # the user's own call: what astropy says of it is astropy's
    return from_table(table)
