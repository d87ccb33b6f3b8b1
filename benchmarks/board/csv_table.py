"""Figures of a board as CSV: a row for encoding and one for decoding of each configuration."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from bandfold.common.atomic_files import atomic_output

from .estimates import PERCENTILES

MACHINE = (
    "board",
    "processor",
    "kernel",
    "power_mode",
    "bandfold",
    "python",
    "numpy",
    "onnxruntime",
    "litert",
)
SETTINGS = ("model", "engine", "threads", "quantiser", "effort", "bps", "step", "strip_lines")
ESTIMATES = {
    "msamples_per_second": "msamples_per_second",
    "seconds": "seconds_each",
    "cpu_seconds": "cpu_seconds_each",
    "watts": "watts",
    "net_watts": "net_watts",
    "joules_per_sample": "joules_per_sample",
    "net_joules_per_sample": "net_joules_per_sample",
}
"""Columns of means, each with another one of its name and ``_ci95`` behind, and where the report has them."""

COLUMNS = (
    "started",
    *MACHINE,
    *("scene_lines", "scene_samples", "scene_bands", "scene_dtype"),
    *SETTINGS,
    "operation",
    *(f"{name}{behind}" for name in ESTIMATES for behind in ("", "_ci95")),
    *(f"scene_ms_{name}" for name in PERCENTILES),
    *(f"strip_ms_{name}" for name in PERCENTILES),
    *(
        "repetitions",
        "executions",
        "streamed",
        "peak_mib",
        "stream_bytes",
        "bits_per_sample",
        "idle_watts",
        "sensor",
    ),
    *("governors", "mean_mhz", "least_mhz", "hottest_celsius", "throttled", "warnings", "error"),
)
"""All columns, in their order; what is not known is empty."""


def write_csv(path: Path, report: dict[str, Any]) -> None:
    """Write a report as CSV; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        File to write; one that is there is replaced.
    report : dict
        What `bandfold bench` collects; see "JSON" in `docs/boards.md`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(report))
    with atomic_output(path) as file:
        file.write(text.getvalue().encode())


def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Flatten a report.

    Parameters
    ----------
    report : dict
        What `bandfold bench` collects.

    Returns
    -------
    list of dict
        With keys out of `COLUMNS`.
    """
    scene = {f"scene_{name}": report["scene"][name] for name in ("lines", "samples", "bands", "dtype")}
    machine = {"started": report["started"], **{name: report["machine"][name] for name in MACHINE}}
    found = []
    for one in report["measurements"]:
        common = {**machine, **scene, **{name: one[name] for name in SETTINGS}}
        if "error" in one:
            found.append({**common, "error": one["error"]})
            continue
        common |= _shared(one)
        strip = {f"strip_ms_{name}": one["strip_milliseconds"][name] for name in PERCENTILES}
        found.append({**common, **_operation("encode", one["encode"]), **strip})
        if one["decode"] is not None:
            found.append({**common, **_operation("decode", one["decode"])})
    return found


def _shared(one: dict[str, Any]) -> dict[str, Any]:
    conditions = one["conditions"] or {"governors": [], "megahertz": {}, "celsius": {}, "throttled": None}
    clocks = conditions["megahertz"].values()
    throttled = conditions["throttled"]
    return {
        "streamed": one["streamed"],
        "stream_bytes": one["stream_bytes"],
        "bits_per_sample": one["bits_per_sample"],
        "idle_watts": one["idle_watts"],
        "sensor": one["sensor"] and one["sensor"]["name"],
        "governors": " ".join(conditions["governors"]),
        "mean_mhz": sum(clock["mean"] for clock in clocks) / len(clocks) if clocks else None,
        "least_mhz": min((clock["min"] for clock in clocks), default=None),
        "hottest_celsius": max((zone["max"] for zone in conditions["celsius"].values()), default=None),
        "throttled": None if throttled is None else "; ".join(throttled) or "no",
        "warnings": " ".join(one["warnings"]),
    }


def _operation(name: str, part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"operation": name}
    for column, source in ESTIMATES.items():
        told = part[source] or {"mean": None, "ci95": None}
        found |= {column: told["mean"], f"{column}_ci95": told["ci95"]}
    return {
        **found,
        **{f"scene_ms_{place}": part["milliseconds"][place] for place in PERCENTILES},
        "repetitions": len(part["loads"]),
        "executions": part["milliseconds"]["count"],
        "peak_mib": part["peak_rss"] / 2**20,
    }
