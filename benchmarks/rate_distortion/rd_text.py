"""Rate-distortion results as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bandfold.benchmarks.measures.bdrate import Curve, quality_at

from .curves import Measured
from .standings import GAP_RATE, Mean, SceneResult


def scene_text(result: SceneResult) -> str:
    """Describe a scene's measurements.

    Parameters
    ----------
    result : SceneResult
        The measurements.

    Returns
    -------
    str
        Lines of text.
    """
    lines = [f"{result.scene}  ({' x '.join(map(str, result.shape))}{', AVIRIS' if result.aviris else ''})"]
    lines.append(f"  {'codec':<18}{'bps':>9}{'dB':>9}{'encode s':>10}{'decode s':>10}{'basis':>8}")
    for measured in (result.candidate, *result.rivals):
        for point in measured.points:
            share = "" if point.basis_share is None else f"{100 * point.basis_share:.1f} %"
            lines.append(
                f"  {measured.codec:<18}{point.bps:>9.4f}{point.psnr:>9.3f}"
                f"{point.encode_seconds:>10.2f}{point.decode_seconds:>10.2f}{share:>8}"
            )
        lines.extend(f"  ! {failure}" for failure in measured.failures)
    for anchor in result.anchors:
        figure, gap = result.against(anchor), result.gap(anchor)
        if figure.reason:
            said = figure.reason
        else:
            said = f"{figure.percent:+.1f} % bytes over {figure.low:.1f} to {figure.high:.1f} dB"
            if figure.coverage < 0.995:
                said += f" ({100 * figure.coverage:.0f} % of its range)"
        tail = "" if math.isnan(gap) else f"; {gap:+.2f} dB at {GAP_RATE:g} bps"
        lines.append(f"  against {anchor}: {said}{tail}")
    lines.extend(_from_recorded(measured, result.recorded) for measured in result.rivals)
    return "\n".join(line for line in lines if line)


def _from_recorded(measured: Measured, recorded: Mapping[str, Curve]) -> str:
    """How far a codec that ran live is from its recorded curve; nothing where there is none."""
    curve = recorded.get(measured.codec, ())
    found = [(point.bps, point.psnr - quality_at(curve, point.bps)) for point in measured.points]
    said = [f"{difference:+.3f} at {rate:.3f}" for rate, difference in found if not math.isnan(difference)]
    return f"  {measured.codec} from its recorded curve, dB at bps: {', '.join(said)}" if said else ""


def means_text(means: Iterable[Mean], rates: tuple[float, float]) -> str:
    """Describe mean standings as a Markdown table.

    Parameters
    ----------
    means : iterable of Mean
        Standings.
    rates : (float, float)
        The range of the delta rates, for the heading.

    Returns
    -------
    str
        Lines of text.
    """
    span = f"{rates[0]:g}-{rates[1]:g} bps"
    lines = [
        f"| against | scenes | delta rate, {span} | of | dB at {GAP_RATE:g} bps | of |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for mean in means:
        percent = "" if math.isnan(mean.percent) else f"{mean.percent:+.1f} %"
        gap = "" if math.isnan(mean.gap) else f"{mean.gap:+.2f}"
        lines.append(
            f"| {mean.anchor} | {mean.scenes} | {percent} | {mean.counted} | {gap} | {mean.gap_counted} |"
        )
    return "\n".join(lines)


def delta_table(results: Sequence[SceneResult]) -> str:
    """Put delta rates against each codec side by side, as a Markdown table.

    Parameters
    ----------
    results : sequence of SceneResult
        At least one, all with the same codecs.

    Returns
    -------
    str
        Lines of text: a row for each result, a column for each codec that the candidate is compared with.
    """
    anchors = list(results[0].anchors)
    low, high = results[0].rates
    lines = [
        f"| {results[0].candidate.codec} against ({low:g}-{high:g} bps) | {' | '.join(anchors)} |",
        f"|---|{'---:|' * len(anchors)}",
    ]
    for result in results:
        figures = (result.against(anchor).percent for anchor in anchors)
        said = ("" if math.isnan(figure) else f"{figure:+.1f} %" for figure in figures)
        lines.append(f"| {result.scene} | {' | '.join(said)} |")
    return "\n".join(lines)


def as_json(results: Sequence[SceneResult], means: Iterable[Mean]) -> dict[str, Any]:
    """Collect everything for a file.

    Parameters
    ----------
    results : sequence of SceneResult
        The scenes.
    means : iterable of Mean
        Their mean standings.

    Returns
    -------
    dict
        Only what JSON can hold; figures that do not exist are None.
    """
    content = {
        "scenes": {
            result.scene: {
                "shape": result.shape,
                "aviris": result.aviris,
                "rates": result.rates,
                "measured": {
                    measured.codec: _measured(measured) for measured in (result.candidate, *result.rivals)
                },
                "recorded": result.recorded,
                "bd_rate": {anchor: asdict(result.against(anchor)) for anchor in result.anchors},
                "gap_db": {anchor: result.gap(anchor) for anchor in result.anchors},
            }
            for result in results
        },
        "means": [asdict(mean) for mean in means],
    }
    cleaned: dict[str, Any] = _finite(content)
    return cleaned


def _measured(measured: Measured) -> dict[str, Any]:
    return {"points": [asdict(point) for point in measured.points], "failures": measured.failures}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
