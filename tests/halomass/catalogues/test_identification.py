"""Laws of identification: what is given counts, then header and name; none may contradict."""

import numpy as np
import pytest

from halomass.catalogues import headers
from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.chunks import halo_schema
from halomass.universe import MULTIDARK, Universe

BOX = 64.0


@pytest.mark.parametrize("kind", ["ascii", "hlist", "rockstar"])
@pytest.mark.parametrize("name", ["halos_1.00000.txt", "b_1.0.list.gz", "c_1.0.dat"])
def test_a_header_tells_what_a_file_is_whatever_its_name(
    kind, name, tmp_path, halos, write
):
    path = write(kind, tmp_path, halos(50)).rename(tmp_path / name)
    found = open_catalogue(path, BOX)
    assert found.kind == kind
    assert "(by its header)" in found.account


@pytest.mark.parametrize("kind", ["hlist", "rockstar"])
def test_a_header_tells_the_universe(kind, tmp_path, halos, write, read):
    path = write(kind, tmp_path, halos(50))
    usual = read(open_catalogue(path))["log_m_vir"]
    text = path.read_text()
    path.write_text(text.replace("0.678000", "0.720000").replace("0.307", "0.260"))
    found = open_catalogue(path)
    assert found.universe == Universe(0.72, 0.26)
    assert found.box == BOX
    assert found.schema == halo_schema(0.72) != halo_schema(0.678)
    np.testing.assert_allclose(
        read(found)["log_m_vir"] - usual, np.log10(0.678 / 0.72), atol=3e-6
    )
    told = found.describe()
    assert (told["hubble"], told["omega_matter"]) == (0.72, 0.26)


@pytest.mark.parametrize("kind", ["binary", "ascii"])
def test_without_a_header_the_universe_is_given_or_assumed(
    kind, tmp_path, halos, write, read
):
    path = write(kind, tmp_path, halos(50))
    usual = open_catalogue(path)
    assert usual.universe == MULTIDARK
    assert "(assumed: give --cosmology if they are others)" in usual.account
    assert "64 Mpc/h (assumed)" in usual.account
    found = open_catalogue(path, BOX, universe=Universe(0.7, 0.3))
    assert found.universe == Universe(0.7, 0.3)
    assert "h = 0.7 and the matter density 0.3 (as given)" in found.account
    # only the text has masses in Msun
    shift = np.log10(0.678 / 0.7) if kind == "binary" else 0.0
    np.testing.assert_allclose(
        read(found)["log_m_vir"] - read(usual)["log_m_vir"], shift, atol=3e-6
    )


@pytest.mark.parametrize("kind", ["hlist", "rockstar"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"box": 100.0}, r"a box of \[Mpc/h\] 64\.0+, not 100; leave --box out"),
        (
            {"universe": Universe(0.7)},
            r"h = 0\.6780+, not 0\.7; leave --cosmology out",
        ),
        ({"universe": Universe(omega_matter=0.25)}, r"a matter density of 0\.30.*not"),
    ],
    ids=str,
)
def test_what_contradicts_the_header_is_refused(
    kind, given, said, tmp_path, halos, write
):
    path = write(kind, tmp_path, halos(50))
    with pytest.raises(ValueError, match=f"its header says {said}"):
        open_catalogue(path, **given)


def test_a_scale_factor_that_contradicts_the_header_is_refused(
    tmp_path, halos, write_out
):
    path = write_out(tmp_path / "out_7.list", halos(50), scale=0.75)
    assert open_catalogue(path).scale == 0.75
    assert (
        open_catalogue(path, scale=0.7502).scale == 0.7502
    )  # written with fewer digits
    with pytest.raises(ValueError, match=r"scale factor 0\.750+, not 0\.8; leave --sc"):
        open_catalogue(path, scale=0.8)


def test_an_hlist_says_its_scale_factor_in_each_row(tmp_path, halos, write_hlist):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(50))
    told = open_catalogue(path.rename(tmp_path / "halos.list"))
    assert told.scale == 1.0
    assert "scale factor 1 (by its column scale)" in told.account
    late = told.path.rename(
        tmp_path / "hlist_0.99900.list"
    )  # the column has fewer digits
    assert open_catalogue(late).scale == 0.999
    with pytest.raises(ValueError, match=r"column scale says 1, not 0\.8 \(as given\)"):
        open_catalogue(late, scale=0.8)
    renamed = late.rename(tmp_path / "hlist_0.50000.list")
    with pytest.raises(
        ValueError, match=r"another snapshot: .* 1, not 0\.5 \(by its name\)"
    ):
        open_catalogue(renamed)


