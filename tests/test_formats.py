"""The written formats are what the code writes: `datasets/README.md`, and what results say."""

import dataclasses
import json
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from halomass.study.ensembles import ensemble_key
from mwlmc.study import quantities
from mwlmc.study.literature import TABLE2
from orrery.judging.calibration import SUMMED_UP
from orrery.learning import ensemble, mixture, posterior
from orrery.parameters import Parameter
from orrery.results.recording import record
from orrery.results.result import FORMAT, PAGE
from orrery.results.sections import (
    Answer,
    Caution,
    DrawsSection,
    FigureSection,
    TableSection,
    Text,
    Verdict,
)
from orrery.results.views import Corner
from orrery.storage.manifest import ManifestRow
from orrery.storage.run import EPOCHS
from orrery.storage.work_log import Session
from orrery.sweeps.trial import State, Trial, trial_path

DATASETS = Path(__file__).parents[1] / "datasets"
TEXT = (DATASETS / "README.md").read_text(encoding="utf-8")


def rows_below(*head, text=TEXT):
    """Returns the cells of the table with a head, row by row."""
    table = text.partition(f"| {' | '.join(head)} |\n")[2].partition("\n\n")[0]
    return [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in table.splitlines()[1:]
    ]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def keys_below(heading):
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [
        key
        for row in rows_below("key", "meaning", text=section)
        for key in quoted(row[0])
    ]


def field_names(kind):
    return [field.name for field in dataclasses.fields(kind)]


@dataclasses.dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture(scope="module")
def attempt(tmp_path_factory):
    """The folder of an attempt that has one part of every kind."""
    parameter = Parameter("v", "km / s", "$v$")
    view = Corner({"toy": np.zeros((5, 1))}, (parameter,))
    with record("toy", Choices(), tmp_path_factory.mktemp("runs")) as recording:
        recording.words({"v_tb": "v_t,b"})
        recording.epoch("toy", 0, {"train": 2.0, "validation": 2.5})
        recording.answers([Answer("posterior.toy.v", "toy", "v", "km / s", 0, -1, 1)])
        recording.verdicts([Verdict("calibration.toy.tarp", "TARP", None, "p = 1.")])
        recording.metrics({"rmse.toy.all": np.nan})
        recording.add(
            Text("simulations", "Simulations", "Five."),
            Caution("misses", "Misses", "One."),
            TableSection("table", "Table", Table({"v": [1.0]}), "Speeds."),
            FigureSection("posterior.toy", "Posterior", view, "Draws."),
            DrawsSection("draws", "Draws", ("v",), ("km / s",), np.zeros((5, 1))),
        )
    return recording.run.folder


@pytest.fixture(scope="module")
def document(attempt):
    return json.loads((attempt / "run.json").read_text())


def test_the_manifest_has_the_keys_of_its_rows():
    assert keys_below("Manifest") == field_names(ManifestRow)


def test_the_work_log_has_the_keys_of_its_lines():
    assert keys_below("Work log") == field_names(Session)


def test_a_trial_has_the_keys_and_states_that_are_listed():
    rows = rows_below("of a trial", "meaning")
    listed = [key for row in rows for key in quoted(row[0])]
    assert sorted(listed) == sorted(Trial(0, {}).document)
    assert set(quoted(dict(rows)["`state`, `reason`"])) == set(get_args(State))
    assert trial_path(Path(), 7).as_posix() in TEXT


def test_a_run_has_the_fields_that_are_listed(document):
    listed = [
        field for row in rows_below("field", "meaning") for field in quoted(row[0])
    ]
    assert sorted(listed) == sorted(document)
    assert dict(rows_below("field", "meaning"))["`format`"] == str(FORMAT)


def test_a_run_says_where_it_lies(attempt):
    assert attempt.name == "attempt-001"
    assert f"`{PAGE}` is drawn from `run.json`" in " ".join(TEXT.split())


@pytest.mark.parametrize("field", ["answers", "verdicts"])
def test_answers_and_verdicts_have_the_keys_that_are_listed(field, document):
    meaning = dict(rows_below("field", "meaning"))[f"`{field}`"]
    (entry,) = document[field]
    assert set(entry) == {*quoted(meaning), "type"}


def test_numbers_that_are_not_finite_are_text(document):
    assert document["metrics"]["rmse.toy.all"] == "nan"
    assert '(`"nan"`)' in TEXT


