"""Laws of acceptance: a miss is called one, and an aim says where it is from."""

import numpy as np

from halomass.study import acceptance


def test_the_report_calls_misses_misses():
    table = acceptance.acceptance_table("ESMDPL/UM-SAGA", hosts=128)
    off = np.abs(table["deviation"]) > table["tolerance"]
    np.testing.assert_array_equal(table["verdict"] == "MISS", off)
    text = acceptance.acceptance_text(table)
    assert text.startswith(acceptance.TITLE)
    assert f"{np.count_nonzero(off)} misses" in text
    for name in ("aim", "source"):
        assert name in text.splitlines()[2]


def test_only_what_was_published_has_a_publication_as_its_source():
    table = acceptance.acceptance_table("ESMDPL/UM-SAGA", hosts=100)
    source = dict(zip(table["quantity"], table["source"], strict=True))
    aim = dict(zip(table["quantity"], table["aim"], strict=True))
    assert "published" not in table.colnames
    shares = [name for name in source if name.startswith("share of Milky Ways")]
    assert len(shares) == 2
    assert {(aim[name], source[name]) for name in shares} == {(0.5, "ordinary")}
    of_hosts = {n for n, s in source.items() if s == "Hayati et al. (2025), Table 1"}
    assert of_hosts == {name for name in source if ">=" in name}
    assert source["slope of log V_peak"] == source["r/R_vir, 50 %"] == "recipe"
    assert "arXiv:2008.05710" in source["median v/V_vir at infall"]
