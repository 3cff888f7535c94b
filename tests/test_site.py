"""The documentation as a site: it builds, no link leads nowhere, and nothing is fetched."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
# A page's own links may lead out; what it shows and runs may not.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|link[^>]*stylesheet)[^>]*["'](https?:)"""
)


class _Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, whose plugins have tags of their own."""


def listed(navigation):
    """Yields the pages of a navigation."""
    for entry in navigation:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from [below] if isinstance(below, str) else listed(below)


def test_every_page_is_in_the_navigation():
    settings = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=_Settings)
    docs = ROOT / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert pages <= {*listed(settings["nav"])}


@pytest.mark.slow
def test_the_site_builds_without_a_broken_link(tmp_path):
    # not --quiet: what is not printed is not counted as a warning
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len([*(ROOT / "docs").rglob("*.md")])
    fetching = {page.name for page in pages if FETCHED.search(page.read_text())}
    assert fetching == set()
    assert "generate" in (tmp_path / "site" / "api.html").read_text()
    tutorials = sorted((tmp_path / "site" / "tutorials").glob("*.html"))
    assert tutorials
    # a cell's tags are for notebooks, and would make text of it here
    assert [one.name for one in tutorials if "tags=" in one.read_text()] == []
