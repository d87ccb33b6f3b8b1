"""Figures of a board as Markdown: one configuration in full, several as the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bandfold.onboard.effort import DEFAULT_EFFORT

from .estimates import PERCENTILES

Found = dict[str, Any]


def markdown(report: Found) -> str:
    """Write a report as Markdown.

    Parameters
    ----------
    report : dict
        What `bandfold bench` collects; see "JSON" in `docs/boards.md`.

    Returns
    -------
    str
        The board, a table and what must be said beside it.
    """
    rows = report["measurements"]
    scene, plan = report["scene"], report["plan"]
    geometry = f"{scene['lines']} x {scene['samples']} x {scene['bands']} {scene['dtype']}"
    head = [
        _board(report["machine"]),
        "",
        f"{geometry}; {plan['repeat']} x {plan['seconds']:g} s or more; mean ± 95 % confidence interval "
        "(Student's t over repetitions).",
        "",
    ]
    body = _one(rows[0]) if len(rows) == 1 else _many(rows)
    return "\n".join([*head, *body, "", _sensor(report), *_notes(rows)])


def _board(machine: Found) -> str:
    versions = [
        f"{name} {machine[name]}" for name in ("bandfold", "numpy", "onnxruntime", "litert") if machine[name]
    ]
    named = [machine["board"], machine["processor"], f"kernel {machine['kernel']}"]
    if machine["power_mode"]:
        named.append(f"power mode {machine['power_mode']}")
    return "; ".join([*(name for name in named if name), f"Python {machine['python']}", *versions])


def _one(found: Found) -> list[str]:
    encode, decode = found["encode"], found["decode"]
    rows = [("settings", "", describe(found))]
    if found["engines"]:
        rows.append(("engine that ran", "", ", ".join(found["engines"])))
    if found["idle_watts"] is not None:
        rows.append(("power at rest", "W", f"{found['idle_watts']:.2f}"))
    for name, part in (("encoding", encode), ("decoding", decode)):
        if part is not None:
            rows += _operation(name, part)
    rows += [
        (_strip_name(found), "ms", _latency(found["strip_milliseconds"])),
        ("rate", "bits per sample", f"{found['bits_per_sample']:.4f}"),
    ]
    rows += _conditions(found["conditions"] or {})
    return [
        "| what | unit | figure |",
        "|---|---|---:|",
        *(f"| {name} | {unit} | {figure} |" for name, unit, figure in rows),
    ]


def _operation(name: str, part: Found) -> list[tuple[str, str, str]]:
    rows = [
        (f"{name}, throughput", "Msamples/s", _mean(part["msamples_per_second"], ".2f")),
        (f"{name}, time of a scene", "ms", _latency(part["milliseconds"])),
        (f"{name}, processor time of a scene", "s", _mean(part["cpu_seconds_each"], ".2f")),
        (f"{name}, peak memory, imports included", "MiB", f"{part['peak_rss'] / 2**20:.0f}"),
    ]
    if part["watts"] is not None:
        rows += [
            (f"{name}, power", "W", _mean(part["watts"], ".2f")),
            (f"{name}, power above rest", "W", _mean(part["net_watts"], ".2f")),
            (f"{name}, energy", "µJ/sample", _mean(part["joules_per_sample"], ".4f", 1e6)),
            (f"{name}, energy above rest", "µJ/sample", _mean(part["net_joules_per_sample"], ".4f", 1e6)),
        ]
    return rows


def _conditions(conditions: Found) -> list[tuple[str, str, str]]:
    if not conditions:
        return []
    clocks = conditions["megahertz"].values()
    hottest = max(conditions["celsius"].items(), key=lambda zone: zone[1]["max"], default=None)
    throttled = conditions["throttled"]
    return [
        ("frequency governor", "", ", ".join(conditions["governors"]) or "not told"),
        ("clock of all cores, mean (least-most)", "MHz", _course(list(clocks), ".0f")),
        (
            f"temperature of {hottest[0]}, mean (least-most)" if hottest else "temperature",
            "°C",
            _course([hottest[1]] if hottest else [], ".1f"),
        ),
        ("throttling", "", "not told" if throttled is None else ", ".join(throttled) or "none"),
    ]


def _many(rows: Sequence[Found]) -> list[str]:
    good = [row for row in rows if "error" not in row]
    heads = ["settings", "encode, Msamples/s"]
    energy = any(row["encode"]["watts"] is not None for row in good)
    decode = any(row["decode"] is not None for row in good)
    if energy:
        heads += ["power above rest, W", "energy above rest, µJ/sample"]
    if decode:
        heads += ["decode, Msamples/s", *(["decode, µJ/sample"] if energy else [])]
    heads += [f"{what}, ms: {', '.join(PERCENTILES)}" for what in ("scene", "strip")]
    heads += ["peak, MiB", "bits per sample"]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in rows:
        cells = [describe(row)]
        if "error" in row:
            cells += ["failed"] + [""] * (len(heads) - 2)
        else:
            encode, decoding = row["encode"], row["decode"] or {}
            cells.append(_mean(encode["msamples_per_second"], ".2f"))
            if energy:
                cells.append(_mean(encode["net_watts"], ".2f"))
                cells.append(_mean(encode["net_joules_per_sample"], ".4f", 1e6))
            if decode:
                cells.append(_mean(decoding.get("msamples_per_second"), ".2f"))
                cells += [_mean(decoding.get("net_joules_per_sample"), ".4f", 1e6)] if energy else []
            cells += [_figures(encode["milliseconds"]), _figures(row["strip_milliseconds"])]
            cells += [f"{encode['peak_rss'] / 2**20:.0f}", f"{row['bits_per_sample']:.4f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def describe(row: Found) -> str:
    """Describe the settings of a measurement in a few words.

    Parameters
    ----------
    row : dict
        As `bandfold.benchmarks.board.configuration.Configuration.describe` gives it, or with results.

    Returns
    -------
    str
        As ``fold, uniform, 2 threads, 0.5 bits per sample``.
    """
    words = ["fold", row["quantiser"]] if row["model"] is None else [row["model"], row["engine"]]
    if row["effort"] not in (None, DEFAULT_EFFORT):
        words.append(f"effort {row['effort']}")
    threads = f"{row['threads']} thread{'s' * (row['threads'] > 1)}"
    return ", ".join([*words, threads, row["rate"]])


def _notes(rows: Sequence[Found]) -> list[str]:
    notes: dict[str, list[str]] = {}
    for row in rows:
        for note in [f"Failed: {row['error']}"] if "error" in row else row["warnings"]:
            notes.setdefault(note, []).append(describe(row))
    told = []
    whole = [describe(row) for row in rows if "error" not in row and not row["streamed"]]
    if whole and len(rows) > 1:
        told += ["", f"{'; '.join(whole)}: does not stream, strips are timed in the encode of a whole scene."]
    for note, of in notes.items():
        everywhere = len(of) == len(rows)
        told += ["", note if everywhere else f"{'; '.join(of)}: {note}"]
    return told


def _strip_name(found: Found) -> str:
    strip = f"a strip of {found['strip_lines']} lines"
    if found["streamed"]:
        return f"latency of {strip}, from its last line to its segment"
    return f"time of {strip} of a whole scene"


def _sensor(report: Found) -> str:
    if report["sensor"] is None:
        return f"No energy is reported: {report['no_sensor']}."
    return f"Energy: {report['sensor']['name']}; sum of {', '.join(report['sensor']['rails'])}."


def _mean(told: Found | None, style: str, unit: float = 1.0) -> str:
    if told is None:
        return "not measured"
    mean = f"{told['mean'] * unit:{style}}"
    return mean if told["ci95"] is None else f"{mean} ± {told['ci95'] * unit:{style}}"


def _course(courses: Sequence[Found], style: str) -> str:
    if not courses:
        return "not told"
    mean = sum(one["mean"] for one in courses) / len(courses)
    least, most = min(one["min"] for one in courses), max(one["max"] for one in courses)
    return f"{mean:{style}} ({least:{style}}-{most:{style}})"


def _latency(told: Found) -> str:
    if told["p50"] is None:
        return "not measured"
    return ", ".join(f"{name} {told[name]:.1f}" for name in PERCENTILES) + f" (of {told['count']})"


def _figures(told: Found) -> str:
    return "-" if told["p50"] is None else ", ".join(f"{told[name]:.1f}" for name in PERCENTILES)
