"""A dataset lies in the folder of all datasets, whatever it is called."""

import pytest

from orrery.execution.simulation import generate


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b", "..", ".hidden", "a\\b", "a\0b"]
)
def test_names_of_no_folder_are_refused(toy, tmp_path, name):
    with pytest.raises(ValueError, match="is that of no folder: give words without"):
        generate(toy, 8, 1, tmp_path / "all", name=name, actors=0)
    assert list(tmp_path.iterdir()) == []


def test_any_other_name_is_the_folders(toy, tmp_path):
    made = generate(toy, 8, 1, tmp_path, name="spring 2026 (ä).v2", actors=0)
    assert made.folder.parent == tmp_path
    assert made.folder.name == f"spring 2026 (ä).v2-{made.fingerprint}"
