"""The plots of a report, by Bokeh."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, LinearColorMapper, NumeralTickFormatter
from bokeh.models.annotations import BoxAnnotation, ColorBar, Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from .report_contents import ReportContents, wavelengths_of

DECODED, REFERENCE, DAMAGED = "#1f6fb2", "#e08214", "#c1272d"
"""Colours that are told apart with red-green blindness too."""

QUIET = "#76818f"
"""Letters and lines that can be read on white and on dark ground."""

LARGEST_MAP = 256
"""Lines and samples of a map, at most."""

Items = dict[str, Any]
"""Plots by the ``id`` of the element that they go into, ready for Bokeh's script."""


def plots(contents: ReportContents) -> Items:
    """Draw everything that is a plot.

    Parameters
    ----------
    contents : ReportContents
        What is shown.

    Returns
    -------
    dict
        JSON items by the ``id`` of the element that they go into. Which ones there are depends on whether
        there is a reference.
    """
    figures = {
        "spectrum": _spectrum(contents),
        "strips": _strips(contents),
        "intervals": _intervals(contents),
        "components": _components(contents),
    }
    if contents.comparison is not None:
        figures["psnr"] = _psnr(contents)
        figures["sam"] = _map(contents, contents.comparison.sam_map, "spectral angle in degrees")
        figures["rmse"] = _map(contents, contents.comparison.rmse_map, "RMSE over the bands")
    return {name: json_item(figure, ID(name)) for name, figure in figures.items()}


def band_axis(contents: ReportContents) -> tuple[NDArray[np.float64], str]:
    """Position of every band on an axis: wavelengths where they rise, else band numbers.

    Parameters
    ----------
    contents : ReportContents
        What is shown.

    Returns
    -------
    positions : ndarray of float64, shape (bands,)
        Rising.
    label : str
        What they are, with the unit.
    """
    info = contents.info
    centres = wavelengths_of(info)
    if centres is None or (np.diff(centres) <= 0).any():
        return np.arange(info.bands, dtype=np.float64), "band, from 0"
    unit = str(info.metadata.get("wavelength units", "")).strip()
    return centres, f"wavelength in {unit.lower()}" if unit else "wavelength"


