"""Laws of the options with which stars are binned: each counts, or is refused."""

import shlex

import pytest

from mwlmc.observed.binned_table import main
from mwlmc.observed.reduction_options import (
    COMMAND,
    as_command,
    chosen_binning,
    chosen_selection,
    parser,
)


def parsed(*words):
    return parser().parse_args([words[0], "stars.csv", "out.ecsv", *words[1:]])


def test_options_of_proper_motions_are_refused_where_none_is_binned():
    with pytest.raises(ValueError, match=r"45 would be ignored.*add --proper-motions"):
        chosen_selection(parsed("quadrants", "--largest-motion-error", "45"))
    edges = ("desi", "--v-tb-edges", "35,60,80")
    with pytest.raises(ValueError, match=r"would be ignored.*--no-proper-motions"):
        chosen_binning(parsed(*edges, "--no-proper-motions"))
    across = parsed("quadrants", "--largest-motion-error", "45", "--proper-motions")
    assert chosen_selection(across).largest_motion_error == 45.0
    assert len(chosen_binning(parsed(*edges)).select(("v_tb",)).bins) == 2


@pytest.mark.parametrize(
    ("stars", "name"),
    [("my stars.csv", "K giants"), ("it's $HOME;ls.csv", "a 'b' \"c\" `d`")],
)
def test_the_command_that_a_table_tells_means_the_same_in_a_shell(stars, name):
    words = ["desi", stars, "out of them.ecsv", "--name", name, "--missing", "d=1,2"]
    options = parser().parse_args(words)
    again = shlex.split(as_command(options).removeprefix(COMMAND))
    assert vars(parser().parse_args(again)) == vars(options)


@pytest.mark.parametrize(
    ("out", "better"),
    [
        ("binned.csv", "binned.ecsv"),
        ("binned", "binned.ecsv"),
        ("binned.ECSV", "binned.ecsv"),
        ("a.ecsv.gz", "a.ecsv"),
    ],
)
def test_a_table_is_written_under_no_name_by_which_it_cannot_be_read(
    out, better, tmp_path, capsys
):
    (tmp_path / "stars.csv").write_text("ra_deg\n1\n")
    assert main(["desi", str(tmp_path / "stars.csv"), str(tmp_path / out)]) == 1
    said = capsys.readouterr().err
    assert f"{out}: an ECSV table is written" in said
    assert said.endswith(f"call it {tmp_path / better}\n")
    assert [p.name for p in tmp_path.iterdir()] == ["stars.csv"]
