"""What `bandfold info` reports of a stream: the scene, the settings, and where the bytes went."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from bandfold.bitstream.container.header import STEP_UNIT, Header
from bandfold.bitstream.container.sections import VERSION, Section
from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import StreamError
from bandfold.common.values.fill_values import FOUND_KEY

from .parsed_stream import ParsedStream

MOST_NUMBERS = 32
"""Real numbers of a list that are written out for people to read, at most."""


def stream_report(stream: ParsedStream) -> dict[str, Any]:
    """Describe a stream without decoding it.

    Parameters
    ----------
    stream : ParsedStream
        The stream.

    Returns
    -------
    dict
        Ready for JSON.
    """
    header, info, fold, rotations = stream.header, stream.header.info, stream.fold, stream.rotations
    sizes, total = stream.sizes.by_kind, stream.sizes.total
    by_section = {kind.name.lower(): sizes.get(kind, 0) for kind in Section}
    by_section["segments"] = by_section.pop("segment")
    by_section["basis"] = by_section.pop("fold")
    promised = stream.promised
    by_section["other"] = total - sum(by_section.values())
    scaling = info.scaling
    return {
        "format_version": VERSION,
        "file_bytes": total,
        "bps": total * 8 / info.count,
        **info.geometry,
        "scaling": None if scaling is None else {"scale": scaling.scale, "offset": scaling.offset},
        "precision": None if scaling is None else abs(scaling.scale),
        "precision_of_bands": []
        if scaling is None
        else [
            {"band": own.band, "precision": abs(scaling.scale) * 2.0**own.doublings, "offset": own.offset}
            for own in scaling.bands
        ],
        "no_data": None if info.no_data is None else str(info.no_data),
        "fill_values_found": stream.metadata.get(FOUND_KEY),
        "open": header.open,
        "complete": stream.complete,
        "step": header.step,
        "max_error": None if promised is None else promised.max_error,
        "relative_error": None if promised is None else promised.relative_error,
        "transform": header.transform,
        "spectral": "auto" if header.spectral else "none",
        "intervals": list(fold.ends),
        "components_first": [vectors.count for vectors in fold.first],
        "components": fold.components,
        "rotations": len(rotations),
        "rotated_components": rotations[0].count if rotations else 0,
        "folds": stream.transforms.count(Section.FOLD),
        "rotation_sets": stream.transforms.count(Section.ROTATION),
        "model": None if header.model is None else header.model.name,
        "model_hash": None if header.model is None else header.model.hash.hex(),
        "engines": list(fold.engines),
        "block_weights": header.tools.regional,
        "band_weights": None if fold.weights is None else np.round(weights_of(fold.weights), 6).tolist(),
        "band_steps": _band_steps(header, fold),
        "sensor": None if header.sensor is None else header.sensor.name,
        "sensor_hash": None if header.sensor is None else header.sensor.hash.hex(),
        "quantiser": header.quantiser,
        "tables": header.tables.hex(),
        "bytes": by_section,
        "basis_share": sizes.get(Section.FOLD, 0) / total,
        "damaged_bytes": stream.sizes.damaged,
        "segments": [_segment_report(stream, strip) for strip in range(header.strip_count)],
    }


def _band_steps(header: Header, fold: Fold) -> list[float] | None:
    """Steps in counts of predicted bands, at the step of the stream; None where all bands have the same."""
    order = fold.prediction
    if order is None:
        return None
    steps = {one.band: order.step(header.step_code, one) / STEP_UNIT for one in order.bands(fold.bands)}
    return [steps[band] for band in range(fold.bands)]


def _segment_report(stream: ParsedStream, strip: int) -> dict[str, Any]:
    lines = stream.header.strip(strip)
    bound, refinement = stream.bound(strip), stream.refinement(strip)
    known: dict[str, Any] = dict.fromkeys(
        ("fold", "step", "precision", "exact_samples", "components", "chunks")
    )
    with suppress(StreamError):
        segment = stream.strips.segment(strip)
        scaling = stream.header.info.scaling
        known = {
            "fold": segment.place.fold,
            "step": stream.step(segment.place),
            "precision": None if scaling is None else abs(scaling.scale) * 2.0**segment.place.doublings,
            "exact_samples": segment.place.escapes,
            "components": segment.components,
            "chunks": len(segment.chunks),
        }
    return {
        "lines": [lines.start, lines.stop],
        "bytes": stream.segments[strip].size if strip in stream.segments else 0,
        "refinement_bytes": 0 if refinement is None else len(refinement.pack()),
        "intact": stream.usable(strip),
        **known,
        "max_error": None if bound is None else bound.max_error,
    }


def value_text(value: Any) -> str:
    """Write a value of a report for people to read.

    Parameters
    ----------
    value : object
        As `stream_report` gives it.

    Returns
    -------
    str
        On one line.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {value_text(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)) and len(value) > MOST_NUMBERS and isinstance(value[0], float):
        return f"{value_text(min(value))} to {value_text(max(value))} ({len(value)} values)"
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text(one) for one in value) or "-"
    return str(value)
