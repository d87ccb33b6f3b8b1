"""A report as one page of HTML that needs neither a server nor the network."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

from bandfold import __version__
from bandfold.ground.stream.stream_report import value_text

from .page_view import page_view
from .report_contents import ReportContents, SampleGrid
from .report_plots import Items, plots
from .setting_names import setting_name
from .tile_folder import TileFolder

FIXED_BYTES = 2_200_000
"""Of a page for everything but the cubes, about: Bokeh's script, the picture and the maps."""

BYTES_PER_VALUE = 8 / 3
"""Of a page: two bytes in base64."""


_SCRIPTS = ("tile_store.js", "layers.js", "viewport.js", "picture.js", "report.js")
"""Of the page, in the order in which they are run."""


def values_within(page_bytes: int, cubes: int) -> int:
    """Samples of each cube that fit into a page.

    Parameters
    ----------
    page_bytes : int
        Size of the page.
    cubes : int
        One, or two with a reference.

    Returns
    -------
    int
        At least 1.
    """
    return max(int((page_bytes - FIXED_BYTES) / BYTES_PER_VALUE / cubes), 1)


def render(
    contents: ReportContents,
    title: str,
    written: datetime | None = None,
    tiles: TileFolder | None = None,
) -> str:
    """Write the page.

    Parameters
    ----------
    contents : ReportContents
        What is shown.
    title : str
        Name of the stream.
    written : datetime, optional
        When the page is made, as it says. Default: now.
    tiles : TileFolder, optional
        What goes with the page; the contents were collected with it.

    Returns
    -------
    str
        HTML.
    """
    from bokeh.resources import Resources
    from jinja2 import Environment, select_autoescape

    folder = files(__package__) / "templates"
    page = Environment(
        autoescape=select_autoescape(default_for_string=True), trim_blocks=True, lstrip_blocks=True
    ).from_string((folder / "report.html").read_text("utf-8"))
    items = plots(contents)
    return page.render(
        title=title,
        heading=_heading(contents, title),
        date=(written or datetime.now(timezone.utc)).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        style=(folder / "report.css").read_text("utf-8"),
        scripts=[(folder / name).read_text("utf-8") for name in _SCRIPTS],
        bokeh="\n".join(Resources(mode="inline", components=["bokeh"]).js_raw),
        data=_json({"view": page_view(contents, tiles), "plots": items}),
        tiles=tiles and tiles.path.name,
        present=set(items),
        **_facts(contents),
    )


def _facts(contents: ReportContents) -> dict[str, Any]:
    """What the page says in words."""
    info, stream, grid = contents.info, contents.stream, contents.cubes.grid
    bands, lines, samples = grid.shape(info)
    whole = None if contents.comparison is None else contents.comparison.whole
    raw = info.count * info.dtype.itemsize
    figures = [
        ("scene", f"{info.lines} lines x {info.samples} samples x {info.bands} bands, {info.dtype}"),
        ("file", f"{stream['file_bytes']:,} bytes, {raw / stream['file_bytes']:.1f}\u00a0:\u00a01"),
        ("rate", f"{stream['bps']:.4f} bits per sample"),
    ]
    bounds = [segment["max_error"] for segment in stream["segments"]]
    if all(bound is not None for bound in bounds):
        worst = max(bounds)
        share = stream["relative_error"]
        of_sample = f"{share:.4g} of a sample or " if share else ""
        figures.append(
            ("guaranteed", f"no error above {of_sample}{worst:g}" if worst or share else "lossless")
        )
    if whole is not None:
        figures += [
            ("SNR", _decibels(whole.snr)),
            (f"PSNR, peak {whole.full_scale:.5g}", _decibels(whole.psnr)),
            ("spectral angle, mean", _degrees(whole.mean_sam)),
            ("largest error", "-" if math.isnan(whole.max_error) else f"{whole.max_error:g}"),
        ]
    damaged = sum(one.lines.stop - one.lines.start for one in contents.damage)
    return {
        "figures": figures,
        "damage": contents.damage,
        "damaged_share": f"{damaged / info.lines:.1%}",
        "kept": f"{lines} x {samples} pixels{_one_of(grid.pixels, 'lines and samples')}, "
        f"{bands} bands{_one_of(grid.bands, 'bands')}",
        "partial": grid != SampleGrid(1, 1),
        "has_reference": contents.cubes.reference is not None,
        "sections": [(name, count) for name, count in stream["bytes"].items() if count],
        "file_bytes": stream["file_bytes"],
        "segments": stream["segments"],
        "settings": [
            (setting_name(key), value_text(value))
            for key, value in stream.items()
            if key not in ("bytes", "segments")
        ],
        "intervals": _interval_rows(contents),
        "colours": contents.picture.bands,
    }


def _heading(contents: ReportContents, title: str) -> str:
    """What the scene says that it is, or else the name of the stream."""
    told = contents.info.metadata.get("description")
    text = " ".join((told if isinstance(told, str) else " ".join(told or ())).split())
    return f"{text[:117]}..." if len(text) > 120 else text or title


def _one_of(step: int, what: str) -> str:
    return f" (one of {step} {what})" if step > 1 else ""


def _interval_rows(contents: ReportContents) -> list[tuple[str, str, str, str, str]]:
    """Bands, SNR, PSNR and spectral angle of each interval."""
    if contents.comparison is None:
        return []
    return [
        (
            f"{one.first_band}:{one.last_band}",
            _decibels(one.snr),
            _decibels(one.psnr),
            _degrees(one.mean_sam),
            f"{one.max_error:g}",
        )
        for one in contents.comparison.intervals
    ]


def _json(content: Items) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _decibels(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "no error" if math.isinf(value) else f"{value:.2f} dB"


def _degrees(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}°"
