"""The names that one's own simulator needs come from one place, and cost nothing unasked."""

import subprocess
import sys

import pytest

import orrery


@pytest.mark.parametrize("name", orrery.__all__)
def test_each_name_is_what_its_module_defines(name):
    module, attribute = orrery._HOMES[name]
    found = getattr(orrery, name)
    assert found is getattr(sys.modules[module], attribute)
    assert found.__doc__


def test_the_list_is_whole():
    assert set(orrery.__all__) == set(orrery._HOMES) <= set(dir(orrery))


def test_unknown_names_are_refused_with_those_there_are():
    with pytest.raises(AttributeError, match=r"'summarize'.*'summarise'"):
        _ = orrery.summarize


@pytest.mark.slow
def test_nothing_is_loaded_before_it_is_asked_for():
    code = (
        "import sys, orrery\n"
        "assert not {'torch', 'numpy', 'ray', 'lightning', 'pyarrow'} & set(sys.modules)\n"
        "from orrery import Parameter, Result\n"
        "assert not {'torch', 'ray', 'lightning'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
