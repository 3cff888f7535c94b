import sys

import torch

from orrery.execution import processors
from orrery.execution.processors import (
    compiler,
    describe_processor,
    processor_model,
)


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


def test_a_compiler_is_one_that_answers_and_has_headers(monkeypatch, tmp_path):
    header, program = tmp_path / "Python.h", tmp_path / "cxx"
    monkeypatch.setenv("CXX", str(program))
    monkeypatch.setattr(processors.sysconfig, "get_path", lambda _: str(tmp_path))
    assert compiler() is None
    program.write_text("#!/bin/sh\necho 'cxx 1.2'\necho more\n")
    program.chmod(0o755)
    assert compiler() is None
    header.touch()
    assert compiler() == "cxx 1.2"
    program.write_text("#!/bin/sh\nexit 1\n")
    assert compiler() is None
