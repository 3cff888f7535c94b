"""What a run rests on can be followed by checksums, from its document to the simulations."""

import hashlib
import json
import shutil

from orrery.results.dashboard.deposits import deposits


def test_the_lineage_goes_from_the_document_to_the_dataset(recorded, science):
    result = recorded(science)
    learned = {"mwlmc": "posterior", "halomass": "ensemble"}[science]
    found = {one.kind: one for one in deposits(result)}
    assert list(found) == ["input", "dataset", "summaries", learned, "result"]
    parents = {kind: one.metadata["parents"] for kind, one in found.items()}
    assert parents["dataset"] == []
    for below, above in (
        ("summaries", "dataset"),
        (learned, "summaries"),
        ("result", learned),
    ):
        parent = parents[below][-1]
        assert parent["kind"] == above
        assert parent["sha256"] == found[above].metadata["sha256"]
        assert parent["fingerprint"] == found[above].fingerprint
    assert (
        parents["result"][0]["sha256"] == "cd" * 32
    )  # the stars, of which no copy goes
    assert not found["input"].files


def test_checksums_are_of_the_files(recorded):
    found = {one.kind: one for one in deposits(recorded("mwlmc"))}
    for kind in ("dataset", "summaries", "result"):
        decisive = {"dataset": "manifest.json"}.get(kind)
        paths = [p for p in found[kind].files if decisive in (None, p.name)]
        content = paths[0].read_bytes()
        assert found[kind].sha256 == hashlib.sha256(content).hexdigest()
    assert {path.name for path in found["posterior"].files} == {
        "posterior.json",
        "weights-77.pt",
    }


def test_what_is_gone_is_left_out_and_told(recorded):
    result = recorded("mwlmc")
    whole, told = deposits(result), []
    shutil.rmtree(result.folder.parents[3] / "datasets")
    found = deposits(result, lambda name, problem: told.append(name))
    assert [one.kind for one in found] == ["input", "posterior", "result"]
    assert len(told) == len(whole) - len(found)
    assert {name.partition(".")[0] for name in told} == {"datasets", "summaries"}


def test_what_has_lost_its_summaries_has_no_parent(recorded):
    result = recorded("mwlmc")
    shutil.rmtree(result.folder.parents[3] / "datasets" / "toy-0123" / "summaries")
    found = {one.kind: one for one in deposits(result)}
    assert "summaries" not in found
    assert found["posterior"].parents == ()


def test_metadata_is_plain_json(recorded, science):
    for one in deposits(recorded(science)):
        assert json.loads(json.dumps(one.metadata)) == one.metadata


def sent(result):
    """Returns the names of the files that would be sent, and what is told of the others."""
    told = []
    found = deposits(result, lambda name, problem: told.append(f"{name}: {problem}"))
    return {path.resolve().name for one in found for path in one.files}, told


def test_no_document_makes_files_from_elsewhere_go(recorded):
    result = recorded("mwlmc")
    whole, _ = sent(result)
    datasets = result.folder.parents[3] / "datasets"
    (datasets / "secret.parquet").write_bytes(b"a table of somebody else's")
    for wanted in ("../../secret", str(datasets / "secret")):
        result.document["lineage"]["summaries"][0]["fingerprint"] = wanted
        found, told = sent(result)
        assert found == whole - {"5555.parquet"}
        assert [one for one in told if "summaries.desi" in one and "secret" in one]


def test_no_link_makes_files_from_elsewhere_go(recorded):
    result = recorded("mwlmc")
    whole, _ = sent(result)
    dataset = result.folder.parents[3] / "datasets" / "toy-0123"
    secret = result.folder.parents[3] / "secret.txt"
    secret.write_text("a key")
    (dataset / "README.md").unlink()
    (dataset / "README.md").symlink_to(secret)
    found, told = sent(result)
    assert found < whole
    assert [one for one in told if "README.md" in one and "out of" in one]


def test_what_was_learned_on_another_disk_goes_with_its_run(recorded):
    result = recorded("mwlmc")
    whole, _ = sent(result)
    below = [path for path in result.folder.parent.iterdir() if path.is_dir()]
    learned = [path for path in below if path != result.folder]
    assert learned
    for folder in learned:
        disk = result.folder.parents[3] / "disk" / folder.name
        shutil.move(folder, disk)
        folder.mkdir()
        (folder / "there").symlink_to(disk)
    assert sent(result) == (whole, [])
