"""Flight: from a scene to a stream, with NumPy and an entropy coder."""

from .encoder import Encoder
from .source import ArraySource, SceneSource

__all__ = ["ArraySource", "Encoder", "SceneSource"]
