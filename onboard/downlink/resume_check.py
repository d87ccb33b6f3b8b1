"""Whether settings and scene are those of a stream that was begun."""

from __future__ import annotations

from typing import Any

from bandfold.bitstream.container.header import STEP_UNIT, Header, PackageReference
from bandfold.bitstream.container.refinement_layout import SHARE_UNIT, ErrorLimits
from bandfold.bitstream.container.sections import Section, read_sections, read_varint
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.common.errors import SettingsError

from .resume import Begun


def check_header(begun: Header, now: Header) -> None:
    """Compare the header of a stream that was begun with the one that settings give now.

    Parameters
    ----------
    begun : Header
        Of the stream that was begun.
    now : Header
        What an encoder would write. The step of an open stream is that of its first strip; it is not
        compared.

    Raises
    ------
    SettingsError
        If they differ; it says in what.
    """
    told = [
        f"{name} {_text(was)} and not {_text(given)}"
        for (name, was), (_, given) in zip(_fields(begun), _fields(now), strict=True)
        # Two NaNs mark the same samples.
        if was != given and not (was != was and given != given)
    ]
    if told:
        raise SettingsError(
            f"the stream that was begun has other settings: {'; '.join(told)}. Give the same, or begin anew"
        )


def check_step(begun: Begun, step_code: int) -> None:
    """Refuse to continue a stream of one step with another one.

    Parameters
    ----------
    begun : Begun
        The stream that was begun.
    step_code : int
        The step that is asked for, in units of ``1 / 256`` of a count.

    Raises
    ------
    SettingsError
        If the stream has another step.
    """
    if step_code != begun.header.step_code:
        raise SettingsError(
            f"the stream that was begun has other settings: step {begun.header.step_code / STEP_UNIT:g} and "
            f"not {step_code / STEP_UNIT:g}. Give the same, or begin anew"
        )


def check_limits(begun: Begun, now: ErrorLimits | None) -> None:
    """Refuse to continue a stream with other limits of errors.

    Parameters
    ----------
    begun : Begun
        The stream that was begun.
    now : ErrorLimits or None
        The limits that are asked for; None without any.

    Raises
    ------
    SettingsError
        If the stream has others.
    """
    if begun.limits != now:
        raise SettingsError(
            f"the stream that was begun has other settings: limits of errors {_limits_text(begun.limits)} "
            f"and not {_limits_text(now)}. Give the same, or begin anew"
        )


def check_first_strip(begun: Begun, sections: bytes) -> None:
    """Compare the first strip of a stream that was begun with that of a scene, coded anew.

    Parameters
    ----------
    begun : Begun
        The stream that was begun.
    sections : bytes
        What an encoder writes for the first strip of the scene, from the signature on.

    Raises
    ------
    SettingsError
        If they differ: it is another scene, or other settings that no header tells.
    """
    folds: dict[int, bytes] = {}
    made = b"", b""
    for section in read_sections(sections):
        if section.kind == Section.FOLD:
            folds[read_varint(section.payload, 0)[0]] = section.payload
        elif section.kind == Section.SEGMENT:
            made = folds.get(read_segment_header(section.payload)[0].fold, b""), section.payload
            break
    # A damaged first strip of a stream that is kept as it is cannot be compared.
    if begun.first[1] and made != begun.first:
        raise SettingsError(
            "the first strip of the stream that was begun is not that of this scene with these settings: "
            "give the same scene, target, partition and quantiser, or begin anew"
        )


def _fields(header: Header) -> list[tuple[str, Any]]:
    """What has to be the same, by the name that messages give it."""
    info, scaling = header.info, header.info.scaling
    return [
        ("bands", info.bands),
        ("samples", info.samples),
        ("type", info.dtype),
        ("interleave", info.interleave),
        ("byte order", info.byte_order),
        ("scale", None if scaling is None else scaling.scale),
        ("offset", None if scaling is None else scaling.offset),
        ("counts", None if scaling is None else scaling.counts),
        ("no-data value", info.no_data),
        ("strip height", header.strip_lines),
        ("spectral transform", header.spectral),
        ("spatial transform", header.transform),
        ("quantiser", header.quantiser),
        ("tables", header.tables),
        ("model", header.model),
        ("sensor", header.sensor),
    ]


def _limits_text(limits: ErrorLimits | None) -> str:
    if limits is None:
        return "none"
    told = ", ".join(map(str, limits.counts)) + " counts"
    return f"{told} or {limits.share / SHARE_UNIT:.4g} of a sample" if limits.share else told


def _text(value: Any) -> str:
    if value is None or value is False:
        return "none"
    if isinstance(value, PackageReference):
        return f"{value.name!r} ({value.hash.hex()})"
    return value.hex() if isinstance(value, bytes) else str(value)
