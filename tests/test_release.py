"""What a release says of itself agrees with the one place that has the version."""

import re
from importlib.metadata import metadata
from pathlib import Path
from urllib.parse import urlsplit

import bandfold

ROOT = Path(__file__).resolve().parents[1]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def version():
    return re.search(r'^version = "(.+)"$', text("pyproject.toml"), re.M)[1]


def test_the_installed_version_is_that_of_the_tree():
    assert bandfold.__version__ == version()


def test_the_citation_names_it():
    assert re.search(r"^version: (.+)$", text("CITATION.cff"), re.M)[1] == version()
    assert re.search(r"^license: (.+)$", text("CITATION.cff"), re.M)[1] == "Apache-2.0"


def test_the_changelog_tells_of_it_or_of_what_comes_next():
    headings = re.findall(r"^## \[(.+?)\]", text("CHANGELOG.md"), re.M)
    assert headings[0] == "Unreleased"
    assert version() == "0.1.0" or version() in headings


def test_addresses_are_those_of_the_package():
    source = re.search(r'^Source = "(.+)"$', text("pyproject.toml"), re.M)[1]
    assert f"repository-code: {source}\n" in text("CITATION.cff")
    assert f"({source}/security)" in text("SECURITY.md")
    assert metadata("bandfold")["Name"] == "bandfold"


def test_addresses_are_where_a_release_sets_them():
    """Reserved or not, all are of the same two servers, and no other file names them."""
    urls = dict(re.findall(r'^(\w+) = "(https://.+)"$', text("pyproject.toml"), re.M))
    assert set(urls) == {"Documentation", "Source", "Issues", "Changelog"}
    assert all(urls[name].startswith(urls["Source"] + "/") for name in ("Issues", "Changelog"))
    told = text("docs/releasing.md")
    for address in (urls["Source"], urls["Documentation"]):
        reserved = urlsplit(address).hostname.endswith(".example")
        assert not reserved or f"s#{address}#" in told
    places = {"pyproject.toml", "CITATION.cff", "SECURITY.md", "docs/releasing.md", "tests/test_release.py"}
    others = [path for kind in ("*.md", "*.toml", "*.cff", "*.yml", "*.py") for path in ROOT.rglob(kind)]
    named = {
        path.relative_to(ROOT).as_posix()
        for path in others
        if not {".venv", "out", "build", "dist"} & set(path.relative_to(ROOT).parts)
        and re.search(
            r"bandfold\.example|github\.com/bandfold|bandfold\.readthedocs", path.read_text("utf-8")
        )
    }
    assert named <= places


def test_the_source_archive_holds_all_of_the_kernels():
    """What is not named there is missing from it, and wheels have no kernels then."""
    native = {f"common/native/{path.name}" for path in (ROOT / "common" / "native").glob("*.[ch]")}
    assert native == set(re.findall(r'"(common/native/.+?)"', text("pyproject.toml")))


def test_wheels_hold_all_templates_of_reports():
    patterns = re.search(r'^"bandfold.ground.report" = \["(.+)"\]$', text("pyproject.toml"), re.M)[1]
    room = ROOT / "ground" / "report"
    assert set(room.glob(patterns)) == set((room / "templates").iterdir())
