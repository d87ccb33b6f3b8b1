"""Onboard: a scene, or lines of an instrument, in; a stream, or packets, out. NumPy suffices."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bandfold.common.scene import SceneSource

    from .encoder import Encoder
    from .samples.samples import ArraySource
    from .settings import EncoderSettings
    from .stream_encoder import StreamEncoder

_HOMES = {
    "ArraySource": ".samples.samples",
    "Encoder": ".encoder",
    "EncoderSettings": ".settings",
    "SceneSource": "bandfold.common.scene",
    "StreamEncoder": ".stream_encoder",
}

__all__ = ["ArraySource", "Encoder", "EncoderSettings", "SceneSource", "StreamEncoder"]


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: a scene needs less than streams, models and bounded errors do."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
    return found
