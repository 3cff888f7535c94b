"""What a study keeps beside its documents, damaged with the right checksum: who reads it.

A checksum says that a file is what somebody wrote. So each of these gets the checksum of
what it holds after it was damaged.
"""

import struct

import numpy as np

ROWS = 16


def resealed(content):
    """Returns a Parquet file of ours with the checksum of what it holds."""
    from orrery.storage import parquet
    from orrery.storage.documents import digest_of

    try:
        blank = parquet._with_digest(content, b"0" * 64)
    except ValueError:
        return content  # damage has taken the entry
    return parquet._with_digest(content, digest_of(blank).encode())


def _kept_summaries():
    import pyarrow as pa

    random = np.random.default_rng(7)
    columns = {"index": np.arange(ROWS), "theta.mass": random.normal(size=ROWS)}
    columns |= {f"x.{name}": random.normal(size=ROWS) for name in "ab"}
    return pa.table(columns).replace_schema_metadata({"orrery": '{"count": 16}'})


def write_summaries(folder):
    from orrery.storage.parquet import write_parquet

    write_parquet(folder / "summaries.parquet", _kept_summaries())


def read_summaries(path):
    from orrery.storage.parquet import read_parquet

    path.write_bytes(resealed(path.read_bytes()))
    table = read_parquet(path)
    return [column.to_pylist() for column in table.columns]


def write_arrays(folder):
    from orrery.results.encoding import to_parquet

    random = np.random.default_rng(8)
    arrays = {
        "x": random.normal(size=(4, 5)),
        "curves.a": np.arange(9),
        "known": random.normal(size=12) > 0,
        "limit": np.array(0.5, dtype=np.float32),
    }
    (folder / "coverage.parquet").write_bytes(to_parquet(arrays))


def read_arrays(path):
    from orrery.results.encoding import from_parquet

    return {
        name: value.sum() for name, value in from_parquet(path.read_bytes()).items()
    }


def write_checkpoint(folder):
    import io

    import torch

    place = folder / ".training-0f"
    place.mkdir()
    buffer = io.BytesIO()
    weights = {"layer.weight": torch.ones(3, 2), "layer.bias": torch.zeros(3)}
    torch.save({"epoch": 3, "weights": weights, "curve": [0.5, 0.25]}, buffer)
    (place / "last.ckpt").write_bytes(buffer.getvalue())


def read_checkpoint(path):
    from orrery.learning.tensor_files import load_tensors, owner
    from orrery.storage.documents import with_trailer

    path.write_bytes(with_trailer(path.read_bytes(), owner(path)))
    return repr(load_tensors(path))


def write_copy(folder):
    from wandb.proto import wandb_internal_pb2

    def chunk(**parts):
        content = wandb_internal_pb2.Record(**parts).SerializeToString()
        return struct.pack("<IHB", 0, len(content), 1) + content

    files = {"files": [{"path": "requirements.txt"}, {"path": "output.log"}]}
    entry = {"path": "a", "digest": "x", "local_path": str(folder / "run.json")}
    artifact = {"name": "posterior", "manifest": {"contents": [entry]}}
    records = (
        chunk(num=1, files=files),
        chunk(num=2, artifact=artifact),
        chunk(num=3, exit={"exit_code": 0}),
    )
    place = folder / "files"
    place.mkdir()
    (place / "requirements.txt").write_text("numpy\n")
    (folder / "run-0f.wandb").write_bytes(b":W&B\0\0\0" + b"".join(records))


def read_copy(path):
    from orrery.results.dashboard.endings import has_ended
    from orrery.results.dashboard.parts import parts

    has_ended(path)
    return [part.document for part in parts(path)]


def write_out(folder):
    """Writes a halo list of Rockstar's."""
    random = np.random.default_rng(9)
    names = "ID DescID Mvir Vmax Vrms Rvir Rs Np X Y Z VX VY VZ PID"
    lines = [f"#{names}\n", "#a = 1.000000\n", "#Box size: 64.000000 Mpc/h\n"]
    for row in range(ROWS):
        mass = 10 ** random.uniform(9, 13)
        radius = 55.0 * (mass / 1e9) ** (1 / 3) / 2
        place = " ".join(f"{number:.4f}" for number in random.uniform(0, 64, 3))
        speed = " ".join(f"{number:.2f}" for number in random.normal(0, 150, 3))
        about = f"{random.uniform(20, 90):.2f} 60.0 {radius:.3f} 5.5 100"
        lines.append(f"{row} -1 {mass:.4e} {about} {place} {speed} -1\n")
    (folder / "out_12.list").write_text("".join(lines))


def read_out(path):
    from halomass.catalogues.catalogue import open_catalogue

    found = open_catalogue(path, box=64.0, scale=1.0, part_of_box=True, memory=64.0)
    return [found.records(0, [chunk]) for chunk in range(found.chunks)]
