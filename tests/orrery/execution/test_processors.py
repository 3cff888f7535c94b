import sys

import torch

from orrery.execution import processors
from orrery.execution.processors import describe_processor, processor_model


def test_what_rounds_is_named():
    assert describe_processor() == (
        f"{processor_model()}, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}"
    )
    assert describe_processor("compiled") == f"{describe_processor()}, compiled"


def test_torch_is_not_imported_for_its_name(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    assert describe_processor() == processor_model()
    assert "torch" not in sys.modules


def test_the_model_is_what_the_system_says(monkeypatch, tmp_path):
    def model(text):
        (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "cpuinfo")
        return processor_model.__wrapped__()

    assert model("processor : 0\nmodel name\t: One 7: fast\nmodel name : Two\n") == (
        "One 7: fast"
    )
    unnamed = model("processor : 0\nmodel name :\n")
    assert unnamed
    monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "nowhere")
    assert processor_model.__wrapped__() == unnamed
