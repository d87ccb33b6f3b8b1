"""How much memory decoding takes, estimated from the header before anything is allocated."""

from __future__ import annotations

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.segments.band_codec import REDUCTION, BandCodec, latent_rows
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.common.scene import CHANNELS, block_rows

BYTES_PER_LATENT = 32
"""Memory that decoding takes for each latent of a strip: contexts, latents and planes. Measured: up to 28."""

BYTES_PER_SAMPLE = 16
"""Memory that decoding takes for each sample of a strip. Measured: up to 14."""

BYTES_PER_PREDICTED_SAMPLE = 24
"""Memory that decoding takes for each sample of a strip of predicted bands, which are latents too, and
are reconstructed one at a time. Measured: up to 21."""

BYTES_PER_NETWORK_SAMPLE = 256
"""Memory that networks take for each sample of one band of a strip."""


def strip_memory(header: Header, components: int, codec: BandCodec | PredictedCodec | None) -> int:
    """Estimate what decoding one strip takes.

    Parameters
    ----------
    header : Header
        Says the bands, the samples of a line and the lines of a strip.
    components : int
        Components of the fold.
    codec : BandCodec, PredictedCodec or None
        The trained model of the stream, if it has one.

    Returns
    -------
    int
        Bytes, roughly and at most.
    """
    bands = header.info.bands
    if isinstance(codec, PredictedCodec):
        memory = strip_pixels(header) * bands * BYTES_PER_PREDICTED_SAMPLE
    elif codec is None:
        memory = strip_pixels(header) * (components * BYTES_PER_LATENT + bands * BYTES_PER_SAMPLE)
    else:
        places = latent_rows(_height(header)) * latent_rows(header.info.samples)
        pixels = places * REDUCTION * REDUCTION
        memory = places * codec.channels * bands * BYTES_PER_LATENT + pixels * bands * BYTES_PER_SAMPLE
        # Networks get one band at a time.
        memory += pixels * BYTES_PER_NETWORK_SAMPLE
    return memory


def strip_pixels(header: Header) -> int:
    """Count the pixels of a strip, filled up to whole 8 x 8 blocks.

    Parameters
    ----------
    header : Header
        Says the samples of a line and the lines of a strip.

    Returns
    -------
    int
        Pixels, which are also the latents of one component.
    """
    return block_rows(_height(header)) * block_rows(header.info.samples) * CHANNELS


def _height(header: Header) -> int:
    return min(header.strip_lines, header.info.lines)
