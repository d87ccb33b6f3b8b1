"""A report as one page of HTML that needs neither a server nor the network."""

from __future__ import annotations

import base64
import io
import json
import math
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold import __version__
from bandfold.ground.stream.stream_report import value_text

from .report_contents import ReportContents
from .report_plots import Items, band_axis, plots
from .setting_names import setting_name

FIXED_BYTES = 2_200_000
"""Of a page for everything but the cubes, about: Bokeh's script, the picture and the maps."""

BYTES_PER_VALUE = 8 / 3
"""Of a page: two bytes in base64."""

MISSING = 65535
"""Code of a sample without data."""

_STRETCH = (1.0, 99.0)
"""Percentiles of a band that are shown black and white."""


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


def render(contents: ReportContents, title: str, written: datetime | None = None) -> str:
    """Write the page.

    Parameters
    ----------
    contents : ReportContents
        What is shown.
    title : str
        Name of the stream.
    written : datetime, optional
        When the page is made, as it says. Default: now.

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
        script=(folder / "report.js").read_text("utf-8"),
        bokeh="\n".join(Resources(mode="inline", components=["bokeh"]).js_raw),
        data=_json({"view": _view(contents), "plots": items}),
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
        "has_reference": contents.cubes.reference is not None,
        "bands": bands,
        "sections": [(name, count) for name, count in stream["bytes"].items() if count],
        "file_bytes": stream["file_bytes"],
        "segments": stream["segments"],
        "settings": [
            (setting_name(key), value_text(value) or "-")
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


def _view(contents: ReportContents) -> dict[str, Any]:
    """What the script needs: cubes, picture and axes."""
    info, grid = contents.info, contents.cubes.grid
    positions, axis = band_axis(contents)
    cubes = {"decoded": contents.cubes.decoded, "reference": contents.cubes.reference}
    packed = {
        name: _Packed(cube, exact=info.dtype.kind != "f").as_json()
        for name, cube in cubes.items()
        if cube is not None
    }
    low, high = _stretch(contents.cubes.decoded)
    return {
        "lines": info.lines,
        "samples": info.samples,
        "pixels": grid.pixels,
        "shape": list(grid.shape(info)),
        "bandNumbers": list(range(0, info.bands, grid.bands)),
        "positions": positions.tolist(),
        "axis": axis,
        "low": low,
        "high": high,
        "cubes": packed,
        "picture": _png(contents.picture.samples),
        "damage": [one.bounds for one in contents.damage],
    }


class _Packed:
    """A cube as 16-bit codes; integers that fit keep their values."""

    def __init__(self, cube: NDArray[np.float32], *, exact: bool) -> None:
        present = np.isfinite(cube)
        low = float(cube[present].min()) if present.any() else 0.0
        high = float(cube[present].max()) if present.any() else 0.0
        fits = exact and high - low < MISSING
        self.offset = low
        self.scale = 1.0 if fits else (high - low) / (MISSING - 1) or 1.0
        codes = np.full(cube.shape, MISSING, "<u2")
        codes[present] = np.rint((cube[present].astype(np.float64) - low) / self.scale)
        self._codes = codes

    def as_json(self) -> dict[str, Any]:
        """Scale, offset and codes in base64."""
        return {
            "scale": self.scale,
            "offset": self.offset,
            "codes": base64.b64encode(self._codes.tobytes()).decode("ascii"),
        }


def _stretch(cube: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Values of each band that are shown black and white."""
    low, high = [], []
    for band in cube:
        present = band[np.isfinite(band)]
        first, last = np.percentile(present, _STRETCH) if present.size else (0.0, 1.0)
        low.append(float(first))
        high.append(float(last) if last > first else float(first) + 1)
    return low, high


def _png(picture: NDArray[np.float32]) -> str:
    """A picture in colours, each stretched on its own, as a data URI; transparent where there is no data."""
    from PIL import Image

    planes = []
    for plane in np.moveaxis(picture, 2, 0):
        (low,), (high,) = _stretch(plane[None])
        with np.errstate(invalid="ignore"):
            planes.append(np.nan_to_num(np.clip((plane - low) / (high - low), 0, 1) * 255))
    alpha = np.where(np.isfinite(picture).all(axis=2), 255, 0)
    pixels = np.stack([*planes, alpha], axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "WEBP", quality=90, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _json(content: Items) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _decibels(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "no error" if math.isinf(value) else f"{value:.2f} dB"


def _degrees(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}°"
