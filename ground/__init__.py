"""Ground: from a stream back to a scene, to files and to comparisons."""

from .decoder import Decoder
from .synthesis.strip_decoder import Damage

__all__ = ["Damage", "Decoder"]
