"""Figures of power and latency as a Markdown table."""

from __future__ import annotations

from typing import Any

from .measure import BUSY


def markdown(report: dict[str, Any]) -> str:
    """Write a report as Markdown.

    Parameters
    ----------
    report : dict
        What `bandfold bench` collects: machine, scene, settings, sensor and what
        `bandfold.benchmarks.power.measure.measure` returns.

    Returns
    -------
    str
        A heading, a table and what must be said beside it.
    """
    found, scene = report["summary"], report["scene"]
    strip = found["strip_milliseconds"]
    geometry = f"{scene['lines']} x {scene['samples']} x {scene['bands']} {scene['dtype']}"
    rows = [
        ("throughput", "Msamples/s", _spread(found["msamples_per_second"], ".2f")),
        ("time of a scene", "s", _spread(found["seconds"], ".2f")),
        ("processor time of a scene", "s", _spread(found["cpu_seconds"], ".2f")),
        (
            _strip_name(report["settings"]),
            "ms",
            f"median {_number(strip['median'])}, p95 {_number(strip['p95'])}, p99 {_number(strip['p99'])}, "
            f"max {_number(strip['max'])}",
        ),
        ("peak memory, imports included", "MiB", f"{found['peak_rss'] / 2**20:.0f}"),
        ("highest temperature", "°C", "not told" if found["hottest"] is None else f"{found['hottest']:.1f}"),
        ("throttling", "", _throttling(report["throttled"])),
    ]
    if report["sensor"] is not None:
        rows += [
            ("power, idle", "W", f"{found['idle_watts']:.2f}"),
            ("power, encoding", "W", _spread(found["watts"], ".2f")),
            ("energy above idle", "J/Msample", _spread(found["joules_per_msample_above_idle"], ".3f")),
            ("energy", "J/Msample", _spread(found["joules_per_msample"], ".3f")),
        ]
    lines = [
        f"{report['machine']['processor']}: {geometry}, {report['settings']['rate']}, "
        f"{len(report['runs'])} runs, median (range)",
        "",
        "| what | unit | figure |",
        "|---|---|---:|",
        *(f"| {name} | {unit} | {figure} |" for name, unit, figure in rows),
        "",
        _sensor(report),
    ]
    if found["idle_busy_percent"] > BUSY:
        lines += [
            "",
            f"Something else used {found['idle_busy_percent']:.0f} % of the processors while nothing should "
            "have run: the figures are too high.",
        ]
    return "\n".join(lines)


def _strip_name(settings: dict[str, Any]) -> str:
    strip = f"a strip of {settings['strip_lines']} lines"
    if settings["streamed"]:
        return f"latency of {strip}, from its last line to its segment"
    return f"time of {strip} of a whole scene"


def _sensor(report: dict[str, Any]) -> str:
    if report["sensor"] is None:
        return f"No energy is reported: {report['no_sensor']}."
    rails = ", ".join(report["sensor"]["rails"])
    return f"Energy: {report['sensor']['name']}; sum of {rails}."


def _throttling(found: list[str] | None) -> str:
    if found is None:
        return "not told"
    return ", ".join(found) or "none"


def _spread(values: dict[str, float] | None, style: str) -> str:
    if values is None:
        return "not measured"
    return f"{values['median']:{style}} ({values['low']:{style}}-{values['high']:{style}})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
