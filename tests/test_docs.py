"""What the documentation names must exist: files, rooms, links, modules and targets of the Makefile."""

import importlib.util
import re
from functools import partial
from pathlib import Path

import pytest

from bandfold.benchmarks.visited import Visit
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.self_check import made_up_scene

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
ENTRIES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
CURRENT = [*ENTRIES[:2], ROOT / "SECURITY.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("howto/*.md"))]
"""Pages that say what is there now. The changelog and the design notes also tell of what was."""

PAGES = [*CURRENT, ENTRIES[2], *sorted((DOCS / "design-notes").glob("*.md"))]
TOPS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."} - {
    "build",
    "dist",
    "out",
}
CODE = {".py", ".toml", ".c", ".h"}
BUILT = re.compile(r"\.(so|pyd)$")


def named(page):
    return str(page.relative_to(ROOT))


def without_code(text):
    """The prose: what looks like a link or a heading in a block of code is none."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def paths_in(text):
    """Repository paths in backticks: those that begin with a folder of the root."""
    spans = re.findall(r"`([\w./*{},-]+/[\w./*{},-]*)`", without_code(text))
    return {span for span in spans if span.split("/")[0] in TOPS and not BUILT.search(span)}


def anchor(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors_of(page):
    return {anchor(one) for one in re.findall(r"^#+ (.*)$", without_code(page.read_text("utf-8")), re.M)}


def links_in(text):
    """Targets of relative links, with their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(text))
    return [one for one in targets if not re.match(r"[a-z]+:", one)]


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_every_path_in_backticks_exists(page):
    missing = [path for path in sorted(paths_in(page.read_text("utf-8"))) if not list(ROOT.glob(path))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    broken = []
    for link in links_in(page.read_text("utf-8")):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (
            fragment and target.suffix == ".md" and fragment not in anchors_of(target)
        ):
            broken.append(link)
    assert broken == []


def test_every_page_that_code_names_exists():
    files = [path for top in TOPS - {"docs"} for path in (ROOT / top).rglob("*") if path.suffix in CODE]
    pages = {page for path in files for page in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8"))}
    assert [page for page in sorted(pages) if not (ROOT / page).exists()] == []


@pytest.mark.parametrize("room", ["common", "bitstream", "onboard", "ground"])
def test_the_architecture_names_every_room(room):
    text = (DOCS / "architecture.md").read_text("utf-8")
    folders = {str(path.parent.relative_to(ROOT)) for path in (ROOT / room).rglob("__init__.py")}
    assert [folder for folder in sorted(folders) if f"`{folder}/`" not in text] == []


def test_the_architecture_names_every_file_on_the_way_of_a_sample():
    text = (DOCS / "architecture.md").read_text("utf-8")
    visit = Visit()
    stream = visit.of(partial(Encoder(step=8).encode, made_up_scene()))
    visit.of(Decoder(stream, restore="off").decode)
    assert {"onboard/transform/analysis.py", "ground/synthesis/inverse_transforms.py"} <= visit.for_strips
    assert [path for path in visit.functions if f"`{path}`" not in text] == []


def test_the_index_names_every_page():
    text = (DOCS / "README.md").read_text("utf-8")
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"README.md"}
    assert pages - set(links_in(text)) == set()


def test_the_site_has_every_page():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = set(re.findall(r": ([\w/.-]+\.md)$", text, re.M))
    assert {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - listed == set()


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_every_module_that_is_run_or_imported_exists(page):
    text = page.read_text("utf-8")
    modules = set(re.findall(r"python3? -m (bandfold[\w.]*\w)", text))
    modules |= set(re.findall(r"^\s*from (bandfold[\w.]*) import", text, re.M))
    assert [name for name in sorted(modules) if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_every_target_of_make_exists(page):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))
    asked = set(re.findall(r"(?:^|`)(?:[A-Z_]+=\S+ )*make ([a-z][\w-]*)", page.read_text("utf-8"), re.M))
    assert asked - targets == set()
