"""A whole scene: its finished stream in, the same stream with a refinement of each strip out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.common.spool import Keep
from bandfold.common.workers import Workers
from bandfold.onboard.coding.scene_coder import CodedScene
from bandfold.onboard.coding.strip_coder import CodedStrip
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
    keep: Keep,
) -> CodedScene:
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
    keep : callable
        Keeps refinements until the stream is put together.

    Returns
    -------
    CodedScene
        The same with the refinements.

    Raises
    ------
    SceneError, VerificationError
        As for `StripRefiner.section`.
    """
    header = coded.header
    bases = {basis.number: basis for basis in coded.plan.bases}

    def refine(strip: CodedStrip) -> bytes:
        payload = bytes(strip.payload)
        place, _ = read_segment_header(payload)
        return refiner.section(payload, header, bases[place.fold], samples, header.strip(place.index))

    strips = list(coded.strips)
    if not all(strip.refinement for strip in strips):
        for number, made in enumerate(workers.map(refine, coded.strips)):
            strips[number] = replace(strips[number], refinement=keep(made))
            progress("refine", (number + 1) / len(strips))
    limits = write_section(Section.LIMITS, refiner.told(samples.scene.info).pack())
    return replace(coded, strips=tuple(strips), limits=limits, base_first=base_first)
