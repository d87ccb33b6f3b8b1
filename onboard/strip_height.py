"""How many lines a strip has where the user does not say."""

from __future__ import annotations

from bandfold.common.scene import BLOCK, SceneInfo

from .settings import STRIP_LINES

LEAST_PIXELS = 1 << 10
"""Pixels of a strip at least, so that what each strip costs is shared by many samples. Scenes of 16 samples
and more reach that with `STRIP_LINES`; those of one sample get strips of 1024 lines."""

PREDICTED_PIXELS = 1 << 15
"""The same where bands are predicted: each band tells its weights in each strip."""

MOST_PREDICTED_LINES = 512
"""Lines at most of a strip whose bands are predicted."""

MOST_SAMPLES = 3 << 23
"""Samples at most of a strip with more than one row of blocks: decoders have memory for those however few
bytes they take (`LEAST_MEMORY` in `bandfold.bitstream.container.stream_budget`), and encoders hold a strip or
two."""

MOST_PREDICTED_SAMPLES = 10 << 20
"""The same where bands are predicted, which takes twice the memory for a sample."""


def strip_height(
    info: SceneInfo, wanted: int | None = None, *, predicted: bool = False, stream: bool = False
) -> int:
    """Lines of a strip: more than usual where lines are short, fewer where they are long.

    Parameters
    ----------
    info : SceneInfo
        Bands and lines of the scene, and samples of a line.
    wanted : int, optional
        Lines that the user asked for, which hold.
    predicted : bool
        Whether a model predicts bands from bands.
    stream : bool
        Whether lines are coded as they come: then their number is not known yet, and not used.

    Returns
    -------
    int
        A multiple of 8.
    """
    if wanted is not None:
        return wanted
    most = (
        (MOST_PREDICTED_SAMPLES if predicted else MOST_SAMPLES) // (info.bands * info.samples * BLOCK) * BLOCK
    )
    if not (predicted or stream) and info.lines <= STRIP_LINES:
        lines = STRIP_LINES
    else:
        pixels = PREDICTED_PIXELS if predicted else LEAST_PIXELS
        lines = max(-(-pixels // (info.samples * BLOCK)) * BLOCK, STRIP_LINES)
    if predicted:
        lines = min(lines, MOST_PREDICTED_LINES)
    return max(min(lines, most), BLOCK)
