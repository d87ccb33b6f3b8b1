"""How much memory decoding takes, estimated from the header before anything is allocated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bandfold.bitstream.container.header import PREDICTED, Header
from bandfold.common.scene import CHANNELS, block_rows

if TYPE_CHECKING:
    from .band_codec import BandCodec
    from .predicted_codec import PredictedCodec

COMPONENTS_AT_ONCE = 16
"""Components that go through the inverse transforms together where they are bands."""

BYTES_PER_LATENT = 32
"""Memory that decoding takes for each latent of a strip: contexts, latents and planes. Measured: up to 28."""

BYTES_PER_UNFOLDED_LATENT = 6
"""The same where components are bands, which are transformed some at a time. Measured: up to 5.5."""

BYTES_PER_SAMPLE = 10
"""Memory that decoding takes for each sample of a strip: counts, samples, and which are absent. Measured: up
to 9.2, of floats with a no-data value."""

BYTES_PER_SAMPLE_OF_NETWORKS = 16
"""Memory that decoding takes for each sample of a strip that networks make, in floating point."""

BYTES_PER_PREDICTED_SAMPLE = 24
"""Memory that decoding takes for each sample of a strip of predicted bands, which are latents too, and
are reconstructed one at a time. Measured: up to 21."""

BYTES_PER_NETWORK_SAMPLE = 256
"""Memory that networks take for each sample of one band of a strip."""


def strip_memory(
    header: Header, components: int, codec: BandCodec | PredictedCodec | None = None, *, rotated: bool = False
) -> int:
    """Estimate what decoding one strip takes.

    Parameters
    ----------
    header : Header
        Says the bands, the samples of a line and the lines of a strip.
    components : int
        Components of the fold.
    codec : BandCodec, PredictedCodec or None
        The trained model of the stream, if it has one; without it networks do not count.
    rotated : bool
        Whether components are bands, and blocks of them are rotated all the same.

    Returns
    -------
    int
        Bytes, roughly and at most.
    """
    bands = header.info.bands
    if header.transform == PREDICTED:
        return strip_pixels(header) * bands * BYTES_PER_PREDICTED_SAMPLE
    if codec is not None:
        # Encoders ask too, before every scene, and have none.
        from .band_codec import REDUCTION, BandCodec, latent_rows

        if isinstance(codec, BandCodec):
            places = latent_rows(_height(header)) * latent_rows(header.info.samples)
            pixels = places * REDUCTION * REDUCTION
            memory = places * codec.channels * bands * BYTES_PER_LATENT
            memory += pixels * bands * BYTES_PER_SAMPLE_OF_NETWORKS
            # Networks get one band at a time.
            return memory + pixels * BYTES_PER_NETWORK_SAMPLE
    of_latent = BYTES_PER_LATENT if header.spectral or rotated else BYTES_PER_UNFOLDED_LATENT
    memory = strip_pixels(header) * (components * of_latent + bands * BYTES_PER_SAMPLE)
    if of_latent == BYTES_PER_UNFOLDED_LATENT:
        memory += strip_pixels(header) * min(components, COMPONENTS_AT_ONCE) * BYTES_PER_LATENT
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
