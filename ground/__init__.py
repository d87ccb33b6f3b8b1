"""Ground: from a stream back to a scene, to files and to comparisons."""

from .decoder import Damage, Decoder

__all__ = ["Damage", "Decoder"]