def test_sections_have_the_kinds_fields_and_files_that_are_listed(document):
    listed = {
        quoted(kind)[0]: (quoted(fields), quoted(files))
        for kind, fields, files in rows_below("kind", "more fields", "files")
    }
    assert {section["kind"] for section in document["sections"]} == set(listed)
    for section in document["sections"]:
        fields, files = listed[section["kind"]]
        named = [file.replace("<key>", section["key"]) for file in files]
        assert sorted(section["files"]) == sorted(named)
        common = {"key", "title", "text", "shows", "kind", "files", "sha256"}
        assert set(section) - common <= set(fields)


def test_a_figure_is_one_row_with_an_array_in_each_column(attempt, document):
    (figure,) = (s for s in document["sections"] if s["kind"] == "figure")
    table = pq.read_table(attempt / figure["data"])
    assert len(table) == 1
    assert figure["view"]["$kind"] == "Corner"
    (name,) = table.column_names
    assert figure["view"]["draws"]["toy"] == {"$array": name}
    assert table.schema.field(name).metadata[b"shape"] == b"5,1"
    for word in ("$array", "$kind", "$float", "one row", "`shape`"):
        assert word in TEXT


def test_draws_are_a_column_with_its_unit_for_each_parameter(attempt):
    table = pq.read_table(attempt / "draws.parquet")
    assert len(table) == 5
    assert table.schema.field("v").metadata[b"unit"] == b"km / s"


def test_epochs_have_the_keys_that_are_listed(attempt):
    sentence = TEXT.partition(f"`{EPOCHS}` has a line")[2].partition("`report")[0]
    line = json.loads((attempt / EPOCHS).read_text())
    assert sorted(quoted(sentence)) == sorted(line)


def test_trained_networks_have_the_documents_that_are_listed():
    rows = rows_below("what", "folder", "document")
    kinds = (posterior.KIND, mixture.KIND, ensemble.KIND)
    assert [quoted(row[2]) for row in rows] == [[f"{kind}.json"] for kind in kinds]


def test_examples_of_keys_are_keys():
    draws = np.ones((9, 6))
    answers = {
        name
        for row in TABLE2
        for answer in quantities.answers(quantities.row_key(row), row, draws, draws)
        for name in answer.metrics
    }
    data = {quantities.row_key(row) for row in TABLE2}
    variant = ensemble_key("VSMDPL/UM, 10 neighbours")
    known = answers | {
        f"calibration.{d}.{t}" for d in (*data, "flow") for t in SUMMED_UP
    }
    known |= {f"predictive.{d}.whole_vector_pvalue" for d in data}
    known |= {f"prior_predictive.{d}.pvalue" for d in data}
    known |= {"posterior.mass.25.median", "rmse.25.minimum", f"rmse.{variant}.all"}
    known |= {"ensemble.25.members", "simulations.count", "hosts.seconds"}
    known |= {"bounds.accuracy.bias", "bounds.mass.lower"}
    examples = [key for row in rows_below("key", "example") for key in quoted(row[1])]
    assert len(examples) > 8
    assert set(examples) <= known


def test_predictive_checks_of_the_results_are_the_file():
    text = " ".join((DATASETS / "results" / "README.md").read_text().split())
    path = DATASETS / "results" / "predictive_desi_with_v_tb.ecsv"
    table = Table.read(path, format="ascii.ecsv")
    smallest = table[np.argmin(table["tail_probability"])]
    assert smallest["summary"] == "v_tb_mean_desi_30_50"
    claim = r"<v_tb> at 30-50 kpc, ([\d.]+), of (\d+) entries; .*? in (\d+) %"
    found = re.search(claim, text).groups()
    (share,) = re.findall(r"entry is as unusual in ([\d.]+) %", table.meta["caption"])
    assert found == (
        f"{smallest['tail_probability']:.2f}",
        str(len(table)),
        f"{float(share):.0f}",
    )


def test_every_result_is_in_the_list_of_results():
    text = (DATASETS / "results" / "README.md").read_text()
    patterns = [re.escape(name).replace(r"\*", ".*") for name in quoted(text)]
    missing = [
        path.name
        for path in (DATASETS / "results").iterdir()
        if path.suffix in {".ecsv", ".png"}
        and not any(re.fullmatch(pattern, path.name) for pattern in patterns)
    ]
    assert missing == []
