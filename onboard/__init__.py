"""Onboard: a scene, or lines of an instrument, in; a stream, or packets, out. NumPy suffices."""

from bandfold.common.scene import SceneSource

from .encoder import Encoder
from .samples.samples import ArraySource
from .settings import EncoderSettings
from .stream_encoder import StreamEncoder

__all__ = ["ArraySource", "Encoder", "EncoderSettings", "SceneSource", "StreamEncoder"]
