"""What the site has beyond the pages in docs/: pages of the root, notebooks, and links to code.

mkdocs calls the functions by their names, see https://www.mkdocs.org/user-guide/plugins/#events.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import jupytext
from mkdocs.structure.files import File, Files

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
"""Pages of the root that are part of the site."""

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def notebooks() -> list[Path]:
    """The programs in examples/ that are notebooks."""
    return [path for path in sorted((ROOT / "examples").glob("*.py")) if path.read_text().startswith("# %%")]


def on_config(config: Any) -> Any:
    """Take the address of the repository from where the package has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config["repo_url"] = project["urls"]["Source"]

    return config


def on_files(files: Files, config: Any) -> Files:
    """Add pages of the root, and notebooks as pages."""
    for name in PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    for path in notebooks():
        text = jupytext.writes(jupytext.read(path), fmt="md")
        text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
        download = f"\n\n[This page as a program](../../examples/{path.name})\n"
        page = f"examples/{path.stem}.md"
        files.append(File.generated(config, page, content=text.rstrip() + download))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that leave docs/ lead to pages of the site, or else to the repository."""
    source = page.file.src_uri
    # Pages of the root and notebooks name files from where they lie in the repository.
    place = (
        posixpath.dirname(source) if source in PAGES else posixpath.join("docs", posixpath.dirname(source))
    )

    def lead(found: re.Match[str]) -> str:
        target, _, anchor = found[2].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        path = posixpath.normpath(posixpath.join(place, target))
        inside = path.removeprefix("docs/")
        known = path in PAGES or (path.startswith("docs/") and files.get_file_from_path(inside) is not None)
        if known:
            new = posixpath.relpath(inside, posixpath.dirname(source) or ".")
        else:
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            new = f"{config['repo_url']}/{kind}/main/{path}"
        return f"{found[1]}{new}{'#' + anchor if anchor else ''}{found[3]}"

    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else _LINK.sub(lead, part) for part in parts)
