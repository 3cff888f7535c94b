"""Pages of the site that lie elsewhere in the repository, where its readers look for them.

README is the first page; the formats, the committed results and their figures, and the
conventions keep their paths. Links lead to the same files there and on the site. The gallery
is made where its pictures are.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gallery import MADE, page

ROOT = Path(__file__).parents[1]
ELSEWHERE = (
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "datasets/README.md",
    "datasets/results/*.md",
    "datasets/results/*.png",
    "platform/CONVENTIONS.md",
    "platform/clusters/README.md",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what lies outside of `docs/`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = readme.replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, place, abs_src_path=str(path)))
    files.append(File.generated(config, "gallery.md", content=page(MADE)))
    for path in sorted(MADE.rglob("*.png")):
        place = Path("gallery", path.relative_to(MADE)).as_posix()
        files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Returns a page whose links out of `docs/` lead to the site's copies.

    A tutorial's cells are code like any other: their tags are for notebooks.
    """
    if page.file.src_uri.startswith("tutorials/"):
        return re.sub(r"^```python tags=.*$", "```python", markdown, flags=re.MULTILINE)
    if "/" in page.file.src_uri:
        return markdown
    inside = re.sub(r"\]\(\.\./(?=(?:datasets|platform)/)", "](", markdown)
    return inside.replace("](../README.md", "](index.md")
