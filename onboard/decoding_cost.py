"""Whether decoders will take a stream for hostile, because its few bytes stand for so much."""

from __future__ import annotations

from bandfold.bitstream.container.header import PREDICTED, Header
from bandfold.bitstream.container.stream_budget import (
    LIVE_SHARE,
    NETWORK_FACTOR,
    NETWORK_WORK,
    PLANE_WORK,
    PREDICTED_FACTOR,
    PREDICTED_SHARE,
    SCALED_PLANE_WORK,
    ZERO_SHARE,
    StreamBudget,
    sample_work,
)
from bandfold.bitstream.segments.memory_estimate import strip_memory
from bandfold.common.errors import MemoryLimitError

CERTAIN = 0.75
"""Share of a budget that the size of a scene may claim: what latents take besides is less than the rest."""


def decoding_notes(nbytes: int, header: Header, *, bounded: bool = False) -> tuple[str, ...]:
    """Say if a stream may need the trust of who decodes it.

    Parameters
    ----------
    nbytes : int
        Bytes of the stream.
    header : Header
        Its header, with the lines that it has.
    bounded : bool
        Whether errors are bounded: then every sample is decoded twice.

    Returns
    -------
    tuple of str
        One line; nothing where the stream is sure to be decoded.
    """
    info = header.info
    work, factor = sample_work(info.count, info), 1
    work += info.bands * header.strip_count * (PLANE_WORK if info.scaling is None else SCALED_PLANE_WORK)
    work += info.count * bounded
    components = info.bands
    if header.transform == PREDICTED:
        work += info.count // PREDICTED_SHARE + info.count // ZERO_SHARE
        factor = PREDICTED_FACTOR
    elif header.model is not None:
        work += NETWORK_WORK * info.count
        factor = NETWORK_FACTOR
    elif header.spectral:
        components = 1
    else:
        work += info.count // LIVE_SHARE + info.count // ZERO_SHARE
    budget = StreamBudget(nbytes, factor=factor)
    try:
        budget.work(round(work / CERTAIN), "samples")
        budget.memory(strip_memory(header, components), "one strip")
    except MemoryLimitError:
        return (
            f"{info.count} samples in {nbytes} bytes: who decodes them may have to say --trusted "
            "(trusted=True), since hostile streams look like that; a higher rate or fewer --strip-lines need "
            "no trust",
        )
    return ()
