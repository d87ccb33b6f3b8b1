"""A whole scene: its finished stream in, the same stream with a refinement of each strip out."""

from __future__ import annotations

from collections.abc import Callable

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import PREAMBLE, Section, read_sections, write_section
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.common.workers import Workers
from bandfold.onboard.coding.scene_coder import CodedScene
from bandfold.onboard.samples.samples import Samples

from .strip_refiner import StripRefiner


def refine_scene(
    coded: CodedScene,
    samples: Samples,
    refiner: StripRefiner,
    *,
    base_first: bool,
    workers: Workers,
    progress: Callable[[str, float], None],
) -> bytes:
    """Add what bounds the errors of a stream.

    Parameters
    ----------
    coded : CodedScene
        The scene, as it would be without.
    samples : Samples
        Of the scene.
    refiner : StripRefiner
        Which knows the limits.
    base_first : bool
        Whether refinements come behind all segments; else each comes behind its own.
    workers : Workers
        Threads that refine strips side by side.
    progress : callable
        Called with a stage and the fraction done.

    Returns
    -------
    bytes
        The stream, whose sections are those of `coded` and the refinements.

    Raises
    ------
    SceneError, VerificationError
        As for `StripRefiner.section`.
    """
    data = coded.data
    sections = list(read_sections(data))
    header = Header.unpack(sections[0].payload)
    segments = [one.payload for one in sections if one.kind == Section.SEGMENT]
    bases = {basis.number: basis for basis in coded.plan.bases}

    def refine(number: int) -> bytes:
        place, _ = read_segment_header(segments[number])
        lines = header.strip(place.index)
        return refiner.section(segments[number], header, bases[place.fold], samples, lines)

    refinements = list(coded.refinements)
    if not refinements:
        for made in workers.map(refine, range(len(segments))):
            refinements.append(made)
            progress("refine", len(refinements) / len(segments))
    limits = write_section(Section.LIMITS, refiner.told(samples.scene.info).pack())
    out, behind, position = [data[:PREAMBLE]], iter(refinements), PREAMBLE
    for one in sections:
        out.append(data[position : position + one.size])
        position += one.size
        if one.kind == Section.HEADER:
            out.append(limits)
        elif one.kind == Section.SEGMENT and not base_first:
            out.append(next(behind))
    return b"".join([*out, *behind])
