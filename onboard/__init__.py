"""Flight: from a scene to a stream, with NumPy and an entropy coder."""

from .encoder import Encoder
from .source import ArraySource, SceneSource
from .stream import StreamEncoder

__all__ = ["ArraySource", "Encoder", "SceneSource", "StreamEncoder"]
