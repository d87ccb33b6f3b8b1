"""Whether decoders will take a stream for hostile, because its few bytes stand for so much."""

from __future__ import annotations

from bandfold.bitstream.container.header import PREDICTED, Header
from bandfold.bitstream.container.stream_budget import (
    LATENT_WORK,
    LIVE_SHARE,
    NETWORK_FACTOR,
    NETWORK_WORK,
    PLANE_WORK,
    PREDICTED_FACTOR,
    PREDICTED_SHARE,
    PRODUCT_SHARE,
    SCALED_PLANE_WORK,
    ZERO_SHARE,
    StreamBudget,
    sample_work,
)
from bandfold.bitstream.segments.memory_estimate import strip_memory
from bandfold.common.errors import MemoryLimitError

CERTAIN = 0.95
"""Share of a budget that samples and latents may claim: what is told besides takes less than the rest."""


def decoding_notes(nbytes: int, header: Header, components: int, *, bounded: bool = False) -> tuple[str, ...]:
    """Say if a stream may need the trust of who decodes it.

    Parameters
    ----------
    nbytes : int
        Bytes of the stream.
    header : Header
        Its header, with the lines that it has.
    components : int
        Components of the fold of most of them; of a trained model, which has none, it does not matter.
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
    if header.transform == PREDICTED:
        work += info.count // PREDICTED_SHARE + info.count // ZERO_SHARE + LATENT_WORK * info.count
        factor = PREDICTED_FACTOR
    elif header.model is not None:
        work += NETWORK_WORK * info.count
        factor = NETWORK_FACTOR
    else:
        # At worst no latent is left out, and no component is zero.
        latents = info.lines * info.samples * components
        work += latents * LATENT_WORK + latents // LIVE_SHARE + latents // ZERO_SHARE
        work += latents * (info.bands if header.spectral else 1) // PRODUCT_SHARE
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
