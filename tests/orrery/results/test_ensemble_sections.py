"""What is told of ensembles is what their tests have shown."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from orrery.parameters import Parameter
from orrery.results import ensemble_sections
from orrery.results.recording import record

M = Parameter("m", "dex(solMass)", "$m$")


def test_one_network_is_one_network(made):
    document = {"pairs": {name: {"count": 9} for name in ("train", "validation")}}
    one = replace(
        made(members=1), ensemble=SimpleNamespace(reseeded=0, document=document)
    )
    text = ensemble_sections._summary(one)
    assert text.startswith("1 network, 0 initialised anew")
    assert "scatters" not in text


def test_the_table_of_errors_has_the_parameters_unit(made):
    one = made()
    table = ensemble_sections.error_table(one, M)
    assert table["tests"].sum() == ((one.truth >= 11) & (one.truth < 13)).sum()
    for name in ("from", "to", "rmse", "rmse_error", "bias", "bias_error"):
        assert str(table[name].unit) == M.unit
    assert table["tests"].unit is None
    np.testing.assert_array_equal(table["to"][:-1], table["from"][1:])


def test_figures_show_each_ensemble_with_its_own_tests(made, choices, tmp_path):
    one = made(seed=1)
    single = replace(one, members=one.members[:1])
    found = {"one": one, "other": made(3000, seed=2), "single": single}
    published = {"single": 0.2, "unasked": 0.3}
    with record("toy", choices(), tmp_path) as recording:
        ensemble_sections.record_predictions(
            recording, "some", "Some", found, ("$m$", "dex"), published
        )
    result = recording.result
    view = result.view(result.section("some"))
    assert view.tests.keys() == view.errors.keys() == {*found}
    for name, (truth, predicted) in view.tests.items():
        np.testing.assert_array_equal(truth, found[name].truth)
        np.testing.assert_array_equal(predicted, found[name].predicted)
        assert view.errors[name].counts.sum() == len(truth)
    assert view.members.keys() == {"one", "other"}, "one member has no band"
    assert view.published == {"single.published": 0.2}


def test_other_labels_change_no_key(made, choices, tmp_path, keys):
    found = []
    for labels in (("25 neighbours", "10 neighbours"), ("Many, <25>", "Few, & 10")):
        ensembles = {
            key: replace(made(), label=label)
            for key, label in zip(("25", "10"), labels, strict=True)
        }
        with record("toy", choices(), tmp_path) as recording:
            ensemble_sections.record_predictions(
                recording, "some", labels[0], ensembles, ("$m$", "dex"), {"25": 0.2}
            )
        found.append(recording.result)
    assert keys(found[0]) == keys(found[1])
    for result, label in zip(found, ("10 neighbours", "Few, & 10"), strict=True):
        # the figure draws the tests of the first in the document's order
        section = result.section("some")
        assert next(iter(result.view(section).tests)) == "10"
        assert f"Tests as {label} predicts them" in section["text"]
    legends = [found[i].view(found[i].section("some")).legend for i in (0, 1)]
    assert legends[0].keys() == legends[1].keys()
    assert not {*legends[0].values()} & {*legends[1].values()}


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("published", [{"one": 0.2}, {"another": 0.2}])
def test_captions_tell_of_what_is_drawn_alone(
    made, choices, tmp_path, several, published
):
    one = made(members=3 if several else 1)
    with record("toy", choices(), tmp_path) as recording:
        ensemble_sections.record_predictions(
            recording, "some", "Some", {"one": one}, ("$m$", "dex"), published
        )
    caption = recording.result.section("some")["text"]
    assert ("bands" in caption) == several
    assert ("published" in caption) == ("one" in published)