@pytest.mark.parametrize("number", ["0", "-1", "7.5"])
def test_a_column_that_has_no_scale_factor_says_none(
    number, tmp_path, halos, write_hlist
):
    path = write_hlist(tmp_path / "hlist_0.50000.list", halos(50))
    lines = path.read_text().splitlines(keepends=True)
    rows = [x if x[0] == "#" else f"{number} {x.split(' ', 1)[1]}" for x in lines]
    path.write_text("".join(rows))
    assert open_catalogue(path).scale == 0.5


def test_what_is_rounded_contradicts_nothing(tmp_path, halos, write_hlist):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(50), h0=0.6777)
    assert open_catalogue(path, 64, universe=Universe(0.678, 0.307)).box == 64


@pytest.mark.parametrize("wrong", [67.8, 0.0, -0.7, np.nan])
def test_a_hubble_parameter_in_other_units_is_refused(wrong):
    with pytest.raises(ValueError, match=r"give h between 0\.2 and 2, as 0\.7 is"):
        Universe(wrong)


@pytest.mark.parametrize(
    ("kind", "said", "other", "unit"),
    [
        ("ascii", "comoving Mpc/h", "comoving kpc/h", "positions are in kpc/h"),
        ("ascii", "mass, Msun)", "mass, Msun/h)", "masses are in Msun/h"),
        ("hlist", "(Msun/h)", "(10^10 Msun/h)", "masses are in 10.10Msun/h"),
        ("hlist", "(Msun/h)", "(Msun)", "masses are in Msun"),
        ("rockstar", "in Mpc / h", "in Mpc", "positions are in Mpc"),
        ("rockstar", "Radii in kpc / h", "Radii in Mpc / h", "radii are in Mpc/h"),
        ("rockstar", "Masses in Msun / h", "Masses in Msun", "masses are in Msun"),
    ],
)
def test_a_header_with_other_units_is_refused(
    kind, said, other, unit, tmp_path, halos, write, refused
):
    path = write(kind, tmp_path, halos(50))
    assert said in path.read_text()
    path.write_text(path.read_text().replace(said, other))
    refused(rf"header says that {unit}; such catalogues have", path, tmp_path)


def test_what_headers_of_programs_say():
    """Lines as Consistent-Trees, Rockstar and the UniverseMachine write them."""
    trees = headers.parse_header(
        (
            "Omega_M = 0.307115; Omega_L = 0.692885; h0 = 0.677700",
            "Full box size = 250.000000 Mpc/h",
            "Scale: Scale factor of halo.",
            "Mvir: Halo mass (Msun/h).",
            "Rvir: Halo radius (kpc/h comoving).",
            "X/Y/Z: Halo position (Mpc/h comoving).",
            "JX/JY/JZ: Halo angular momenta ((Msun/h) * (Mpc/h) * km/s (physical)).",
        )
    )
    units = (("masses", "Msun/h"), ("positions", "Mpc/h"), ("radii", "kpc/h"))
    assert trees == headers.Header(0.6777, 0.307115, 250.0, None, units)
    machine = headers.parse_header(
        (
            "X Y Z: halo position (comoving Mpc/h)",
            "M: Halo mass (Bryan & Norman 1998 virial mass, Msun)",
            "MP: Halo peak historical mass (BN98 vir, Msun)",
            "R: Halo radius (BN98 vir, comoving kpc/h)",
        )
    )
    assert machine == headers.Header(units=(("masses", "Msun"), *units[1:]))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"h0": 0.0}, r"h = 0\.0"),
        ({"h0": 7000.0}, "h = 7000"),
    ],
)
def test_an_impossible_header_is_named(written, said, tmp_path, halos, write_hlist):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(50), **written)
    with pytest.raises(
        ValueError, match=rf"header of hlist_1\.00000\.list says {said}"
    ):
        open_catalogue(path)