def _figure(height: int, x: str, y: str, **more: Any) -> Any:
    tools = more.pop("tools", "pan,box_zoom,wheel_zoom,reset,save")
    plot: Any = figure(
        height=height, sizing_mode="stretch_width", x_axis_label=x, y_axis_label=y, tools=tools, **more
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    # A wheel scrolls the page until the tool is chosen.
    plot.toolbar.active_scroll = None
    plot.min_border_right = 12
    # As the page, light or dark, with letters that can be read on both.
    plot.background_fill_color = plot.border_fill_color = None
    plot.outline_line_color = None
    for axis in plot.axis:
        axis.axis_label_text_color = axis.major_label_text_color = QUIET
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = QUIET
    plot.grid.grid_line_color = QUIET
    plot.grid.grid_line_alpha = 0.25
    # On a phone the numbers of more ticks would run into each other.
    plot.xaxis.ticker.desired_num_ticks = 5
    return plot


def _spectrum(contents: ReportContents) -> Any:
    positions, axis = band_axis(contents)
    shown = positions[:: contents.cubes.grid.bands]
    # The pixel that the page begins with.
    line, sample = (length // 2 for length in contents.cubes.decoded.shape[1:])
    columns = {"x": shown, "decoded": contents.cubes.decoded[:, line, sample]}
    if contents.cubes.reference is not None:
        columns["reference"] = contents.cubes.reference[:, line, sample]
    source = ColumnDataSource(columns, name="spectrum-source")
    plot = _figure(300, axis, "sample value")
    if contents.cubes.reference is not None:
        # Wide enough to be seen where both agree.
        wide = {"color": REFERENCE, "width": 5, "alpha": 0.55}
        plot.line("x", "reference", source=source, legend_label="reference", **wide)
    plot.line("x", "decoded", source=source, color=DECODED, width=1.5, legend_label="decoded")
    plot.add_tools(HoverTool(tooltips=[(name, f"@{{{name}}}") for name in columns], mode="vline"))
    _mark_band(plot, positions[0])
    plot.legend.background_fill_color = plot.legend.border_line_color = None
    plot.legend.label_text_color = QUIET
    return plot


def _mark_band(plot: Any, position: float) -> None:
    """A line at the band that the slider shows; the page moves it."""
    plot.add_layout(
        Span(location=position, dimension="height", line_color="#666666", line_dash="dashed", name="band")
    )


def _psnr(contents: ReportContents) -> Any:
    assert contents.comparison is not None  # noqa: S101 - for the type checker; the caller has looked
    positions, axis = band_axis(contents)
    values = np.array(contents.comparison.band_psnr)
    values[~np.isfinite(values)] = np.nan
    plot = _figure(260, axis, f"PSNR in dB, peak {contents.comparison.whole.full_scale:.5g}")
    plot.scatter(positions, values, size=4, color=DECODED)
    plot.add_tools(HoverTool(tooltips=[("band", "$index"), (axis, "@x"), ("PSNR", "@y{0.00} dB")]))
    _mark_band(plot, positions[0])
    return plot


def _map(contents: ReportContents, values: NDArray[np.float32], title: str) -> Any:
    """A map of the scene, each cell the mean of its pixels; damaged strips in red."""
    lines, samples = contents.info.lines, contents.info.samples
    step = max(1, -(-max(lines, samples) // LARGEST_MAP))
    small = _means(values, step)
    mapper = LinearColorMapper(palette="Viridis256", low=0.0, high=highest_shown(small), nan_color="#dddddd")
    plot = _figure(
        360,
        "sample",
        "line",
        # Ranges that follow the data are the only ones that keep the aspect at any width.
        x_range=DataRange1d(range_padding=0),
        y_range=DataRange1d(range_padding=0, flipped=True),
        match_aspect=True,
        tooltips=None,
    )
    image = plot.image(image=[small], x=0, y=0, dw=small.shape[1] * step, dh=small.shape[0] * step)
    image.glyph.color_mapper = mapper
    plot.add_tools(HoverTool(tooltips=[("sample, line", "$x{0}, $y{0}"), (title, "@image{0.000}")]))
    plot.add_layout(
        ColorBar(
            color_mapper=mapper,
            title=title,
            width=10,
            title_text_color=QUIET,
            major_label_text_color=QUIET,
            background_fill_color=None,
        ),
        "right",
    )
    for one in contents.damage:
        _mark_damage(
            plot, top=one.lines.start, bottom=one.lines.stop, hatch_color=DAMAGED, line_color=DAMAGED
        )
    return plot


def highest_shown(values: NDArray[np.float32]) -> float:
    """Value of a map that gets the last colour.

    Parameters
    ----------
    values : ndarray of float32
        The map; NaN where there is nothing to compare.

    Returns
    -------
    float
        Above 0; few values lie above it.
    """
    present = values[np.isfinite(values)]
    return (float(np.percentile(present, 99.5)) if present.size else 0.0) or 1.0


def _mark_damage(plot: Any, **place: Any) -> None:
    plot.add_layout(BoxAnnotation(fill_color=DAMAGED, fill_alpha=0.15, hatch_pattern="/", **place))


def _means(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means of cells of `step` x `step` values, without those that are NaN."""
    if step == 1:
        return values
    present = np.isfinite(values)
    edges = [np.arange(0, length, step) for length in values.shape]
    sums = [
        np.add.reduceat(np.add.reduceat(one, edges[0], axis=0), edges[1], axis=1)
        for one in (np.where(present, values, 0), present.astype(np.float32))
    ]
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[0] / sums[1], np.float32)


def _strips(contents: ReportContents) -> Any:
    segments = contents.stream["segments"]
    bad = {one.lines.start for one in contents.damage}
    spans = [one["lines"] for one in segments]
    source = ColumnDataSource(
        {
            "left": [start for start, _ in spans],
            "right": [stop for _, stop in spans],
            "bytes": [one["bytes"] for one in segments],
            "refinement": [one["refinement_bytes"] for one in segments],
            "both": [one["bytes"] + one["refinement_bytes"] for one in segments],
            "color": [DAMAGED if start in bad else DECODED for start, _ in spans],
            "state": ["damaged or missing" if start in bad else "intact" for start, _ in spans],
        }
    )
    refined = any(one["refinement_bytes"] for one in segments)
    plot = _figure(
        240, "line", "bytes of the segment and its refinement" if refined else "bytes of the segment"
    )
    place = {"left": "left", "right": "right", "line_color": "white", "source": source}
    plot.quad(top="bytes", bottom=0, color="color", **place)
    for start, stop in (one for one in spans if one[0] in bad):
        _mark_damage(plot, left=start, right=stop)
    tips = [("lines", "@left to @right"), ("bytes", "@bytes{0,0}"), ("", "@state")]
    if refined:
        plot.quad(top="both", bottom="bytes", color=REFERENCE, **place)
        tips.insert(2, ("refinement", "@refinement{0,0}"))
    plot.add_tools(HoverTool(tooltips=tips))
    plot.y_range.start = 0
    plot.yaxis.formatter = _thousands()
    return plot


def _scaled(contents: ReportContents, bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits as bytes, scaled so that they add up to the segments that could be decoded."""
    bad = {one.lines.start for one in contents.damage}
    coded = sum(one["bytes"] for one in contents.stream["segments"] if one["lines"][0] not in bad)
    total = bits.sum()
    return bits * (coded / total if total > 0 else 0.0)


def _intervals(contents: ReportContents) -> Any:
    ends = contents.stream["intervals"]
    names = [f"bands {first}:{last}" for first, last in zip((0, *ends[:-1]), ends, strict=True)]
    source = ColumnDataSource({"name": names, "bytes": _scaled(contents, contents.interval_bits)})
    plot = _figure(
        min(90 + 26 * len(names), 420), "bytes, estimated", "", y_range=names[::-1], tools="reset,save"
    )
    plot.hbar(y="name", right="bytes", height=0.7, color=DECODED, source=source)
    plot.add_tools(HoverTool(tooltips=[("", "@name"), ("bytes", "@bytes{0,0}")]))
    plot.x_range.start = 0
    plot.xaxis.formatter = _thousands()
    plot.xaxis.ticker.desired_num_ticks = 4
    return plot


def _components(contents: ReportContents) -> Any:
    values = _scaled(contents, contents.component_bits)
    numbers = np.arange(len(values))
    source = ColumnDataSource({"number": numbers, "bytes": values})
    name = "component, strongest first" if contents.stream["spectral"] == "auto" else "component (a band)"
    plot = _figure(240, name, "bytes, estimated")
    plot.vbar(x="number", top="bytes", width=0.9, color=DECODED, source=source)
    plot.add_tools(HoverTool(tooltips=[("component", "@number"), ("bytes", "@bytes{0,0}")]))
    plot.y_range.start = 0
    plot.yaxis.formatter = _thousands()
    return plot


def _thousands() -> Any:
    """Whole numbers in groups of three digits."""
    return NumeralTickFormatter(format="0,0")
