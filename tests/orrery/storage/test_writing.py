import subprocess
import sys

from orrery.storage import writing


def test_a_second_writer_is_refused(stars):
    program = (
        "import pathlib, sys; from orrery.storage import writing\n"
        "folder, metadata = pathlib.Path(sys.argv[1]), {'fingerprint': 'a', 'shard_size': 8}\n"
        "try:\n"
        "    with writing.open_writer(folder, metadata): pass\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(stars.folder)]
    with writing.open_writer(stars.folder, stars.metadata):
        said = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout
    assert "is being written by process" in said
    assert "wait until it has finished" in said
