"""Flight: from a scene to a stream, with NumPy and an entropy coder."""

from bandfold.common.scene import SceneSource
from bandfold.onboard.samples.source import ArraySource

from .encoder import Encoder
from .stream_encoder import StreamEncoder

__all__ = ["ArraySource", "Encoder", "SceneSource", "StreamEncoder"]
